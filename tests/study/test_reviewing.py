"""Clinician auditors at the review desk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from study.audit import OPERATOR, events_of, verify_chain
from study.clock import SteppingClock
from study.errors import NotAllowedError, ReviewError, StaleDraftError
from study.people import Person
from study.randomness import SeededSource
from study.review_batches import put_on_desk, write_reviews
from study.reviewing import ReviewService, ReviewTask
from study.store import Store, create_store
from tests.studies import join, register_example
from tests.study.desk import all_at, auditor, desk_row, put, write_desk_batch


def task_of(store: Store, person: Person) -> ReviewTask:
    task = ReviewService(store).next_task(person)
    assert task is not None
    return task


def submit(store: Store, person: Person, task: ReviewTask, point: int = 4, **texts: str) -> None:
    whole = {"reasoning": task.reasoning, "answer": task.answer} | texts
    ReviewService(store).submit(person, task.item, all_at(point), whole, "")


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_row_gets_the_wanted_reviews_of_different_auditors_one_at_a_time(
    store: Store, tmp_path: Path
) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1), desk_row(2, n_reviews=1)])
    one, other = auditor(store, study_id), auditor(store, study_id)
    first, second = task_of(store, one), task_of(store, other)
    assert (first.prompt, second.prompt) == ("Question 1?", "Question 2?")
    assert task_of(store, one).item == first.item  # it stays with whom it is
    submit(store, one, first)
    submit(store, other, second)  # one review was there before: this was its last
    assert task_of(store, other).prompt == "Question 1?"
    assert ReviewService(store).next_task(one) is None
    submit(store, other, task_of(store, other))
    assert ReviewService(store).next_task(other) is None
    assert write_reviews(store, study_id, tmp_path / "reviews.jsonl") == 3
    with store.read() as session:
        verify_chain(events_of(session, study_id))


def test_the_next_auditor_reads_the_row_as_it_was_mended_and_edits_are_kept_as_changes(
    store: Store, tmp_path: Path
) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1)])
    one, other = auditor(store, study_id), auditor(store, study_id)
    submit(store, one, task_of(store, one), answer="Answer 1, mended.")
    again = task_of(store, other)
    assert again.answer == "Answer 1, mended."
    submit(store, other, again, answer="Answer 1, mended twice.")
    write_reviews(store, study_id, tmp_path / "reviews.jsonl")
    head, *reviews = lines_of(tmp_path / "reviews.jsonl")
    assert head == {"schema": "safemed.reviews/1", "lines": 2}
    assert [review["edit"] for review in reviews] == [
        [{"field": "answer", "start": 7, "before": "1.", "after": "1, mended."}],
        [{"field": "answer", "start": 10, "before": "mended.", "after": "mended twice."}],
    ]
    assert [review["auditor"] for review in reviews] == [one.pseudonym, other.pseudonym]
    assert reviews[0]["scores"] == all_at(4)


def test_an_auditor_is_given_rows_of_the_own_specialty_alone(store: Store, tmp_path: Path) -> None:
    study_id = register_example(store)
    rows = [desk_row(1, specialty="nephrology"), desk_row(2)]
    put(store, study_id, tmp_path / "b.jsonl", rows)
    assert task_of(store, auditor(store, study_id, "nephrology")).prompt == "Question 1?"
    assert ReviewService(store).next_task(auditor(store, study_id, "oncology")) is None
    anybody = auditor(store, study_id, None)
    assert task_of(store, anybody).n_waiting == 1  # the other one is with the nephrologist


def test_a_draft_is_kept_and_a_stale_one_is_refused_with_the_newer(
    store: Store, tmp_path: Path
) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1)])
    person = auditor(store, study_id)
    service, task = ReviewService(store), task_of(store, person)
    texts = {"reasoning": "Step one.", "answer": task.answer}
    kept = service.save_draft(person, task.item, {"clinical_utility": 2}, texts, "why", 0)
    assert kept.revision == 1
    again = task_of(store, person)
    assert (again.draft.scores, again.draft.texts) == ({"clinical_utility": 2}, texts)
    assert again.reasoning == "Step one of 1.\nStep two."  # the row itself is as it was
    with pytest.raises(StaleDraftError) as stale:
        service.save_draft(person, task.item, {}, texts, "", 0)
    assert stale.value.draft == again.draft


@pytest.mark.parametrize(
    ("scores", "texts", "words"),
    [
        ({**all_at(3), "clinical_utility": 6}, {}, "Clinical utility is 6; the scale is 1 to 5"),
        ({"charm": 3}, {}, "'charm' is no dimension"),
        ({"clinical_utility": 3}, {}, "missing: Medical correctness"),
        (all_at(3), {"answer": " "}, "the answer is empty"),
        (all_at(3), {"prompt": "other"}, "an edit changes 'prompt'"),
        (all_at(3), {"answer": "x" * 50_001}, "50,001 characters"),
    ],
)
def test_a_review_that_cannot_be_is_refused_in_words_and_changes_nothing(
    store: Store, tmp_path: Path, scores: dict[str, int], texts: dict[str, str], words: str
) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1)])
    person = auditor(store, study_id)
    task = task_of(store, person)
    whole = {"reasoning": task.reasoning, "answer": task.answer} | texts
    with pytest.raises(ReviewError, match=words):
        ReviewService(store).submit(person, task.item, scores, whole, "")
    assert task_of(store, person) == task


def test_a_row_is_reviewed_once_by_the_same_auditor_and_by_auditors_alone(
    store: Store, tmp_path: Path
) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1)])
    person = auditor(store, study_id)
    task = task_of(store, person)
    submit(store, person, task)
    with pytest.raises(ReviewError, match="this row is reviewed"):
        submit(store, person, task)
    for role in ("rater", "investigator"):
        with pytest.raises(NotAllowedError, match="reviewing training rows"):
            ReviewService(store).next_task(join(store, study_id, role))


@pytest.fixture
def timed(tmp_path: Path) -> Iterator[tuple[Store, SteppingClock]]:
    clock = SteppingClock(datetime(2026, 3, 2, 9, tzinfo=UTC), timedelta(milliseconds=1))
    opened = create_store(tmp_path / "study.db", clock=clock, source=SeededSource(1))
    yield opened, clock
    opened.close()


def test_a_row_left_for_half_an_hour_goes_to_another_and_no_edit_is_undone(
    timed: tuple[Store, SteppingClock], tmp_path: Path
) -> None:
    store, clock = timed
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1)])
    slow, quick = auditor(store, study_id), auditor(store, study_id)
    task = task_of(store, slow)
    texts = {"reasoning": "Mine.", "answer": task.answer}
    ReviewService(store).save_draft(slow, task.item, {"clinical_utility": 2}, texts, "", 0)
    clock.moment += timedelta(minutes=29)
    assert ReviewService(store).next_task(quick) is None
    clock.moment += timedelta(minutes=2)
    submit(store, quick, task_of(store, quick), answer="Answer of the quick one.")
    with pytest.raises(ReviewError, match="went to another auditor"):
        submit(store, slow, task, reasoning="Mine.")
    again = task_of(store, slow)
    assert again.answer == again.draft.texts["answer"] == "Answer of the quick one."
    assert again.draft.scores == {"clinical_utility": 2}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": "safemed.reviews/1"}, "its schema is 'safemed.reviews/1'"),
        ({"dimensions": ["charm"]}, "other dimensions"),
        ({"scale": [0, 3]}, "another scale"),
    ],
)
def test_a_file_that_is_no_batch_is_refused_by_name(
    store: Store, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    study_id = register_example(store)
    path = write_desk_batch(tmp_path / "b.jsonl", [desk_row(1)], **change)
    with pytest.raises(ReviewError, match=words):
        put_on_desk(store, study_id, path, by=OPERATOR)


def test_a_batch_that_was_cut_is_refused(store: Store, tmp_path: Path) -> None:
    path = write_desk_batch(tmp_path / "b.jsonl", [desk_row(1), desk_row(2)])
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(ReviewError, match="says 2 rows and holds 1"):
        put_on_desk(store, register_example(store), path, by=OPERATOR)


def test_a_row_without_its_answer_and_one_too_long_to_read_are_named(
    store: Store, tmp_path: Path
) -> None:
    study_id = register_example(store)
    for number, (change, words) in enumerate(
        [({"answer": ""}, "has no answer"), ({"prompt": "x" * 60_000}, "60,000 characters")]
    ):
        path = write_desk_batch(tmp_path / f"{number}.jsonl", [desk_row(1), desk_row(2, **change)])
        with pytest.raises(ReviewError, match=words):
            put_on_desk(store, study_id, path, by=OPERATOR)
    assert ReviewService(store).next_task(auditor(store, study_id)) is None


def test_the_same_rows_do_not_come_twice(store: Store, tmp_path: Path) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1)])
    with pytest.raises(ReviewError, match="on the desk already"):
        put_on_desk(store, study_id, tmp_path / "b.jsonl", by=OPERATOR)
    path = write_desk_batch(tmp_path / "c.jsonl", [desk_row(1), desk_row(2)])
    with pytest.raises(ReviewError, match=r"1 rows of .* wait on the desk already"):
        put_on_desk(store, study_id, path, by=OPERATOR)


def test_thirty_auditors_at_once_lose_and_double_no_review(store: Store, tmp_path: Path) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(number) for number in range(30)])
    people = [auditor(store, study_id) for _ in range(30)]

    def works(person: Person) -> int:
        service, done = ReviewService(store), 0
        while (task := service.next_task(person)) is not None:
            submit(store, person, task, answer=f"{task.answer} {person.pseudonym}")
            done += 1
        return done

    with ThreadPoolExecutor(len(people)) as at_once:
        assert sum(at_once.map(works, people)) <= 60
    for person in people:  # rows that were with others while somebody looked
        works(person)
    assert write_reviews(store, study_id, tmp_path / "reviews.jsonl") == 60
    reviews = lines_of(tmp_path / "reviews.jsonl")[1:]
    assert len({(review["row_id"], review["auditor"]) for review in reviews}) == 60
    with store.read() as session:
        verify_chain(events_of(session, study_id))
