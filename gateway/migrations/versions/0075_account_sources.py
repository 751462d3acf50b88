"""The source of an account, and bank-made files that are passed on (CON-17)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("bank_file",)
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("account", sa.Column("bank_made_source", sa.String(length=10), nullable=True))
    op.add_column("account", sa.Column("source_from", sa.Date(), nullable=True))
    op.create_table(
        "bank_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_bank_file_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"], ["client.office_id", "client.id"], name=op.f("fk_bank_file_office_id_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_bank_file_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "file_id"],
            ["foreign_file.office_id", "foreign_file.id"],
            name=op.f("fk_bank_file_office_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_file")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_bank_file_office_id_id")),
        sa.UniqueConstraint("account_id", "file_id", name=op.f("uq_bank_file_account_id_file_id")),
    )
    op.create_index("ix_bank_file_account_days", "bank_file", ["account_id", "last_day"])
    op.create_index(op.f("ix_bank_file_client_id"), "bank_file", ["client_id"])
    tenancy.secure(OFFICE_TABLES)
