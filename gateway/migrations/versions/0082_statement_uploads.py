"""Statements that are uploaded to fill gaps and histories (STA-19)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0082"
down_revision = "0069"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("statement_upload", "statement_upload_file", "statement_upload_part")
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "statement_upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("refused_files", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("creator_kind", sa.String(length=10), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("confirmed_at", database.Moment(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_statement_upload_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_statement_upload_office_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_upload")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_statement_upload_office_id_id")),
    )
    op.create_index(op.f("ix_statement_upload_client_id"), "statement_upload", ["client_id"])
    op.create_table(
        "statement_upload_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content_cipher", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_statement_upload_file_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "upload_id"],
            ["statement_upload.office_id", "statement_upload.id"],
            name=op.f("fk_statement_upload_file_office_id_upload_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_upload_file")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_statement_upload_file_office_id_id")),
        sa.UniqueConstraint("upload_id", "sha256", name=op.f("uq_statement_upload_file_upload_id_sha256")),
    )
    op.create_index("ix_statement_upload_file_sha256", "statement_upload_file", ["office_id", "sha256"])
    op.create_table(
        "statement_upload_part",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("opening_balance", database.Money(), nullable=False),
        sa.Column("closing_balance", database.Money(), nullable=False),
        sa.Column("statements_count", sa.Integer(), nullable=False),
        sa.Column("added_count", sa.Integer(), nullable=False),
        sa.Column("late_count", sa.Integer(), nullable=False),
        sa.Column("known_count", sa.Integer(), nullable=False),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_statement_upload_part_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "upload_id"],
            ["statement_upload.office_id", "statement_upload.id"],
            name=op.f("fk_statement_upload_part_office_id_upload_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_statement_upload_part_office_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_upload_part")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_statement_upload_part_office_id_id")),
        sa.UniqueConstraint("upload_id", "account_id", name=op.f("uq_statement_upload_part_upload_id_account_id")),
    )
    op.create_index(op.f("ix_statement_upload_part_account_id"), "statement_upload_part", ["account_id"])
    op.add_column("bank_transaction", sa.Column("upload_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_bank_transaction_office_id_upload_id"),
        "bank_transaction",
        "statement_upload",
        ["office_id", "upload_id"],
        ["office_id", "id"],
    )
    tenancy.secure(OFFICE_TABLES)
    tenancy.insert_only(("statement_upload_file",))
