"""The conditions of a sitting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from study.answering import AnsweringService
from study.attestation import attest, attestation_due
from study.clock import SteppingClock
from study.deviations import deviations_of
from study.errors import AttestationError, NotAllowedError
from study.randomness import SeededSource
from study.store import create_store
from tests.studies import join, protocol_values, to_answering

CONDITIONS = {**protocol_values()["conditions"], "attestation": True}


def test_a_sitting_begins_with_its_conditions_and_again_after_an_absence(tmp_path: Path) -> None:
    clock = SteppingClock(datetime(2026, 3, 2, 9, tzinfo=UTC), timedelta(milliseconds=1))
    store = create_store(tmp_path / "study.db", clock=clock, source=SeededSource(1))
    study_id = to_answering(store, more={"conditions": CONDITIONS})
    resident = join(store, study_id, "resident", arm="residents")
    service = AnsweringService(store)
    with pytest.raises(AttestationError, match="confirm the conditions of this sitting"):
        service.next_task(resident)
    due = attestation_due(store, resident)
    assert due is not None and not due.asks_about_last
    attest(store, resident)
    task = service.next_task(resident)
    assert task is not None
    clock.moment += timedelta(minutes=25)
    service.save_draft(resident, task.item, "half an answer", None, 0)
    clock.moment += timedelta(minutes=25)
    assert service.next_task(resident) is not None  # 50 minutes, never away for 30
    clock.moment += timedelta(minutes=31)
    saved = service.save_draft(resident, task.item, "never lost", None, 1)
    assert saved.text == "never lost"  # a draft is kept whatever is to be confirmed
    clock.moment += timedelta(minutes=31)
    due = attestation_due(store, resident)
    assert due is not None and due.asks_about_last
    with pytest.raises(AttestationError, match="what was not kept"):
        attest(store, resident, kept=False)
    attest(store, resident, kept=False, remark="a colleague helped")
    with store.read() as session:
        (deviation,) = deviations_of(session, study_id)
    assert (deviation.kind, deviation.subject) == ("conditions not kept", resident.pseudonym)
    assert service.next_task(resident) is not None
    with pytest.raises(AttestationError, match="nothing is to be confirmed now"):
        attest(store, resident)
    store.close()


def test_nobody_but_a_resident_attests_and_only_where_it_is_asked(store) -> None:
    study_id = to_answering(store)
    resident = join(store, study_id, "resident", arm="residents")
    assert attestation_due(store, resident) is None
    rater = join(store, study_id, "rater")
    with pytest.raises(NotAllowedError, match="attestation is for the role resident"):
        attest(store, rater)
