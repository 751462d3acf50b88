"""Services of an office and its clients, and what the portal shows (OFF-06)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ()

SERVICES = postgresql.ARRAY(sa.String(length=12))
EVERY = "{transactions,coda,payments}"
FLAGS = ("portal_shows_transactions", "portal_shows_coda", "portal_prepares_while_processing")


def upgrade() -> None:
    """Forward only; restore a backup to go back. What is there keeps everything it had."""
    for table in ("office", "client"):
        op.add_column(table, sa.Column("services", SERVICES, nullable=False, server_default=EVERY))
        op.alter_column(table, "services", server_default=None)
    for flag in FLAGS:
        op.add_column("client", sa.Column(flag, sa.Boolean(), nullable=False, server_default=sa.true()))
        op.alter_column("client", flag, server_default=None)
