"""Documents that prove a permission (CON-07)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0077"
down_revision = "0079"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("consent_evidence",)
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "consent_evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("text_version", sa.String(length=20), nullable=False),
        sa.Column("accounts_count", sa.Integer(), nullable=False),
        sa.Column("content_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_consent_evidence_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "consent_id"],
            ["consent.office_id", "consent.id"],
            name=op.f("fk_consent_evidence_office_id_consent_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_evidence")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_consent_evidence_office_id_id")),
    )
    op.create_index(op.f("ix_consent_evidence_consent_id"), "consent_evidence", ["consent_id"])
    tenancy.secure(OFFICE_TABLES)
