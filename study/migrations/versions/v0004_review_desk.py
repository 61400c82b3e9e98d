"""The review desk: training rows before clinician auditors."""

import sqlalchemy as sa
from alembic import op

from study.migrations.triggers import refuse_changes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("review_batch", "review", "panel_vote")


def upgrade() -> None:
    _batch()
    _row()
    _draft()
    _review()
    _vote()
    refuse_changes(APPEND_ONLY)


def _batch() -> None:
    op.create_table(
        "review_batch",
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("ledger_head", sa.String(), nullable=False),
        sa.Column("docket", sa.Boolean(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.study_id"]),
        sa.PrimaryKeyConstraint("batch_id"),
        sa.UniqueConstraint("study_id", "sha256"),
    )


def _row() -> None:
    op.create_table(
        "desk_row",
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.String(), nullable=False),
        sa.Column("specialty", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("reasoning", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("n_left", sa.Integer(), nullable=False),
        sa.Column("held_by", sa.String(length=40), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["study_id"], ["study.study_id"]),
        sa.ForeignKeyConstraint(["batch_id"], ["review_batch.batch_id"]),
        sa.ForeignKeyConstraint(["held_by"], ["person.person_id"]),
        sa.PrimaryKeyConstraint("item"),
        sa.UniqueConstraint("batch_id", "row_id"),
    )
    op.create_index(
        "ix_desk_row_waiting", "desk_row", ["study_id", "specialty", "n_left"], unique=False
    )


def _draft() -> None:
    op.create_table(
        "review_draft",
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["item"], ["desk_row.item"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"]),
        sa.PrimaryKeyConstraint("item", "person_id"),
    )


def _review() -> None:
    op.create_table(
        "review",
        sa.Column("review_id", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("edit", sa.JSON(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["desk_row.item"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"]),
        sa.PrimaryKeyConstraint("review_id"),
        sa.UniqueConstraint("item", "person_id"),
    )
    op.create_index("ix_review_person_id", "review", ["person_id"], unique=False)


def _vote() -> None:
    op.create_table(
        "panel_vote",
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("keep", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["desk_row.item"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"]),
        sa.PrimaryKeyConstraint("item", "person_id"),
    )
