from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from study.audit import events_of, verify_chain
from study.errors import AuditError
from study.store import Store
from study.tables import APPEND_ONLY, AuditEventRow, Base
from tests.studies import to_unblinded


@pytest.fixture
def events(store: Store, tmp_path: Path) -> list[AuditEventRow]:
    study_id = to_unblinded(store, tmp_path)
    with store.read() as session:
        return events_of(session, study_id)


def test_an_untouched_chain_holds(events: list[AuditEventRow]) -> None:
    assert verify_chain(events) == events[-1].sha256


def test_an_edited_event_is_named(events: list[AuditEventRow]) -> None:
    joined = next(event for event in events if event.action == "join")
    joined.details = {"role": "rater"}
    with pytest.raises(AuditError, match=rf"audit event {joined.number} \(join\) was changed"):
        verify_chain(events)


def test_a_removed_event_is_named(events: list[AuditEventRow]) -> None:
    with pytest.raises(AuditError, match="audit event 3 is missing"):
        verify_chain(events[:2] + events[3:])


def test_reordered_events_are_found(events: list[AuditEventRow]) -> None:
    with pytest.raises(AuditError, match="audit event 2 is missing"):
        verify_chain([events[0], events[2], events[1], *events[3:]])


def test_a_truncated_chain_is_found_with_the_head_from_outside(
    events: list[AuditEventRow],
) -> None:
    head = events[-1].sha256
    verify_chain(events[:-1])
    with pytest.raises(AuditError, match="but its head was given as"):
        verify_chain(events[:-1], head=head)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("act", ["UPDATE", "DELETE"])
def test_submitted_records_refuse_change_and_removal(
    store: Store, tmp_path: Path, table: str, act: str
) -> None:
    to_unblinded(store, tmp_path)
    column = next(iter(Base.metadata.tables[table].columns)).name
    change = (
        f"UPDATE {table} SET {column} = {column}" if act == "UPDATE" else f"DELETE FROM {table}"
    )
    with store.engine.connect() as connection:
        if table == "masking_change":
            response = connection.execute(text("SELECT response_id FROM masked_response")).scalar()
            row = {"id": response, "rule": "layout", "before": "a", "after": "b"}
            connection.execute(
                text("INSERT INTO masking_change VALUES (:id, 1, :rule, 0, :before, :after)"), row
            )
        with pytest.raises(IntegrityError, match=f"{table} is append-only: {act} refused"):
            connection.execute(text(change))


def test_the_seeds_digest_is_in_the_audit_and_the_seed_only_after_unblinding(
    events: list[AuditEventRow],
) -> None:
    from study.canonical import canonical, sha256_hex

    revealed = events[-1].details["seeds"]
    assert len(revealed) == 3
    before = canonical([event.details for event in events[:-1]]).decode()
    for seed in revealed:
        assert sha256_hex(bytes.fromhex(seed["seed"])) == seed["sha256"]
        assert seed["sha256"] in before
        assert seed["seed"] not in before
