"""One row's life, from its source to the datasets and checkpoints that hold it.

An index beside the ledger finds every record of a row without reading a table: sorted 64-bit
digests of row ids with the shard and place of each record, mapped into memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from model.cts import merkle
from model.cts.build import leaves_of
from model.cts.ledger import GROUP_ROWS, Ledger
from model.cts.tables import TABLES, Name
from model.errors import LedgerError

_RECORD = np.dtype([("row", "<u8"), ("shard", "<u4"), ("place", "<u4")])


@dataclass(frozen=True, slots=True)
class InDataset:
    """Where a built dataset holds a row, and the proof that its root covers it."""

    directory: str
    split: str
    merkle_root: str
    proof: merkle.Proof


@dataclass(frozen=True, slots=True)
class Life:
    """Everything that is known of one row."""

    row: dict[str, Any]
    reanswers: list[dict[str, Any]]
    reviews: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]
    datasets: tuple[InDataset, ...]


class Index:
    """The ledger's index, made again when the ledger has grown."""

    def __init__(self, ledger: Ledger) -> None:
        """Open the index, or make it first."""
        self._ledger = ledger
        self._files = {s.number: pq.ParquetFile(ledger.directory / s.file) for s in ledger.shards}
        path = ledger.directory / "index" / f"{ledger.head[:16]}.npy"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            for old in path.parent.glob("*.npy"):
                old.unlink()
            np.save(path, _records(ledger))
        self._records = np.load(path, mmap_mode="r")
        self._table = {s.number: s.table for s in ledger.shards}

    def records(self, row_id: str) -> dict[Name, list[dict[str, Any]]]:
        """Every record of a row, by table, in the order in which they were added."""
        wanted = _digest(row_id)
        low, high = np.searchsorted(self._records["row"], [wanted, wanted + np.uint64(1)])
        found: dict[Name, list[dict[str, Any]]] = {name: [] for name in TABLES}
        for record in self._records[low:high]:
            number, place = int(record["shard"]), int(record["place"])
            group = self._files[number].read_row_group(place // GROUP_ROWS)
            row = group.slice(place % GROUP_ROWS, 1).to_pylist()[0]
            if row["row_id"] == row_id:  # two ids may share 64 bits
                found[self._table[number]].append(row)
        return found


def trace(index: Index, row_id: str, datasets: Iterable[Path] = ()) -> Life:
    """A row's life.

    Args:
        index: Of its ledger.
        row_id: The row.
        datasets: Directories that `build` wrote, to look the row up in.

    Raises:
        LedgerError: If the ledger holds no such row.
    """
    found = index.records(row_id)
    if not found["candidates"]:
        raise LedgerError(f"the ledger holds no row {row_id!r}; an id is r_ and 32 digits")
    held = tuple(h for directory in datasets if (h := _held(directory, row_id)) is not None)
    return Life(
        found["candidates"][0], found["reanswers"], found["reviews"], found["verdicts"], held
    )


def _held(directory: Path, row_id: str) -> InDataset | None:
    lines = (directory / "row_ids.txt").read_text(encoding="ascii").split("\n")[:-1]
    for place, line in enumerate(lines):
        name, _, split = line.partition(" ")
        if name == row_id:
            manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
            steps = merkle.proof(leaves_of(directory, lines), place)
            return InDataset(str(directory), split, manifest["merkle_root"], steps)
    return None


@dataclass(frozen=True, slots=True)
class Touched:
    """A checkpoint whose training read a recalled row, and what answered with it."""

    manifest: str
    checkpoint_sha256: str
    responses: tuple[str, ...]
    """Run manifests of responses by that checkpoint."""


def recall(
    row_id: str, *, datasets: Iterable[Path], exports: Iterable[Path] = (),
    trainings: Iterable[Path], runs: Iterable[Path],
) -> Iterator[Touched]:  # fmt: skip
    """Which checkpoints learned from a row, and which study responses they gave.

    Args:
        row_id: The row to be recalled.
        datasets: Directories that `build` wrote.
        exports: Directories that `export` wrote from them, which trainers read.
        trainings: Manifests of training runs (`safemed.training/1`).
        runs: `run.json` files of responses (`safemed.responses/1`).
    """
    digests = {
        entry["sha256"] for directory in datasets for entry in _splits_with(directory, row_id)
    }
    for directory in exports:
        written = json.loads((directory / "export.json").read_text(encoding="utf-8"))
        digests |= {e["sha256"] for e in written["splits"].values() if e["from_sha256"] in digests}
    answered = [(str(path), json.loads(path.read_text(encoding="utf-8"))) for path in runs]
    for path in trainings:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if digests & set(manifest["corpus"].values()):
            weights = manifest["weights_sha256"]
            by_it = tuple(name for name, run in answered if run["weights_sha256"] == weights)
            yield Touched(str(path), weights, by_it)


def _splits_with(directory: Path, row_id: str) -> Iterator[dict[str, Any]]:
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    for line in (directory / "row_ids.txt").read_text(encoding="ascii").split("\n"):
        name, _, split = line.partition(" ")
        if name == row_id:
            yield manifest["splits"][split]


def _records(ledger: Ledger) -> NDArray[Any]:
    parts = []
    for shard in ledger.shards:
        ids = pq.read_table(ledger.directory / shard.file, columns=["row_id"]).column(0)
        made = np.empty(shard.rows, dtype=_RECORD)
        made["row"] = np.fromiter((_digest(i) for i in ids.to_pylist()), "<u8", shard.rows)
        made["shard"], made["place"] = shard.number, np.arange(shard.rows)
        parts.append(made)
    records = np.concatenate(parts) if parts else np.empty(0, dtype=_RECORD)
    return records[np.argsort(records["row"], kind="stable")]


def _digest(row_id: str) -> np.uint64:
    if row_id.startswith("r_") and len(row_id) == 34:
        return np.uint64(int(row_id[2:18], 16))
    return np.uint64(int.from_bytes(sha256(row_id.encode()).digest()[:8], "big"))
