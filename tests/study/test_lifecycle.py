from __future__ import annotations

from pathlib import Path

import pytest

from study.approvals import approve
from study.audit import OPERATOR, events_of
from study.errors import LifeCycleError, NotAllowedError
from study.lifecycle import console_step, next_step, take_step
from study.overview import study_card
from study.store import Store
from tests.studies import (
    answer_as_model,
    answer_everything,
    consent,
    join,
    rate_everything,
    register_example,
    to_answering,
    to_rating,
    to_unblinded,
)


def test_a_whole_study_passes_through_every_state(store: Store, tmp_path: Path) -> None:
    study_id = to_unblinded(store, tmp_path)
    with store.read() as session:
        events = events_of(session, study_id)
        assert next_step(session, study_id) is None
    steps = [e.details["state"] for e in events if "state" in e.details]
    assert steps == [
        "answering", "responses closed", "masked", "masked", "rating", "locked", "unblinded",
    ]  # fmt: skip


@pytest.mark.parametrize("verb", ["close", "mask", "allocate", "lock", "unblind"])
def test_a_step_out_of_turn_names_the_one_that_comes_next(store: Store, verb: str) -> None:
    study_id = register_example(store)
    with pytest.raises(LifeCycleError, match=r"the study is 'registered', and 'open' comes next"):
        take_step(store, study_id, verb, by=OPERATOR, reason="hurry", force=True)
    assert study_card(store, study_id).state == "registered"


def test_opening_makes_the_invitations_that_the_protocol_plans_for(store: Store) -> None:
    study_id = register_example(store, n_residents=3)
    result = take_step(store, study_id, "open", by=OPERATOR)
    assert [(i.role, i.stratum) for i in result.invitations] == [
        ("resident", "PGY1"), ("resident", "PGY2"), ("resident", "PGY1"),
    ]  # fmt: skip


def test_closing_waits_for_the_model_even_with_a_reason(store: Store) -> None:
    study_id = to_answering(store)
    with pytest.raises(LifeCycleError, match="every model's responses are taken in"):
        take_step(store, study_id, "close", by=OPERATOR, reason="time is up", force=True)


def test_closing_with_answers_outstanding_needs_a_reason_which_is_audited(
    store: Store, tmp_path: Path
) -> None:
    study_id = to_answering(store)
    answer_everything(store, join(store, study_id, "resident", arm="residents"))
    answer_as_model(store, study_id, tmp_path)
    with pytest.raises(LifeCycleError, match=r"all planned answers are in \(6 of 9\); give a reas"):
        take_step(store, study_id, "close", by=OPERATOR)
    take_step(store, study_id, "close", by=OPERATOR, reason="one resident left", force=True)
    with store.read() as session:
        closed = next(e for e in events_of(session, study_id) if e.action == "close")
    assert closed.details["reason"] == "one resident left"
    assert closed.details["outstanding"] == ["all planned answers are in (6 of 9)"]


def test_unblinding_needs_a_reason(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path)
    for rater in raters:
        rate_everything(store, rater)
    consent(store, study_id, "lock")
    take_step(store, study_id, "lock", by=OPERATOR)
    consent(store, study_id, "unblind")
    with pytest.raises(LifeCycleError, match="Unblind needs a reason"):
        take_step(store, study_id, "unblind", by=OPERATOR, reason="  ")


def test_locking_and_unblinding_each_need_a_second_person_of_their_own(
    store: Store, tmp_path: Path
) -> None:
    study_id, raters = to_rating(store, tmp_path)
    for rater in raters:
        rate_everything(store, rater)
    missing = "a second person has consented to "
    with pytest.raises(LifeCycleError, match=missing + "lock"):
        take_step(store, study_id, "lock", by=OPERATOR, reason="now", force=True)
    second = consent(store, study_id, "lock")
    take_step(store, study_id, "lock", by=OPERATOR)
    approve(store, second, "unblind", reason="too early for lock, in time for unblinding")
    take_step(store, study_id, "unblind", by=OPERATOR, reason="the end")
    with store.read() as session:
        steps = {e.action: e.details for e in events_of(session, study_id)}
    assert steps["unblind"]["second_person"] == second.person_id


def test_consent_to_unblind_given_before_the_lock_does_not_count(
    store: Store, tmp_path: Path
) -> None:
    study_id, raters = to_rating(store, tmp_path)
    for rater in raters:
        rate_everything(store, rater)
    second = consent(store, study_id, "lock")
    approve(store, second, "unblind", reason="signed beforehand")
    take_step(store, study_id, "lock", by=OPERATOR)
    with pytest.raises(LifeCycleError, match="a second person has consented to unblind"):
        take_step(store, study_id, "unblind", by=OPERATOR, reason="the end")


def test_nobody_is_their_own_second_person(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path)
    for rater in raters:
        rate_everything(store, rater)
    investigator = join(store, study_id, "investigator")
    approve(store, investigator, "lock", reason="I agree with myself")
    with pytest.raises(LifeCycleError, match="somebody other than"):
        console_step(store, investigator, "lock")
    consent(store, study_id, "lock")
    assert console_step(store, investigator, "lock").state == "locked"


def test_a_rater_cannot_be_the_second_person(store: Store, tmp_path: Path) -> None:
    _, raters = to_rating(store, tmp_path)
    with pytest.raises(NotAllowedError, match="a rater cannot consent to 'lock'"):
        approve(store, raters[0], "lock", reason="why not")


def test_a_rater_cannot_take_a_step(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path)
    with pytest.raises(NotAllowedError, match="for the role investigator"):
        console_step(store, raters[0], "lock", reason="now")
    assert study_card(store, study_id).state == "rating"


def test_the_console_locks_with_a_reason(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path)
    rate_everything(store, raters[0])
    investigator = join(store, study_id, "investigator")
    with pytest.raises(LifeCycleError, match=r"all allocated ratings are in \(9 of 18\)"):
        console_step(store, investigator, "lock")
    consent(store, study_id, "lock")
    assert console_step(store, investigator, "lock", reason="a rater left").state == "locked"


def test_the_model_is_enrolled_when_answering_opens(store: Store) -> None:
    from study.people import people_of

    study_id = to_answering(store)
    with store.read() as session:
        models = people_of(session, study_id, "model")
    assert [model.arm for model in models] == ["model"]
