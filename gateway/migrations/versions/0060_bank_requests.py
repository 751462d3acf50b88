"""Banks that were asked for (CON-02)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.migrations import tenancy

revision = "0060"
down_revision = "0058"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("bank_request",)
GLOBAL_TABLES = ()


def upgrade() -> None:
    op.create_table(
        "bank_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("name_key", sa.String(length=70), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_bank_request_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_request")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_bank_request_office_id_id")),
        sa.UniqueConstraint("office_id", "name_key", name=op.f("uq_bank_request_office_id_name_key")),
    )
    tenancy.secure(OFFICE_TABLES)
