"""Links that lead the account holder to authorise one account anew (CON-16)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0050"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("callback_token", sa.Column("account_id", sa.Uuid(), nullable=True))
