"""What a person decides about rows of a bank: both readings, and the decision (SYN-05, SYN-06)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database

revision = "0067"
down_revision = "0063"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("review_item", sa.Column("state", sa.String(length=8), nullable=False, server_default="open"))
    op.add_column("review_item", sa.Column("booking_date", sa.Date(), nullable=True))
    op.add_column("review_item", sa.Column("amount_before", database.Money(), nullable=True))
    op.add_column("review_item", sa.Column("amount", database.Money(), nullable=True))
    op.add_column("review_item", sa.Column("currency", sa.String(length=3), nullable=True))
    op.add_column("review_item", sa.Column("transaction_id", sa.Uuid(), nullable=True))
    op.add_column("review_item", sa.Column("statement_id", sa.Uuid(), nullable=True))
    op.add_column(
        "review_item", sa.Column("candidates", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'"))
    )
    op.add_column("review_item", sa.Column("decision", sa.String(length=16), nullable=True))
    for column in ("state", "candidates"):
        op.alter_column("review_item", column, server_default=None)
    for column, table in (("transaction_id", "bank_transaction"), ("statement_id", "statement")):
        op.create_foreign_key(
            op.f(f"fk_review_item_office_id_{column}"),
            "review_item",
            table,
            ["office_id", column],
            ["office_id", "id"],
        )
        op.create_index(op.f(f"ix_review_item_{column}"), "review_item", [column])
    op.create_index("ix_review_item_office_state", "review_item", ["office_id", "state", "id"])
