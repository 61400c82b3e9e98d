"""Adjudicators decide where raters differ by the declared distance, and see nobody's scores.

Fully blind: an adjudicator gets the vignette, the masked response and the anchors of the dimensions
in dispute. Neither the raters' scores nor their number, names, times or agreement are shown, before
or after the decision: two numbers on the page would make the decision a choice between them. A
decision is one more record beside the ratings, which it never replaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from study.audit import record
from study.consent import require_consent
from study.errors import LifeCycleError, RatingError, StaleDraftError
from study.masked import masked_of_code, shown_text
from study.people import Person, actor_of
from study.protocol import Dimension
from study.rating_checks import check_scores
from study.rating_queue import adjudication_has_begun
from study.registration import (
    guard_injected,
    load_study,
    require_role,
    require_state,
    study_row,
)
from study.store import Store
from study.tables_rating import AdjudicationDraftRow, AdjudicationRow, AdjudicationTaskRow


@dataclass(frozen=True, slots=True)
class AdjudicationDraft:
    """Scores and reason that are not submitted yet."""

    scores: Mapping[str, int]
    comment: str
    revision: int
    saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class AdjudicationTask:
    """One response in dispute, without anything that raters gave."""

    code: str
    text: str
    vignette_text: str
    question: str
    position: int
    total: int
    dimensions: tuple[Dimension, ...]
    """Those in dispute only."""
    draft: AdjudicationDraft


@dataclass(frozen=True, slots=True)
class AdjudicationService:
    """What an adjudicator's page and route may ask."""

    store: Store

    def next_task(self, person: Person) -> AdjudicationTask | None:
        """The first of the adjudicator's responses that is undecided; None at the end.

        Raises:
            NotAllowedError: If the person is not an adjudicator.
            LifeCycleError: If the study is not in rating, or adjudication has not begun.
        """
        with self.store.read() as session:
            _require_open(session, person)
            if not adjudication_has_begun(session, person.study_id):
                raise LifeCycleError(
                    "adjudication has not begun; we will write when responses are waiting"
                )
            queue, done = _tasks_of(session, person), _decided(session, person)
            waiting = next((task for task in queue if task.task_id not in done), None)
            if waiting is None:
                return None
            study = load_study(session, person.study_id)
            masked = masked_of_code(session, person.study_id, waiting.code)
            words = study.vignettes[masked.vignette_id].texts[study.protocol.language]
            return AdjudicationTask(
                code=waiting.code,
                text=shown_text(session, masked),
                vignette_text=words.text,
                question=words.question,
                position=waiting.position,
                total=len(queue),
                dimensions=_in_dispute(session, waiting),
                draft=_draft(session.get(AdjudicationDraftRow, waiting.task_id)),
            )

    def save_draft(
        self, person: Person, code: str, scores: Mapping[str, int], comment: str, revision: int
    ) -> AdjudicationDraft:
        """Keep the scores given so far.

        Raises:
            StaleDraftError: If a newer draft exists; it travels with the error.
            RatingError: If a score is off the scale, or the response is not the adjudicator's.
            LifeCycleError: If the study is not in rating.
        """
        with self.store.write() as session:
            task = self._open(session, person, code)
            check_scores(_in_dispute(session, task), scores, comment)
            row = session.get(AdjudicationDraftRow, task.task_id, with_for_update=True)
            known = _draft(row)
            if revision != known.revision and (dict(scores), comment) != (
                known.scores,
                known.comment,
            ):
                raise StaleDraftError(
                    "a newer draft of this decision exists, saved from another tab or device", known
                )
            if row is None:
                row = AdjudicationDraftRow(task_id=task.task_id, revision=0)
                session.add(row)
            row.scores, row.comment = dict(scores), comment
            row.revision += 1
            row.saved_at = self.store.clock.now()
            return _draft(row)

    def decide(self, person: Person, code: str, scores: Mapping[str, int], comment: str) -> None:
        """Submit a decision, once, with a score on every dimension in dispute and a reason.

        Raises:
            RatingError: If a score or the reason is missing, the response is not the
                adjudicator's, or it is decided already. Nothing changes then.
            LifeCycleError: If the study is not in rating.
        """
        with self.store.write() as session:
            task = self._open(session, person, code)
            dimensions = _in_dispute(session, task)
            check_scores(dimensions, scores, comment)
            missing = [d.label for d in dimensions if d.id not in scores]
            if missing:
                raise RatingError(f"please score every dimension; missing: {', '.join(missing)}")
            if not comment.strip():
                raise RatingError("please say in a few words why; it is kept with the decision")
            session.add(
                AdjudicationRow(
                    task_id=task.task_id, scores=dict(scores), comment=comment.strip(),
                    decided_at=self.store.clock.now(),
                )
            )  # fmt: skip
            try:
                session.flush()
            except IntegrityError as error:
                raise RatingError(_ALREADY) from error
            record(
                session, self.store.clock, person.study_id, actor_of(person), "adjudicate",
                task.task_id, {"code": code},
            )  # fmt: skip

    def _open(self, session: Session, person: Person, code: str) -> AdjudicationTaskRow:
        guard_injected(session, self.store, person.study_id)
        _require_open(session, person)
        found = next((t for t in _tasks_of(session, person) if t.code == code), None)
        if found is None:
            raise RatingError("this response is not one of yours; reload the page to go on")
        if found.task_id in _decided(session, person):
            raise RatingError(_ALREADY)
        return found


_ALREADY = "this response is decided already; it cannot be changed and nothing was lost"


def _require_open(session: Session, person: Person) -> None:
    require_role(person.role, "adjudicator", what="adjudication")
    require_consent(session, person)
    require_state(
        study_row(session, person.study_id), "rating", otherwise=LifeCycleError,
        what="adjudication",
    )  # fmt: skip


def _tasks_of(session: Session, person: Person) -> list[AdjudicationTaskRow]:
    query = select(AdjudicationTaskRow).where(
        AdjudicationTaskRow.adjudicator_id == person.person_id
    )
    return list(session.scalars(query.order_by(AdjudicationTaskRow.position)))


def _decided(session: Session, person: Person) -> set[str]:
    query = (
        select(AdjudicationRow.task_id)
        .join(AdjudicationTaskRow, AdjudicationTaskRow.task_id == AdjudicationRow.task_id)
        .where(AdjudicationTaskRow.adjudicator_id == person.person_id)
    )
    return set(session.scalars(query))


def _in_dispute(session: Session, task: AdjudicationTaskRow) -> tuple[Dimension, ...]:
    dimensions = load_study(session, task.study_id).protocol.rating.dimensions
    return tuple(d for d in dimensions if d.id in task.dimensions)


def _draft(row: AdjudicationDraftRow | None) -> AdjudicationDraft:
    if row is None:
        return AdjudicationDraft({}, "", 0, None)
    return AdjudicationDraft(dict(row.scores), row.comment, row.revision, row.saved_at)
