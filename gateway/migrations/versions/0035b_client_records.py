"""Numbers that the registry does not know yet, and changes of numbers with their proof (OFF-02)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0035b"
down_revision = "0035"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ("client_number_change",)


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("client", sa.Column("unregistered_since", database.Moment(), nullable=True))
    op.create_index(
        "ix_client_unregistered",
        "client",
        ["office_id"],
        postgresql_where=sa.text("unregistered_since IS NOT NULL"),
    )
    op.create_table(
        "client_number_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("old_number", sa.String(length=10), nullable=True),
        sa.Column("old_dossier_code", sa.String(length=20), nullable=False),
        sa.Column("new_number", sa.String(length=10), nullable=False),
        sa.Column("new_dossier_code", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("document_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("document_type", sa.String(length=20), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_number_change_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_client_number_change_office_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_number_change")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_number_change_office_id_id")),
    )
    op.create_index(op.f("ix_client_number_change_client_id"), "client_number_change", ["client_id"])
    tenancy.secure(OFFICE_TABLES)
