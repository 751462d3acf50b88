"""Statements are found by the amount of an entry (STA-22)."""

from __future__ import annotations

from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_index("ix_statement_entry_amount", "statement_entry", ["office_id", "amount"])
