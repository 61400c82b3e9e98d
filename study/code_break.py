"""Emergency code-break: who wrote one response, for one stated reason, with a second person.

Everything computed afterwards carries the mark. The event names the code and never the arm: whoever
reads the audit learns that a code was broken, not what it hid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.approvals import SECOND_PERSONS, approval_for, approve
from study.audit import record
from study.custody import Origin
from study.errors import LifeCycleError, StudyError
from study.people import Person, actor_of
from study.registration import guard_injected, require_role, study_row
from study.store import Store
from study.tables import AuditEventRow, MaskedResponseRow, PersonRow, ResponseRow
from study.tables_custody import ApprovalRow
from study.tables_rating import HiddenRepeatRow

BREAKERS = ("investigator", "custodian")
VERB = "code break"


@dataclass(frozen=True, slots=True)
class CodeEvent:
    """One code: consented to and not broken yet, or broken; and no trace of what it hides."""

    code: str
    by: str
    """Pseudonym and role."""
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class CodeBreaks:
    """How far the code-breaks of a study are, each oldest first."""

    consented: tuple[CodeEvent, ...]
    """Waiting for somebody else to break the code."""
    broken: tuple[CodeEvent, ...]


def break_code(store: Store, person: Person, code: str, *, reason: str) -> Origin:
    """Learn whose response a code hides.

    Args:
        store: The database.
        person: Who breaks the code: an investigator or the custodian.
        code: The blinding code, of a hidden repeat too.
        reason: Printed on every later table.

    Raises:
        NotAllowedError: If the person's role may not.
        LifeCycleError: If no second person has consented to breaking this very code, or the study
            is unblinded already.
        StudyError: If there is no such code, or no reason.
    """
    require_role(person.role, *BREAKERS, what="breaking a code")
    if not reason.strip():
        raise StudyError("breaking a code needs a reason; it is printed on every later table")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        own, response = _response(session, person.study_id, code)
        consent = approval_for(session, person.study_id, VERB, own, not_by=person.person_id)
        if consent is None:
            raise LifeCycleError(
                f"breaking the code {own} needs a second person: somebody else consents "
                "first, signed in as themselves"
            )
        respondent = session.get_one(PersonRow, response.person_id)
        record(
            session, store.clock, person.study_id, actor_of(person), VERB, own,
            {"reason": reason.strip(), "second_person": consent.approved_by,
             "second_person_reason": consent.reason},
        )  # fmt: skip
        return Origin(response.vignette_id, respondent.pseudonym, respondent.arm or "")


def consent_to_break(store: Store, person: Person, code: str, *, reason: str) -> str:
    """Consent, as the second person, to somebody else's breaking one code.

    Returns:
        The code as it is written.

    Raises:
        NotAllowedError: If the person's role may not consent.
        LifeCycleError: If the reason is empty, or the study is unblinded already.
        StudyError: If there is no such code.
    """
    require_role(person.role, *SECOND_PERSONS, what="consenting to a code-break")
    with store.read() as session:
        own, _ = _response(session, person.study_id, code)
    approve(store, person, VERB, own, reason=reason)
    return own


def code_breaks(store: Store, person: Person) -> CodeBreaks:
    """The consents that wait and the codes that are broken, without what they hide.

    Raises:
        NotAllowedError: If the person has no part in code-breaks.
    """
    require_role(person.role, *SECOND_PERSONS, what="the list of code-breaks")
    with store.read() as session:
        return CodeBreaks(_consented(session, person.study_id), _broken(session, person.study_id))


def _response(session: Session, study_id: str, code: str) -> tuple[str, ResponseRow]:
    """The code as it is written, and the response behind it."""
    if study_row(session, study_id).state == "unblinded":
        raise LifeCycleError("the study is unblinded; its export names every arm")
    own = code.strip().upper()
    for table in (MaskedResponseRow, HiddenRepeatRow):
        query = select(table.response_id).where(table.study_id == study_id, table.code == own)
        response_id = session.scalars(query).one_or_none()
        if response_id is not None:
            return own, session.get_one(ResponseRow, response_id)
    raise StudyError(f"no response has the code {code!r}; check it letter by letter")


def _consented(session: Session, study_id: str) -> tuple[CodeEvent, ...]:
    query = (
        select(ApprovalRow.subject)
        .where(ApprovalRow.study_id == study_id, ApprovalRow.verb == VERB)
        .distinct()
    )
    unspent = [approval_for(session, study_id, VERB, code) for code in session.scalars(query)]
    return tuple(
        CodeEvent(c.subject, _name(session, c.approved_by), c.approved_at, c.reason)
        for c in sorted((c for c in unspent if c), key=lambda c: c.approved_at)
    )


def _broken(session: Session, study_id: str) -> tuple[CodeEvent, ...]:
    query = (
        select(AuditEventRow)
        .where(AuditEventRow.study_id == study_id, AuditEventRow.action == VERB)
        .order_by(AuditEventRow.number)
    )
    return tuple(
        CodeEvent(e.subject, _name(session, e.actor), e.at, str(e.details["reason"]))
        for e in session.scalars(query)
    )


def _name(session: Session, person_id: str) -> str:
    person = session.get_one(PersonRow, person_id)
    return f"{person.pseudonym} ({person.role})"
