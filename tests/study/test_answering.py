from __future__ import annotations

import pytest
from sqlalchemy import text

from study.answering import AnsweringService
from study.audit import OPERATOR, events_of
from study.errors import AnswerError, LifeCycleError, NotAllowedError, StaleDraftError, StudyError
from study.lifecycle import take_step
from study.people import Person
from study.store import Store
from tests.studies import answer_everything, join, register_example, to_answering


@pytest.fixture
def resident(store: Store) -> Person:
    return join(store, to_answering(store), "resident", arm="residents")


def test_a_resident_meets_every_vignette_once_and_then_none(store: Store, resident: Person) -> None:
    service, seen = AnsweringService(store), []
    while (task := service.next_task(resident)) is not None:
        seen.append(task.text)
        assert task.position == len(seen)
        service.submit(resident, task.item, "Wait.", 3)
    assert len(set(seen)) == 3
    assert service.progress(resident).done == 3


def test_a_draft_is_there_after_a_reload(store: Store, resident: Person) -> None:
    service = AnsweringService(store)
    task = service.next_task(resident)
    assert task is not None
    service.save_draft(resident, task.item, "I would st", None, task.draft.revision)
    again = service.next_task(resident)
    assert again is not None
    assert (again.item, again.draft.text, again.draft.revision) == (task.item, "I would st", 1)


def test_a_stale_draft_is_refused_and_the_newer_one_travels_with_the_error(
    store: Store, resident: Person
) -> None:
    service = AnsweringService(store)
    task = service.next_task(resident)
    assert task is not None
    service.save_draft(resident, task.item, "from the first tab", None, 0)
    with pytest.raises(StaleDraftError) as caught:
        service.save_draft(resident, task.item, "from the second tab", None, 0)
    assert caught.value.draft.text == "from the first tab"


def test_a_repeated_save_of_the_same_text_is_no_conflict(store: Store, resident: Person) -> None:
    service = AnsweringService(store)
    task = service.next_task(resident)
    assert task is not None
    service.save_draft(resident, task.item, "same", 3, 0)
    assert service.save_draft(resident, task.item, "same", 3, 0).revision == 2


def test_a_second_submission_is_refused_by_name_and_leaves_one_row_and_one_event(
    store: Store, resident: Person
) -> None:
    service = AnsweringService(store)
    task = service.next_task(resident)
    assert task is not None
    service.submit(resident, task.item, "First.", 3)
    with pytest.raises(AnswerError, match="already submitted"):
        service.submit(resident, task.item, "Second.", 4)
    with store.read() as session:
        assert session.scalars(text("SELECT text FROM response")).all() == ["First."]
        events = events_of(session, resident.study_id)
        assert sum(event.action == "submit answer" for event in events) == 1


@pytest.mark.parametrize(
    ("written", "confidence", "words"),
    [
        ("", 3, "the answer is empty"),
        (" \n\t", 3, "the answer is empty"),
        ("Wait.", None, "say how sure you are"),
        ("Wait.", 6, "confidence 6 is off the scale"),
        ("word " * 251, 3, "has 251 words; the limit, the same for everyone, is 250"),
        ("x" * 20_001, 3, "20,001 characters; at most 20,000"),
    ],
)
def test_an_incomplete_answer_is_refused_by_name(
    store: Store, resident: Person, written: str, confidence: int | None, words: str
) -> None:
    service = AnsweringService(store)
    task = service.next_task(resident)
    assert task is not None
    with pytest.raises(AnswerError, match=words):
        service.submit(resident, task.item, written, confidence)
    assert service.progress(resident).done == 0


def test_nobody_can_write_into_anothers_vignette(store: Store, resident: Person) -> None:
    other = join(store, resident.study_id, "resident", arm="residents")
    service = AnsweringService(store)
    task = service.next_task(resident)
    assert task is not None
    with pytest.raises(AnswerError, match="not one of yours"):
        service.save_draft(other, task.item, "mine now", None, 0)


def test_answering_waits_until_the_study_is_open(store: Store) -> None:
    study_id = register_example(store)
    resident = join(store, study_id, "resident", arm="residents")
    with pytest.raises(LifeCycleError, match="not open yet"):
        AnsweringService(store).next_task(resident)


def test_answering_ends_when_responses_are_closed(
    store: Store, resident: Person, tmp_path: object
) -> None:
    from pathlib import Path

    from tests.studies import answer_as_model

    answer_everything(store, resident)
    late = join(store, resident.study_id, "resident", arm="residents")
    service = AnsweringService(store)
    task = service.next_task(late)
    assert task is not None
    answer_as_model(store, resident.study_id, Path(str(tmp_path)) / "work")
    take_step(store, resident.study_id, "close", by=OPERATOR, reason="time is up", force=True)
    with pytest.raises(LifeCycleError, match="it is in 'responses closed'"):
        service.submit(late, task.item, "Too late.", 3)


def test_a_rater_cannot_answer(store: Store, resident: Person) -> None:
    rater = join(store, resident.study_id, "rater")
    with pytest.raises(NotAllowedError, match="for the role resident"):
        AnsweringService(store).next_task(rater)


def test_a_resident_belongs_to_an_arm_of_clinicians(store: Store, resident: Person) -> None:
    with pytest.raises(StudyError, match=r"one of the arms \['residents'\]; got 'model'"):
        join(store, resident.study_id, "resident", arm="model")
