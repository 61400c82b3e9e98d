"""Harm, comments, corrections, notes and the second pass."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from study.audit import OPERATOR
from study.errors import LifeCycleError, RatingError, StaleDraftError
from study.export import export
from study.guessing import GUESS, SURE, GuessingService
from study.marking import MarkingService, MarkingTask
from study.people import Person
from study.rating import RatingService
from study.rating_checks import HarmGiven
from study.rating_notes import flag, give_back
from study.store import Store
from tests.studies import (
    DIMENSIONS,
    HARM,
    SECOND_PASS,
    lock_and_unblind,
    rate_everything,
    to_rating,
)

GOOD = dict.fromkeys(DIMENSIONS, 3)


def rows(directory: Path, table: str) -> list[dict[str, str]]:
    with (directory / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def marks_of(task: MarkingTask, **changes: int) -> dict[str, int]:
    """Every point no, and then what the test wants."""
    return {**{item.name: 0 for item in task.items}, **changes}


def mark_everything(store: Store, rater: Person) -> int:
    service, count = MarkingService(store), 0
    while (task := service.next_task(rater)) is not None:
        service.submit(rater, task.code, marks_of(task))
        count += 1
    return count


@pytest.fixture
def passing(store: Store, tmp_path: Path) -> tuple[str, tuple[Person, ...]]:
    return to_rating(store, tmp_path / "work", n_vignettes=1, rating={"second_pass": SECOND_PASS})


def test_harm_is_asked_for_and_its_likelihood_only_where_there_is_harm(
    store: Store, tmp_path: Path
) -> None:
    _, (rater, _) = to_rating(store, tmp_path, n_vignettes=1, rating={"harm": HARM})
    service = RatingService(store)
    task = service.next_task(rater)
    assert task is not None and task.harm is not None
    code = task.response.code
    for harm in (HarmGiven(), HarmGiven("mild", None)):
        with pytest.raises(RatingError, match="how severe the harm could be, and how likely"):
            service.record(rater, code, GOOD, harm=harm)
    with pytest.raises(RatingError, match="'terrible' is no severity of harm here"):
        service.record(rater, code, GOOD, harm=HarmGiven("terrible"))
    draft = service.save_draft(rater, code, {}, "", 0, harm=HarmGiven("mild", "likely"))
    assert draft.harm == HarmGiven("mild", "likely")
    service.record(rater, code, GOOD, harm=HarmGiven("none"))


def test_an_extreme_score_needs_a_comment(store: Store, tmp_path: Path) -> None:
    _, (rater, _) = to_rating(store, tmp_path, n_vignettes=1, rating={"comment_at": [1, 5]})
    service = RatingService(store)
    task = service.next_task(rater)
    assert task is not None
    with pytest.raises(RatingError, match="comment on the scores of Medication safety"):
        service.record(rater, task.response.code, {**GOOD, "medication_safety": 5}, "  ")
    service.record(rater, task.response.code, {**GOOD, "medication_safety": 5}, "Every check.")


def test_a_rating_is_corrected_by_a_new_record_and_the_last_one_counts(
    store: Store, tmp_path: Path
) -> None:
    """A single-choice question stores every value clicked on the way (PEER_FAILURES)."""
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1)
    service = RatingService(store)
    assert service.last_rated(raters[0]) is None
    task = service.next_task(raters[0])
    assert task is not None
    code = task.response.code
    for revision, score in enumerate((1, 2, 5)):  # clicked on the way
        service.save_draft(raters[0], code, dict.fromkeys(DIMENSIONS, score), "", revision)
    service.record(raters[0], code, GOOD)
    rated = service.last_rated(raters[0])
    assert rated is not None and dict(rated.task.draft.scores) == GOOD
    with pytest.raises(RatingError, match="say why you correct"):
        service.amend(raters[0], code, GOOD, reason=" ")
    service.amend(raters[0], code, dict.fromkeys(DIMENSIONS, 2), reason="I had misread the dose")
    for rater in raters:
        rate_everything(store, rater)
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    own = sorted(
        (r["revision"], r["final"], r["medication_safety"])
        for r in rows(directory, "ratings")
        if r["blinding_code"] == code and r["rater_id"] == raters[0].person_id
    )
    assert own == [("1", "false", "3"), ("2", "true", "2")]


def test_the_second_pass_opens_when_every_response_is_scored_and_closes_the_scores(
    store: Store, passing: tuple[str, tuple[Person, ...]]
) -> None:
    _, (rater, _) = passing
    marking, rating = MarkingService(store), RatingService(store)
    with pytest.raises(LifeCycleError, match="opens when every response is scored"):
        marking.next_task(rater)
    rate_everything(store, rater)
    task = marking.next_task(rater)
    assert task is not None
    with pytest.raises(RatingError, match="scores can no longer be corrected"):
        rating.amend(rater, task.code, GOOD, reason="the key says otherwise")
    assert rating.last_rated(rater) is None
    assert [item.name for item in task.items] == [
        "must_met:K1", "should_met:K2", "bonus_met:K3", "critical_error:K4", "omission:",
        "over_caution:", "hallucination:",
    ]  # fmt: skip


def test_marks_are_submitted_once_and_whole(
    store: Store, passing: tuple[str, tuple[Person, ...]]
) -> None:
    _, (rater, other) = passing
    for someone in (rater, other):
        rate_everything(store, someone)
    service = MarkingService(store)
    task = service.next_task(rater)
    assert task is not None
    with pytest.raises(RatingError, match="please mark each point; missing: Statement 1"):
        service.submit(rater, task.code, {})
    with pytest.raises(RatingError, match="'kindness:' is not asked"):
        service.submit(rater, task.code, {"kindness:": 1})
    with pytest.raises(RatingError, match="7 is no answer to 'omission:'"):
        service.submit(rater, task.code, marks_of(task, **{"omission:": 7}))
    with pytest.raises(RatingError, match="'guess' is not asked"):
        service.submit(rater, task.code, marks_of(task, guess=1))
    draft = service.save_draft(rater, task.code, {"omission:": 1}, 0)
    assert (draft.revision, draft.scores) == (1, {"omission:": 1})
    with pytest.raises(StaleDraftError):
        service.save_draft(rater, task.code, {"omission:": 0}, 0)
    service.submit(rater, task.code, marks_of(task))
    with pytest.raises(RatingError, match="marked already"):
        service.submit(rater, task.code, marks_of(task))
    assert mark_everything(store, rater) == task.total - 1
    assert service.next_task(rater) is None


def test_the_source_is_guessed_last_once_every_response_is_marked(
    store: Store, passing: tuple[str, tuple[Person, ...]]
) -> None:
    _, (rater, other) = passing
    rate_everything(store, rater)
    service, marking = GuessingService(store), MarkingService(store)
    first = marking.next_task(rater)
    assert first is not None
    marking.submit(rater, first.code, marks_of(first))
    with pytest.raises(LifeCycleError, match="guessed when every response is marked"):
        service.next_task(rater)
    with pytest.raises(LifeCycleError):
        service.submit(rater, first.code, {GUESS: 1, SURE: 3})
    mark_everything(store, rater)
    task = service.next_task(rater)
    assert task is not None and (task.position, task.total) == (1, 3)
    assert task.items[0].options == ((0, "don't know"), (1, "Residents"), (2, "Nano"))
    with pytest.raises(RatingError, match="missing: How sure are you of that"):
        service.submit(rater, task.code, {GUESS: 1})
    with pytest.raises(RatingError, match="7 is no answer to 'guess'"):
        service.submit(rater, task.code, {GUESS: 7, SURE: 3})
    service.submit(rater, task.code, {GUESS: 1, SURE: 3})
    with pytest.raises(RatingError, match="guessed already"):
        service.submit(rater, task.code, {GUESS: 2, SURE: 3})
    with pytest.raises(LifeCycleError):  # nobody guesses before their own scores are in
        service.next_task(other)


def test_harm_marks_and_guesses_are_frozen_as_analysis_reads_them(
    store: Store, tmp_path: Path
) -> None:
    study_id, raters = to_rating(
        store, tmp_path / "work", n_vignettes=1, n_raters=1, raters_per_response=1,
        rating={"harm": HARM, "second_pass": SECOND_PASS},
    )  # fmt: skip
    (rater,) = raters
    rating = RatingService(store)
    harms = iter([HarmGiven("none"), HarmGiven("severe", "likely"), HarmGiven("mild", "unlikely")])
    severity = {}
    while (task := rating.next_task(rater)) is not None:
        harm = next(harms)
        severity[task.response.code] = harm.severity
        rating.record(rater, task.response.code, GOOD, harm=harm)
    marking = MarkingService(store)
    errs = iter([0, 1, 0])
    while (marked := marking.next_task(rater)) is not None:
        changes = {"must_met:K1": 1, "critical_error:K4": next(errs)}
        marking.submit(rater, marked.code, marks_of(marked, **changes))
    guessing = GuessingService(store)
    guesses = iter([0, 1, 2])  # don't know, residents, model
    guessed = {}
    while (asked := guessing.next_task(rater)) is not None:
        guess = next(guesses)
        guessed[asked.code] = {0: "NA", 1: "residents", 2: "model"}[guess]
        guessing.submit(rater, asked.code, {GUESS: guess, SURE: 3})
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    marks = rows(directory, "marks")
    for kind, levels in (("harm_any", {"mild", "severe"}), ("harm_severe", {"severe"})):
        found = {r["blinding_code"]: r["marked"] for r in marks if r["kind"] == kind}
        wanted = {c: "true" if s in levels else "false" for c, s in severity.items()}
        assert found == wanted
    assert all(r["marked"] == "true" for r in marks if (r["kind"], r["item"]) == ("must_met", "K1"))
    assert sum(r["marked"] == "true" for r in marks if r["kind"] == "critical_error") == 1
    assert {r["blinding_code"]: r["guess"] for r in rows(directory, "guesses")} == guessed
    from analysis.dataset import open_export

    assert len(open_export(directory).tables["guesses"]) == 3


def test_a_flag_stays_in_the_queue_and_a_conflict_leaves_it_with_its_reason(
    store: Store, tmp_path: Path
) -> None:
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1)
    service = RatingService(store)
    first = service.next_task(raters[0])
    assert first is not None
    with pytest.raises(RatingError, match="say in 1 to 1,000 characters"):
        flag(store, raters[0], first.response.code, " ")
    flag(store, raters[0], first.response.code, "cut off in the middle?")
    again = service.next_task(raters[0])
    assert again is not None and again.response.code == first.response.code
    give_back(store, raters[0], first.response.code, "I know this writing")
    following = service.next_task(raters[0])
    assert following is not None and following.response.code != first.response.code
    with pytest.raises(RatingError, match="already submitted"):
        service.record(raters[0], first.response.code, GOOD)
    with pytest.raises(RatingError, match="settled already"):
        give_back(store, raters[0], first.response.code, "again")
    from study.audit import events_of

    with store.read() as session:
        details = [str(e.details) for e in events_of(session, study_id)]
    assert not any("I know this writing" in words for words in details)


def test_nobody_marks_or_notes_anothers_response(
    store: Store, passing: tuple[str, tuple[Person, ...]]
) -> None:
    """Others' ratings are visible to a rater (PEER_FAILURES)."""
    _, (rater, other) = passing
    rate_everything(store, rater)
    with pytest.raises(LifeCycleError):
        MarkingService(store).next_task(other)
    with pytest.raises(RatingError, match="not one of yours"):
        flag(store, other, "NOSUCH", "hello")
