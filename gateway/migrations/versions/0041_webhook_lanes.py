"""Endpoints that fail are remembered, so that they wait in a queue of their own; the log can be pruned by index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    op.add_column("webhook_endpoint", sa.Column("is_failing", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("webhook_endpoint", "is_failing", server_default=None)
    op.create_index("ix_webhook_delivery_finished", "webhook_delivery", ["office_id", "finished_at"])
