"""Indexes for what is asked every minute: an office's readings of today, and its held days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_index("ix_sync_office_requested", "sync", ["office_id", "requested_at"])
    op.create_index(
        "ix_account_day_held",
        "account_day",
        ["office_id", "account_id", "day"],
        postgresql_where=sa.text("state = 'held'"),
    )
