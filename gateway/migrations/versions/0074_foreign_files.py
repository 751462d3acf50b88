"""Foreign files and the numbering they hand over (STA-20, CON-17)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0074"
down_revision = "0072"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("foreign_file", "foreign_statement", "numbering_handover")
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "foreign_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("creator_kind", sa.String(length=10), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_foreign_file_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_foreign_file_office_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_foreign_file")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_foreign_file_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "client_id", "sha256", name=op.f("uq_foreign_file_office_id_client_id_sha256")
        ),
    )
    op.create_table(
        "foreign_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("coda_number", sa.Integer(), nullable=False),
        sa.Column("paper_number", sa.Integer(), nullable=False),
        sa.Column("opening_date", sa.Date(), nullable=True),
        sa.Column("opening_balance", database.Money(), nullable=False),
        sa.Column("closing_date", sa.Date(), nullable=False),
        sa.Column("closing_balance", database.Money(), nullable=False),
        sa.Column("entries_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_foreign_statement_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "file_id"],
            ["foreign_file.office_id", "foreign_file.id"],
            name=op.f("fk_foreign_statement_office_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_foreign_statement")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_foreign_statement_office_id_id")),
        sa.UniqueConstraint("file_id", "position", name=op.f("uq_foreign_statement_file_id_position")),
    )
    op.create_index(
        "ix_foreign_statement_account", "foreign_statement", ["office_id", "iban", "currency", "closing_date"]
    )
    op.create_index(op.f("ix_foreign_statement_client_id"), "foreign_statement", ["client_id"])
    op.create_table(
        "numbering_handover",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("basis", sa.String(length=5), nullable=False),
        sa.Column("number_key", sa.String(length=5), nullable=False),
        sa.Column("coda_number", sa.Integer(), nullable=True),
        sa.Column("paper_number", sa.Integer(), nullable=True),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("closing_date", sa.Date(), nullable=False),
        sa.Column("closing_balance", database.Money(), nullable=False),
        sa.Column("last_entry_date", sa.Date(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("files_count", sa.Integer(), nullable=False),
        sa.Column("last_file_id", sa.Uuid(), nullable=True),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("creator_kind", sa.String(length=10), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("confirmed_at", database.Moment(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_numbering_handover_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_numbering_handover_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "last_file_id"],
            ["foreign_file.office_id", "foreign_file.id"],
            name=op.f("fk_numbering_handover_office_id_last_file_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_numbering_handover")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_numbering_handover_office_id_id")),
    )
    op.create_index(
        "uq_numbering_handover_confirmed", "numbering_handover", ["office_id", "iban", "currency"], unique=True,
        postgresql_where=sa.text("state = 'confirmed'"),
    )  # fmt: skip
    op.create_index(op.f("ix_numbering_handover_client_id"), "numbering_handover", ["client_id"])
    tenancy.secure(OFFICE_TABLES)
    tenancy.insert_only(("foreign_file", "foreign_statement"))
