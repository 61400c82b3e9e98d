from __future__ import annotations

import math
from pathlib import Path

from model.cts.build import build
from model.cts.ledger import Ledger
from model.cts.report import (
    against_others,
    dataset_differs,
    flow,
    outcome_of_each,
    reviewed,
    side_by_side,
)
from model.cts.reviews import take_in
from tests.model.cts.rows import ids_of, ledger_of, review, write_lines
from tests.model.cts.test_build import whole


def test_those_who_leave_and_those_kept_add_up_to_the_candidates(tmp_path: Path) -> None:
    found = flow(whole(tmp_path))
    left = {
        step.words: (step.n_left_here, step.n_go_on) for step in found.steps if step.n_left_here
    }
    assert left == {
        "waiting: panel, five re-answers missed": (1, 6),
        "waiting: reviews": (1, 5),
        "waiting: panel, reviews far apart": (1, 4),
        "dropped: below the bar on clinical utility": (1, 3),
    }
    assert found.kept == {"kept": 2, "kept: panel": 1}
    assert found.n_candidates - sum(step.n_left_here for step in found.steps) == found.n_kept == 3
    assert (found.n_reanswers, found.n_reviews, found.n_edits, found.n_verdicts) == (11, 13, 2, 1)
    assert sum(found.by_specialty["general"].values()) == 7


def test_the_flow_reconciles_to_the_row_with_the_dataset_that_was_built(tmp_path: Path) -> None:
    ledger = whole(tmp_path)
    build(ledger, tmp_path / "out")
    assert list(dataset_differs(ledger, tmp_path / "out")) == []
    outcomes = dict(outcome_of_each(ledger))
    assert list(outcomes) == ids_of(ledger)
    ids = tmp_path / "out" / "row_ids.txt"
    ids.write_text("".join(ids.read_text().splitlines(keepends=True)[1:]))
    assert list(dataset_differs(ledger, tmp_path / "out")) == [
        f"1 rows are in {tmp_path / 'out'} and not kept, or kept and not in it"
    ]


def test_a_ledger_that_has_grown_since_is_told_apart(tmp_path: Path) -> None:
    ledger = whole(tmp_path)
    build(ledger, tmp_path / "out")
    few = ids_of(ledger)[3]
    take_in(ledger, write_lines(tmp_path / "more.jsonl", [review(few, 99)]))
    words = list(dataset_differs(Ledger(ledger.directory), tmp_path / "out"))
    assert words[0].startswith(f"{tmp_path / 'out'} was built from the ledger as it was at")
    assert len(words) == 3


def test_reviews_stand_side_by_side_by_row_the_last_of_each_auditor(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, 3)
    first, second, _ = ids_of(ledger)
    lines = [
        review(second, 1, 3), review(first, 2, 5), review(second, 4, 4),
        {**review(second, 6, 2), "auditor": "A1"},  # A1 again: the 3 no longer counts
    ]  # fmt: skip
    take_in(ledger, write_lines(tmp_path / "v.jsonl", lines))
    found = reviewed(ledger)
    table = side_by_side(found, 0)
    assert table.shape == (2, 2)
    assert (table[0, 0], math.isnan(table[0, 1])) == (5, True)
    assert sorted(table[1]) == [2, 4]
    own, other = against_others(found)
    pairs = {(found.auditors[found.auditor[i]], int(found.scores[j, 0]))
             for i, j in zip(own, other, strict=True)}  # fmt: skip
    assert pairs == {("A0", 2), ("A1", 4)}
