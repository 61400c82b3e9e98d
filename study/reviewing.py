"""Clinician auditors review training rows: five scores, an edit, a comment; one row after another.

A row is with one auditor at a time, so that an edit always applies to what its author read; after
half an hour without a save it may go to another. Nobody sees another's scores of a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from study.audit import record
from study.canonical import canonical, sha256_hex
from study.desk_queue import RowShown, count, in_order, open_rows, shown
from study.edits import FIELDS, changes_between
from study.errors import ReviewError, StaleDraftError
from study.people import Person, actor_of
from study.randomness import public_id
from study.registration import guard_injected, require_role
from study.review_batches import MAX_CHARACTERS
from study.review_rubric import DIMENSIONS, HIGHEST, LOWEST
from study.store import Store
from study.tables_review import DeskRow, ReviewDraftRow, ReviewRow

HOLD = timedelta(minutes=30)
MAX_COMMENT = 2_000
NAMES = {dimension.id: dimension.label for dimension in DIMENSIONS}


@dataclass(frozen=True, slots=True)
class ReviewDraft:
    """What stands on the server for a review that is not submitted."""

    scores: Mapping[str, int]
    texts: Mapping[str, str]
    """`reasoning` and `answer` as edited so far."""
    comment: str
    revision: int
    saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReviewTask(RowShown):
    """One training row to review."""

    draft: ReviewDraft
    n_done: int
    """Reviews that this auditor has submitted."""
    n_waiting: int
    """Rows that wait for this auditor, this one among them."""


@dataclass(frozen=True, slots=True)
class ReviewService:
    """What a clinician auditor's page and route may ask about rows to review."""

    store: Store

    def next_task(self, person: Person) -> ReviewTask | None:
        """The row that is with this auditor, else the first that is with nobody; None at the end.

        Raises:
            NotAllowedError: If the person is not a clinician auditor.
        """
        require_role(person.role, "auditor", what="reviewing training rows")
        now = self.store.clock.now()
        with self.store.read() as session:  # most looks change nothing
            row = session.scalars(_first(person, now)).first()
            if row is None:
                return None
            if row.held_by == person.person_id:
                return _task(session, person, row, now)
        with self.store.write() as session:
            row = session.scalars(
                _first(person, now).with_for_update(of=DeskRow, skip_locked=True)
            ).first()
            if row is None:
                return None
            row.held_by, row.held_at = person.person_id, now
            _forget_old_texts(session, person, row)
            return _task(session, person, row, now)

    def save_draft(
        self, person: Person, item: str, scores: Mapping[str, int], texts: Mapping[str, str],
        comment: str, revision: int,
    ) -> ReviewDraft:  # fmt: skip
        """Keep what has been done so far; the row stays with the auditor for another half hour.

        Raises:
            StaleDraftError: If a newer draft exists; it travels with the error.
            ReviewError: If a score is off the scale, a text is too long, or the row is with
                somebody else by now.
        """
        _check(scores, texts, comment)
        with self.store.write() as session:
            row = self._mine(session, person, item)
            draft = session.get(ReviewDraftRow, (item, person.person_id), with_for_update=True)
            known = _draft(draft, row)
            given = ReviewDraft(dict(scores), dict(texts), comment, known.revision, known.saved_at)
            if revision != known.revision and given != known:
                raise StaleDraftError(
                    "a newer draft of this review exists, saved from another tab or device", known
                )
            if draft is None:
                draft = ReviewDraftRow(item=item, person_id=person.person_id, revision=0)
                session.add(draft)
            draft.scores, draft.texts, draft.comment = dict(scores), dict(texts), comment
            draft.revision += 1
            draft.saved_at = row.held_at = self.store.clock.now()
            return _draft(draft, row)

    def submit(
        self, person: Person, item: str, scores: Mapping[str, int], texts: Mapping[str, str],
        comment: str,
    ) -> None:  # fmt: skip
        """Submit a review, once: the edit is kept as changes and the row goes on as edited.

        Raises:
            ReviewError: If a score is missing or off the scale, a text was emptied, or the row is
                with somebody else by now. Nothing changes then.
        """
        _check(scores, texts, comment)
        missing = [label for name, label in NAMES.items() if name not in scores]
        if missing:
            raise ReviewError(f"please score every dimension; missing: {', '.join(missing)}")
        for name in FIELDS:
            if not texts.get(name, "").strip():
                raise ReviewError(
                    f"the {name} is empty; a row that cannot be mended is scored low, not emptied"
                )
        with self.store.write() as session:
            row = self._mine(session, person, item)
            self._keep(session, person, row, scores, texts, comment.strip())

    def _keep(
        self, session: Session, person: Person, row: DeskRow, scores: Mapping[str, int],
        texts: Mapping[str, str], comment: str,
    ) -> None:  # fmt: skip
        edit = changes_between({name: getattr(row, name) for name in FIELDS}, texts)
        review_id = public_id(self.store.source, "review")
        n_before = session.scalar(
            select(func.count()).select_from(ReviewRow).where(ReviewRow.item == row.item)
        )
        session.add(
            ReviewRow(
                review_id=review_id, item=row.item, person_id=person.person_id,
                number=(n_before or 0) + 1, scores=dict(scores), edit=edit, comment=comment,
                reviewed_at=self.store.clock.now(),
            )
        )  # fmt: skip
        for name in FIELDS:
            setattr(row, name, texts[name])
        row.n_left -= 1
        row.held_by = row.held_at = None
        content = canonical([row.row_id, dict(scores), edit, comment])
        record(
            session, self.store.clock, person.study_id, actor_of(person), "review row", review_id,
            {"row_id": row.row_id, "review_sha256": sha256_hex(content)},
        )  # fmt: skip

    def _mine(self, session: Session, person: Person, item: str) -> DeskRow:
        require_role(person.role, "auditor", what="reviewing training rows")
        guard_injected(session, self.store, person.study_id)
        row = session.get(DeskRow, item, with_for_update=True)
        if row is None or row.study_id != person.study_id:
            raise ReviewError("this row is not on your desk; reload the page to go on")
        if row.held_by != person.person_id:
            raise ReviewError(
                "this row is reviewed, or went to another auditor after half an hour without a "
                "save; reload the page to go on"
            )
        return row


def _first(person: Person, now: datetime) -> Select[DeskRow]:
    """The auditor's own row first, then in the order of the batches."""
    return in_order(_waiting(person, now), DeskRow.held_by.is_(None))


def _waiting(person: Person, now: datetime) -> Select[DeskRow]:
    """With the auditor, with nobody, or held by somebody for too long."""
    free = or_(
        DeskRow.held_by.is_(None), DeskRow.held_by == person.person_id, DeskRow.held_at < now - HOLD
    )
    return open_rows(person, free, docket=False)


def _task(session: Session, person: Person, row: DeskRow, now: datetime) -> ReviewTask:
    n_done = session.scalar(
        select(func.count()).select_from(ReviewRow).where(ReviewRow.person_id == person.person_id)
    )
    draft = _draft(session.get(ReviewDraftRow, (row.item, person.person_id)), row)
    n_waiting = count(session, _waiting(person, now))
    return ReviewTask(*shown(row), draft, n_done or 0, n_waiting)


def _forget_old_texts(session: Session, person: Person, row: DeskRow) -> None:
    """A draft from before the row went elsewhere keeps its scores; its texts may be old ones."""
    draft = session.get(ReviewDraftRow, (row.item, person.person_id))
    others = (
        select(func.count())
        .select_from(ReviewRow)
        .where(
            ReviewRow.item == row.item,
            ReviewRow.reviewed_at > (draft.saved_at if draft and draft.saved_at else row.held_at),
        )
    )
    if draft is not None and session.scalar(others):
        draft.texts = {}


def _draft(draft: ReviewDraftRow | None, row: DeskRow) -> ReviewDraft:
    texts = {name: getattr(row, name) for name in FIELDS}
    if draft is None:
        return ReviewDraft({}, texts, "", 0, None)
    kept = ReviewDraft(dict(draft.scores), dict(draft.texts), draft.comment, draft.revision,
                       draft.saved_at)  # fmt: skip
    return kept if kept.texts else replace(kept, texts=texts)


def _check(scores: Mapping[str, int], texts: Mapping[str, str], comment: str) -> None:
    for name, score in scores.items():
        if name not in NAMES:
            raise ReviewError(f"{name!r} is no dimension of a review: {', '.join(NAMES)}")
        if not LOWEST <= score <= HIGHEST:
            raise ReviewError(f"{NAMES[name]} is {score}; the scale is {LOWEST} to {HIGHEST}")
    for name, text in texts.items():
        if name not in FIELDS:
            raise ReviewError(f"an edit changes {name!r}; only {' and '.join(FIELDS)} can be")
        if len(text) > MAX_CHARACTERS:
            raise ReviewError(
                f"the {name} has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be kept"
            )
    if len(comment) > MAX_COMMENT:
        raise ReviewError(f"the comment has {len(comment):,} characters; at most {MAX_COMMENT:,}")
