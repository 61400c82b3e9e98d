"""What tells whether a study is on track: who rated what and when, and the flow, without arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from study.people import Person
from study.protocol import Dimension
from study.registration import load_study, require_role
from study.store import Store
from study.tables import (
    InvitationRow,
    MaskedResponseRow,
    MaskingChangeRow,
    PersonRow,
    RaterAssignmentRow,
    RatingRow,
    RatingScoreRow,
    ResponseRow,
)
from study.tables_people import WithdrawalRow
from study.tables_rating import MarkingRow

WATCHERS = ("coordinator", "investigator", "statistician")


@dataclass(frozen=True, slots=True)
class Scored:
    """A rater's last own rating of one response."""

    rater: str
    """Pseudonym."""
    code: str
    vignette_id: str
    scores: tuple[int, ...]
    """In the order of the protocol's dimensions."""
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One box of the flow diagram."""

    label: str
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Monitored:
    """Everything the console draws its pictures and flags from."""

    dimensions: tuple[Dimension, ...]
    vignettes: tuple[str, ...]
    due: Mapping[tuple[str, str], int]
    """Rater's pseudonym and vignette to the number of responses allocated."""
    ratings: tuple[Scored, ...]
    """In the order of submission."""
    flow: tuple[FlowStep, ...]


def n_ratings(store: Store, person: Person) -> int:
    """How many ratings there are, amendments counted: a cheap sign that something changed.

    Raises:
        NotAllowedError: If the person may not watch the study.
    """
    require_role(person.role, *WATCHERS, what="the console")
    with store.read() as session:
        query = select(func.count()).where(RatingRow.study_id == person.study_id)
        return session.scalar(query) or 0


def monitored(store: Store, person: Person) -> Monitored:
    """The study's course, without arms.

    Raises:
        NotAllowedError: If the person may not watch the study.
    """
    require_role(person.role, *WATCHERS, what="the console")
    with store.read() as session:
        protocol = load_study(session, person.study_id).protocol
        dimensions = tuple(protocol.rating.dimensions)
        return Monitored(
            dimensions=dimensions,
            vignettes=tuple(protocol.vignettes),
            due=_due(session, person.study_id),
            ratings=_ratings(session, person.study_id, dimensions),
            flow=_flow(session, person.study_id),
        )


def _due(session: Session, study_id: str) -> dict[tuple[str, str], int]:
    query = (
        select(PersonRow.pseudonym, MaskedResponseRow.vignette_id, func.count())
        .join(RaterAssignmentRow, RaterAssignmentRow.rater_id == PersonRow.person_id)
        .join(MaskedResponseRow, _IS_ITS_RESPONSE)
        .where(RaterAssignmentRow.study_id == study_id)
        .group_by(PersonRow.pseudonym, MaskedResponseRow.vignette_id)
    )
    return {(rater, vignette): n for rater, vignette, n in session.execute(query)}


def _ratings(
    session: Session, study_id: str, dimensions: tuple[Dimension, ...]
) -> tuple[Scored, ...]:
    heads = session.execute(
        select(
            RatingRow.assignment_id, RatingRow.submitted_at, RatingRow.rating_id,
            PersonRow.pseudonym, RaterAssignmentRow.code, MaskedResponseRow.vignette_id,
        )
        .join(RaterAssignmentRow, RaterAssignmentRow.assignment_id == RatingRow.assignment_id)
        .join(PersonRow, PersonRow.person_id == RaterAssignmentRow.rater_id)
        .join(MaskedResponseRow, _IS_ITS_RESPONSE)
        .where(RatingRow.study_id == study_id)
        .order_by(RatingRow.revision)
    ).all()  # fmt: skip
    last = {head.assignment_id: head for head in heads}  # a later revision takes its place
    place = {dimension.id: i for i, dimension in enumerate(dimensions)}
    scores: dict[str, list[int]] = {}
    for rating_id, dimension, score in session.execute(
        select(RatingScoreRow.rating_id, RatingScoreRow.dimension, RatingScoreRow.score)
        .join(RatingRow, RatingRow.rating_id == RatingScoreRow.rating_id)
        .where(RatingRow.study_id == study_id)
    ):
        scores.setdefault(rating_id, [0] * len(place))[place[dimension]] = score
    return tuple(
        Scored(rater, code, vignette, tuple(scores[rating_id]), at)
        for _, at, rating_id, rater, code, vignette in sorted(
            last.values(), key=lambda head: (head.submitted_at, head.rating_id)
        )
    )


_IS_ITS_RESPONSE = and_(
    MaskedResponseRow.study_id == RaterAssignmentRow.study_id,
    MaskedResponseRow.code == RaterAssignmentRow.code,
)


def _flow(session: Session, study_id: str) -> tuple[FlowStep, ...]:
    """The boxes from invitation to the second pass, all arms together (CONSORT 2010, figure 1)."""
    return (
        _people_step(session, study_id, "resident", "Clinicians asked to answer"),
        FlowStep(
            "Responses",
            (
                ("submitted", _n_responses(session, study_id, "submitted")),
                ("failed to be given", _n_responses(session, study_id, "failed")),
            ),
        ),
        FlowStep(
            "Masked",
            (
                ("responses", _count(session, MaskedResponseRow.study_id == study_id)),
                ("with a change", _n_changed(session, study_id)),
            ),
        ),
        _people_step(session, study_id, "rater", "Raters asked to rate"),
        FlowStep(
            "Ratings",
            (
                ("allocated", _count(session, RaterAssignmentRow.study_id == study_id)),
                (
                    "submitted",
                    _count(session, RatingRow.study_id == study_id, RatingRow.revision == 1),
                ),
                (
                    "amended",
                    _count(session, RatingRow.study_id == study_id, RatingRow.revision > 1),
                ),
                ("second pass done", _count(session, MarkingRow.study_id == study_id)),
            ),
        ),
    )


def _people_step(session: Session, study_id: str, role: str, label: str) -> FlowStep:
    here = (PersonRow.study_id == study_id, PersonRow.role == role)
    withdrawn = select(func.count()).select_from(WithdrawalRow).join(
        PersonRow, PersonRow.person_id == WithdrawalRow.person_id
    ).where(*here)  # fmt: skip
    invited = select(func.count(func.distinct(InvitationRow.person_id))).join(
        PersonRow, PersonRow.person_id == InvitationRow.person_id
    ).where(*here)  # fmt: skip
    return FlowStep(
        label,
        (
            ("invited", session.scalar(invited) or 0),
            ("joined", _count(session, *here, PersonRow.joined_at.is_not(None))),
            ("withdrawn", session.scalar(withdrawn) or 0),
        ),
    )


def _n_responses(session: Session, study_id: str, status: str) -> int:
    return _count(session, ResponseRow.study_id == study_id, ResponseRow.status == status)


def _n_changed(session: Session, study_id: str) -> int:
    query = (
        select(func.count(func.distinct(MaskingChangeRow.response_id)))
        .join(MaskedResponseRow, MaskedResponseRow.response_id == MaskingChangeRow.response_id)
        .where(MaskedResponseRow.study_id == study_id)
    )
    return session.scalar(query) or 0


def _count(session: Session, *where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*where)) or 0
