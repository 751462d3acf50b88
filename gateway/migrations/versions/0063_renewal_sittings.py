"""One link per client for renewing all its consents, and which reminders went out (CON-10, CON-12)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("consent_sitting", "consent_reminder")
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "consent_sitting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("link_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("expires_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_consent_sitting_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_consent_sitting_office_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_sitting")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_consent_sitting_office_id_id")),
        sa.UniqueConstraint("office_id", "token_hash", name=op.f("uq_consent_sitting_office_id_token_hash")),
    )
    op.add_column("consent", sa.Column("sitting_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_consent_office_id_sitting_id"),
        "consent",
        "consent_sitting",
        ["office_id", "sitting_id"],
        ["office_id", "id"],
    )
    op.create_table(
        "consent_reminder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("made_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_consent_reminder_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "consent_id"],
            ["consent.office_id", "consent.id"],
            name=op.f("fk_consent_reminder_office_id_consent_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_reminder")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_consent_reminder_office_id_id")),
        sa.UniqueConstraint(
            "consent_id",
            "valid_until",
            "days_before",
            name=op.f("uq_consent_reminder_consent_id_valid_until_days_before"),
        ),
    )
    tenancy.secure(OFFICE_TABLES)
