"""Own channel and destination of an account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database

revision = "0047"
down_revision = "0035b"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    op.add_column("account", sa.Column("delivery", sa.String(length=10), nullable=True))
    op.add_column("account", sa.Column("destination", sa.String(length=254), nullable=True))
    op.add_column("account", sa.Column("destination_confirmed_at", database.Moment(), nullable=True))
    op.add_column("address_change", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_address_change_office_id_account_id"),
        "address_change",
        "account",
        ["office_id", "account_id"],
        ["office_id", "id"],
    )
    op.drop_index("uq_address_change_waiting", "address_change")
    op.create_index(
        "uq_address_change_waiting",
        "address_change",
        ["office_id", "client_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting' AND account_id IS NULL"),
    )
    op.create_index(
        "uq_address_change_waiting_account",
        "address_change",
        ["office_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting' AND account_id IS NOT NULL"),
    )
