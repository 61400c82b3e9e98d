"""What becomes of every candidate: kept, dropped with a reason, or what it waits for.

A verdict of the panel stands above all. Without one, a row whose re-answers all missed, or whose
reviews are far apart, waits for the panel; a row with too few reviews waits for them; then the bar
decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.cts.ledger import Ledger
from model.cts.tables import DIMENSIONS, STRIKES

KEPT = "kept"
WAITS_REANSWER = "waiting: re-answer"
WAITS_REVIEWS = "waiting: reviews"
WAITS_STRIKES = "waiting: panel, five re-answers missed"
WAITS_DISPUTE = "waiting: panel, reviews far apart"
BELOW = "dropped: below the bar on {}"
PANEL_KEPT = "kept: panel"
PANEL_DROPPED = "dropped: panel"


@dataclass(frozen=True, slots=True)
class Policy:
    """When a row is kept. The numbers are ours, not the paper's, which printed none."""

    reviews_needed: int = 2
    bar: float = 3.0
    """Least mean score on every dimension, rubric points."""
    dispute: int = 3
    """Reviews this many points apart on a dimension go to the panel."""
    panel: int = 3
    """Votes that decide a row of the docket; odd, so that there is a majority."""
    reanswer: bool = True
    """Whether a row must have been re-answered."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One outcome a candidate, in the order of the ledger."""

    row_ids: pa.Array
    outcome: NDArray[np.int32]
    """Place in `words`."""
    words: tuple[str, ...]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which candidates are kept; shape (n_candidates,)."""
        places = [i for i, words in enumerate(self.words) if words.startswith(KEPT)]
        return np.isin(self.outcome, places)

    def counts(self) -> Iterator[tuple[str, int]]:
        """Every outcome that occurs, with its number of rows."""
        found = np.bincount(self.outcome, minlength=len(self.words))
        return ((words, int(n)) for words, n in zip(self.words, found, strict=True) if n)


def outcomes(ledger: Ledger, policy: Policy) -> Outcomes:
    """Decide every candidate; memory grows with the number of rows, not with their texts."""
    row_ids = ledger.read("candidates", ["row_id"]).column(0).combine_chunks()
    n = len(row_ids)
    below = [BELOW.format(d.replace("_", " ")) for d in DIMENSIONS]
    words = (KEPT, *below, WAITS_REANSWER, WAITS_REVIEWS, WAITS_STRIKES, WAITS_DISPUTE,
             PANEL_KEPT, PANEL_DROPPED)  # fmt: skip
    at = {name: i for i, name in enumerate(words)}
    found = np.full(n, at[KEPT], dtype=np.int32)
    n_reviews, mean, spread = _reviewed(ledger, row_ids)
    for place in reversed(range(len(DIMENSIONS))):
        found[mean[:, place] < policy.bar] = at[below[place]]
    found[spread >= policy.dispute] = at[WAITS_DISPUTE]
    found[n_reviews < policy.reviews_needed] = at[WAITS_REVIEWS]
    missed, agreed = _reanswered(ledger, row_ids)
    if policy.reanswer:
        found[~agreed & (missed < STRIKES)] = at[WAITS_REANSWER]
        found[~agreed & (missed >= STRIKES)] = at[WAITS_STRIKES]
    verdicts = ledger.read("verdicts", ["row_id", "verdict"])
    places = _places(verdicts.column("row_id"), row_ids)
    is_kept = pc.equal(verdicts.column("verdict"), "keep").to_numpy()
    found[places] = np.where(is_kept, at[PANEL_KEPT], at[PANEL_DROPPED])
    return Outcomes(row_ids, found, words)


def _places(of: pa.ChunkedArray, row_ids: pa.Array) -> NDArray[np.int64]:
    """Place of each row id among the candidates."""
    if len(of) == 0:
        return np.empty(0, dtype=np.int64)
    places: NDArray[np.int64] = pc.index_in(of, value_set=row_ids).to_numpy().astype(np.int64)
    return places


def _reviewed(
    ledger: Ledger, row_ids: pa.Array
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Reviews of each candidate, mean by dimension, and the widest spread of any dimension."""
    n = len(row_ids)
    reviews = ledger.read("reviews", ["row_id", *DIMENSIONS])
    places = _places(reviews.column("row_id"), row_ids)
    count = np.bincount(places, minlength=n)
    mean = np.zeros((n, len(DIMENSIONS)))
    spread = np.zeros(n, dtype=np.int64)
    for column, dimension in enumerate(DIMENSIONS):
        scores = reviews.column(dimension).to_numpy().astype(np.int64)
        total = np.bincount(places, weights=scores, minlength=n)
        mean[:, column] = np.divide(total, count, out=np.zeros(n), where=count > 0)
        low, high = np.full(n, 99), np.zeros(n, dtype=np.int64)
        np.minimum.at(low, places, scores)
        np.maximum.at(high, places, scores)
        spread = np.maximum(spread, np.where(count > 0, high - low, 0))
    return count, mean, spread


def _reanswered(ledger: Ledger, row_ids: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Misses of each candidate, and whether a re-answer agreed; a failed call is neither."""
    n = len(row_ids)
    table = ledger.read("reanswers", ["row_id", "agrees"])
    places = _places(table.column("row_id"), row_ids)
    agrees = table.column("agrees")
    hit = pc.fill_null(agrees, False).to_numpy().astype(bool)
    miss = ~pc.fill_null(agrees, True).to_numpy().astype(bool)
    return np.bincount(places[miss], minlength=n), np.bincount(places[hit], minlength=n) > 0
