"""Pastes and looks away: counted where declared and consented to, and shown to no rater."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study.answering import AnsweringService
from study.audit import OPERATOR
from study.conduct import Conduct
from study.consent import sign
from study.errors import AnswerError, ConsentError, NotAllowedError, ProtocolError
from study.export_tables import all_tables
from study.lifecycle import take_step
from study.people import Person
from study.protocol import parse_protocol
from study.registration import load_study
from study.store import Store
from tests.studies import (
    answer_as_model,
    join,
    lock_and_unblind,
    protocol_values,
    rate_everything,
    to_answering,
)

CONSENT = {
    "version": "1", "respondents": "You answer.", "raters": "You rate.",
    "withdrawal": "keep submitted",
}  # fmt: skip
COUNTED: dict[str, Any] = {
    "conditions": {**protocol_values()["conditions"], "record_conduct": True}, "consent": CONSENT,
}  # fmt: skip


def resident(store: Store, study_id: str) -> Person:
    person = join(store, study_id, "resident", arm="residents")
    sign(store, person, "Mira Example")
    return person


def counted(store: Store, person: Person) -> Conduct | None:
    task = AnsweringService(store).next_task(person)
    assert task is not None
    return task.conduct


def test_totals_that_come_twice_or_late_count_once(store: Store) -> None:
    person = resident(store, to_answering(store, more=COUNTED))
    service = AnsweringService(store)
    task = service.next_task(person)
    assert task is not None and task.conduct == Conduct(0, 0, 0, 0)
    for totals in (Conduct(1, 40, 0, 0), Conduct(1, 40, 2, 65), Conduct(1, 40, 1, 5)):
        service.count_conduct(person, task.item, totals)
    assert counted(store, person) == Conduct(1, 40, 2, 65)


def test_nothing_is_counted_where_the_protocol_does_not_declare_it(store: Store) -> None:
    person = join(store, to_answering(store), "resident", arm="residents")
    service = AnsweringService(store)
    task = service.next_task(person)
    assert task is not None and task.conduct is None
    with pytest.raises(NotAllowedError, match="does not count"):
        service.count_conduct(person, task.item, Conduct(1, 1, 1, 1))


def test_nothing_is_counted_before_consent_for_others_or_after_submission(store: Store) -> None:
    study_id = to_answering(store, more=COUNTED)
    person, other = resident(store, study_id), resident(store, study_id)
    service = AnsweringService(store)
    task = service.next_task(person)
    assert task is not None
    unsigned = join(store, study_id, "resident", arm="residents")
    with pytest.raises(ConsentError):
        service.count_conduct(unsigned, task.item, Conduct())
    with pytest.raises(AnswerError, match="not one of yours"):
        service.count_conduct(other, task.item, Conduct())
    service.submit(person, task.item, "Stop.", 3)
    with pytest.raises(AnswerError, match="already submitted"):
        service.count_conduct(person, task.item, Conduct())


@pytest.mark.parametrize("value", [-1, 1_000_001])
def test_a_count_that_no_browser_sends_is_refused_by_name(value: int) -> None:
    with pytest.raises(AnswerError, match=f"focus_losses is {value}"):
        Conduct(focus_losses=value)


def test_counting_without_a_consent_is_a_fault_of_the_protocol() -> None:
    values = protocol_values(more={**COUNTED, "consent": None})
    with pytest.raises(ProtocolError, match=r"record_conduct .* needs their consent"):
        parse_protocol(values)


def test_the_frozen_dataset_holds_what_was_counted_and_noughts_where_nothing_was(
    store: Store, tmp_path: Path
) -> None:
    study_id = to_answering(
        store, n_vignettes=2, n_residents=1, n_raters=2, raters_per_response=2, more=COUNTED
    )
    person = resident(store, study_id)
    service = AnsweringService(store)
    first = service.next_task(person)
    assert first is not None
    service.count_conduct(person, first.item, Conduct(2, 300, 1, 20))
    while (task := service.next_task(person)) is not None:
        service.submit(person, task.item, "Stop it.", 3)
    answer_as_model(store, study_id, tmp_path / "work")
    take_step(store, study_id, "close", by=OPERATOR)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    raters = [join(store, study_id, "rater") for _ in range(2)]
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR)
    for rater in raters:
        sign(store, rater, f"Rater {rater.pseudonym}")
        rate_everything(store, rater)
    lock_and_unblind(store, study_id)
    with store.read() as session:
        table = all_tables(session, load_study(session, study_id))["conduct"]
    assert len(table.rows) == 2
    assert sorted(row[2:] for row in table.rows) == [
        (None, None, 0, 0, 0, 0), (None, None, 2, 300, 1, 20),
    ]  # fmt: skip
