"""Entries that reverse an issued one (STA-03)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0066"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("statement_entry", sa.Column("is_live", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.alter_column("statement_entry", "is_live", server_default=None)
    op.add_column("statement_entry", sa.Column("reverses_entry_id", sa.Uuid(), nullable=True))
    op.add_column("statement_entry", sa.Column("coda_code", sa.String(length=8), nullable=True))
    op.create_foreign_key(
        op.f("fk_statement_entry_office_id_reverses_entry_id"),
        "statement_entry",
        "statement_entry",
        ["office_id", "reverses_entry_id"],
        ["office_id", "id"],
    )
    op.drop_constraint(op.f("uq_statement_entry_transaction_id"), "statement_entry", type_="unique")
    op.create_index(
        "uq_statement_entry_live",
        "statement_entry",
        ["transaction_id"],
        unique=True,
        postgresql_where=sa.text("is_live"),
    )
    op.create_index("ix_statement_entry_transaction", "statement_entry", ["transaction_id"])
    op.create_index(
        "ix_statement_entry_ended", "statement_entry", ["account_id"], postgresql_where=sa.text("NOT is_live")
    )
