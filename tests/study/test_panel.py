"""The panel's docket."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from study.errors import NotAllowedError, ReviewError
from study.panel import PanelService
from study.review_batches import write_verdicts
from study.reviewing import ReviewService
from study.store import Store
from tests.studies import join, register_example
from tests.study.desk import all_at, auditor, desk_row, put


def test_the_majority_decides_and_earlier_scores_are_hidden_until_the_vote(
    store: Store, tmp_path: Path
) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1)], reviews_needed=1)
    reviewer, *panel = (auditor(store, study_id) for _ in range(5))
    reviews, votes = ReviewService(store), PanelService(store)
    row = reviews.next_task(reviewer)
    assert row is not None
    texts = {"reasoning": row.reasoning, "answer": row.answer}
    reviews.submit(reviewer, row.item, all_at(1), texts, "not at all")
    put(store, study_id, tmp_path / "d.jsonl", [desk_row(1, strikes=5)], docket=True)
    assert votes.next_task(reviewer) is None  # who has reviewed it is not its judge
    task = votes.next_task(panel[0])
    assert task is not None and task.strikes == 5
    with pytest.raises(NotAllowedError, match="after your vote"):
        votes.prior(panel[0], task.item)
    votes.vote(panel[0], task.item, keep=False, reason="harmful")
    (prior,) = votes.prior(panel[0], task.item)
    assert (prior.scores, prior.comment) == (all_at(1), "not at all")
    with pytest.raises(ReviewError, match="you have voted"):
        votes.vote(panel[0], task.item, keep=True, reason="on second thought")
    votes.vote(panel[1], task.item, keep=True, reason="can be mended")
    assert write_verdicts(store, study_id, tmp_path / "early.jsonl") == 0
    votes.vote(panel[2], task.item, keep=False, reason="wrong drug")
    assert votes.next_task(panel[3]) is None
    with pytest.raises(ReviewError, match="this row is decided"):
        votes.vote(panel[3], task.item, keep=True, reason="too late")
    assert write_verdicts(store, study_id, tmp_path / "v.jsonl") == 1
    verdict = json.loads((tmp_path / "v.jsonl").read_bytes().splitlines()[1])
    assert (verdict["verdict"], verdict["reason"]) == ("drop", "2 of 3: harmful; wrong drug")
    assert set(verdict["panel"].split()) == {member.pseudonym for member in panel[:3]}


def test_a_vote_needs_a_choice_a_reason_and_a_clinician_auditor(
    store: Store, tmp_path: Path
) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "d.jsonl", [desk_row(1)], docket=True)
    member, votes = auditor(store, study_id), PanelService(store)
    task = votes.next_task(member)
    assert task is not None
    with pytest.raises(ReviewError, match="keep the row, or drop it"):
        votes.vote(member, task.item, keep=None, reason="why")
    with pytest.raises(ReviewError, match="say why"):
        votes.vote(member, task.item, keep=True, reason=" ")
    with pytest.raises(NotAllowedError, match="the panel"):
        votes.next_task(join(store, study_id, "custodian"))
