"""Jobs as callers see them (API-05)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0006"
down_revision = "0001"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("job",)


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by_kind", sa.String(length=24), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("started_at", database.Moment(), nullable=True),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.Column("cancel_requested_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_job_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_job_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_job_office_id_id")),
    )
    op.create_index(
        op.f("ix_job_office_id_created_by_id_id"), "job", ["office_id", "created_by_id", "id"], unique=False
    )
    tenancy.secure(OFFICE_TABLES)
