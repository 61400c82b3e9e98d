"""The second person: final steps need somebody else's consent, given while signed in."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import events_of, record
from study.errors import LifeCycleError, NotAllowedError
from study.people import Person, actor_of
from study.randomness import public_id
from study.registration import guard_injected
from study.store import Store
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
    spent = [e.at for e in events_of(session, study_id) if _spends(e.action, e.subject, subject)]
    usable = [
        row
        for row in session.scalars(query.order_by(ApprovalRow.approved_at))
        if row.approved_by != not_by and (not spent or row.approved_at > spent[-1])
    ]
    return usable[-1] if usable else None


def _spends(action: str, of: str, subject: str) -> bool:
    """Whether an event uses up earlier consent: any change of state, or that code's break."""
    if subject:
        return action == "code break" and of == subject
    return action in ("open", "lock")
