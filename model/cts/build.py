"""A dataset from the ledger: kept rows with their edits applied, split by digest, under one root.

The manifest reconciles to the row: candidates are kept, dropped or waiting, each counted under its
reason, and the counts add up. The root covers every kept row's id and text in their order.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from model.canonical import canonical, file_sha256
from model.cts import merkle
from model.cts.edits import apply, read_edit
from model.cts.firewall import Row as GuardedRow
from model.cts.firewall import refuse_overlaps
from model.cts.ledger import Ledger
from model.cts.outcome import Outcomes, Policy, outcomes
from model.cts.texts import texts_under
from model.errors import LedgerError, ModelError
from model.version import code_version

SCHEMA = "safemed.dataset/1"
GUARDED_AT_ONCE = 20_000
SPLITS = ("train", "validation", "test")
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Shares:
    """How kept rows are split; the rest is for training."""

    validation: float = 0.05
    test: float = 0.05


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made."""

    directory: Path
    merkle_root: str
    n_kept: int
    counts: Mapping[str, int]


def build(
    ledger: Ledger, out: Path, *, policy: Policy | None = None, shares: Shares | None = None,
    against: Sequence[Path] = (),
) -> Built:  # fmt: skip
    """Write `train.jsonl`, `validation.jsonl`, `test.jsonl` and `manifest.json`.

    Args:
        ledger: Whose rows.
        out: A directory that is not there yet.
        policy: When a row is kept.
        shares: Of validation and test rows.
        against: Vignettes and benchmarks of which no kept row may hold the text, nor nearly.

    Raises:
        LedgerError: If the directory exists, an edit does not apply or the disk refuses; nothing
            is left behind then.
        FirewallError: Naming the first rows that hold what the model is to be tested with.
    """
    policy, shares = policy or Policy(), shares or Shares()
    if out.exists():
        raise LedgerError(f"{out} exists; name a new directory")
    beside = out.with_name(out.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        decided = outcomes(ledger, policy)
        if against:
            _guard(ledger, decided, against)
        leaves, per_split = _write_rows(ledger, decided, beside, shares)
        counts = dict(decided.counts())
        manifest = _manifest(ledger, policy, shares, counts, leaves, per_split, beside)
        content = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        (beside / "manifest.json").write_text(content, encoding="utf-8")
        beside.rename(out)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise LedgerError(
            f"the dataset could not be written to {out}: {error.strerror}; free space and run again"
        ) from error
    except ModelError:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return Built(out, str(manifest["merkle_root"]), len(leaves), counts)


def _guard(ledger: Ledger, decided: Outcomes, against: Sequence[Path]) -> None:
    """The firewall, shard by shard of the ledger so that texts never fill the memory."""
    texts = texts_under(against)
    rows: list[GuardedRow] = []
    for row in kept_rows(ledger, decided):
        rows.append((row["prompt"], row["reasoning"], row["answer"]))
        if len(rows) == GUARDED_AT_ONCE:
            refuse_overlaps(rows, texts)
            rows = []
    refuse_overlaps(rows, texts)


def _manifest(
    ledger: Ledger, policy: Policy, shares: Shares, counts: Mapping[str, int],
    leaves: Sequence[bytes], per_split: Mapping[str, int], directory: Path,
) -> dict[str, Any]:  # fmt: skip
    return {
        "schema": SCHEMA,
        "ledger_head": ledger.head,
        "code_version": code_version(),
        "policy": asdict(policy),
        "shares": asdict(shares),
        "n_candidates": sum(counts.values()),
        "outcomes": dict(sorted(counts.items())),
        "n_kept": len(leaves),
        "merkle_root": merkle.root(leaves),
        "splits": {
            name: {"rows": per_split[name], "sha256": file_sha256(directory / f"{name}.jsonl")}
            for name in SPLITS
        },
        "row_ids_sha256": file_sha256(directory / "row_ids.txt"),
    }


def _write_rows(
    ledger: Ledger, decided: Outcomes, directory: Path, shares: Shares
) -> tuple[list[bytes], dict[str, int]]:
    leaves: list[bytes] = []
    per_split = dict.fromkeys(SPLITS, 0)
    files = {name: (directory / f"{name}.jsonl").open("wb") for name in SPLITS}
    try:
        with (directory / "row_ids.txt").open("w", encoding="ascii", newline="\n") as ids:
            for row in kept_rows(ledger, decided):
                content = canonical(row)
                name = _split(row["row_id"], shares)
                files[name].write(content + b"\n")
                ids.write(f"{row['row_id']} {name}\n")
                per_split[name] += 1
                leaves.append(merkle.leaf(content))
    finally:
        for file in files.values():
            file.close()
    return leaves, per_split


def kept_rows(ledger: Ledger, decided: Outcomes) -> Iterator[Row]:
    """Every kept row as it goes into training, its edits applied, shard by shard."""
    kept = decided.kept
    edits = _edits(ledger, decided)
    begun = 0
    for path in ledger.paths("candidates"):
        table = pq.read_table(path)
        here = np.flatnonzero(kept[begun : begun + table.num_rows])
        for place, row in zip(here, table.take(here).to_pylist(), strict=True):
            texts = {"reasoning": row["reasoning"], "answer": row["answer"]}
            for review_id, written in edits.get(begun + int(place), ()):
                texts = apply(texts, read_edit(written), where=f"review {review_id}")
            yield {**row, **texts}
        begun += table.num_rows


def _edits(ledger: Ledger, decided: Outcomes) -> dict[int, list[tuple[str, str]]]:
    """Edits of the kept rows by place, in the order in which reviews were taken in."""
    import pyarrow.compute as pc

    reviews = ledger.read("reviews", ["review_id", "row_id", "edit"])
    reviews = reviews.filter(pc.not_equal(reviews.column("edit"), ""))
    if not reviews.num_rows:
        return {}
    places: NDArray[np.int64] = pc.index_in(
        reviews.column("row_id"), value_set=decided.row_ids
    ).to_numpy().astype(np.int64)  # fmt: skip
    wanted = np.flatnonzero(decided.kept[places])
    found: dict[int, list[tuple[str, str]]] = {}
    chosen = reviews.take(wanted)
    for place, review_id, edit in zip(
        places[wanted].tolist(), chosen.column("review_id").to_pylist(),
        chosen.column("edit").to_pylist(), strict=True,
    ):  # fmt: skip
        found.setdefault(place, []).append((review_id, edit))
    return found


def _split(row_id: str, shares: Shares) -> str:
    """By the digest of the id: a row keeps its split when others come or go."""
    share = int.from_bytes(sha256(row_id.encode()).digest()[:8], "big") / 2**64
    if share < shares.test:
        return "test"
    return "validation" if share < shares.test + shares.validation else "train"


def dataset_faults(directory: Path) -> Iterator[str]:
    """What is wrong with a built dataset: every row is read and the root computed again.

    Raises:
        LedgerError: If there is no manifest that can be read.
    """
    try:
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        ids = (directory / "row_ids.txt").read_text(encoding="ascii").split("\n")[:-1]
    except (OSError, ValueError) as error:
        raise LedgerError(f"{directory} holds no dataset that can be read: {error}") from error
    for name in SPLITS:
        if file_sha256(directory / f"{name}.jsonl") != manifest["splits"][name]["sha256"]:
            yield f"{name}.jsonl was changed: its digest is not the manifest's"
    if sum(manifest["outcomes"].values()) != manifest["n_candidates"]:
        yield "the outcomes do not add up to the candidates"
    found = merkle.root(leaves_of(directory, ids))
    if found != manifest["merkle_root"]:
        yield f"the rows lead to the root {found[:12]}, the manifest says " + (
            f"{manifest['merkle_root'][:12]}"
        )


def leaves_of(directory: Path, ids: Sequence[str]) -> list[bytes]:
    """Leaf hashes of a dataset in the order of `row_ids.txt`."""
    files = {name: (directory / f"{name}.jsonl").open("rb") for name in SPLITS}
    try:
        return [merkle.leaf(files[line.partition(" ")[2]].readline().rstrip(b"\n")) for line in ids]
    finally:
        for file in files.values():
            file.close()
