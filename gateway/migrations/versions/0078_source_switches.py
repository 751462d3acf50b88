"""Switches of an account's source, each with its reason (CON-17)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0078"
down_revision = "0076"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("source_switch",)
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "source_switch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("former", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("creator_kind", sa.String(length=10), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_source_switch_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_source_switch_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_source_switch_office_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_switch")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_source_switch_office_id_id")),
    )
    op.create_index(op.f("ix_source_switch_account_id"), "source_switch", ["account_id"])
    op.create_index(op.f("ix_source_switch_client_id"), "source_switch", ["client_id"])
    tenancy.secure(OFFICE_TABLES)
