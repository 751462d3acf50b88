"""Accounts that wait until it is proven that they are the client's (CON-08)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0076"
down_revision = "0064"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("account_proof",)
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "account_proof",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("consent_account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("state_since", database.Moment(), nullable=False),
        sa.Column("doubt", sa.String(length=12), nullable=False),
        sa.Column("proven_by", sa.String(length=8), nullable=True),
        sa.Column("relation", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("end_code", sa.String(length=24), nullable=True),
        sa.Column("move_on", sa.Date(), nullable=True),
        sa.Column("with_rules", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.String(length=12), nullable=True),
        sa.Column("instead_of_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_account_proof_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_account_proof_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "consent_id"],
            ["consent.office_id", "consent.id"],
            name=op.f("fk_account_proof_office_id_consent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "consent_account_id"],
            ["consent_account.office_id", "consent_account.id"],
            name=op.f("fk_account_proof_office_id_consent_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "instead_of_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_account_proof_office_id_instead_of_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_proof")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_account_proof_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "consent_account_id", name=op.f("uq_account_proof_office_id_consent_account_id")
        ),
    )
    op.create_index("ix_account_proof_consent", "account_proof", ["consent_id"])
    tenancy.secure(OFFICE_TABLES)
