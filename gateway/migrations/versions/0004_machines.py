"""API keys with an address list, limited to clients, and who made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0007"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ()


def upgrade() -> None:
    op.add_column(
        "credential",
        sa.Column("allowed_addresses", sa.ARRAY(sa.String(length=50)), nullable=False, server_default="{}"),
    )
    op.alter_column("credential", "allowed_addresses", server_default=None)
    op.add_column("credential", sa.Column("client_ids", sa.ARRAY(sa.Uuid()), nullable=True))
    op.add_column("credential", sa.Column("created_by", sa.Uuid(), nullable=True))
