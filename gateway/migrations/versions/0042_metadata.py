"""Pairs of key and value on objects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.migrations import tenancy

revision = "0042"
down_revision = "0037b"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("metadata_pair",)
GLOBAL_TABLES = ()


def upgrade() -> None:
    op.create_table(
        "metadata_pair",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("object_kind", sa.String(length=10), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_metadata_pair_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_metadata_pair_office_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metadata_pair")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_metadata_pair_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "object_kind", "object_id", "key",
            name=op.f("uq_metadata_pair_office_id_object_kind_object_id_key"),
        ),
    )  # fmt: skip
    op.create_index(
        "ix_metadata_pair_value", "metadata_pair", ["office_id", "object_kind", "key", "value", "object_id"]
    )
    tenancy.secure(OFFICE_TABLES)
