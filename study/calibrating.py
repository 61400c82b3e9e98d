"""Raters practise before they rate: own scores first, then the agreed ones with their reasons.

An attempt is whole when every practice response is scored, and passes when enough scores lie within
one point of the agreed ones. Attempts may be repeated and are all kept; no response of the study is
shown to a rater before a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from study.audit import record
from study.consent import require_consent
from study.errors import CalibrationError, LifeCycleError, RatingError
from study.people import Person, actor_of
from study.protocol import Dimension
from study.rating_checks import check_scores
from study.registration import guard_injected, load_study, require_role, study_row
from study.store import Store
from study.tables import RegistrationRow
from study.tables_rating import CalibrationAttemptRow, PracticeAnswerRow

WITHIN = 1
"""Rubric points that a score may lie from the agreed one."""
OVER = ("locked", "unblinded")


@dataclass(frozen=True, slots=True)
class PracticeTask:
    """One practice response to score; its agreed scores are not with it."""

    item: str
    response: str
    vignette_text: str
    question: str
    attempt: int
    position: int
    total: int
    dimensions: tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class ComparedScore:
    """An own score beside the agreed one."""

    label: str
    own: int
    agreed: int
    reason: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a rater sees after scoring one practice response."""

    item: str
    attempt: int
    response: str
    vignette_text: str
    question: str
    compared: tuple[ComparedScore, ...]
    agreed_by: str | None
    """None while no clinician has agreed on the scores."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One whole attempt."""

    number: int
    share_within_one: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Calibrating:
    """Where a rater stands with the practice responses."""

    passed: bool
    last: Attempt | None
    """The last whole attempt."""
    needed_share: float
    task: PracticeTask | None
    """The next response to score; None once passed."""
    feedback: Feedback | None
    """On the response scored last; None before any."""


@dataclass(frozen=True, slots=True)
class CalibratingService:
    """What a rater's practice page may ask."""

    store: Store

    def standing(self, person: Person) -> Calibrating | None:
        """Where the rater stands; None where no calibration is asked for, or rating is over.

        Raises:
            NotAllowedError: If the person is not a rater.
        """
        require_role(person.role, "rater", what="practising")
        with self.store.read() as session:
            require_consent(session, person)
            rule = load_study(session, person.study_id).protocol.rating.calibration
            if rule is None or study_row(session, person.study_id).state in OVER:
                return None
            last = _last_attempt(session, person)
            passed = has_passed(session, person)
            return Calibrating(
                passed=passed,
                last=last,
                needed_share=rule.pass_share,
                task=None if passed else _next_task(session, person, last),
                feedback=_feedback(session, person),
            )

    def submit(self, person: Person, item: str, scores: Mapping[str, int]) -> None:
        """Score one practice response, once in each attempt.

        Raises:
            RatingError: If a dimension lacks its score, a score is off the scale, or it is not the
                response that comes next.
            LifeCycleError: If rating is over.
        """
        require_role(person.role, "rater", what="practising")
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            require_consent(session, person)
            state = study_row(session, person.study_id).state
            if state in OVER:
                raise LifeCycleError(f"rating is over: the study is {state!r}")
            task = self._waiting(session, person, item)
            check_scores(task.dimensions, scores, "")
            missing = [d.label for d in task.dimensions if d.id not in scores]
            if missing:
                raise RatingError(f"please score every dimension; missing: {', '.join(missing)}")
            session.add(
                PracticeAnswerRow(
                    person_id=person.person_id, attempt=task.attempt, item=item,
                    scores=dict(scores), given_at=self.store.clock.now(),
                )
            )  # fmt: skip
            try:
                session.flush()
            except IntegrityError as error:
                raise RatingError(_NOT_NEXT) from error
            if task.position == task.total:
                self._close_attempt(session, person, task.attempt)

    def _waiting(self, session: Session, person: Person, item: str) -> PracticeTask:
        if load_study(session, person.study_id).protocol.rating.calibration is None:
            raise RatingError("this study asks for no calibration")
        if has_passed(session, person):
            raise RatingError("you have passed already; reload the page to begin rating")
        task = _next_task(session, person, _last_attempt(session, person))
        if task.item != item:
            raise RatingError(_NOT_NEXT)
        return task

    def _close_attempt(self, session: Session, person: Person, number: int) -> None:
        rule = load_study(session, person.study_id).protocol.rating.calibration
        assert rule is not None
        given = _answers(session, person, number)
        share = share_within_one(given, practice_of_study(session, person.study_id))
        passed = share >= rule.pass_share
        session.add(
            CalibrationAttemptRow(
                person_id=person.person_id, number=number, scores=given, share_within_one=share,
                passed=passed, attempted_at=self.store.clock.now(),
            )
        )  # fmt: skip
        record(
            session, self.store.clock, person.study_id, actor_of(person), "calibration attempt",
            person.person_id, {"number": number, "share_within_one": share, "passed": passed},
        )  # fmt: skip


_NOT_NEXT = "this practice response is not the one that comes next; reload the page to go on"


def has_passed(session: Session, person: Person) -> bool:
    """Whether the rater has passed an attempt."""
    query = select(CalibrationAttemptRow.number).where(
        CalibrationAttemptRow.person_id == person.person_id, CalibrationAttemptRow.passed
    )
    return session.scalars(query.limit(1)).first() is not None


def require_calibrated(session: Session, person: Person) -> None:
    """Refuse rating before a pass, where the protocol asks for calibration.

    Raises:
        LifeCycleError: Saying what comes first.
    """
    asked = load_study(session, person.study_id).protocol.rating.calibration is not None
    if asked and not has_passed(session, person):
        raise LifeCycleError("rating opens for you once you have passed the practice responses")


def practice_of_study(session: Session, study_id: str) -> dict[str, Any]:
    """The practice responses registered with the study, by item.

    Raises:
        CalibrationError: If none are.
    """
    query = select(RegistrationRow.practice).where(RegistrationRow.study_id == study_id)
    practice = session.scalars(query).one()
    if not practice:
        raise CalibrationError(f"no practice responses are registered with {study_id}")
    return {item: practice[item] for item in sorted(practice)}


def share_within_one(
    given: Mapping[str, Mapping[str, int]], practice: Mapping[str, Mapping[str, Any]]
) -> float:
    """Share of all scores that lie within one rubric point of the agreed ones, 0 to 1."""
    near: list[bool] = [
        abs(score - practice[item]["scores"][dimension]) <= WITHIN
        for item, scores in given.items()
        for dimension, score in scores.items()
    ]
    return sum(near) / len(near)


def _last_attempt(session: Session, person: Person) -> Attempt | None:
    row = session.scalars(
        select(CalibrationAttemptRow)
        .where(CalibrationAttemptRow.person_id == person.person_id)
        .order_by(CalibrationAttemptRow.number.desc())
        .limit(1)
    ).first()
    return Attempt(row.number, row.share_within_one, row.passed) if row else None


def _answers(session: Session, person: Person, attempt: int) -> dict[str, dict[str, int]]:
    query = (
        select(PracticeAnswerRow)
        .where(
            PracticeAnswerRow.person_id == person.person_id, PracticeAnswerRow.attempt == attempt
        )
        .order_by(PracticeAnswerRow.item)
    )
    return {row.item: dict(row.scores) for row in session.scalars(query)}


def _next_task(session: Session, person: Person, last: Attempt | None) -> PracticeTask:
    practice = practice_of_study(session, person.study_id)
    attempt = 1 if last is None else last.number + 1
    given = _answers(session, person, attempt)
    item = next(name for name in practice if name not in given)
    shown = practice[item]
    return PracticeTask(
        item=item,
        response=shown["response"],
        vignette_text=shown["text"],
        question=shown["question"],
        attempt=attempt,
        position=len(given) + 1,
        total=len(practice),
        dimensions=tuple(load_study(session, person.study_id).protocol.rating.dimensions),
    )


def _feedback(session: Session, person: Person) -> Feedback | None:
    row = session.scalars(
        select(PracticeAnswerRow)
        .where(PracticeAnswerRow.person_id == person.person_id)
        .order_by(PracticeAnswerRow.attempt.desc(), PracticeAnswerRow.item.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    shown = practice_of_study(session, person.study_id)[row.item]
    dimensions = load_study(session, person.study_id).protocol.rating.dimensions
    return Feedback(
        item=row.item,
        attempt=row.attempt,
        response=shown["response"],
        vignette_text=shown["text"],
        question=shown["question"],
        compared=tuple(
            ComparedScore(d.label, row.scores[d.id], shown["scores"][d.id], shown["reasons"][d.id])
            for d in dimensions
        ),
        agreed_by=shown["agreed_by"],
    )
