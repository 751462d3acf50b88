"""The event log, and the position of the newest event in each office's head row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.embedded import APPLICATION
from gateway.migrations import tenancy

revision = "0008"
down_revision = "0004b"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("event",)
INSERT_ONLY_TABLES = ("event",)


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("object_kind", sa.String(length=30), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.String(length=4), nullable=False),
        sa.Column("occurred_at", database.Moment(), nullable=False),
        sa.Column("recorded_at", database.Moment(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_event_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_event_office_id_id")),
        sa.UniqueConstraint("office_id", "position", name=op.f("uq_event_office_id_position")),
    )
    op.create_index("ix_event_type", "event", ["office_id", "type", "position"])
    op.create_index("ix_event_recorded_at", "event", ["office_id", "recorded_at"])
    for column in ("event_position", "event_pruned_position"):
        op.add_column("office_head", sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
        op.alter_column("office_head", column, server_default=None)
    tenancy.secure(OFFICE_TABLES)
    tenancy.insert_only(INSERT_ONLY_TABLES)
    # The service may not delete events. This function, which runs as the owner, may: of the unit of work's own office,
    # and only what is older than 90 days.
    op.execute(
        f"""
        CREATE FUNCTION prune_events() RETURNS bigint
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
            WITH gone AS (
                DELETE FROM public.event
                WHERE office_id = {tenancy.OFFICE} AND recorded_at < now() - interval '90 days'
                RETURNING position
            ), noted AS (
                UPDATE public.office_head
                SET event_pruned_position = greatest(event_pruned_position, (SELECT max(position) FROM gone))
                WHERE office_id = {tenancy.OFFICE} AND EXISTS (SELECT FROM gone)
            )
            SELECT count(*) FROM gone
        $$
        """  # noqa: S608  the only text put in is a constant of ours
    )
    op.execute("REVOKE ALL ON FUNCTION prune_events() FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION prune_events() TO {APPLICATION}")
