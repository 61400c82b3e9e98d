"""Tables of rating beyond the scores: calibration, repeats, notes, second pass, adjudication."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from study.tables import Base


class HiddenRepeatRow(Base):
    """A second code of a masked response, for the rater who sees it twice unawares."""

    __tablename__ = "hidden_repeat"

    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    response_id: Mapped[str] = mapped_column(ForeignKey("response.response_id"))


class PracticeAnswerRow(Base):
    """A rater's scores of one practice response in one attempt, before the answer was shown."""

    __tablename__ = "practice_answer"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(String(12), primary_key=True)
    scores: Mapped[dict[str, Any]]
    given_at: Mapped[datetime]


class CalibrationAttemptRow(Base):
    """A rater's scores of all practice responses, and whether they passed."""

    __tablename__ = "calibration_attempt"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    scores: Mapped[dict[str, Any]]
    """Practice response to dimension to score."""
    share_within_one: Mapped[float]
    passed: Mapped[bool]
    attempted_at: Mapped[datetime]


class RatingNoteRow(Base):
    """A flag or a conflict of interest on one assignment."""

    __tablename__ = "rating_note"

    note_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    assignment_id: Mapped[str] = mapped_column(
        ForeignKey("rater_assignment.assignment_id"), index=True
    )
    kind: Mapped[str]
    text: Mapped[str]
    written_at: Mapped[datetime]


class MarkingDraftRow(Base):
    """The second pass of one assignment, before submission."""

    __tablename__ = "marking_draft"

    assignment_id: Mapped[str] = mapped_column(
        ForeignKey("rater_assignment.assignment_id"), primary_key=True
    )
    given: Mapped[dict[str, Any]]
    revision: Mapped[int]
    saved_at: Mapped[datetime]


class MarkingRow(Base):
    """The second pass of one assignment, submitted once."""

    __tablename__ = "marking"

    assignment_id: Mapped[str] = mapped_column(
        ForeignKey("rater_assignment.assignment_id"), primary_key=True
    )
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    submitted_at: Mapped[datetime]


class MarkRow(Base):
    """One mark of a second pass."""

    __tablename__ = "mark"

    assignment_id: Mapped[str] = mapped_column(
        ForeignKey("marking.assignment_id"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    """A key point's id; empty where the kind has none."""
    marked: Mapped[bool]


class SourceGuessRow(Base):
    """A rater's guess who wrote one response, submitted once, after all marks."""

    __tablename__ = "source_guess"

    assignment_id: Mapped[str] = mapped_column(
        ForeignKey("rater_assignment.assignment_id"), primary_key=True
    )
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    guess: Mapped[str | None]
    """An arm's id; None for "don't know"."""
    confidence: Mapped[int]
    guessed_at: Mapped[datetime]


class AdjudicationTaskRow(Base):
    """A masked response in dispute, for one adjudicator."""

    __tablename__ = "adjudication_task"

    task_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    adjudicator_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), index=True)
    code: Mapped[str] = mapped_column(String(12))
    dimensions: Mapped[dict[str, Any]]
    """Dimension in dispute to the raters' scores, in ascending order, without names."""
    position: Mapped[int]


class AdjudicationDraftRow(Base):
    """An adjudicator's scores before submission."""

    __tablename__ = "adjudication_draft"

    task_id: Mapped[str] = mapped_column(ForeignKey("adjudication_task.task_id"), primary_key=True)
    scores: Mapped[dict[str, Any]]
    comment: Mapped[str]
    revision: Mapped[int]
    saved_at: Mapped[datetime]


class AdjudicationRow(Base):
    """An adjudicator's decision, submitted once; it never replaces a rating."""

    __tablename__ = "adjudication"

    task_id: Mapped[str] = mapped_column(ForeignKey("adjudication_task.task_id"), primary_key=True)
    scores: Mapped[dict[str, Any]]
    comment: Mapped[str]
    decided_at: Mapped[datetime]


APPEND_ONLY = (
    "hidden_repeat", "practice_answer", "calibration_attempt", "rating_note", "marking", "mark",
    "source_guess", "adjudication_task", "adjudication",
)  # fmt: skip
