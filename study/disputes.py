"""Where raters differ by the declared distance, and dealing that to adjudicators, once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from study.audit import record
from study.consent import withdrawn_ids
from study.errors import LifeCycleError
from study.people import Person, actor_of, people_of
from study.randomness import public_id
from study.rating_queue import adjudication_has_begun
from study.registration import (
    guard_injected,
    load_study,
    require_role,
    require_state,
    study_row,
)
from study.store import Store
from study.tables import RaterAssignmentRow, RatingRow, RatingScoreRow
from study.tables_rating import AdjudicationRow, AdjudicationTaskRow, HiddenRepeatRow

Scores = dict[str, list[int]]
"""Dimension to the raters' scores, ascending and nameless."""


@dataclass(frozen=True, slots=True)
class Disputes:
    """How far adjudication is, for those who run the study."""

    has_begun: bool
    n_disputed: int
    n_decided: int


def disputes(store: Store, person: Person) -> Disputes | None:
    """How many responses are in dispute, and decided; None where the protocol decides none.

    Raises:
        NotAllowedError: If the person does not run the study.
    """
    require_role(person.role, "investigator", "coordinator", "statistician", what="this count")
    with store.read() as session:
        if load_study(session, person.study_id).protocol.rating.adjudication is None:
            return None
        return count_disputes(session, person.study_id)


def count_disputes(session: Session, study_id: str) -> Disputes:
    """Responses in dispute: those put to adjudicators or, before that, those that would be."""
    if not adjudication_has_begun(session, study_id):
        return Disputes(False, len(disputed_scores(session, study_id)), 0)
    tasks = select(func.count()).where(AdjudicationTaskRow.study_id == study_id)
    decided = (
        select(func.count())
        .select_from(AdjudicationRow)
        .join(AdjudicationTaskRow, AdjudicationTaskRow.task_id == AdjudicationRow.task_id)
        .where(AdjudicationTaskRow.study_id == study_id)
    )
    return Disputes(True, session.scalar(tasks) or 0, session.scalar(decided) or 0)


def put_to_adjudicators(store: Store, person: Person) -> int:
    """Deal every response in dispute to an adjudicator, once, and return how many there are.

    From then on the ratings that the disputes rest on can no longer be corrected.

    Raises:
        NotAllowedError: If the person does not run the study.
        LifeCycleError: If the study is not in rating, ratings are outstanding, adjudicators have
            yet to join, or it was done before.
    """
    require_role(person.role, "investigator", "coordinator", what="beginning adjudication")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        adjudicators = _ready(session, person)
        scores = disputed_scores(session, person.study_id)
        # Codes are random words, so their order tells nothing of arm, rater or distance.
        for number, code in enumerate(sorted(scores)):
            session.add(
                AdjudicationTaskRow(
                    task_id=public_id(store.source, "adjudication"),
                    study_id=person.study_id,
                    adjudicator_id=adjudicators[number % len(adjudicators)].person_id,
                    code=code,
                    dimensions=scores[code],
                    position=number // len(adjudicators) + 1,
                )
            )
        record(
            session, store.clock, person.study_id, actor_of(person), "begin adjudication",
            person.study_id, {"n_disputed": len(scores), "n_adjudicators": len(adjudicators)},
        )  # fmt: skip
        return len(scores)


def disputed_scores(session: Session, study_id: str) -> dict[str, Scores]:
    """By blinding code, the dimensions in dispute with their scores.

    Each rater's last rating counts; hidden repeats do not. Empty where the protocol decides none.
    """
    rule = load_study(session, study_id).protocol.rating.adjudication
    if rule is None:
        return {}
    found: dict[str, Scores] = {}
    for (code, dimension), scores in _last_scores(session, study_id).items():
        if max(scores) - min(scores) >= rule.distance:
            found.setdefault(code, {})[dimension] = sorted(scores)
    return found


def _last_scores(session: Session, study_id: str) -> dict[tuple[str, str], list[int]]:
    later = aliased(RatingRow)
    is_last = ~(
        select(later.rating_id)
        .where(later.assignment_id == RatingRow.assignment_id, later.revision > RatingRow.revision)
        .exists()
    )
    repeats = select(HiddenRepeatRow.code).where(HiddenRepeatRow.study_id == study_id)
    query = (
        select(RaterAssignmentRow.code, RatingScoreRow.dimension, RatingScoreRow.score)
        .join(RatingRow, RatingRow.assignment_id == RaterAssignmentRow.assignment_id)
        .join(RatingScoreRow, RatingScoreRow.rating_id == RatingRow.rating_id)
        .where(
            RatingRow.study_id == study_id, is_last, RaterAssignmentRow.code.not_in(repeats)
        )
    )  # fmt: skip
    scores: dict[tuple[str, str], list[int]] = defaultdict(list)
    for code, dimension, score in session.execute(query):
        scores[code, dimension].append(score)
    return scores


def _ready(session: Session, person: Person) -> list[Person]:
    """The adjudicators to deal to, once everything that disputes rest on is in."""
    from study.preconditions import ratings_done, ratings_due

    study_id = person.study_id
    require_state(
        study_row(session, study_id), "rating", otherwise=LifeCycleError, what="adjudication"
    )
    rule = load_study(session, study_id).protocol.rating.adjudication
    if rule is None:
        raise LifeCycleError("the protocol declares no adjudication")
    if adjudication_has_begun(session, study_id):
        raise LifeCycleError("adjudication has begun already; disputes are dealt once")
    due, done = ratings_due(session, study_id), ratings_done(session, study_id)
    if done < due:
        raise LifeCycleError(f"adjudication begins when every rating is in ({done} of {due})")
    left = withdrawn_ids(session, study_id)
    joined = [a for a in people_of(session, study_id, "adjudicator") if a.person_id not in left]
    if len(joined) < rule.n_adjudicators:
        raise LifeCycleError(
            f"{rule.n_adjudicators} adjudicators are planned and {len(joined)} have joined; "
            "invite the others first"
        )
    return joined
