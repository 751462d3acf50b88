"""Recorded traffic of banks (OPS-08, SYN-10)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0058"
down_revision = "0055"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("traffic_recording", "recorded_reading")
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "traffic_recording",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("bank_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("started_at", database.Moment(), nullable=False),
        sa.Column("expires_at", database.Moment(), nullable=False),
        sa.Column("calls_max", sa.Integer(), nullable=False),
        sa.Column("bytes_max", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("body_bytes", sa.Integer(), nullable=False),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.Column("end_code", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_traffic_recording_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_traffic_recording_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "consent_id"],
            ["consent.office_id", "consent.id"],
            name=op.f("fk_traffic_recording_office_id_consent_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traffic_recording")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_traffic_recording_office_id_id")),
    )
    op.create_index(
        "uq_traffic_recording_running", "traffic_recording", ["office_id", "consent_id"], unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_traffic_recording_consent", "traffic_recording", ["office_id", "consent_id"])
    op.create_table(
        "recorded_reading",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", database.Moment(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("body_bytes", sa.Integer(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("content_cipher", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_recorded_reading_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "recording_id"],
            ["traffic_recording.office_id", "traffic_recording.id"],
            name=op.f("fk_recorded_reading_office_id_recording_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_recorded_reading_office_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recorded_reading")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_recorded_reading_office_id_id")),
    )
    op.create_index("ix_recorded_reading_recording", "recorded_reading", ["office_id", "recording_id"])
    op.create_index("ix_recorded_reading_moment", "recorded_reading", ["office_id", "recorded_at"])
    tenancy.secure(OFFICE_TABLES)
