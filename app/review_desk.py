"""Rows of a ledger onto a study's review desk, and reviews and verdicts back, by their files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.cts.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Taken:
    """What came back from a desk."""

    n_reviews: int
    n_verdicts: int


def put_on_desk(store_url: str, study: str | None, batch: Path) -> int:
    """Put a batch on the desk of a study; see `study.review_batches.put_on_desk`."""
    from app.commands.study import open_named
    from study.audit import OPERATOR
    from study.review_batches import put_on_desk as put

    opened, study_id = open_named(store_url, study)
    return put(opened, study_id, batch, by=OPERATOR)


def take_from_desk(store_url: str, study: str | None, ledger: Ledger) -> Taken:
    """Take every review and verdict of the desk in that the ledger has not.

    Raises:
        LedgerError: If a review does not fit its row; nothing is taken in then.
    """
    from app.commands.study import open_named
    from model.cts.reviews import decide, take_in
    from study.review_batches import write_reviews, write_verdicts

    opened, study_id = open_named(store_url, study)
    known = ledger.read("reviews", ["review_id"]).column(0).to_pylist()
    decided = ledger.read("verdicts", ["row_id"]).column(0).to_pylist()
    with TemporaryDirectory() as place:
        reviews, verdicts = Path(place) / "reviews.jsonl", Path(place) / "verdicts.jsonl"
        n_reviews = write_reviews(opened, study_id, reviews, without=set(known))
        n_verdicts = write_verdicts(opened, study_id, verdicts, without=set(decided))
        if n_reviews:
            take_in(ledger, reviews)
        if n_verdicts:
            decide(ledger, [json.loads(line) for line in verdicts.read_bytes().splitlines()[1:]])
    return Taken(n_reviews, n_verdicts)
