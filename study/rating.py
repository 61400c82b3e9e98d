"""Raters score masked responses: drafts on the server, each rating submitted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from study.audit import record
from study.errors import LifeCycleError, RatingError, StaleDraftError
from study.people import Person, actor_of
from study.protocol import Dimension
from study.randomness import public_id
from study.registration import guard_injected, load_study, require_role, require_state, study_row
from study.store import Store
from study.tables import (
    MaskedResponseRow,
    PersonRow,
    RaterAssignmentRow,
    RatingDraftRow,
    RatingRow,
    RatingScoreRow,
)

MAX_COMMENT = 5_000


@dataclass(frozen=True, slots=True)
class MaskedResponse:
    """What a rater may see: an opaque code and the text, and no trace of the arm."""

    code: str
    vignette_id: str
    text: str


@dataclass(frozen=True, slots=True)
class RatingDraft:
    """Scores and comment that are not submitted yet."""

    scores: Mapping[str, int]
    comment: str
    revision: int
    saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class RatingTask:
    """One masked response to score."""

    response: MaskedResponse
    vignette_text: str
    question: str
    position: int
    total: int
    dimensions: tuple[Dimension, ...]
    draft: RatingDraft


@dataclass(frozen=True, slots=True)
class RatingProgress:
    """How far a rater is."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RatingService:
    """What a rater's pages and routes may ask."""

    store: Store

    def progress(self, person: Person) -> RatingProgress:
        """How many of the rater's responses are scored."""
        with self.store.read() as session:
            assignments = _assignments(session, person)
            done = _rated(session, person)
            return RatingProgress(
                sum(a.assignment_id in done for a in assignments), len(assignments)
            )

    def next_task(self, person: Person) -> RatingTask | None:
        """The first response of the rater's order without a rating; None at the end.

        Raises:
            LifeCycleError: If rating is not open.
            NotAllowedError: If the person is not a rater.
        """
        require_role(person.role, "rater", what="rating")
        with self.store.read() as session:
            _require_open(session, person)
            assignments = _assignments(session, person)
            done = _rated(session, person)
            waiting = next((a for a in assignments if a.assignment_id not in done), None)
            if waiting is None:
                return None
            study = load_study(session, person.study_id)
            masked = session.scalars(
                select(MaskedResponseRow).where(
                    MaskedResponseRow.study_id == person.study_id,
                    MaskedResponseRow.code == waiting.code,
                )
            ).one()
            words = study.vignettes[masked.vignette_id].texts[study.protocol.language]
            return RatingTask(
                response=MaskedResponse(masked.code, masked.vignette_id, masked.text),
                vignette_text=words.text,
                question=words.question,
                position=waiting.position,
                total=len(assignments),
                dimensions=tuple(study.protocol.rating.dimensions),
                draft=_draft(session.get(RatingDraftRow, waiting.assignment_id)),
            )

    def save_draft(
        self, person: Person, code: str, scores: Mapping[str, int], comment: str, revision: int
    ) -> RatingDraft:
        """Keep the scores given so far; some dimensions may still lack one.

        Raises:
            StaleDraftError: If a newer draft exists; it travels with the error.
            RatingError: If a score is off the scale, or the response is not the rater's to score.
            LifeCycleError: If rating is closed.
        """
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            assignment = self._open_assignment(session, person, code)
            _check_scores(self._dimensions(session, person), scores, comment)
            row = session.get(RatingDraftRow, assignment.assignment_id, with_for_update=True)
            known = _draft(row)
            if revision != known.revision and (dict(scores), comment) != (
                known.scores,
                known.comment,
            ):
                raise StaleDraftError(
                    "a newer draft of this rating exists, saved from another tab or device", known
                )
            if row is None:
                row = RatingDraftRow(assignment_id=assignment.assignment_id, revision=0)
                session.add(row)
            row.scores, row.comment = dict(scores), comment
            row.revision += 1
            row.saved_at = self.store.clock.now()
            session.get_one(PersonRow, person.person_id).last_seen_at = row.saved_at
            return _draft(row)

    def record(
        self, person: Person, code: str, scores: Mapping[str, int], comment: str = ""
    ) -> None:
        """Submit one rating, once, with a score on every dimension.

        Raises:
            RatingError: If a dimension lacks its score, a score is off the scale, the response is
                not the rater's, or it was rated already. Nothing changes then.
            LifeCycleError: If rating is closed.
        """
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            assignment = self._open_assignment(session, person, code)
            dimensions = self._dimensions(session, person)
            _check_scores(dimensions, scores, comment)
            missing = [d.label for d in dimensions if d.id not in scores]
            if missing:
                raise RatingError(f"please score every dimension; missing: {', '.join(missing)}")
            rating = RatingRow(
                rating_id=public_id(self.store.source, "rating"),
                study_id=person.study_id,
                assignment_id=assignment.assignment_id,
                revision=1,
                comment=comment,
                submitted_at=self.store.clock.now(),
            )
            session.add(rating)
            try:
                session.flush()
            except IntegrityError as error:
                raise RatingError(_ALREADY) from error
            session.add_all(
                RatingScoreRow(rating_id=rating.rating_id, dimension=d.id, score=scores[d.id])
                for d in dimensions
            )
            session.get_one(PersonRow, person.person_id).last_seen_at = rating.submitted_at
            record(
                session, self.store.clock, person.study_id, actor_of(person), "submit rating",
                rating.rating_id, {"code": code},
            )  # fmt: skip

    def _dimensions(self, session: Session, person: Person) -> tuple[Dimension, ...]:
        return tuple(load_study(session, person.study_id).protocol.rating.dimensions)

    def _open_assignment(self, session: Session, person: Person, code: str) -> RaterAssignmentRow:
        require_role(person.role, "rater", what="rating")
        _require_open(session, person)
        found = session.scalars(
            select(RaterAssignmentRow).where(
                RaterAssignmentRow.rater_id == person.person_id, RaterAssignmentRow.code == code
            )
        ).first()
        if found is None:
            raise RatingError("this response is not one of yours; reload the page to go on")
        if found.assignment_id in _rated(session, person):
            raise RatingError(_ALREADY)
        return found


_ALREADY = "this rating is already submitted; it cannot be changed and nothing was lost"


def _check_scores(
    dimensions: tuple[Dimension, ...], scores: Mapping[str, int], comment: str
) -> None:
    by_id = {dimension.id: dimension for dimension in dimensions}
    for name, score in scores.items():
        if name not in by_id:
            raise RatingError(f"{name!r} is not a dimension of this study: {', '.join(by_id)}")
        scale = by_id[name].scale
        is_whole = isinstance(score, int) and not isinstance(score, bool)
        if not is_whole or not scale.minimum <= score <= scale.maximum:
            raise RatingError(
                f"{by_id[name].label}: {score!r} is off the scale; give a whole number from "
                f"{scale.minimum} to {scale.maximum}"
            )
    if len(comment) > MAX_COMMENT:
        raise RatingError(
            f"the comment has {len(comment):,} characters; at most {MAX_COMMENT:,} can be kept"
        )


def _require_open(session: Session, person: Person) -> None:
    study = study_row(session, person.study_id)
    if study.state in ("registered", "answering", "responses closed", "masked"):
        raise LifeCycleError("rating is not open yet; we will write when responses are waiting")
    require_state(study, "rating", otherwise=LifeCycleError, what="rating")


def _assignments(session: Session, person: Person) -> list[RaterAssignmentRow]:
    query = select(RaterAssignmentRow).where(RaterAssignmentRow.rater_id == person.person_id)
    return list(session.scalars(query.order_by(RaterAssignmentRow.position)))


def _rated(session: Session, person: Person) -> set[str]:
    query = (
        select(RatingRow.assignment_id)
        .join(RaterAssignmentRow, RaterAssignmentRow.assignment_id == RatingRow.assignment_id)
        .where(RaterAssignmentRow.rater_id == person.person_id)
    )
    return set(session.scalars(query))


def _draft(row: RatingDraftRow | None) -> RatingDraft:
    if row is None:
        return RatingDraft({}, "", 0, None)
    return RatingDraft(dict(row.scores), row.comment, row.revision, row.saved_at)
