"""Raters practise before they rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.audit import OPERATOR, events_of
from study.calibrating import CalibratingService, has_passed, share_within_one
from study.errors import LifeCycleError, NotAllowedError, ProtocolError, RatingError
from study.export import export
from study.people import Person
from study.rating import RatingService
from study.store import Store
from tests.studies import (
    DIMENSIONS,
    join,
    lock_and_unblind,
    practice,
    rate_everything,
    register_example,
    to_rating,
)

ASKED = {"calibration": {"pass_share": 0.75}}


def scored(first: int, second: int) -> dict[str, int]:
    return dict(zip(DIMENSIONS, (first, second), strict=True))


@pytest.fixture
def rating(store: Store, tmp_path: Path) -> tuple[str, tuple[Person, ...]]:
    return to_rating(store, tmp_path / "work", n_vignettes=1, rating=ASKED, practice=practice())


def test_no_response_is_shown_and_no_rating_taken_before_a_pass(
    store: Store, rating: tuple[str, tuple[Person, ...]]
) -> None:
    _, (rater, other) = rating
    service = RatingService(store)
    with pytest.raises(LifeCycleError, match="once you have passed the practice responses"):
        service.next_task(rater)
    practising = CalibratingService(store)
    practising.submit(rater, "P01", scored(5, 4))
    with pytest.raises(LifeCycleError):
        service.next_task(rater)
    practising.submit(rater, "P02", scored(1, 3))
    task = service.next_task(rater)
    assert task is not None
    with pytest.raises(LifeCycleError):  # one rater's pass is nobody else's
        service.record(other, task.response.code, scored(3, 3))


def test_agreed_scores_and_reasons_come_only_after_the_own_score(
    store: Store, rating: tuple[str, tuple[Person, ...]]
) -> None:
    _, (rater, _) = rating
    service = CalibratingService(store)
    before = service.standing(rater)
    assert before is not None and before.task is not None and before.feedback is None
    assert "Because" not in repr(before)
    assert (before.task.item, before.task.position, before.task.total) == ("P01", 1, 2)
    service.submit(rater, "P01", scored(4, 1))
    after = service.standing(rater)
    assert after is not None and after.feedback is not None and after.task is not None
    assert after.task.item == "P02"
    assert [(c.own, c.agreed, c.reason) for c in after.feedback.compared] == [
        (4, 5, "Because 1"),
        (1, 5, "Since 1"),
    ]
    with pytest.raises(RatingError, match="not the one that comes next"):
        service.submit(rater, "P01", scored(5, 5))  # now that the answer is known


def test_too_few_scores_near_the_agreed_ones_fail_and_every_attempt_is_kept(
    store: Store, rating: tuple[str, tuple[Person, ...]], tmp_path: Path
) -> None:
    study_id, (rater, other) = rating
    service = CalibratingService(store)
    # Agreed 5, 5 and 2, 2. Off by 0, 1 | 2, 3: two of four are near, and .75 is needed.
    service.submit(rater, "P01", scored(5, 4))
    service.submit(rater, "P02", scored(4, 5))
    failed = service.standing(rater)
    assert failed is not None and failed.last is not None and not failed.passed
    assert (failed.last.number, failed.last.share_within_one) == (1, 0.5)
    assert failed.task is not None and (failed.task.attempt, failed.task.item) == (2, "P01")
    # Off by 0, 1 | 1, 2: three of four.
    service.submit(rater, "P01", scored(5, 4))
    service.submit(rater, "P02", scored(3, 4))
    passed = service.standing(rater)
    assert passed is not None and passed.passed and passed.task is None
    assert passed.last is not None and passed.last.share_within_one == 0.75
    with pytest.raises(RatingError, match="passed already"):
        service.submit(rater, "P01", scored(5, 5))
    for item, agreed in (("P01", 5), ("P02", 2)):
        service.submit(other, item, scored(agreed, agreed))
    for someone in (rater, other):
        rate_everything(store, someone)
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    lines = (directory / "calibrations.csv").read_text().splitlines()[1:]
    kept = sorted(line.split(",")[:4] for line in lines)
    assert kept == sorted(
        [
            [rater.person_id, "1", "0.5", "false"],
            [rater.person_id, "2", "0.75", "true"],
            [other.person_id, "1", "1.0", "true"],
        ]
    )


def test_a_practice_score_missing_or_off_the_scale_is_refused(
    store: Store, rating: tuple[str, tuple[Person, ...]]
) -> None:
    _, (rater, _) = rating
    service = CalibratingService(store)
    with pytest.raises(RatingError, match="missing: Medication safety"):
        service.submit(rater, "P01", {"medical_correctness": 5})
    with pytest.raises(RatingError, match="6 is off the scale"):
        service.submit(rater, "P01", scored(6, 5))
    standing = service.standing(rater)
    assert standing is not None and standing.feedback is None


def test_only_a_rater_practises(store: Store, rating: tuple[str, tuple[Person, ...]]) -> None:
    study_id, _ = rating
    other = join(store, study_id, "adjudicator")
    for call in (
        lambda: CalibratingService(store).standing(other),
        lambda: CalibratingService(store).submit(other, "P01", scored(5, 5)),
    ):
        with pytest.raises(NotAllowedError):
            call()


def test_what_is_practised_on_is_frozen_at_registration_by_its_digest(
    store: Store, rating: tuple[str, tuple[Person, ...]]
) -> None:
    from study.canonical import canonical, sha256_hex

    study_id, (rater, _) = rating
    with store.read() as session:
        registered = next(e for e in events_of(session, study_id) if e.action == "register")
        assert not has_passed(session, rater)
    assert registered.details["practice_sha256"] == sha256_hex(canonical(practice()))


def test_a_protocol_that_asks_for_calibration_needs_something_to_practise_on(
    store: Store,
) -> None:
    with pytest.raises(ProtocolError, match="nothing to practise on is registered"):
        register_example(store, rating=ASKED)
    with pytest.raises(ProtocolError, match="P01 has no agreed score for medical_correctness"):
        register_example(store, rating=ASKED, practice=practice("kindness"))


def test_without_calibration_in_the_protocol_nobody_practises(store: Store, tmp_path: Path) -> None:
    _, (rater, _) = to_rating(store, tmp_path / "work", n_vignettes=1)
    assert CalibratingService(store).standing(rater) is None
    assert RatingService(store).next_task(rater) is not None


def test_the_share_counts_scores_within_one_point() -> None:
    # Distances 0, 1, 2 and 4: two of four.
    given = {"P01": {"a": 5, "b": 4}, "P02": {"a": 4, "b": 1}}
    agreed = {"P01": {"scores": {"a": 5, "b": 5}}, "P02": {"scores": {"a": 2, "b": 5}}}
    assert share_within_one(given, agreed) == 0.5
