"""Proposals: acts that take two people; when a client was suspended (APP-12, OFF-03)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0021"
down_revision = "0010"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ("proposal",)


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("client", sa.Column("suspended_at", database.Moment(), nullable=True))
    op.execute("UPDATE client SET suspended_at = now() WHERE state = 'suspended'")
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("expires_at", database.Moment(), nullable=False),
        sa.Column("effective_at", database.Moment(), nullable=True),
        sa.Column("confirmer_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_proposal_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"], ["client.office_id", "client.id"], name=op.f("fk_proposal_office_id_client_id")
        ),
        sa.ForeignKeyConstraint(["proposer_id"], ["app_user.id"], name=op.f("fk_proposal_proposer_id")),
        sa.ForeignKeyConstraint(["confirmer_id"], ["app_user.id"], name=op.f("fk_proposal_confirmer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_proposal_office_id_id")),
    )
    op.create_index(op.f("ix_proposal_client_id"), "proposal", ["client_id"])
    op.create_index(
        "uq_proposal_open",
        "proposal",
        ["office_id", "kind", "object_id", "fingerprint"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    tenancy.secure(OFFICE_TABLES)
