"""Results of proving the whole audit chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.migrations import tenancy

revision = "0045"
down_revision = "0043"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("audit_verification",)
GLOBAL_TABLES = ()


def upgrade() -> None:
    op.create_table(
        "audit_verification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("first_fault", sa.String(length=200), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_audit_verification_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_verification")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_audit_verification_office_id_id")),
    )
    tenancy.secure(OFFICE_TABLES)
    tenancy.insert_only(OFFICE_TABLES)
