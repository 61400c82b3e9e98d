"""Tables of the review desk: batches of training rows, drafts, reviews, votes of the panel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from study.tables import Base


class ReviewBatchRow(Base):
    """One file of training rows as it was put on the desk."""

    __tablename__ = "review_batch"
    __table_args__ = (UniqueConstraint("study_id", "sha256"),)

    batch_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"))
    sha256: Mapped[str]
    ledger_head: Mapped[str]
    docket: Mapped[bool]
    """Whether the panel decides these rows; reviews of them are over."""
    needed: Mapped[int]
    """Reviews that a row shall have, or votes of the panel."""
    taken_at: Mapped[datetime]


class DeskRow(Base):
    """One training row on the desk, and who works on it now."""

    __tablename__ = "desk_row"
    __table_args__ = (
        UniqueConstraint("batch_id", "row_id"),
        Index("ix_desk_row_waiting", "study_id", "specialty", "n_left"),
    )

    item: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Opaque; the browser's only name for it."""
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"))
    batch_id: Mapped[str] = mapped_column(ForeignKey("review_batch.batch_id"))
    position: Mapped[int]
    row_id: Mapped[str]
    specialty: Mapped[str]
    language: Mapped[str]
    prompt: Mapped[str]
    reasoning: Mapped[str]
    """As it stands now, every edit so far applied; so is the answer."""
    answer: Mapped[str]
    strikes: Mapped[int]
    """Re-answers of a strong model that missed."""
    n_left: Mapped[int]
    """Reviews or votes still wanted."""
    held_by: Mapped[str | None] = mapped_column(ForeignKey("person.person_id"))
    held_at: Mapped[datetime | None]


class ReviewDraftRow(Base):
    """What a clinician auditor has done on a row and not submitted."""

    __tablename__ = "review_draft"

    item: Mapped[str] = mapped_column(ForeignKey("desk_row.item"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), primary_key=True)
    scores: Mapped[dict[str, Any]]
    texts: Mapped[dict[str, Any]]
    comment: Mapped[str]
    revision: Mapped[int]
    saved_at: Mapped[datetime | None]


class ReviewRow(Base):
    """A submitted review: five scores, an edit as changes, a comment."""

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("item", "person_id"),)

    review_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    item: Mapped[str] = mapped_column(ForeignKey("desk_row.item"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), index=True)
    number: Mapped[int]
    """Of the reviews of this row, from 1: edits apply in this order."""
    scores: Mapped[dict[str, Any]]
    edit: Mapped[list[Any]] = mapped_column(JSON)
    comment: Mapped[str]
    reviewed_at: Mapped[datetime]


class PanelVoteRow(Base):
    """One vote on a row of the docket."""

    __tablename__ = "panel_vote"

    item: Mapped[str] = mapped_column(ForeignKey("desk_row.item"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), primary_key=True)
    keep: Mapped[bool]
    reason: Mapped[str]
    voted_at: Mapped[datetime]


APPEND_ONLY = ("review_batch", "review", "panel_vote")
