"""The second person: final steps need somebody else's consent, given while signed in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import record
from study.errors import LifeCycleError, NotAllowedError
from study.people import Person, actor_of
from study.randomness import public_id
from study.registration import guard_injected
from study.store import Store
from study.tables import AuditEventRow
from study.tables_custody import ApprovalRow

SECOND_PERSONS = ("investigator", "statistician", "custodian", "inspector")
"""Roles that may consent to a final step."""
APPROVED = ("lock", "unblind", "code break")
"""Verbs that need a second person."""


def approve(store: Store, person: Person, verb: str, subject: str = "", *, reason: str) -> None:
    """Consent to one final step that somebody else will take.

    Args:
        store: The database.
        person: The second person, signed in as themselves.
        verb: One of `APPROVED`.
        subject: The blinding code of a code-break; empty otherwise.
        reason: Written into the audit.

    Raises:
        NotAllowedError: If the person's role may not consent.
        LifeCycleError: If the verb needs no consent, or the reason is empty.
    """
    if person.role not in SECOND_PERSONS:
        raise NotAllowedError(
            f"a {person.role} cannot consent to {verb!r}; that is for: {', '.join(SECOND_PERSONS)}"
        )
    if verb not in APPROVED:
        raise LifeCycleError(f"{verb!r} needs no second person; these do: {', '.join(APPROVED)}")
    if not reason.strip():
        raise LifeCycleError(f"consent to {verb!r} needs a reason; it is printed in the audit")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        session.add(
            ApprovalRow(
                approval_id=public_id(store.source, "approval"),
                study_id=person.study_id,
                verb=verb,
                subject=subject,
                reason=reason.strip(),
                approved_by=person.person_id,
                approved_at=store.clock.now(),
            )
        )
        record(
            session, store.clock, person.study_id, actor_of(person), "approve", verb,
            {"subject": subject, "reason": reason.strip()},
        )  # fmt: skip


def approval_for(
    session: Session, study_id: str, verb: str, subject: str = "", *, not_by: str | None = None
) -> ApprovalRow | None:
    """The consent that the step may use: of the present state, and of somebody else.

    Args:
        session: The caller's transaction.
        study_id: The study.
        verb: The step.
        subject: The blinding code of a code-break.
        not_by: Id of the person who takes the step; their own consent does not count.
    """
    query = select(ApprovalRow).where(
        ApprovalRow.study_id == study_id,
        ApprovalRow.verb == verb,
        ApprovalRow.subject == subject,
    )
    if not_by is not None:
        query = query.where(ApprovalRow.approved_by != not_by)
    spent_at = _spent_at(session, study_id, subject)
    if spent_at is not None:
        query = query.where(ApprovalRow.approved_at > spent_at)
    return session.scalars(query.order_by(ApprovalRow.approved_at.desc()).limit(1)).first()


def _spent_at(session: Session, study_id: str, subject: str) -> datetime | None:
    """When earlier consent was used up: by a change of state, or by that code's break."""
    query = select(AuditEventRow.at).where(AuditEventRow.study_id == study_id)
    if subject:
        query = query.where(AuditEventRow.action == "code break", AuditEventRow.subject == subject)
    else:
        query = query.where(AuditEventRow.action.in_(("open", "lock")))
    return session.scalars(query.order_by(AuditEventRow.number.desc()).limit(1)).first()
