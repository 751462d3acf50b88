"""Accounts whose first statements are issued before a later balance confirms their opening (STA-05)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0077"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("account", sa.Column("issues_derived", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("account", "issues_derived", server_default=None)
