"""Deliveries of Ponto that were taken (CON-16)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0050"
down_revision = "0045"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ("ponto_delivery",)
OFFICE_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "ponto_delivery",
        sa.Column("jti_hash", sa.LargeBinary(), nullable=False),
        sa.Column("event_type", sa.String(length=80), nullable=False),
        sa.Column("bank_account_id", sa.String(length=200), nullable=True),
        sa.Column("received_at", database.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("jti_hash", name=op.f("pk_ponto_delivery")),
    )
    op.create_index(op.f("ix_ponto_delivery_received_at"), "ponto_delivery", ["received_at"])
    tenancy.open_globally(GLOBAL_TABLES)
