"""Amounts from which decisions are signed with a passkey, and the signatures (SEC-04)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0039b"
down_revision = "0039"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ("signing_limit", "decision_signature")


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "signing_limit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("amount", database.Money(), nullable=True),
        sa.Column("changed_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_signing_limit_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_signing_limit_office_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_limit")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_signing_limit_office_id_id")),
        sa.UniqueConstraint("office_id", "client_id", name=op.f("uq_signing_limit_office_id_client_id")),
    )
    op.create_table(
        "decision_signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("challenge_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("seals", postgresql.JSONB(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", database.Moment(), nullable=False),
        sa.Column("signed_at", database.Moment(), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("client_data", sa.LargeBinary(), nullable=True),
        sa.Column("authenticator_data", sa.LargeBinary(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("used_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_decision_signature_office_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_decision_signature_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_signature")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_decision_signature_office_id_id")),
        sa.UniqueConstraint("challenge_id", name=op.f("uq_decision_signature_challenge_id")),
    )
    op.create_index(op.f("ix_decision_signature_user_id"), "decision_signature", ["user_id"], unique=False)
    tenancy.secure(OFFICE_TABLES)
