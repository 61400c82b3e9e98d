"""What each step of the life cycle waits for, as a checklist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from study.answer_items import n_vignettes_each
from study.answering import n_answers
from study.approvals import approval_for
from study.consent import withdrawn_ids
from study.disputes import count_disputes
from study.guessing import is_asked
from study.leak_queue import has_custodian, n_unruled
from study.people import expected_people, people_of
from study.queries import n_open_queries
from study.rating_queue import CONFLICT
from study.registration import load_study
from study.same_person import candidates
from study.tables import ModelRunRow, PersonRow, RaterAssignmentRow, RatingRow, ResponseRow
from study.tables_rating import HiddenRepeatRow, MarkingRow, RatingNoteRow, SourceGuessRow


@dataclass(frozen=True, slots=True)
class Precondition:
    """One line of a step's checklist."""

    text: str
    met: bool
    may_stay_open: bool = False
    """Whether the step may go on without it, with a reason."""


def preconditions(
    session: Session, study_id: str, label: str, now: datetime
) -> tuple[Precondition, ...]:
    """The checklist of the step with that label; empty where nothing is waited for."""
    check = _CHECKS.get(label)
    return check(session, study_id, now) if check else ()


def answers_due(session: Session, study_id: str) -> int:
    """Answers the protocol plans for, all arms together; none is due from who has withdrawn."""
    protocol = load_study(session, study_id).protocol
    each = n_vignettes_each(protocol)
    planned = sum(
        arm.n_respondents * (each if arm.kind == "clinicians" else len(protocol.vignettes))
        for arm in protocol.arms
    )
    answered = {person_id: 0 for person_id in withdrawn_ids(session, study_id)}
    query = (
        select(PersonRow.person_id, func.count(ResponseRow.response_id))
        .join(ResponseRow, ResponseRow.person_id == PersonRow.person_id, isouter=True)
        .where(PersonRow.person_id.in_(answered), PersonRow.role == "resident")
        .group_by(PersonRow.person_id)
    )
    missing = (each - n for _, n in session.execute(query))
    return planned - sum(missing)


def ratings_due(session: Session, study_id: str) -> int:
    """Ratings allocated, but those that who has withdrawn did not give, or a conflict forbids."""
    rated = select(RatingRow.assignment_id).where(RatingRow.study_id == study_id)
    given_back = select(RatingNoteRow.assignment_id).where(RatingNoteRow.kind == CONFLICT)
    query = select(func.count()).where(
        RaterAssignmentRow.study_id == study_id,
        or_(
            RaterAssignmentRow.assignment_id.in_(rated),
            and_(
                RaterAssignmentRow.rater_id.not_in(withdrawn_ids(session, study_id)),
                RaterAssignmentRow.assignment_id.not_in(given_back),
            ),
        ),
    )
    return session.scalar(query) or 0


def ratings_done(session: Session, study_id: str) -> int:
    """Ratings submitted, first submissions only."""
    query = select(func.count()).where(RatingRow.study_id == study_id, RatingRow.revision == 1)
    return session.scalar(query) or 0


def _to_close(session: Session, study_id: str, now: datetime) -> tuple[Precondition, ...]:
    models = people_of(session, study_id, "model")
    taken_in = set(
        session.scalars(select(ModelRunRow.person_id).where(ModelRunRow.study_id == study_id))
    )
    due, done = answers_due(session, study_id), n_answers(session, study_id)
    return (
        Precondition(
            "every model's responses are taken in", all(m.person_id in taken_in for m in models)
        ),
        Precondition(f"all planned answers are in ({done} of {due})", done >= due, True),
    )


def _to_mask(session: Session, study_id: str, now: datetime) -> tuple[Precondition, ...]:
    query = select(func.count()).where(
        ResponseRow.study_id == study_id, ResponseRow.status == "submitted"
    )
    n_to_mask = session.scalar(query) or 0
    return (Precondition(f"there are responses to mask ({n_to_mask})", n_to_mask > 0),)


def _to_allocate(session: Session, study_id: str, now: datetime) -> tuple[Precondition, ...]:
    design = load_study(session, study_id).protocol.rating
    n_joined = len(people_of(session, study_id, "rater"))
    n_expected = len(expected_people(session, study_id, "rater", now))
    n_planned = max(design.n_raters, n_expected)
    return (
        Precondition(
            f"raters who have joined or been invited: {n_expected}, needed at least "
            f"{design.raters_per_response}",
            n_expected >= design.raters_per_response,
        ),
        Precondition(
            f"all raters have joined ({n_joined} of {n_planned})", n_joined >= n_planned, True
        ),
    )


def _to_open_rating(session: Session, study_id: str, now: datetime) -> tuple[Precondition, ...]:
    n_open = n_unruled(session, study_id)
    return (
        Precondition(
            f"the custodian has ruled on every finding of the leak scan ({n_open} open)",
            n_open == 0,
            not has_custodian(session, study_id),
        ),
    )


def _to_lock(session: Session, study_id: str, now: datetime) -> tuple[Precondition, ...]:
    due, done = ratings_due(session, study_id), ratings_done(session, study_id)
    n_queries = n_open_queries(session, study_id)
    pairs = candidates(session, study_id)
    return (
        Precondition("at least one rating is in", done > 0),
        Precondition(f"all allocated ratings are in ({done} of {due})", done >= due, True),
        *_marks_in(session, study_id),
        *_disputes_decided(session, study_id),
        Precondition(
            f"every pair of accounts that look alike is decided ({len(pairs)} open)", not pairs
        ),
        Precondition(f"every query is closed ({n_queries} open)", n_queries == 0, True),
        *_second_person(session, study_id, "lock"),
    )


def _marks_in(session: Session, study_id: str) -> tuple[Precondition, ...]:
    """Where the protocol has a second pass, one marking for every rated response."""
    if load_study(session, study_id).protocol.rating.second_pass is None:
        return ()
    repeats = select(HiddenRepeatRow.code).where(HiddenRepeatRow.study_id == study_id)
    scored = (
        select(func.count())
        .select_from(RatingRow)
        .join(RaterAssignmentRow, RaterAssignmentRow.assignment_id == RatingRow.assignment_id)
        .where(
            RatingRow.study_id == study_id,
            RatingRow.revision == 1,
            RaterAssignmentRow.code.not_in(repeats),
        )
    )
    due = session.scalar(scored) or 0
    done = session.scalar(select(func.count()).where(MarkingRow.study_id == study_id)) or 0
    words = f"the second pass is done for every rated response ({done} of {due})"
    marks = Precondition(words, done >= due, True)
    if not is_asked(load_study(session, study_id).protocol):
        return (marks,)
    guesses = select(func.count()).where(SourceGuessRow.study_id == study_id)
    guessed = session.scalar(guesses) or 0
    words = f"the source is guessed for every rated response ({guessed} of {due})"
    return marks, Precondition(words, guessed >= due, True)


def _disputes_decided(session: Session, study_id: str) -> tuple[Precondition, ...]:
    """Where the protocol has adjudicators, a decision on every response in dispute."""
    if load_study(session, study_id).protocol.rating.adjudication is None:
        return ()
    found = count_disputes(session, study_id)
    words = f"every dispute is adjudicated ({found.n_decided} of {found.n_disputed})"
    return (Precondition(words, found.n_decided >= found.n_disputed, True),)


def _to_unblind(session: Session, study_id: str, now: datetime) -> tuple[Precondition, ...]:
    return _second_person(session, study_id, "unblind")


def _second_person(session: Session, study_id: str, verb: str) -> tuple[Precondition, ...]:
    consent = approval_for(session, study_id, verb)
    return (Precondition(f"a second person has consented to {verb}", consent is not None),)


_CHECKS: dict[str, Callable[[Session, str, datetime], tuple[Precondition, ...]]] = {
    "Close responses": _to_close,
    "Mask responses": _to_mask,
    "Allocate to raters": _to_allocate,
    "Open rating": _to_open_rating,
    "Lock the data": _to_lock,
    "Unblind": _to_unblind,
}
