"""Counters of requests, shared by the web processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.migrations import tenancy

revision = "0004c"
down_revision = "0008b"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ("rate_window",)
OFFICE_TABLES = ()


def upgrade() -> None:
    op.create_table(
        "rate_window",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("window", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "window", name=op.f("pk_rate_window")),
        prefixes=["UNLOGGED"],
    )
    tenancy.open_globally(GLOBAL_TABLES)
