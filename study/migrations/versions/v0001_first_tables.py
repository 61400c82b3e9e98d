"""The first tables, and the triggers that make submitted records append-only."""

import sqlalchemy as sa
from alembic import op

from study.migrations.triggers import refuse_changes

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

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


def upgrade() -> None:
    _study()
    _audit_event()
    _person()
    _registration()
    _sealed_seed()
    _invitation()
    _return_code()
    _sign_in()
    _answer_item()
    _model_run()
    _response()
    _rater_assignment()
    _masked_response()
    _masking_change()
    _rating()
    _rating_draft()
    _rating_score()
    refuse_changes(APPEND_ONLY)


def _study() -> None:
    op.create_table(
        "study",
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("study_id"),
    )


def _audit_event() -> None:
    op.create_table(
        "audit_event",
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous_sha256", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("study_id", "number"),
    )


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("arm", sa.String(), nullable=True),
        sa.Column("stratum", sa.String(), nullable=True),
        sa.Column("scripted", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_index("person_of_study", "person", ["study_id", "role"], unique=False)


def _registration() -> None:
    op.create_table(
        "registration",
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("protocol", sa.JSON(), nullable=False),
        sa.Column("protocol_sha256", sa.String(), nullable=False),
        sa.Column("vignettes", sa.JSON(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("study_id"),
    )


def _sealed_seed() -> None:
    op.create_table(
        "sealed_seed",
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("study_id", "purpose"),
    )


def _invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("token_sha256"),
    )
    op.create_index(op.f("ix_invitation_person_id"), "invitation", ["person_id"], unique=False)


def _return_code() -> None:
    op.create_table(
        "return_code",
        sa.Column("handle", sa.String(length=12), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("handle"),
        sa.UniqueConstraint("person_id"),
    )


def _sign_in() -> None:
    op.create_table(
        "sign_in",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("token_sha256"),
    )


def _answer_item() -> None:
    op.create_table(
        "answer_item",
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("vignette_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("draft_text", sa.String(), nullable=False),
        sa.Column("draft_confidence", sa.Integer(), nullable=True),
        sa.Column("draft_revision", sa.Integer(), nullable=False),
        sa.Column("draft_saved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("item"),
        sa.UniqueConstraint("person_id", "position"),
        sa.UniqueConstraint("person_id", "vignette_id"),
    )


def _model_run() -> None:
    op.create_table(
        "model_run",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("taken_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("run_id"),
        sa.UniqueConstraint("person_id"),
    )


def _response() -> None:
    op.create_table(
        "response",
        sa.Column("response_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("vignette_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("reasoning", sa.String(), nullable=True),
        sa.Column("confidence", sa.Integer(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status = 'failed') = (failure IS NOT NULL)", name="failure_if_failed"),
        sa.CheckConstraint("(status = 'submitted') = (text IS NOT NULL)", name="text_if_submitted"),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("response_id"),
        sa.UniqueConstraint("person_id", "vignette_id"),
    )
    op.create_index(op.f("ix_response_study_id"), "response", ["study_id"], unique=False)


def _rater_assignment() -> None:
    op.create_table(
        "rater_assignment",
        sa.Column("assignment_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("rater_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rater_id"],
            ["person.person_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("assignment_id"),
        sa.UniqueConstraint("rater_id", "code"),
        sa.UniqueConstraint("rater_id", "position"),
    )
    op.create_index(
        op.f("ix_rater_assignment_study_id"), "rater_assignment", ["study_id"], unique=False
    )


def _masked_response() -> None:
    op.create_table(
        "masked_response",
        sa.Column("response_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("vignette_id", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["response_id"],
            ["response.response_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("response_id"),
        sa.UniqueConstraint("study_id", "code"),
    )


def _masking_change() -> None:
    op.create_table(
        "masking_change",
        sa.Column("response_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["response_id"],
            ["response.response_id"],
        ),
        sa.PrimaryKeyConstraint("response_id", "number"),
    )


def _rating() -> None:
    op.create_table(
        "rating",
        sa.Column("rating_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("assignment_id", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["rater_assignment.assignment_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("rating_id"),
        sa.UniqueConstraint("assignment_id", "revision"),
    )
    op.create_index(op.f("ix_rating_study_id"), "rating", ["study_id"], unique=False)


def _rating_draft() -> None:
    op.create_table(
        "rating_draft",
        sa.Column("assignment_id", sa.String(length=40), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["rater_assignment.assignment_id"],
        ),
        sa.PrimaryKeyConstraint("assignment_id"),
    )


def _rating_score() -> None:
    op.create_table(
        "rating_score",
        sa.Column("rating_id", sa.String(length=40), nullable=False),
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rating_id"],
            ["rating.rating_id"],
        ),
        sa.PrimaryKeyConstraint("rating_id", "dimension"),
    )
