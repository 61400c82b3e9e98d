"""What any page may show of a study, and the investigator's progress without arms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from study.answer_items import n_vignettes_each
from study.answering import n_answers
from study.audit import events_of
from study.lifecycle import State, Verb, as_state, next_step
from study.monitor import WATCHERS
from study.people import Person
from study.preconditions import (
    Precondition,
    answers_due,
    preconditions,
    ratings_done,
    ratings_due,
)
from study.protocol import Conditions
from study.registration import Kind, load_study, require_role, study_ids, study_row
from study.store import Store
from study.tables import (
    InvitationRow,
    PersonRow,
    RaterAssignmentRow,
    RatingRow,
    ResponseRow,
)

SIMULATED = (
    "Simulated: people may be scripted, and planted scores have nothing to do with the texts. "
    "Nothing here is a finding."
)

COUNTED = (
    "Pastes into your answer and times away from this page are counted. Nobody who rates sees that."
)


@dataclass(frozen=True, slots=True)
class StudyCard:
    """What every page of a study may show to everyone in it."""

    study_id: str
    title: str
    state: State
    kind: Kind
    simulated: bool
    banner: str | None
    """One sentence, the same on every page and for every response."""
    instruction: str
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NextStep:
    """The life cycle's next step with its checklist."""

    verb: Verb
    label: str
    preconditions: tuple[Precondition, ...]
    final: bool
    needs_reason: bool
    """Whether a reason must be given: to unblind, or because something is outstanding."""
    is_possible: bool
    """Whether nothing stops it that a reason could not answer for."""


@dataclass(frozen=True, slots=True)
class PersonProgress:
    """How far one person is, under a pseudonym."""

    pseudonym: str
    done: int
    due: int
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class InvitationStatus:
    """One invitation, without its token."""

    role: str
    state: str
    """waiting, accepted or expired."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One step of the study's history, as a blinded reader may see it."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How the study stands, without arms."""

    state: State
    next_step: NextStep | None
    n_answers_due: int
    n_answers: int
    """Submitted answers and recorded failures, all arms together."""
    residents: tuple[PersonProgress, ...]
    n_ratings_due: int
    n_ratings: int
    raters: tuple[PersonProgress, ...]
    invitations: tuple[InvitationStatus, ...]
    history: tuple[HistoryRow, ...]


def study_card(store: Store, study_id: str) -> StudyCard:
    """The study's card.

    Raises:
        StudyError: If there is no such study.
    """
    with store.read() as session:
        return _card(session, study_id)


def study_cards(store: Store) -> tuple[StudyCard, ...]:
    """A card for every study of the database, oldest first."""
    with store.read() as session:
        return tuple(_card(session, study_id) for study_id in study_ids(session))


def progress(store: Store, person: Person) -> Progress:
    """Progress for those who watch the study.

    Raises:
        NotAllowedError: If the person may not watch the study.
    """
    require_role(person.role, *WATCHERS, what="the console")
    with store.read() as session:
        return study_progress(session, person.study_id, store)


def study_progress(session: Session, study_id: str, store: Store) -> Progress:
    """Progress without arms, for the console and `safemed status`."""
    return Progress(
        state=as_state(study_row(session, study_id).state),
        next_step=_next_step(session, study_id, store.clock.now()),
        n_answers_due=answers_due(session, study_id),
        n_answers=n_answers(session, study_id),
        residents=_residents(session, study_id),
        n_ratings_due=ratings_due(session, study_id),
        n_ratings=ratings_done(session, study_id),
        raters=_raters(session, study_id),
        invitations=_invitations(session, study_id, store.clock.now()),
        history=_history(session, study_id),
    )


def _card(session: Session, study_id: str) -> StudyCard:
    study = load_study(session, study_id)
    words = [study.protocol.banner, SIMULATED if study.simulated else None]
    return StudyCard(
        study_id=study_id,
        title=study.protocol.title,
        state=as_state(study.state),
        kind=study.kind,
        simulated=study.simulated,
        banner=" ".join(w for w in words if w) or None,
        instruction=study.protocol.instruction,
        conditions=_conditions_in_words(study.protocol.conditions),
    )


def _conditions_in_words(conditions: Conditions) -> tuple[str, ...]:
    limit, minutes = conditions.max_words, conditions.time_limit_minutes
    return (
        "You may look things up."
        if conditions.references_allowed
        else "Please answer without looking anything up.",
        "AI assistance is allowed."
        if conditions.ai_assistance_allowed
        else "Please use no AI assistance.",
        f"At most {limit} words an answer." if limit else "There is no word limit.",
        f"Each vignette has {minutes} minutes from when you first see it, also while you are away."
        if minutes
        else "There is no time limit.",
        "Please answer in one sitting."
        if conditions.one_sitting
        else "You can stop between vignettes and come back at any time."
        if minutes
        else "You can stop and come back at any time.",
        *([COUNTED] if conditions.record_conduct else []),
    )


def _next_step(session: Session, study_id: str, now: datetime) -> NextStep | None:
    step = next_step(session, study_id)
    if step is None:
        return None
    checklist = preconditions(session, study_id, step.label, now)
    unmet = [p for p in checklist if not p.met]
    return NextStep(
        verb=step.verb,
        label=step.label,
        preconditions=checklist,
        final=step.final,
        needs_reason=bool(unmet) or step.verb == "unblind",
        is_possible=all(p.may_stay_open for p in unmet),
    )


def _residents(session: Session, study_id: str) -> tuple[PersonProgress, ...]:
    due = n_vignettes_each(load_study(session, study_id).protocol)
    done = dict(
        session.execute(
            select(ResponseRow.person_id, func.count())
            .where(ResponseRow.study_id == study_id)
            .group_by(ResponseRow.person_id)
        ).all()
    )
    return tuple(
        PersonProgress(p.pseudonym, done.get(p.person_id, 0), due, p.last_seen_at)
        for p in _people(session, study_id, "resident")
    )


def _raters(session: Session, study_id: str) -> tuple[PersonProgress, ...]:
    due, done = (
        dict(session.execute(query.group_by(RaterAssignmentRow.rater_id)).all())
        for query in (
            select(RaterAssignmentRow.rater_id, func.count()).where(
                RaterAssignmentRow.study_id == study_id
            ),
            select(RaterAssignmentRow.rater_id, func.count())
            .join(RatingRow, RatingRow.assignment_id == RaterAssignmentRow.assignment_id)
            .where(RatingRow.study_id == study_id, RatingRow.revision == 1),
        )
    )
    return tuple(
        PersonProgress(
            p.pseudonym, done.get(p.person_id, 0), due.get(p.person_id, 0), p.last_seen_at
        )
        for p in _people(session, study_id, "rater")
    )


def _people(session: Session, study_id: str, role: str) -> list[PersonRow]:
    query = select(PersonRow).where(
        PersonRow.study_id == study_id,
        PersonRow.role == role,
        PersonRow.joined_at.is_not(None),
    )
    return list(session.scalars(query.order_by(PersonRow.pseudonym)))


def _invitations(session: Session, study_id: str, now: datetime) -> tuple[InvitationStatus, ...]:
    query = (
        select(InvitationRow, PersonRow.role)
        .join(PersonRow, PersonRow.person_id == InvitationRow.person_id)
        .where(PersonRow.study_id == study_id)
        .order_by(InvitationRow.created_at, InvitationRow.token_sha256)
    )
    return tuple(
        InvitationStatus(
            role,
            "accepted" if row.accepted_at else "expired" if row.expires_at < now else "waiting",
            row.created_at,
        )
        for row, role in session.execute(query)
    )


_HISTORY = {
    "register": "Protocol registered",
    "mark simulated": "Marked simulated for good",
    "open": "Opened",
    "close": "Responses closed",
    "mask": "Responses masked",
    "allocate": "Responses allocated to raters",
    "lock": "Data locked",
    "unblind": "Unblinded",
    "export": "Frozen dataset exported",
    "amend": "Protocol amended",
    "approve": "A second person consented",
    "log deviation": "Deviation logged",
}


def _history(session: Session, study_id: str) -> tuple[HistoryRow, ...]:
    """Steps only: who joined when, and what came in when, could tell the arms apart."""
    return tuple(
        HistoryRow(
            event.at, f"Opened {event.details['state']}" if event.action == "open" else words
        )
        for event in events_of(session, study_id, *_HISTORY)
        for words in [_HISTORY[event.action]]
    )
