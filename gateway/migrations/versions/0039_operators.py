"""Operators of the installation (OFF-08)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ("operator",)
OFFICE_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "operator",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_operator_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_operator")),
    )
    tenancy.open_globally(GLOBAL_TABLES)
