"""Deviations: what did not go as the protocol says, logged once and reported with the results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.errors import NotAllowedError, StudyError
from study.people import Person, actor_of
from study.randomness import public_id
from study.registration import guard_injected
from study.store import Store
from study.tables_custody import DeviationRow

REPORTERS = ("coordinator", "investigator", "custodian", "statistician")
MAX_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Deviation:
    """One logged deviation."""

    kind: str
    subject: str
    description: str
    reported_at: datetime


def report_deviation(
    store: Store, person: Person, kind: str, description: str, *, subject: str = ""
) -> None:
    """Log a deviation by hand.

    Args:
        store: The database.
        person: Who reports; a rater or resident tells the coordinator.
        kind: A few words: `late answer`, `wrong room`.
        description: What happened, without an arm and without a name.
        subject: A pseudonym or a blinding code, where there is one.

    Raises:
        NotAllowedError: If the person's role does not report deviations.
        StudyError: If kind or description is empty or too long.
    """
    if person.role not in REPORTERS:
        raise NotAllowedError(
            f"a {person.role} does not log deviations; tell the coordinator, who does"
        )
    if not kind.strip() or not description.strip():
        raise StudyError("a deviation needs a kind and a description; write both")
    if len(description) > MAX_CHARACTERS:
        raise StudyError(
            f"the description has {len(description):,} characters; at most {MAX_CHARACTERS:,}"
        )
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        note_deviation(
            session, store, person.study_id, actor_of(person), kind.strip(), subject.strip(),
            description.strip(),
        )  # fmt: skip


def note_deviation(
    session: Session, store: Store, study_id: str, by: Actor, kind: str, subject: str,
    description: str,
) -> None:  # fmt: skip
    """Log a deviation inside the caller's transaction; a service that notices one calls it."""
    deviation_id = public_id(store.source, "deviation")
    session.add(
        DeviationRow(
            deviation_id=deviation_id, study_id=study_id, kind=kind, subject=subject,
            description=description, reported_by=by.name, reported_at=store.clock.now(),
        )
    )  # fmt: skip
    record(session, store.clock, study_id, by, "log deviation", deviation_id, {"kind": kind})


def deviations_of(session: Session, study_id: str) -> tuple[Deviation, ...]:
    """The study's deviations, oldest first."""
    query = select(DeviationRow).where(DeviationRow.study_id == study_id)
    rows = session.scalars(query.order_by(DeviationRow.reported_at, DeviationRow.deviation_id))
    return tuple(Deviation(r.kind, r.subject, r.description, r.reported_at) for r in rows)
