"""The database's tables.

Rows of submitted answers, masked responses, ratings, sealed seeds, model runs and audit events are
append-only: triggers made by the migrations refuse to change or delete them, whoever asks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

APPEND_ONLY = (
    "registration",
    "model_run",
    "response",
    "masked_response",
    "masking_change",
    "sealed_seed",
    "rater_assignment",
    "rating",
    "rating_score",
    "audit_event",
)


class AwareUtc(TypeDecorator[datetime]):
    """Aware UTC in Python; naive times are refused on the way in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}: times are aware UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite forgets the zone; it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of the mapped classes."""

    type_annotation_map = {datetime: AwareUtc(), dict[str, Any]: JSON()}  # noqa: RUF012


class StudyRow(Base):
    """One study and the state it is in."""

    __tablename__ = "study"

    study_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(CheckConstraint("kind IN ('study', 'tryout')"))
    state: Mapped[str]
    simulated: Mapped[bool]
    """Set once and never cleared."""
    created_at: Mapped[datetime]


class RegistrationRow(Base):
    """The protocol as registered, with the vignettes it lists, word for word."""

    __tablename__ = "registration"

    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), primary_key=True)
    protocol: Mapped[dict[str, Any]]
    protocol_sha256: Mapped[str]
    vignettes: Mapped[dict[str, Any]]
    """Vignette id to the whole vignette; hidden fields never leave `study`."""
    practice: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What raters practise on, with agreed scores; None where no calibration is asked for."""
    registered_at: Mapped[datetime]


class PersonRow(Base):
    """Anyone who takes part: a resident, a rater, an investigator, or a model as a respondent."""

    __tablename__ = "person"
    __table_args__ = (Index("person_of_study", "study_id", "role"),)

    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"))
    role: Mapped[str]
    pseudonym: Mapped[str]
    arm: Mapped[str | None]
    stratum: Mapped[str | None]
    site: Mapped[str | None]
    scripted: Mapped[bool]
    joined_at: Mapped[datetime | None]
    """None while only invited."""
    last_seen_at: Mapped[datetime | None]


class InvitationRow(Base):
    """An invitation link; only the digest of its token is kept."""

    __tablename__ = "invitation"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]


class ReturnCodeRow(Base):
    """A person's return code: a look-up part in clear, the whole as an Argon2 hash."""

    __tablename__ = "return_code"

    handle: Mapped[str] = mapped_column(String(12), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), unique=True)
    code_hash: Mapped[str]
    failures: Mapped[int] = mapped_column(default=0)
    blocked_until: Mapped[datetime | None]


class SignInRow(Base):
    """One signed-in browser."""

    __tablename__ = "sign_in"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"))
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    browser: Mapped[str | None]
    """Digest of a long-lived random cookie: two people in one browser may be one."""
    device: Mapped[str | None]
    """What the browser calls itself, for the person's own list of sessions."""


class SealedSeedRow(Base):
    """A seed of the allocation; until unblinding only its digest is in the audit."""

    __tablename__ = "sealed_seed"

    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(40), primary_key=True)
    seed: Mapped[bytes] = mapped_column(LargeBinary)
    drawn_at: Mapped[datetime]


class AnswerItemRow(Base):
    """One vignette in one clinician's own order, with the draft of the answer."""

    __tablename__ = "answer_item"
    __table_args__ = (
        UniqueConstraint("person_id", "vignette_id"),
        UniqueConstraint("person_id", "position"),
    )

    item: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"))
    vignette_id: Mapped[str]
    position: Mapped[int]
    draft_text: Mapped[str]
    draft_confidence: Mapped[int | None]
    draft_revision: Mapped[int]
    draft_saved_at: Mapped[datetime | None]


class ModelRunRow(Base):
    """The run manifest a model's responses came with."""

    __tablename__ = "model_run"

    run_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), unique=True)
    manifest: Mapped[dict[str, Any]]
    taken_in_at: Mapped[datetime]


class ResponseRow(Base):
    """One respondent's answer to one vignette, or a model's recorded failure to give one."""

    __tablename__ = "response"
    __table_args__ = (
        UniqueConstraint("person_id", "vignette_id"),
        CheckConstraint("(status = 'submitted') = (text IS NOT NULL)", name="text_if_submitted"),
        CheckConstraint("(status = 'failed') = (failure IS NOT NULL)", name="failure_if_failed"),
    )

    response_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"))
    vignette_id: Mapped[str]
    status: Mapped[str]
    failure: Mapped[str | None]
    text: Mapped[str | None]
    reasoning: Mapped[str | None]
    """Kept apart from the text; never shown to a rater."""
    confidence: Mapped[int | None]
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    submitted_at: Mapped[datetime]


class MaskedResponseRow(Base):
    """What a rater may see of a response."""

    __tablename__ = "masked_response"
    __table_args__ = (UniqueConstraint("study_id", "code"),)

    response_id: Mapped[str] = mapped_column(ForeignKey("response.response_id"), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"))
    code: Mapped[str] = mapped_column(String(12))
    vignette_id: Mapped[str]
    text: Mapped[str]


class MaskingChangeRow(Base):
    """One recorded change that masking made."""

    __tablename__ = "masking_change"

    response_id: Mapped[str] = mapped_column(ForeignKey("response.response_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    start: Mapped[int]
    before: Mapped[str]
    after: Mapped[str]


class RaterAssignmentRow(Base):
    """One masked response in one rater's own order."""

    __tablename__ = "rater_assignment"
    __table_args__ = (
        UniqueConstraint("rater_id", "code"),
        UniqueConstraint("rater_id", "position"),
    )

    assignment_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    rater_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"))
    code: Mapped[str] = mapped_column(String(12))
    position: Mapped[int]


class RatingDraftRow(Base):
    """A rater's scores before submission."""

    __tablename__ = "rating_draft"

    assignment_id: Mapped[str] = mapped_column(
        ForeignKey("rater_assignment.assignment_id"), primary_key=True
    )
    scores: Mapped[dict[str, Any]]
    comment: Mapped[str]
    harm_severity: Mapped[str | None]
    harm_likelihood: Mapped[str | None]
    revision: Mapped[int]
    saved_at: Mapped[datetime]


class RatingRow(Base):
    """One submitted rating; its scores are in `rating_score`."""

    __tablename__ = "rating"
    __table_args__ = (UniqueConstraint("assignment_id", "revision"),)

    rating_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    assignment_id: Mapped[str] = mapped_column(ForeignKey("rater_assignment.assignment_id"))
    revision: Mapped[int]
    """1 for the first submission; amendments with a reason count on."""
    reason: Mapped[str | None]
    """Of an amendment; None for the first submission."""
    comment: Mapped[str]
    harm_severity: Mapped[str | None]
    """As the protocol's harm item words it; None where nobody was asked."""
    harm_likelihood: Mapped[str | None]
    submitted_at: Mapped[datetime]


class RatingScoreRow(Base):
    """One score on one dimension."""

    __tablename__ = "rating_score"

    rating_id: Mapped[str] = mapped_column(ForeignKey("rating.rating_id"), primary_key=True)
    dimension: Mapped[str] = mapped_column(primary_key=True)
    score: Mapped[int]


class AuditEventRow(Base):
    """One link of a study's audit chain."""

    __tablename__ = "audit_event"

    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    role: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]]
    previous_sha256: Mapped[str]
    sha256: Mapped[str]
