"""Documented restarts of a chain, and what an account decides about its statements (STA-03, STA-04, STA-08, STA-14)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ("bank_document", "chain_restart")


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    _documents()
    _restarts()
    tenancy.secure(OFFICE_TABLES)
    op.alter_column("balance", "sync_id", nullable=True)
    op.add_column("statement_chain", sa.Column("computed_from", sa.Date(), nullable=True))
    op.add_column("statement_chain", sa.Column("restarted_at", database.Moment(), nullable=True))
    op.add_column("statement_chain", sa.Column("pending_restart_id", sa.Uuid(), nullable=True))
    op.add_column("statement", sa.Column("restart_id", sa.Uuid(), nullable=True))
    for table, column in (("statement_chain", "pending_restart_id"), ("statement", "restart_id")):
        op.create_foreign_key(
            op.f(f"fk_{table}_office_id_{column}"),
            table,
            "chain_restart",
            ["office_id", column],
            ["office_id", "id"],
        )
    op.add_column("account_day", sa.Column("is_restarted", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("account_day", "is_restarted", server_default=None)
    op.add_column("account", sa.Column("releases_computed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("account", "releases_computed", server_default=None)
    op.add_column("account", sa.Column("empty_statement", sa.String(length=5), server_default="none", nullable=False))
    op.alter_column("account", "empty_statement", server_default=None)
    op.add_column(
        "client_settings", sa.Column("late_entry_date", sa.String(length=8), server_default="file", nullable=False)
    )
    op.alter_column("client_settings", "late_entry_date", server_default=None)
    op.add_column("account", sa.Column("excluded_reason", sa.String(length=140), nullable=True))


def _documents() -> None:
    op.create_table(
        "bank_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("document_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("document_type", sa.String(length=20), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_bank_document_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_bank_document_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_document")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_bank_document_office_id_id")),
    )
    op.create_index(op.f("ix_bank_document_account_id"), "bank_document", ["account_id"])


def _restarts() -> None:
    op.create_table(
        "chain_restart",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("balance", database.Money(), nullable=False),
        sa.Column("previous_until", sa.Date(), nullable=True),
        sa.Column("previous_balance", database.Money(), nullable=True),
        sa.Column("left_out_from", sa.Date(), nullable=False),
        sa.Column("left_out_entries", sa.Integer(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("confirmer_id", sa.Uuid(), nullable=False),
        sa.Column("restarted_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_chain_restart_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "document_id"],
            ["bank_document.office_id", "bank_document.id"],
            name=op.f("fk_chain_restart_office_id_document_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_chain_restart_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_restart")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_chain_restart_office_id_id")),
    )
    op.create_index(op.f("ix_chain_restart_account_id"), "chain_restart", ["account_id"])
