"""When a vignette with a time limit was first shown to whom it is for."""

import sqlalchemy as sa
from alembic import op

from study.migrations.triggers import refuse_changes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("first_shown",)


def upgrade() -> None:
    op.create_table(
        "first_shown",
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["item"],
            ["answer_item.item"],
        ),
        sa.PrimaryKeyConstraint("item"),
    )
    refuse_changes(APPEND_ONLY)
