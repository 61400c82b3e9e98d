"""Rows to clinician auditors and their reviews back, by files (`safemed.review-batch/1`).

A batch holds the rows as they stand, edits applied, for one specialty; whoever gathers the reviews
(the study's rating engine, or any tool) writes JSON lines back. Everything of a file is taken in or
nothing is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from model.canonical import canonical, sha256_hex
from model.cts.edits import apply, read_edit
from model.cts.ledger import Ledger
from model.cts.outcome import WAITS_DISPUTE, WAITS_REVIEWS, WAITS_STRIKES, Policy, outcomes
from model.cts.tables import DIMENSIONS, HIGHEST, LOWEST, TABLES
from model.errors import LedgerError

BATCH = "safemed.review-batch/1"
REVIEWS = "safemed.reviews/1"
MAX_NAMED = 20


def write_batch(
    ledger: Ledger, out: Path, *, specialty: str | None = None, n_rows: int = 100,
    policy: Policy | None = None, docket: bool = False,
) -> int:  # fmt: skip
    """Write a batch of rows that wait for reviews, or of the panel's docket; returns how many.

    Args:
        ledger: Whose rows.
        out: A JSON lines file that is not there yet.
        specialty: Of the rows; every specialty if None.
        n_rows: At most so many, in the order of the ledger.
        policy: Decides what waits.
        docket: Rows that wait for the panel instead; prior scores are not part of them.

    Raises:
        LedgerError: If the file exists, or no such row waits.
    """
    if out.exists():
        raise LedgerError(f"{out} exists; name a new file")
    policy = policy or Policy()
    decided = outcomes(ledger, policy)
    waits = (WAITS_STRIKES, WAITS_DISPUTE) if docket else (WAITS_REVIEWS,)
    codes = [decided.words.index(words) for words in waits]
    places = np.flatnonzero(np.isin(decided.outcome, codes))
    chosen = [row for row in _rows_at(ledger, places) if specialty in (None, row["specialty"])]
    chosen = chosen[:n_rows]
    if not chosen:
        raise LedgerError(f"no row of {specialty or 'any specialty'} waits for a review")
    head = {"schema": BATCH, "ledger_head": ledger.head, "rows": len(chosen), "docket": docket,
            "dimensions": list(DIMENSIONS), "scale": [LOWEST, HIGHEST],
            "reviews_needed": policy.reviews_needed, "panel": policy.panel}  # fmt: skip
    counts = _counts(ledger, [row["row_id"] for row in chosen])
    lines = [canonical(head)]
    lines += [canonical(_shown(row) | counts(row["row_id"])) for row in with_edits(ledger, chosen)]
    out.write_bytes(b"\n".join(lines) + b"\n")
    return len(chosen)


def _shown(row: Mapping[str, str]) -> dict[str, str]:
    texts = {name: row[name] for name in ("row_id", "specialty", "language", "prompt", "reasoning",
                                          "answer")}  # fmt: skip
    return {**texts, "text_sha256": text_sha256(row)}


def _counts(ledger: Ledger, row_ids: list[str]) -> Callable[[str], dict[str, int]]:
    """Reviews so far and missed re-answers of each row."""
    wanted = pa.array(row_ids, pa.string())
    reviews = ledger.read("reviews", ["row_id"]).column("row_id")
    reanswers = ledger.read("reanswers", ["row_id", "agrees"])
    missed = reanswers.filter(pc.invert(reanswers.column("agrees").fill_null(True)))
    n_reviews = Counter(reviews.filter(pc.is_in(reviews, value_set=wanted)).to_pylist())
    strikes = missed.column("row_id")
    n_strikes = Counter(strikes.filter(pc.is_in(strikes, value_set=wanted)).to_pylist())
    return lambda row_id: {"n_reviews": n_reviews[row_id], "strikes": n_strikes[row_id]}


def text_sha256(row: Mapping[str, str]) -> str:
    """Digest of the texts that a review is about; a review of other texts is refused."""
    return sha256_hex(canonical([row["prompt"], row["reasoning"], row["answer"]]))


def _rows_at(ledger: Ledger, places: np.ndarray[Any, Any]) -> Iterator[dict[str, str]]:
    begun = 0
    for path in ledger.paths("candidates"):
        n_rows = pq.read_metadata(path).num_rows
        here = places[(places >= begun) & (places < begun + n_rows)] - begun
        if len(here):
            yield from pq.read_table(path).take(here).to_pylist()
        begun += n_rows


def with_edits(ledger: Ledger, rows: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """The rows as they stand now, every edit so far applied."""
    wanted = pa.array([row["row_id"] for row in rows], pa.string())
    reviews = ledger.read("reviews", ["review_id", "row_id", "edit"])
    chosen = reviews.filter(pc.is_in(reviews.column("row_id"), value_set=wanted)).to_pylist()
    by_row: dict[str, list[dict[str, str]]] = {}
    for review in chosen:
        by_row.setdefault(review["row_id"], []).append(review)
    for row in rows:
        texts = {"reasoning": row["reasoning"], "answer": row["answer"]}
        for review in by_row.get(row["row_id"], ()):
            texts = apply(texts, read_edit(review["edit"]), where=f"review {review['review_id']}")
        yield {**row, **texts}


def take_in(ledger: Ledger, path: Path) -> int:
    """Take reviews in, all of them or none; returns how many.

    Each line: `review_id`, `row_id`, `auditor`, `specialty`, `scores` (five whole numbers 1 to 5),
    `edit` (changes, or null), `comment`, `reviewed_at`.

    Raises:
        LedgerError: Naming up to 20 faults by line; nothing is taken in then.
    """
    known = set(ledger.read("reviews", ["review_id"]).column(0).to_pylist())
    written = list(_read_lines(path))
    rows = _known_rows(ledger, {str(line.get("row_id")) for _, line in written})
    columns: dict[str, list[Any]] = {name: [] for name in TABLES["reviews"].names}
    faults: list[str] = []
    for number, line in written:
        try:
            review = _review(line, rows, known)
        except LedgerError as error:
            faults.append(f"{path.name}, line {number}: {error}")
            continue
        known.add(review["review_id"])
        for name, values in columns.items():
            values.append(review[name])
    if faults:
        rest = f"\nand {len(faults) - MAX_NAMED} more" if len(faults) > MAX_NAMED else ""
        raise LedgerError("nothing was taken in:\n" + "\n".join(faults[:MAX_NAMED]) + rest)
    if not columns["review_id"]:
        raise LedgerError(f"{path} holds no review")
    ledger.add("reviews", pa.table(columns, schema=TABLES["reviews"]))
    return len(columns["review_id"])


def _known_rows(ledger: Ledger, wanted: set[str]) -> dict[str, dict[str, str]]:
    """Reasoning and answer of the rows reviewed, as they stand now."""
    ids = pa.array(sorted(wanted), pa.string())
    found: list[dict[str, str]] = []
    for path in ledger.paths("candidates"):
        table = pq.read_table(path, columns=["row_id", "reasoning", "answer"])
        found += table.filter(pc.is_in(table.column("row_id"), value_set=ids)).to_pylist()
    return {row["row_id"]: row for row in with_edits(ledger, found)}


def _read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                line = json.loads(raw.decode("utf-8"))
                if not isinstance(line, dict):
                    raise ValueError(f"line {number} is no object")
                if line.get("schema") != REVIEWS:
                    yield number, line
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read as reviews: {error}") from error


def _review(
    line: Mapping[str, Any], rows: dict[str, dict[str, str]], known: set[str]
) -> dict[str, Any]:
    review_id, row_id = str(line.get("review_id") or ""), str(line.get("row_id") or "")
    if not review_id or review_id in known:
        raise LedgerError(f"review_id {review_id!r} is empty or there already")
    if row_id not in rows:
        raise LedgerError(f"the ledger holds no row {row_id!r}")
    scores = line.get("scores")
    if not isinstance(scores, dict) or set(scores) != set(DIMENSIONS):
        raise LedgerError(f"scores must name each of {', '.join(DIMENSIONS)}")
    for dimension, score in scores.items():
        if not isinstance(score, int) or isinstance(score, bool) or not LOWEST <= score <= HIGHEST:
            raise LedgerError(f"{dimension} is {score!r}; a whole number {LOWEST} to {HIGHEST}")
    edit = json.dumps(line["edit"], ensure_ascii=False) if line.get("edit") else ""
    row = rows[row_id]
    if edit:
        # The next review of the same file refers to the row as this one leaves it.
        rows[row_id] = {**row, **apply(
            {"reasoning": row["reasoning"], "answer": row["answer"]}, read_edit(edit),
            where=f"review {review_id}",
        )}  # fmt: skip
    return {
        "review_id": review_id, "row_id": row_id, "edit": edit, **scores,
        **{name: str(line.get(name) or "") for name in ("auditor", "specialty", "comment",
                                                        "reviewed_at")},
    }  # fmt: skip


def decide(ledger: Ledger, verdicts: list[dict[str, str]]) -> int:
    """Add the panel's verdicts, all or none.

    Args:
        ledger: Whose docket.
        verdicts: Each with `row_id`, `verdict` (keep or drop), `reason`, `panel`, `decided_at`.

    Raises:
        LedgerError: If a verdict is neither, lacks its reason, stands already or names no row.
    """
    there = set(ledger.read("verdicts", ["row_id"]).column(0).to_pylist())
    rows = set(ledger.read("candidates", ["row_id"]).column(0).to_pylist())
    counts = Counter(v["row_id"] for v in verdicts)
    for verdict in verdicts:
        row_id = verdict["row_id"]
        if verdict["verdict"] not in ("keep", "drop") or not verdict["reason"].strip():
            raise LedgerError(f"{row_id}: a verdict is keep or drop, with a reason; got {verdict}")
        if row_id in there or counts[row_id] > 1:
            raise LedgerError(f"{row_id}: the panel has decided already; verdicts do not change")
        if row_id not in rows:
            raise LedgerError(f"the ledger holds no row {row_id!r}")
    return ledger.add_rows("verdicts", verdicts)
