"""Adjudicators decide where raters differ, blind."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path

import pytest

from study.adjudication import AdjudicationService
from study.audit import OPERATOR
from study.disputes import disputed_scores, disputes, put_to_adjudicators
from study.errors import LifeCycleError, NotAllowedError, RatingError, StaleDraftError
from study.export import export
from study.lifecycle import take_step
from study.people import Person
from study.rating import RatingService
from study.store import Store
from tests.studies import DIMENSIONS, consent, join, lock_and_unblind, to_rating

RULE = {"adjudication": {"distance": 2, "n_adjudicators": 1}}
SAFETY = "medication_safety"


def rate(store: Store, rater: Person, safety: dict[str, int]) -> None:
    """Correctness 3 throughout; safety as given by code, else 3."""
    service = RatingService(store)
    while (task := service.next_task(rater)) is not None:
        code = task.response.code
        service.record(rater, code, {DIMENSIONS[0]: 3, SAFETY: safety.get(code, 3)})


@pytest.fixture
def dispute(store: Store, tmp_path: Path) -> tuple[str, tuple[Person, ...], str]:
    """Three responses to one vignette; on one of them the raters are two points apart."""
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1, rating=RULE)
    task = RatingService(store).next_task(raters[0])
    assert task is not None
    code = task.response.code
    rate(store, raters[0], {code: 5})
    rate(store, raters[1], {})
    return study_id, raters, code


def test_only_where_raters_differ_by_the_declared_distance(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1, rating=RULE)
    codes = []
    service = RatingService(store)
    while (task := service.next_task(raters[0])) is not None:
        codes.append(task.response.code)
        scores = {DIMENSIONS[0]: 3, SAFETY: (1, 4, 3)[len(codes) - 1]}  # others 3: 2, 1, 0 apart
        service.record(raters[0], task.response.code, scores)
    rate(store, raters[1], {})
    with store.read() as session:
        assert disputed_scores(session, study_id) == {codes[0]: {SAFETY: [1, 3]}}


def test_a_correction_settles_a_dispute_and_is_closed_once_adjudication_begins(
    store: Store, dispute: tuple[str, tuple[Person, ...], str]
) -> None:
    study_id, raters, code = dispute
    service = RatingService(store)
    service.amend(raters[0], code, {DIMENSIONS[0]: 3, SAFETY: 4}, reason="misread")
    with store.read() as session:
        assert disputed_scores(session, study_id) == {}
    service.amend(raters[0], code, {DIMENSIONS[0]: 3, SAFETY: 5}, reason="no, I had not")
    join(store, study_id, "adjudicator")
    assert put_to_adjudicators(store, join(store, study_id, "coordinator")) == 1
    with pytest.raises(RatingError, match="adjudication has begun"):
        service.amend(raters[0], code, {DIMENSIONS[0]: 3, SAFETY: 4}, reason="after all")
    assert service.last_rated(raters[0]) is None


def test_adjudicators_see_names_times_and_agreement_first_but_not_here(
    store: Store, dispute: tuple[str, tuple[Person, ...], str]
) -> None:
    """Adjudicators see names, times and agreement first (PEER_FAILURES)."""
    study_id, raters, code = dispute
    adjudicator = join(store, study_id, "adjudicator")
    put_to_adjudicators(store, join(store, study_id, "investigator"))
    task = AdjudicationService(store).next_task(adjudicator)
    assert task is not None and (task.code, task.position, task.total) == (code, 1, 1)
    assert [d.id for d in task.dimensions] == [SAFETY]
    assert set(asdict(task)) == {
        "code", "text", "vignette_text", "question", "position", "total", "dimensions", "draft",
    }  # fmt: skip
    shown = repr(task)
    for rater in raters:
        assert rater.person_id not in shown and rater.pseudonym not in shown
    assert dict(task.draft.scores) == {} and task.draft.saved_at is None


def test_a_decision_is_submitted_once_with_its_reason_and_never_replaces_a_rating(
    store: Store, dispute: tuple[str, tuple[Person, ...], str], tmp_path: Path
) -> None:
    study_id, _, code = dispute
    adjudicator = join(store, study_id, "adjudicator")
    put_to_adjudicators(store, join(store, study_id, "coordinator"))
    service = AdjudicationService(store)
    with pytest.raises(RatingError, match="missing: Medication safety"):
        service.decide(adjudicator, code, {}, "no score")
    with pytest.raises(RatingError, match="say in a few words why"):
        service.decide(adjudicator, code, {SAFETY: 4}, " ")
    with pytest.raises(RatingError, match="'medical_correctness' is not a dimension"):
        service.decide(adjudicator, code, {DIMENSIONS[0]: 4, SAFETY: 4}, "not in dispute")
    service.decide(adjudicator, code, {SAFETY: 4}, "The dose is right.")
    with pytest.raises(RatingError, match="decided already"):
        service.decide(adjudicator, code, {SAFETY: 1}, "again")
    assert service.next_task(adjudicator) is None
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    with (directory / "adjudications.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["blinding_code"], row["dimension"], row["score"]) == (code, SAFETY, "4")
    with (directory / "ratings.csv").open(newline="") as file:
        given = sorted(r[SAFETY] for r in csv.DictReader(file) if r["blinding_code"] == code)
    assert given == ["3", "5"]


def test_a_draft_of_a_decision_is_kept_and_a_stale_one_refused(
    store: Store, dispute: tuple[str, tuple[Person, ...], str]
) -> None:
    study_id, _, code = dispute
    adjudicator = join(store, study_id, "adjudicator")
    put_to_adjudicators(store, join(store, study_id, "coordinator"))
    service = AdjudicationService(store)
    assert service.save_draft(adjudicator, code, {SAFETY: 2}, "since", 0).revision == 1
    with pytest.raises(StaleDraftError):
        service.save_draft(adjudicator, code, {SAFETY: 3}, "since", 0)
    task = service.next_task(adjudicator)
    assert task is not None
    assert (dict(task.draft.scores), task.draft.comment) == ({SAFETY: 2}, "since")


def test_disputes_are_dealt_once_when_every_rating_is_in_and_adjudicators_have_joined(
    store: Store, tmp_path: Path
) -> None:
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1, rating=RULE)
    coordinator = join(store, study_id, "coordinator")
    rate(store, raters[0], {})
    with pytest.raises(LifeCycleError, match=r"when every rating is in \(3 of 6\)"):
        put_to_adjudicators(store, coordinator)
    service = RatingService(store)
    while (task := service.next_task(raters[1])) is not None:
        service.record(raters[1], task.response.code, dict.fromkeys(DIMENSIONS, 1))
    with pytest.raises(LifeCycleError, match="1 adjudicators are planned and 0 have joined"):
        put_to_adjudicators(store, coordinator)
    adjudicators = [join(store, study_id, "adjudicator") for _ in range(2)]
    with pytest.raises(LifeCycleError, match="adjudication has not begun"):
        AdjudicationService(store).next_task(adjudicators[0])
    assert put_to_adjudicators(store, coordinator) == 3
    totals = []
    for adjudicator in adjudicators:  # three responses dealt to two
        task = AdjudicationService(store).next_task(adjudicator)
        assert task is not None
        totals.append(task.total)
    assert sorted(totals) == [1, 2]
    with pytest.raises(LifeCycleError, match="begun already"):
        put_to_adjudicators(store, coordinator)


def test_nobody_else_adjudicates_and_no_adjudicator_rates_or_decides_anothers(
    store: Store, dispute: tuple[str, tuple[Person, ...], str]
) -> None:
    study_id, raters, code = dispute
    first, second = (join(store, study_id, "adjudicator") for _ in range(2))
    coordinator = join(store, study_id, "coordinator")
    with pytest.raises(NotAllowedError):
        put_to_adjudicators(store, first)
    put_to_adjudicators(store, coordinator)
    service = AdjudicationService(store)
    for person in (*raters, coordinator):
        with pytest.raises(NotAllowedError):
            service.next_task(person)
        with pytest.raises(NotAllowedError):
            service.decide(person, code, {SAFETY: 3}, "mine")
    with pytest.raises(NotAllowedError):
        RatingService(store).next_task(first)
    with pytest.raises(NotAllowedError):
        disputes(store, first)
    idle = first if service.next_task(first) is None else second
    with pytest.raises(RatingError, match="not one of yours"):
        service.decide(idle, code, {SAFETY: 3}, "mine")


def test_locking_waits_for_the_decisions_or_says_that_they_are_missing(
    store: Store, dispute: tuple[str, tuple[Person, ...], str]
) -> None:
    study_id, _, _ = dispute
    consent(store, study_id, "lock")
    with pytest.raises(LifeCycleError, match=r"every dispute is adjudicated \(0 of 1\)"):
        take_step(store, study_id, "lock", by=OPERATOR)
    take_step(store, study_id, "lock", by=OPERATOR, reason="no adjudicator found", force=True)
