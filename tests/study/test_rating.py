from __future__ import annotations

from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import text

from study.audit import OPERATOR, events_of
from study.errors import LifeCycleError, NotAllowedError, RatingError, StaleDraftError
from study.lifecycle import take_step
from study.people import Person
from study.rating import MaskedResponse, RatingService
from study.store import Store
from tests.studies import DIMENSIONS, consent, rate_everything, to_rating

GOOD = dict.fromkeys(DIMENSIONS, 4)


@pytest.fixture
def raters(store: Store, tmp_path: Path) -> tuple[Person, ...]:
    return to_rating(store, tmp_path)[1]


def test_a_masked_response_has_no_field_that_could_unmask_anybody() -> None:
    assert [field.name for field in fields(MaskedResponse)] == ["code", "vignette_id", "text"]


def test_a_rater_meets_every_allocated_response_once(
    store: Store, raters: tuple[Person, ...]
) -> None:
    service, seen = RatingService(store), Counter()
    while (task := service.next_task(raters[0])) is not None:
        seen[task.response.code] += 1
        assert task.draft.scores == {}
        service.record(raters[0], task.response.code, GOOD)
    # 3 vignettes x (2 residents + 1 model), both raters rate all of them.
    assert len(seen) == 9
    assert set(seen.values()) == {1}


@pytest.mark.parametrize("score", [0, 6, -1, True, 3.0, "4", None])
def test_a_score_off_the_scale_is_refused_with_the_dimension_and_the_range(
    store: Store, raters: tuple[Person, ...], score: object
) -> None:
    service = RatingService(store)
    task = service.next_task(raters[0])
    assert task is not None
    with pytest.raises(RatingError, match=r"Medication safety: .* give a whole number from 1 to 5"):
        service.record(raters[0], task.response.code, GOOD | {"medication_safety": score})
    assert service.progress(raters[0]).done == 0


def test_a_missing_dimension_is_named(store: Store, raters: tuple[Person, ...]) -> None:
    service = RatingService(store)
    task = service.next_task(raters[0])
    assert task is not None
    with pytest.raises(RatingError, match="missing: Medication safety"):
        service.record(raters[0], task.response.code, {"medical_correctness": 3})


def test_a_double_submit_leaves_one_rating_and_one_event(
    store: Store, raters: tuple[Person, ...]
) -> None:
    service = RatingService(store)
    task = service.next_task(raters[0])
    assert task is not None
    service.record(raters[0], task.response.code, GOOD)
    with pytest.raises(RatingError, match="already submitted"):
        service.record(raters[0], task.response.code, dict.fromkeys(DIMENSIONS, 1))
    with store.read() as session:
        assert session.scalars(text("SELECT score FROM rating_score")).all() == [4, 4]
        events = events_of(session, raters[0].study_id)
        assert sum(event.action == "submit rating" for event in events) == 1


def test_a_draft_keeps_partial_scores_over_a_reload(
    store: Store, raters: tuple[Person, ...]
) -> None:
    service = RatingService(store)
    task = service.next_task(raters[0])
    assert task is not None
    service.save_draft(raters[0], task.response.code, {"medication_safety": 2}, "unsure", 0)
    again = service.next_task(raters[0])
    assert again is not None
    assert (again.response.code, dict(again.draft.scores)) == (
        task.response.code,
        {"medication_safety": 2},
    )
    with pytest.raises(StaleDraftError):
        service.save_draft(raters[0], task.response.code, {"medication_safety": 5}, "", 0)


def test_a_rater_cannot_rate_what_is_not_allocated(
    store: Store, raters: tuple[Person, ...]
) -> None:
    with pytest.raises(RatingError, match="not one of yours"):
        RatingService(store).record(raters[0], "AAA-AAA", GOOD)


def test_an_investigator_cannot_rate(store: Store, raters: tuple[Person, ...]) -> None:
    from tests.studies import join

    investigator = join(store, raters[0].study_id, "investigator")
    with pytest.raises(NotAllowedError, match="for the role rater"):
        RatingService(store).next_task(investigator)


def test_rating_ends_with_the_lock(store: Store, raters: tuple[Person, ...]) -> None:
    service = RatingService(store)
    task = service.next_task(raters[1])
    assert task is not None
    rate_everything(store, raters[0])
    consent(store, raters[0].study_id, "lock")
    take_step(store, raters[0].study_id, "lock", by=OPERATOR, reason="one rater left", force=True)
    with pytest.raises(LifeCycleError, match="it is in 'locked'"):
        service.record(raters[1], task.response.code, GOOD)


def test_a_failed_generation_is_never_put_before_a_rater(store: Store, tmp_path: Path) -> None:
    from tests.studies import (
        answer_as_model,
        answer_everything,
        join,
        to_answering,
    )

    study_id = to_answering(store, n_residents=1, n_raters=1, raters_per_response=1)
    answer_everything(store, join(store, study_id, "resident", arm="residents"))
    answer_as_model(store, study_id, tmp_path, failing=("V02",))
    take_step(store, study_id, "close", by=OPERATOR)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    rater = join(store, study_id, "rater")
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR)
    rated = Counter()
    service = RatingService(store)
    while (task := service.next_task(rater)) is not None:
        rated[task.response.vignette_id] += 1
        service.record(rater, task.response.code, GOOD)
    assert rated == {"V01": 2, "V02": 1, "V03": 2}
