"""Webhooks: endpoints, deliveries, attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0008b"
down_revision = "0008"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("webhook_endpoint", "webhook_delivery", "webhook_attempt")


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("url_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("description", sa.String(length=70), nullable=False),
        sa.Column("event_types", postgresql.JSONB(), nullable=False),
        sa.Column("client_ids", postgresql.JSONB(), nullable=False),
        sa.Column("mode", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("disabled_reason", sa.String(length=20), nullable=True),
        sa.Column("secret_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("old_secret_until", database.Moment(), nullable=True),
        sa.Column("sender_job", sa.BigInteger(), nullable=True),
        sa.Column("sender_until", database.Moment(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_webhook_endpoint_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_webhook_endpoint_office_id_id")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", database.Moment(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("finished_at", database.Moment(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_fault", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "endpoint_id"],
            ["webhook_endpoint.office_id", "webhook_endpoint.id"],
            name=op.f("fk_webhook_delivery_office_id_endpoint_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_webhook_delivery_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_webhook_delivery_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "endpoint_id", "event_id", name=op.f("uq_webhook_delivery_office_id_endpoint_id_event_id")
        ),
    )
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["office_id", "endpoint_id", "state", "due_at"])
    op.create_table(
        "webhook_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", database.Moment(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("fault", sa.String(length=20), nullable=True),
        sa.Column("answer", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "delivery_id"],
            ["webhook_delivery.office_id", "webhook_delivery.id"],
            name=op.f("fk_webhook_attempt_office_id_delivery_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_webhook_attempt_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempt")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_webhook_attempt_office_id_id")),
    )
    op.create_index(op.f("ix_webhook_attempt_delivery_id"), "webhook_attempt", ["delivery_id"])
    tenancy.secure(OFFICE_TABLES)
