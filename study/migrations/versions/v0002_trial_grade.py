"""The trial-grade tables: consent, custody, second pass, adjudication, queries."""

import sqlalchemy as sa
from alembic import op

from study.migrations.triggers import refuse_changes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "amendment", "deviation", "approval", "leak_finding", "leak_ruling", "query_entry",
    "consent", "withdrawal", "attestation", "same_person",
    "hidden_repeat", "practice_answer", "calibration_attempt", "rating_note", "marking", "mark",
    "source_guess", "adjudication_task", "adjudication",
)  # fmt: skip


def upgrade() -> None:
    _amendment()
    _deviation()
    _query()
    _adjudication_task()
    _approval()
    _attestation()
    _calibration_attempt()
    _consent()
    _personal_data()
    _provider_identity()
    _query_entry()
    _same_person()
    _withdrawal()
    _adjudication()
    _adjudication_draft()
    _practice_answer()
    _source_guess()
    _conduct()
    _hidden_repeat()
    _leak_finding()
    _leak_ruling()
    _marking()
    _marking_draft()
    _rating_note()
    _mark()
    _new_columns()
    refuse_changes(APPEND_ONLY)


def _amendment() -> None:
    op.create_table(
        "amendment",
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.JSON(), nullable=False),
        sa.Column("protocol_sha256", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("amended_by", sa.String(), nullable=False),
        sa.Column("amended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("study_id", "number"),
    )


def _deviation() -> None:
    op.create_table(
        "deviation",
        sa.Column("deviation_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("reported_by", sa.String(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("deviation_id"),
    )
    op.create_index(("ix_deviation_study_id"), "deviation", ["study_id"], unique=False)


def _query() -> None:
    op.create_table(
        "query",
        sa.Column("query_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("query_id"),
    )
    op.create_index(("ix_query_study_id"), "query", ["study_id"], unique=False)


def _adjudication_task() -> None:
    op.create_table(
        "adjudication_task",
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("adjudicator_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("dimensions", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adjudicator_id"],
            ["person.person_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("task_id"),
    )
    op.create_index(
        ("ix_adjudication_task_adjudicator_id"),
        "adjudication_task",
        ["adjudicator_id"],
        unique=False,
    )
    op.create_index(
        ("ix_adjudication_task_study_id"), "adjudication_task", ["study_id"], unique=False
    )


def _approval() -> None:
    op.create_table(
        "approval",
        sa.Column("approval_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(length=40), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["approved_by"],
            ["person.person_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("approval_id"),
    )
    op.create_index(("ix_approval_study_id"), "approval", ["study_id"], unique=False)


def _attestation() -> None:
    op.create_table(
        "attestation",
        sa.Column("attestation_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("conditions_sha256", sa.String(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("attested_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("attestation_id"),
    )
    op.create_index(("ix_attestation_person_id"), "attestation", ["person_id"], unique=False)


def _calibration_attempt() -> None:
    op.create_table(
        "calibration_attempt",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("share_within_one", sa.Double(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("person_id", "number"),
    )


def _consent() -> None:
    op.create_table(
        "consent",
        sa.Column("consent_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text_sha256", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("consent_id"),
        sa.UniqueConstraint("person_id", "version"),
    )


def _personal_data() -> None:
    op.create_table(
        "personal_data",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("person_id"),
    )


def _provider_identity() -> None:
    op.create_table(
        "provider_identity",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", "study_id"),
    )
    op.create_index(
        ("ix_provider_identity_person_id"), "provider_identity", ["person_id"], unique=False
    )


def _query_entry() -> None:
    op.create_table(
        "query_entry",
        sa.Column("query_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["query_id"],
            ["query.query_id"],
        ),
        sa.PrimaryKeyConstraint("query_id", "number"),
    )


def _same_person() -> None:
    op.create_table(
        "same_person",
        sa.Column("first_id", sa.String(length=40), nullable=False),
        sa.Column("second_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["first_id"],
            ["person.person_id"],
        ),
        sa.ForeignKeyConstraint(
            ["second_id"],
            ["person.person_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("first_id", "second_id"),
    )
    op.create_index(("ix_same_person_study_id"), "same_person", ["study_id"], unique=False)


def _withdrawal() -> None:
    op.create_table(
        "withdrawal",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("disposition", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("person_id"),
    )


def _adjudication() -> None:
    op.create_table(
        "adjudication",
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["adjudication_task.task_id"],
        ),
        sa.PrimaryKeyConstraint("task_id"),
    )


def _adjudication_draft() -> None:
    op.create_table(
        "adjudication_draft",
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["adjudication_task.task_id"],
        ),
        sa.PrimaryKeyConstraint("task_id"),
    )


def _source_guess() -> None:
    op.create_table(
        "source_guess",
        sa.Column("assignment_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("guess", sa.String(), nullable=True),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("guessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["rater_assignment.assignment_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("assignment_id"),
    )
    op.create_index(("ix_source_guess_study_id"), "source_guess", ["study_id"], unique=False)


def _practice_answer() -> None:
    op.create_table(
        "practice_answer",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=12), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("person_id", "attempt", "item"),
    )


def _conduct() -> None:
    op.create_table(
        "conduct",
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("pastes", sa.Integer(), nullable=False),
        sa.Column("pasted_characters", sa.Integer(), nullable=False),
        sa.Column("focus_losses", sa.Integer(), nullable=False),
        sa.Column("seconds_away", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item"],
            ["answer_item.item"],
        ),
        sa.PrimaryKeyConstraint("item"),
    )


def _hidden_repeat() -> None:
    op.create_table(
        "hidden_repeat",
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("response_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["response_id"],
            ["response.response_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("study_id", "code"),
    )


def _leak_finding() -> None:
    op.create_table(
        "leak_finding",
        sa.Column("response_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["response_id"],
            ["response.response_id"],
        ),
        sa.PrimaryKeyConstraint("response_id", "number"),
    )


def _leak_ruling() -> None:
    op.create_table(
        "leak_ruling",
        sa.Column("response_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ruling", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ruled_by", sa.String(), nullable=False),
        sa.Column("ruled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["response_id"],
            ["response.response_id"],
        ),
        sa.PrimaryKeyConstraint("response_id", "number"),
    )


def _marking() -> None:
    op.create_table(
        "marking",
        sa.Column("assignment_id", sa.String(length=40), nullable=False),
        sa.Column("study_id", sa.String(length=40), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["rater_assignment.assignment_id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.study_id"],
        ),
        sa.PrimaryKeyConstraint("assignment_id"),
    )
    op.create_index(("ix_marking_study_id"), "marking", ["study_id"], unique=False)


def _marking_draft() -> None:
    op.create_table(
        "marking_draft",
        sa.Column("assignment_id", sa.String(length=40), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["rater_assignment.assignment_id"],
        ),
        sa.PrimaryKeyConstraint("assignment_id"),
    )


def _rating_note() -> None:
    op.create_table(
        "rating_note",
        sa.Column("note_id", sa.String(length=40), nullable=False),
        sa.Column("assignment_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["rater_assignment.assignment_id"],
        ),
        sa.PrimaryKeyConstraint("note_id"),
    )
    op.create_index(
        ("ix_rating_note_assignment_id"), "rating_note", ["assignment_id"], unique=False
    )


def _mark() -> None:
    op.create_table(
        "mark",
        sa.Column("assignment_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("marked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["marking.assignment_id"],
        ),
        sa.PrimaryKeyConstraint("assignment_id", "kind", "item"),
    )


def _new_columns() -> None:
    op.add_column("registration", sa.Column("practice", sa.JSON(), nullable=True))
    op.add_column("person", sa.Column("site", sa.String(), nullable=True))
    op.add_column("rating", sa.Column("reason", sa.String(), nullable=True))
    op.add_column("rating", sa.Column("harm_severity", sa.String(), nullable=True))
    op.add_column("rating", sa.Column("harm_likelihood", sa.String(), nullable=True))
    op.add_column("rating_draft", sa.Column("harm_severity", sa.String(), nullable=True))
    op.add_column("rating_draft", sa.Column("harm_likelihood", sa.String(), nullable=True))
    op.add_column("sign_in", sa.Column("browser", sa.String(), nullable=True))
    op.add_column("sign_in", sa.Column("device", sa.String(), nullable=True))
