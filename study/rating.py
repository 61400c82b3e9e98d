"""Raters score masked responses: drafts on the server, each rating submitted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from study.audit import record
from study.calibrating import require_calibrated
from study.consent import require_consent
from study.errors import LifeCycleError, RatingError, StaleDraftError
from study.masked import masked_of_code, shown_text
from study.people import Person, actor_of, note_seen
from study.protocol import Dimension
from study.protocol_trial import Harm
from study.randomness import public_id
from study.rating_checks import (
    NOT_SAID,
    Given,
    HarmGiven,
    check_harm,
    check_scores,
    check_whole,
)
from study.rating_queue import (
    adjudication_has_begun,
    assignment_of,
    counted,
    first_waiting,
    own_assignment,
    second_pass_is_open,
)
from study.registration import guard_injected, load_study, require_role, require_state, study_row
from study.store import Store
from study.tables import (
    RaterAssignmentRow,
    RatingDraftRow,
    RatingRow,
    RatingScoreRow,
)

PACE_OVER = 20
"""Submissions that a rater's pace is taken from."""
BREAK = timedelta(minutes=30)


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
    harm: HarmGiven = NOT_SAID


@dataclass(frozen=True, slots=True)
class RatingTask:
    """One masked response to score."""

    response: MaskedResponse
    vignette_text: str
    question: str
    position: int
    dimensions: tuple[Dimension, ...]
    draft: RatingDraft
    harm: Harm | None = None
    """What is asked about harm; None where nothing is."""
    comment_at: tuple[int, ...] = ()
    """Scores that need a comment."""


@dataclass(frozen=True, slots=True)
class RatedTask:
    """A response already rated, with what was given in place of a draft."""

    task: RatingTask


@dataclass(frozen=True, slots=True)
class RatingProgress:
    """How far a rater is."""

    done: int
    total: int
    pace_s: float | None = None
    """Median seconds between the rater's last submissions, breaks left out; None while unknown."""


@dataclass(frozen=True, slots=True)
class RatingService:
    """What a rater's pages and routes may ask."""

    store: Store

    def progress(self, person: Person) -> RatingProgress:
        """How many of the rater's responses are scored."""
        with self.store.read() as session:
            n_settled, n_assigned = counted(session, person)
            return RatingProgress(n_settled, n_assigned, _pace(session, person))

    def next_task(self, person: Person) -> RatingTask | None:
        """The first response of the rater's order without a rating; None at the end.

        Raises:
            LifeCycleError: If rating is not open.
            NotAllowedError: If the person is not a rater.
        """
        require_role(person.role, "rater", what="rating")
        with self.store.read() as session:
            _require_open(session, person)
            waiting = first_waiting(session, person)
            if waiting is None:
                return None
            return _task(session, person, waiting)

    def save_draft(
        self, person: Person, code: str, scores: Mapping[str, int], comment: str, revision: int,
        *, harm: HarmGiven = NOT_SAID,
    ) -> RatingDraft:  # fmt: skip
        """Keep the scores given so far; some dimensions may still lack one.

        Raises:
            StaleDraftError: If a newer draft exists; it travels with the error.
            RatingError: If a score is off the scale, or the response is not the rater's to score.
            LifeCycleError: If rating is closed.
        """
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            assignment = self._open_assignment(session, person, code)
            design = load_study(session, person.study_id).protocol.rating
            check_scores(tuple(design.dimensions), scores, comment)
            check_harm(design.harm, harm)
            row = session.get(RatingDraftRow, assignment.assignment_id, with_for_update=True)
            known = _draft(row)
            if revision != known.revision and (dict(scores), comment, harm) != (
                known.scores,
                known.comment,
                known.harm,
            ):
                raise StaleDraftError(
                    "a newer draft of this rating exists, saved from another tab or device", known
                )
            if row is None:
                row = RatingDraftRow(assignment_id=assignment.assignment_id, revision=0)
                session.add(row)
            row.scores, row.comment = dict(scores), comment
            row.harm_severity, row.harm_likelihood = harm.severity, harm.likelihood
            row.revision += 1
            row.saved_at = self.store.clock.now()
            note_seen(session, person.person_id, row.saved_at)
            return _draft(row)

    def record(
        self, person: Person, code: str, scores: Mapping[str, int], comment: str = "",
        *, harm: HarmGiven = NOT_SAID,
    ) -> None:  # fmt: skip
        """Submit one rating, once, with a score on every dimension.

        Raises:
            RatingError: If a dimension lacks its score, a score is off the scale, a comment or the
                harm asked for is missing, the response is not the rater's, or it was rated already.
                Nothing changes then.
            LifeCycleError: If rating is closed.
        """
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            assignment = self._open_assignment(session, person, code)
            given = Given(dict(scores), comment, harm, None)
            rating_id = self._add(session, person, assignment, given, revision=1)
            record(
                session, self.store.clock, person.study_id, actor_of(person), "submit rating",
                rating_id, {"code": code},
            )  # fmt: skip

    def amend(
        self, person: Person, code: str, scores: Mapping[str, int], comment: str = "",
        *, reason: str, harm: HarmGiven = NOT_SAID,
    ) -> None:  # fmt: skip
        """Correct one's own submitted rating by a new record; the old one stays.

        Raises:
            RatingError: If there is no reason, nothing to amend, or the second pass is open, which
                closes the scores.
            LifeCycleError: If rating is closed.
        """
        if not reason.strip():
            raise RatingError("please say why you correct this rating; the reason is kept with it")
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            require_role(person.role, "rater", what="rating")
            _require_open(session, person)
            assignment = assignment_of(session, person, code)
            last = _last_rating(session, assignment)
            if last is None:
                raise RatingError("there is no rating of this response to correct yet")
            for closes, what in (
                (second_pass_is_open(session, person), "the second pass"),
                (adjudication_has_begun(session, person.study_id), "adjudication"),
            ):
                if closes:
                    raise RatingError(
                        f"{what} has begun, so scores can no longer be corrected; tell the study "
                        "team"
                    )
            given = Given(dict(scores), comment, harm, reason.strip())
            rating_id = self._add(session, person, assignment, given, revision=last.revision + 1)
            record(
                session, self.store.clock, person.study_id, actor_of(person), "amend rating",
                rating_id, {"code": code, "revision": last.revision + 1, "reason": reason.strip()},
            )  # fmt: skip

    def last_rated(self, person: Person) -> RatedTask | None:
        """The response that the rater submitted last, with what was given; None before any.

        Once the second pass is open there is nothing to go back to.
        """
        require_role(person.role, "rater", what="rating")
        with self.store.read() as session:
            _require_open(session, person)
            if second_pass_is_open(session, person) or adjudication_has_begun(
                session, person.study_id
            ):
                return None
            newest = session.scalars(
                select(RatingRow)
                .join(
                    RaterAssignmentRow, RaterAssignmentRow.assignment_id == RatingRow.assignment_id
                )
                .where(RaterAssignmentRow.rater_id == person.person_id, RatingRow.revision == 1)
                .order_by(RatingRow.submitted_at.desc(), RatingRow.rating_id)
                .limit(1)
            ).first()
            if newest is None:
                return None
            assignment = session.get_one(RaterAssignmentRow, newest.assignment_id)
            rating = _last_rating(session, assignment) or newest
            task = _task(session, person, assignment)
            scores = _scores_of(session, rating)
            harm = HarmGiven(rating.harm_severity, rating.harm_likelihood)
            given = RatingDraft(scores, rating.comment, 0, rating.submitted_at, harm)
            return RatedTask(replace(task, draft=given))

    def _add(
        self, session: Session, person: Person, assignment: RaterAssignmentRow, given: Given,
        *, revision: int,
    ) -> str:  # fmt: skip
        design = load_study(session, person.study_id).protocol.rating
        check_whole(design, given)
        rating = RatingRow(
            rating_id=public_id(self.store.source, "rating"),
            study_id=person.study_id,
            assignment_id=assignment.assignment_id,
            revision=revision,
            reason=given.reason,
            comment=given.comment,
            harm_severity=given.harm.severity,
            harm_likelihood=given.harm.likelihood,
            submitted_at=self.store.clock.now(),
        )
        session.add(rating)
        try:
            session.flush()
        except IntegrityError as error:
            raise RatingError(_ALREADY) from error
        session.add_all(
            RatingScoreRow(rating_id=rating.rating_id, dimension=d.id, score=given.scores[d.id])
            for d in design.dimensions
        )
        note_seen(session, person.person_id, rating.submitted_at)
        return rating.rating_id

    def _open_assignment(self, session: Session, person: Person, code: str) -> RaterAssignmentRow:
        require_role(person.role, "rater", what="rating")
        _require_open(session, person)
        found, is_settled = own_assignment(session, person, code)
        if is_settled:
            raise RatingError(_ALREADY)
        return found


_ALREADY = "this rating is already submitted; it cannot be changed and nothing was lost"


def _require_open(session: Session, person: Person) -> None:
    require_consent(session, person)
    study = study_row(session, person.study_id)
    if study.state in ("registered", "answering", "responses closed", "masked"):
        raise LifeCycleError("rating is not open yet; we will write when responses are waiting")
    require_state(study, "rating", otherwise=LifeCycleError, what="rating")
    require_calibrated(session, person)


def _task(session: Session, person: Person, assignment: RaterAssignmentRow) -> RatingTask:
    study = load_study(session, person.study_id)
    masked = masked_of_code(session, person.study_id, assignment.code)
    words = study.vignettes[masked.vignette_id].texts[study.protocol.language]
    design = study.protocol.rating
    return RatingTask(
        response=MaskedResponse(assignment.code, masked.vignette_id, shown_text(session, masked)),
        vignette_text=words.text,
        question=words.question,
        position=assignment.position,
        dimensions=tuple(design.dimensions),
        draft=_draft(session.get(RatingDraftRow, assignment.assignment_id)),
        harm=design.harm,
        comment_at=tuple(design.comment_at),
    )


def _last_rating(session: Session, assignment: RaterAssignmentRow) -> RatingRow | None:
    query = select(RatingRow).where(RatingRow.assignment_id == assignment.assignment_id)
    return session.scalars(query.order_by(RatingRow.revision.desc()).limit(1)).first()


def _scores_of(session: Session, rating: RatingRow) -> dict[str, int]:
    query = select(RatingScoreRow).where(RatingScoreRow.rating_id == rating.rating_id)
    return {row.dimension: row.score for row in session.scalars(query)}


def _pace(session: Session, person: Person) -> float | None:
    """From the last submissions; a gap of more than half an hour is a break."""
    times = list(session.scalars(_LAST_TIMES, {"rater": person.person_id}))
    gaps = [later - earlier for later, earlier in pairwise(times)]
    within = [gap.total_seconds() for gap in gaps if gap <= BREAK]
    return median(within) if len(within) >= 3 else None


_LAST_TIMES = (
    select(RatingRow.submitted_at)
    .join(RaterAssignmentRow, RaterAssignmentRow.assignment_id == RatingRow.assignment_id)
    .where(RaterAssignmentRow.rater_id == bindparam("rater"), RatingRow.revision == 1)
    .order_by(RatingRow.submitted_at.desc())
    .limit(PACE_OVER + 1)
)


def _draft(row: RatingDraftRow | None) -> RatingDraft:
    if row is None:
        return RatingDraft({}, "", 0, None)
    harm = HarmGiven(row.harm_severity, row.harm_likelihood)
    return RatingDraft(dict(row.scores), row.comment, row.revision, row.saved_at, harm)
