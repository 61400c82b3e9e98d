"""Attestation: at each sitting a clinician confirms the declared conditions, and owns to lapses.

A sitting begins with a sign-in, or after half an hour without a save. Drafts are always kept: only
the next vignette waits for the attestation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from study.audit import record
from study.canonical import canonical, sha256_hex
from study.deviations import note_deviation
from study.errors import AttestationError
from study.people import Person, actor_of
from study.randomness import public_id
from study.registration import guard_injected, load_study, require_role
from study.store import Store
from study.tables import AnswerItemRow, ResponseRow, SignInRow
from study.tables_people import AttestationRow

ABSENCE = timedelta(minutes=30)
MAX_REMARK = 1_000


@dataclass(frozen=True, slots=True)
class AttestationDue:
    """What is asked at the beginning of a sitting."""

    asks_about_last: bool
    """Whether there was a sitting before, whose conditions are asked about."""


def attestation_due(store: Store, person: Person) -> AttestationDue | None:
    """What the person has to confirm before the next vignette; None where nothing."""
    with store.read() as session:
        return _due(session, person, store.clock.now())


def attest(store: Store, person: Person, *, kept: bool = True, remark: str = "") -> None:
    """Confirm the conditions of the sitting that begins, and say how the last one went.

    Args:
        store: The database.
        person: A resident.
        kept: Whether the conditions of the last sitting were kept; True in the first one.
        remark: What was not, up to 1,000 characters; needed then.

    Raises:
        AttestationError: If nothing is asked now, or a lapse has no remark.
        NotAllowedError: If the person is not a resident.
    """
    require_role(person.role, "resident", what="attestation")
    if not kept and not remark.strip():
        raise AttestationError("please say in a few words what was not kept; it harms nobody")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        if _due(session, person, store.clock.now()) is None:
            raise AttestationError("nothing is to be confirmed now; reload the page to go on")
        conditions = load_study(session, person.study_id).protocol.conditions
        attestation_id = public_id(store.source, "attestation")
        session.add(
            AttestationRow(
                attestation_id=attestation_id,
                person_id=person.person_id,
                conditions_sha256=sha256_hex(canonical(conditions.model_dump(mode="json"))),
                kept=kept,
                remark=remark.strip()[:MAX_REMARK],
                attested_at=store.clock.now(),
            )
        )
        record(
            session, store.clock, person.study_id, actor_of(person), "attest", attestation_id,
            {"kept": kept},
        )  # fmt: skip
        if not kept:
            note_deviation(
                session, store, person.study_id, actor_of(person), "conditions not kept",
                person.pseudonym, remark.strip()[:MAX_REMARK],
            )  # fmt: skip


def require_attestation(session: Session, person: Person, now: datetime) -> None:
    """Refuse the next vignette before the sitting's conditions are confirmed.

    Raises:
        AttestationError: If they are not.
    """
    if _due(session, person, now) is not None:
        raise AttestationError("please confirm the conditions of this sitting first")


def _due(session: Session, person: Person, now: datetime) -> AttestationDue | None:
    if person.role != "resident":
        return None
    if not load_study(session, person.study_id).protocol.conditions.attestation:
        return None
    last = session.scalar(
        select(func.max(AttestationRow.attested_at)).where(
            AttestationRow.person_id == person.person_id
        )
    )
    if last is None:
        return AttestationDue(asks_about_last=False)
    signed_in = session.scalar(
        select(func.max(SignInRow.started_at)).where(SignInRow.person_id == person.person_id)
    )
    is_going_on = now - max(last, _last_save(session, person) or last) <= ABSENCE
    if is_going_on and (signed_in is None or signed_in <= last):
        return None
    return AttestationDue(asks_about_last=True)


def _last_save(session: Session, person: Person) -> datetime | None:
    times = (
        session.scalar(
            select(func.max(AnswerItemRow.draft_saved_at)).where(
                AnswerItemRow.person_id == person.person_id
            )
        ),
        session.scalar(
            select(func.max(ResponseRow.submitted_at)).where(
                ResponseRow.person_id == person.person_id
            )
        ),
    )
    known = [time for time in times if time is not None]
    return max(known) if known else None
