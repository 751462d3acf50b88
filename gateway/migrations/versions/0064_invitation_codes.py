"""A code that opens an invitation in one browser (CON-06)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0082"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("consent", sa.Column("is_code_needed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("consent", "is_code_needed", server_default=None)
    op.add_column("consent", sa.Column("code_hash", sa.LargeBinary(), nullable=True))
    op.add_column("consent", sa.Column("code_tries", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("consent", "code_tries", server_default=None)
    op.add_column("consent", sa.Column("code_browser_hash", sa.LargeBinary(), nullable=True))
