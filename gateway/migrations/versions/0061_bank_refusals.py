"""Banks that refuse this installation (SYN-13)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ("bank_refusal",)
OFFICE_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "bank_refusal",
        sa.Column("bank_id", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("refused_at", database.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("bank_id", "client_id", name=op.f("pk_bank_refusal")),
    )
    tenancy.open_globally(GLOBAL_TABLES)
