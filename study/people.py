"""Who takes part in a study, and in which role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from study.answer_items import deal_vignettes
from study.audit import Actor
from study.errors import (
    StudyError,
)
from study.randomness import public_id, random_word
from study.store import Store
from study.tables import InvitationRow, PersonRow

Role = Literal[
    "resident", "rater", "adjudicator", "coordinator", "investigator", "statistician", "custodian",
    "inspector", "auditor", "model",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who takes part."""

    person_id: str
    study_id: str
    role: Role
    arm: str | None
    stratum: str | None
    scripted: bool
    pseudonym: str
    site: str | None = None


def actor_of(person: Person) -> Actor:
    """The person as the audit names them."""
    return Actor(person.person_id, person.role)


def enrol_model(session: Session, store: Store, study_id: str, arm: str) -> None:
    """The model arm's one respondent, enrolled when answering opens."""
    join(session, store, add_person(session, store, study_id, "model", arm=arm))


def add_person(
    session: Session,
    store: Store,
    study_id: str,
    role: Role,
    *,
    arm: str | None = None,
    stratum: str | None = None,
    site: str | None = None,
    scripted: bool = False,
) -> PersonRow:
    """A person of the study who has not joined yet, under a random pseudonym."""
    person = PersonRow(
        person_id=public_id(store.source, "p"),
        study_id=study_id,
        role=role,
        pseudonym=_pseudonym(session, store, study_id),
        arm=arm,
        stratum=stratum,
        site=site,
        scripted=scripted,
    )
    session.add(person)
    session.flush()
    return person


def join(session: Session, store: Store, person: PersonRow) -> None:
    """A person comes in for the first time; a resident is dealt the vignettes."""
    person.joined_at = store.clock.now()
    if person.role == "resident":
        deal_vignettes(session, store, person)


def note_seen(session: Session, person_id: str, at: datetime) -> None:
    """Remember when somebody last did something; asked at every save, so in one statement."""
    session.connection().execute(_SEEN, {"person": person_id, "at": at})


_SEEN = (
    update(PersonRow.__table__)  # type: ignore[arg-type]
    .where(PersonRow.person_id == bindparam("person"))
    .values(last_seen_at=bindparam("at"))
)


def _pseudonym(session: Session, store: Store, study_id: str) -> str:
    taken = set(session.scalars(select(PersonRow.pseudonym).where(PersonRow.study_id == study_id)))
    while (name := random_word(store.source, 4)) in taken:
        continue
    return name


def as_role(written: str) -> Role:
    """A role read from the database."""
    for role in get_args(Role):
        if role == written:
            return cast(Role, role)
    raise StudyError(f"unknown role {written!r}")


def person_of_row(row: PersonRow) -> Person:
    """The person of a database row."""
    return Person(
        person_id=row.person_id,
        study_id=row.study_id,
        role=as_role(row.role),
        arm=row.arm,
        stratum=row.stratum,
        scripted=row.scripted,
        pseudonym=row.pseudonym,
        site=row.site,
    )


def people_of(session: Session, study_id: str, role: Role) -> tuple[Person, ...]:
    """The study's people of one role who have joined, in order of joining."""
    query = select(PersonRow).where(
        PersonRow.study_id == study_id, PersonRow.role == role, PersonRow.joined_at.is_not(None)
    )
    rows = session.scalars(query.order_by(PersonRow.joined_at, PersonRow.person_id))
    return tuple(person_of_row(row) for row in rows)


def pseudonyms_of(session: Session, study_id: str) -> frozenset[str]:
    """What the study's people are called on its screens, those who never joined included."""
    query = select(PersonRow.pseudonym).where(PersonRow.study_id == study_id)
    return frozenset(session.scalars(query))


def expected_people(
    session: Session, study_id: str, role: Role, now: datetime
) -> tuple[Person, ...]:
    """Those who have joined, and those whose invitation is still open."""
    query = (
        select(PersonRow)
        .join(InvitationRow, InvitationRow.person_id == PersonRow.person_id)
        .where(
            PersonRow.study_id == study_id,
            PersonRow.role == role,
            PersonRow.joined_at.is_(None),
            InvitationRow.expires_at > now,
        )
        .order_by(PersonRow.person_id)
    )
    waiting = tuple(person_of_row(row) for row in session.scalars(query))
    return people_of(session, study_id, role) + waiting
