"""The audit: one hash-chained event for every step, per study.

Each event's digest covers its content and the digest before it, so an edit, a removal, a
reordering or (given the head from outside) a truncation shows. The head is given out as a receipt
at registration, lock and unblinding, and signed with every bundle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from study.canonical import canonical, sha256_hex
from study.clock import Clock, as_text
from study.errors import AuditError
from study.tables import AuditEventRow

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does a step: a person of the study, or the operator of the command line."""

    name: str
    role: str

    def __str__(self) -> str:
        return f"{self.name} ({self.role})"


OPERATOR = Actor("operator", "host")
"""Whoever holds the command line; the operating system's account is the proof of who that was."""


def record(
    session: Session,
    clock: Clock,
    study_id: str,
    actor: Actor,
    action: str,
    subject: str,
    details: dict[str, Any] | None = None,
) -> None:
    """Append one event to the study's chain, inside the caller's transaction."""
    last = _last_event(session, study_id)
    event = AuditEventRow(
        study_id=study_id,
        number=last.number + 1 if last else 1,
        at=clock.now(),
        actor=actor.name,
        role=actor.role,
        action=action,
        subject=subject,
        details=details or {},
        previous_sha256=last.sha256 if last else GENESIS,
    )
    event.sha256 = event_sha256(event)
    session.add(event)
    session.flush()


def event_sha256(event: AuditEventRow) -> str:
    """Digest of an event's content and of the event before it."""
    return sha256_hex(
        canonical(
            [
                event.study_id,
                event.number,
                as_text(event.at),
                event.actor,
                event.role,
                event.action,
                event.subject,
                event.details,
                event.previous_sha256,
            ]
        )
    )


def events_of(session: Session, study_id: str, *actions: str) -> list[AuditEventRow]:
    """The study's events in order: all, or those of the actions named."""
    query = select(AuditEventRow).where(AuditEventRow.study_id == study_id)
    if actions:
        query = query.where(AuditEventRow.action.in_(actions))
    return list(session.scalars(query.order_by(AuditEventRow.number)))


def _last_event(session: Session, study_id: str) -> Row[int, str] | None:
    return session.execute(_HEAD, {"study": study_id}).first()


_HEAD = (
    select(AuditEventRow.number, AuditEventRow.sha256)
    .where(AuditEventRow.study_id == bindparam("study"))
    .order_by(AuditEventRow.number.desc())
    .limit(1)
)


def receipt(session: Session, study_id: str) -> str:
    """The chain's head as `number:digest`, to be kept where the operator cannot change it."""
    last = _last_event(session, study_id)
    assert last is not None, "every study begins with the event of its registration"
    return f"{last.number}:{last.sha256}"


def verify_chain(events: Iterable[AuditEventRow], *, head: str | None = None) -> str:
    """Walk a chain and return its head.

    Args:
        events: All events of one study, in order.
        head: The head as known from outside; without it a truncated end cannot be seen.

    Raises:
        AuditError: Naming the first event that does not hold.
    """
    previous = GENESIS
    for expected, event in enumerate(events, start=1):
        if event.number != expected:
            raise AuditError(
                f"audit event {expected} is missing: the next one found is number {event.number}"
            )
        if event.previous_sha256 != previous or event.sha256 != event_sha256(event):
            raise AuditError(f"audit event {event.number} ({event.action}) was changed or moved")
        previous = event.sha256
    if head is not None and head != previous:
        raise AuditError(
            f"the audit ends at {previous[:12]}, but its head was given as {head[:12]}"
        )
    return previous
