"""A declared time limit: the clock is the server's, and a late answer is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from study.answering import AnsweringService
from study.clock import SteppingClock
from study.deviations import deviations_of
from study.randomness import SeededSource
from study.store import Store, create_store
from tests.studies import join, protocol_values, to_answering

LIMITED = {"conditions": {**protocol_values()["conditions"], "time_limit_minutes": 10}}


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock(datetime(2026, 3, 2, 9, tzinfo=UTC), timedelta(0))


@pytest.fixture
def timed(clock: SteppingClock, tmp_path: Path) -> Iterator[Store]:
    opened = create_store(tmp_path / "study.db", clock=clock, source=SeededSource(1))
    yield opened
    opened.close()


def test_the_clock_starts_when_a_vignette_is_first_shown_and_runs_on_while_away(
    timed: Store, clock: SteppingClock
) -> None:
    resident = join(timed, to_answering(timed, more=LIMITED), "resident", arm="residents")
    service = AnsweringService(timed)
    clock.moment += timedelta(hours=5)  # an invitation accepted long before costs no time
    first = service.next_task(resident)
    assert first is not None and first.seconds_left == 600
    clock.moment += timedelta(minutes=7)
    again = service.next_task(resident)
    assert again is not None and (again.item, again.seconds_left) == (first.item, 180)
    clock.moment += timedelta(minutes=5)
    late = service.next_task(resident)
    assert late is not None and late.seconds_left == -120


def test_a_late_answer_is_kept_as_written_with_a_deviation_and_one_in_time_without(
    timed: Store, clock: SteppingClock
) -> None:
    study_id = to_answering(timed, more=LIMITED)
    resident = join(timed, study_id, "resident", arm="residents")
    service = AnsweringService(timed)
    first = service.next_task(resident)
    assert first is not None
    clock.moment += timedelta(minutes=10)  # to the second
    service.submit(resident, first.item, "In time.", 3)
    second = service.next_task(resident)
    assert second is not None and second.seconds_left == 600  # each vignette has its own
    clock.moment += timedelta(minutes=10, seconds=1)
    kept = service.save_draft(resident, second.item, "Late, but", None, 0)
    assert kept.text == "Late, but"
    service.submit(resident, second.item, "Late, but whole.", 3)
    with timed.read() as session:
        (deviation,) = deviations_of(session, study_id)
    assert (deviation.kind, deviation.subject) == ("time limit passed", resident.pseudonym)
    assert "1 s after the limit of 10 minutes" in deviation.description


def test_without_a_limit_no_clock_runs(timed: Store) -> None:
    resident = join(timed, to_answering(timed), "resident", arm="residents")
    task = AnsweringService(timed).next_task(resident)
    assert task is not None and task.seconds_left is None
