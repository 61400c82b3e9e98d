"""A rater's queue: what is allocated, what is settled, and whether the second pass is open."""

from __future__ import annotations

from sqlalchemy import bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from study.errors import RatingError
from study.people import Person
from study.registration import load_study
from study.tables import RaterAssignmentRow, RatingRow
from study.tables_rating import AdjudicationTaskRow, RatingNoteRow

CONFLICT, FLAG = "conflict", "flag"
"""Kinds of note: a conflict of interest takes the response out of the queue, a flag does not."""


def assignments_of(session: Session, person: Person) -> list[RaterAssignmentRow]:
    """Everything allocated to the rater, in the rater's own order."""
    query = select(RaterAssignmentRow).where(RaterAssignmentRow.rater_id == person.person_id)
    return list(session.scalars(query.order_by(RaterAssignmentRow.position)))


def assignment_of(session: Session, person: Person, code: str) -> RaterAssignmentRow:
    """The rater's own assignment of that code.

    Raises:
        RatingError: If the response is not one of the rater's.
    """
    return own_assignment(session, person, code)[0]


def own_assignment(session: Session, person: Person, code: str) -> tuple[RaterAssignmentRow, bool]:
    """The rater's own assignment of that code, and whether it is settled: rated, or given back.

    Raises:
        RatingError: If the response is not one of the rater's.
    """
    found = session.execute(_OF_CODE, {"rater": person.person_id, "code": code}).first()
    if found is None:
        raise RatingError("this response is not one of yours; reload the page to go on")
    return found.RaterAssignmentRow, found.is_settled


def counted(session: Session, person: Person) -> tuple[int, int]:
    """How many of the rater's responses wait no longer, and how many there are."""
    n_settled, n_assigned = session.execute(_COUNTED, {"rater": person.person_id}).one()
    return n_settled, n_assigned


def first_waiting(session: Session, person: Person) -> RaterAssignmentRow | None:
    """The first of the rater's order that is not settled."""
    return session.scalars(_FIRST_WAITING, {"rater": person.person_id}).first()


_SETTLED = or_(
    exists().where(RatingRow.assignment_id == RaterAssignmentRow.assignment_id),
    exists().where(
        RatingNoteRow.assignment_id == RaterAssignmentRow.assignment_id,
        RatingNoteRow.kind == CONFLICT,
    ),
)
# Asked at every page of a rater; made once, since making a statement costs more than asking it.
_OF_RATER = RaterAssignmentRow.rater_id == bindparam("rater")
_COUNTED = (
    select(func.count().filter(_SETTLED), func.count())
    .select_from(RaterAssignmentRow)
    .where(_OF_RATER)
)
_FIRST_WAITING = (
    select(RaterAssignmentRow)
    .where(_OF_RATER, ~_SETTLED)
    .order_by(RaterAssignmentRow.position)
    .limit(1)
)
_OF_CODE = select(RaterAssignmentRow, _SETTLED.label("is_settled")).where(
    _OF_RATER, RaterAssignmentRow.code == bindparam("code")
)


def rated(session: Session, person: Person) -> set[str]:
    """Assignments with a submitted rating."""
    query = (
        select(RatingRow.assignment_id)
        .join(RaterAssignmentRow, RaterAssignmentRow.assignment_id == RatingRow.assignment_id)
        .where(RaterAssignmentRow.rater_id == person.person_id)
    )
    return set(session.scalars(query))


def conflicted(session: Session, person: Person) -> set[str]:
    """Assignments given back for a conflict of interest."""
    query = (
        select(RatingNoteRow.assignment_id)
        .join(RaterAssignmentRow, RaterAssignmentRow.assignment_id == RatingNoteRow.assignment_id)
        .where(RaterAssignmentRow.rater_id == person.person_id, RatingNoteRow.kind == CONFLICT)
    )
    return set(session.scalars(query))


def second_pass_is_open(session: Session, person: Person) -> bool:
    """Whether all of the rater's responses are scored and the protocol has a second pass."""
    design = load_study(session, person.study_id).protocol.rating
    return (
        design.second_pass is not None
        and counted(session, person)[1] > 0
        and first_waiting(session, person) is None
    )


def adjudication_has_begun(session: Session, study_id: str) -> bool:
    """Whether disputes were put to adjudicators; the scores they rest on are closed from then."""
    query = select(AdjudicationTaskRow.task_id).where(AdjudicationTaskRow.study_id == study_id)
    return session.scalars(query.limit(1)).first() is not None
