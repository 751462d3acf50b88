"""Keys under which a changing request is done once (API-03)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0016"
down_revision = "0022"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("idempotency_key",)


def upgrade() -> None:
    op.create_table(
        "idempotency_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", database.Moment(), nullable=False),
        sa.Column("has_effects", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("checks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("expires_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_idempotency_key_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_idempotency_key_office_id_id")),
        sa.UniqueConstraint("office_id", "key_hash", name=op.f("uq_idempotency_key_office_id_key_hash")),
    )
    op.create_index(
        op.f("ix_idempotency_key_office_id_expires_at"), "idempotency_key", ["office_id", "expires_at"], unique=False
    )
    tenancy.secure(OFFICE_TABLES)
