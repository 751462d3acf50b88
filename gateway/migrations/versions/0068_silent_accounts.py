"""Accounts that are quiet on purpose, that fell silent, and of which the operator was told (SYN-12)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("account", sa.Column("is_quiet", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("account", "is_quiet", server_default=None)
    op.add_column("account", sa.Column("dormant_since", sa.Date(), nullable=True))
    op.add_column("account", sa.Column("alerted_at", database.Moment(), nullable=True))
