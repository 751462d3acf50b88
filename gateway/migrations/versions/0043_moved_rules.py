"""Whether a move takes the approval rules along, and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0043"
down_revision = "0047"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    op.add_column("client_move", sa.Column("with_rules", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("client_move", "with_rules", server_default=None)
    op.add_column("client_move", sa.Column("rules", postgresql.JSONB(), nullable=True))
