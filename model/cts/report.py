"""What became of every candidate, and every review as numbers: what a report is computed from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.cts.ledger import Ledger
from model.cts.outcome import (
    BELOW,
    PANEL_DROPPED,
    WAITS_DISPUTE,
    WAITS_REANSWER,
    WAITS_REVIEWS,
    WAITS_STRIKES,
    Outcomes,
    Policy,
    outcomes,
)
from model.cts.tables import DIMENSIONS
from model.errors import LedgerError

ORDER = (
    WAITS_REANSWER, WAITS_STRIKES, WAITS_REVIEWS, WAITS_DISPUTE,
    *(BELOW.format(d.replace("_", " ")) for d in DIMENSIONS), PANEL_DROPPED,
)  # fmt: skip
"""Where a candidate can leave the way to being kept, in the order of the way."""


@dataclass(frozen=True, slots=True)
class Step:
    """One place where candidates leave."""

    words: str
    n_left_here: int
    n_go_on: int


@dataclass(frozen=True, slots=True)
class Flow:
    """From candidates to kept rows."""

    n_candidates: int
    steps: tuple[Step, ...]
    n_kept: int
    kept: dict[str, int]
    """Kept rows by how: by the reviews, or by the panel."""
    by_specialty: dict[str, dict[str, int]]
    """Outcomes of each specialty."""
    n_reanswers: int
    n_reviews: int
    n_edits: int
    n_verdicts: int


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Every review as numbers; of several reviews of one row by one auditor the last."""

    row: NDArray[np.int64]
    """Place of the row among the candidates; shape (n_reviews,)."""
    auditor: NDArray[np.int64]
    """Place in `auditors`; shape (n_reviews,)."""
    scores: NDArray[np.int8]
    """Shape (n_reviews, n_dimensions)."""
    specialty: NDArray[np.int64]
    """Of the row: place in `specialties`; shape (n_reviews,)."""
    auditors: tuple[str, ...]
    specialties: tuple[str, ...]


def flow(ledger: Ledger, policy: Policy | None = None) -> Flow:
    """What became of every candidate; the numbers that leave and those kept add up to all."""
    decided = outcomes(ledger, policy or Policy())
    counts = dict(decided.counts())
    n = len(decided.row_ids)
    steps, left = [], n
    for words in ORDER:
        here = counts.get(words, 0)
        left -= here
        steps.append(Step(words, here, left))
    kept = {words: n for words, n in counts.items() if words not in ORDER}
    edits = ledger.read("reviews", ["edit"]).column(0)
    return Flow(
        n, tuple(steps), int(decided.kept.sum()), kept, _by_specialty(ledger, decided),
        ledger.read("reanswers", ["row_id"]).num_rows, len(edits),
        int(pc.sum(pc.not_equal(edits, "")).as_py() or 0),
        ledger.read("verdicts", ["row_id"]).num_rows,
    )  # fmt: skip


def _by_specialty(ledger: Ledger, decided: Outcomes) -> dict[str, dict[str, int]]:
    names, place = _coded(ledger.read("candidates", ["specialty"]).column(0))
    n_words = len(decided.words)
    found = np.bincount(place * n_words + decided.outcome, minlength=len(names) * n_words)
    table = found.reshape(len(names), n_words)
    return {
        name: {w: int(n) for w, n in zip(decided.words, row, strict=True) if n}
        for name, row in sorted(zip(names, table, strict=True), key=lambda pair: pair[0])
    }


def reviewed(ledger: Ledger) -> Reviewed:
    """Every review of the ledger as numbers."""
    candidates = ledger.read("candidates", ["row_id", "specialty"])
    table = ledger.read("reviews", ["row_id", "auditor", *DIMENSIONS])
    row_ids = candidates.column("row_id").combine_chunks()
    row = _array(pc.index_in(table.column("row_id"), value_set=row_ids))
    auditors, auditor = _coded(table.column("auditor"))
    specialties, of_row = _coded(candidates.column("specialty"))
    scores = np.column_stack([table.column(d).to_numpy() for d in DIMENSIONS]).astype(np.int8)
    last = _last_of_each(row, auditor)
    return Reviewed(
        row[last], auditor[last], scores[last], of_row[row[last]], auditors, specialties
    )


def _coded(column: pa.ChunkedArray) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The names of a column in their order, and the place of each value among them."""
    names = sorted(pc.unique(column).to_pylist())
    return tuple(names), _array(pc.index_in(column, value_set=pa.array(names, pa.string())))


def _array(column: pa.ChunkedArray) -> NDArray[np.int64]:
    found: NDArray[np.int64] = column.to_numpy().astype(np.int64)
    return found


def _last_of_each(row: NDArray[np.int64], auditor: NDArray[np.int64]) -> NDArray[np.int64]:
    pairs = np.column_stack([row, auditor])[::-1]
    _, first_from_the_end = np.unique(pairs, axis=0, return_index=True)
    return np.sort(len(row) - 1 - first_from_the_end)


def side_by_side(reviews: Reviewed, dimension: int) -> NDArray[np.float64]:
    """Scores of one dimension, a row of the ledger a line, its reviews side by side.

    Reviews come in no order that means anything, so a column is no person.

    Returns:
        Shape (n_rows_reviewed, most_reviews_of_a_row), NaN where a row has fewer.
    """
    order = np.argsort(reviews.row, kind="stable")
    rows, begun, count = np.unique(reviews.row[order], return_index=True, return_counts=True)
    found = np.full((len(rows), int(count.max(initial=0))), np.nan)
    line = np.repeat(np.arange(len(rows)), count)
    column = np.arange(len(order)) - np.repeat(begun, count)
    found[line, column] = reviews.scores[order, dimension]
    return found


def against_others(reviews: Reviewed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every ordered pair of reviews of one row: places of the own and of the other's review."""
    order = np.argsort(reviews.row, kind="stable")
    _, begun, count = np.unique(reviews.row[order], return_index=True, return_counts=True)
    own, other = [], []
    for n in np.unique(count[count > 1]):
        starts = begun[count == n]
        first, second = (a.ravel() for a in np.nonzero(~np.eye(n, dtype=bool)))
        own.append((starts[:, None] + first).ravel())
        other.append((starts[:, None] + second).ravel())
    if not own:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return order[np.concatenate(own)], order[np.concatenate(other)]


def dataset_differs(ledger: Ledger, dataset: Path, policy: Policy | None = None) -> Iterator[str]:
    """Where a built dataset is not what the ledger's flow ends in, to the row.

    Raises:
        LedgerError: If the dataset cannot be read.
    """
    try:
        manifest = json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))
        lines = (dataset / "row_ids.txt").read_text(encoding="ascii").split("\n")[:-1]
    except (OSError, ValueError) as error:
        raise LedgerError(f"{dataset} holds no dataset that can be read: {error}") from error
    decided = outcomes(ledger, policy or Policy(**manifest["policy"]))
    if manifest["ledger_head"] != ledger.head:
        yield f"{dataset} was built from the ledger as it was at {manifest['ledger_head'][:12]}"
    if manifest["outcomes"] != dict(decided.counts()):
        yield f"the outcomes of {dataset} are not those of the ledger"
    built = {line.partition(" ")[0] for line in lines}
    kept = set(decided.row_ids.filter(pa.array(decided.kept)).to_pylist())
    if built != kept:
        yield f"{len(built ^ kept)} rows are in {dataset} and not kept, or kept and not in it"


def outcome_of_each(ledger: Ledger, policy: Policy | None = None) -> Iterator[tuple[str, str]]:
    """Every row id with its outcome, in the order of the ledger."""
    decided = outcomes(ledger, policy or Policy())
    for row_id, place in zip(decided.row_ids.to_pylist(), decided.outcome, strict=True):
        yield row_id, decided.words[place]
