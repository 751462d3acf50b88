"""Consents that renew others, what their holder answered, and days no reading covers (CON-11, CON-13)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0062"
down_revision = "0075"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("consent_answer", "account_gap")
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("consent", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_consent_office_id_replaces_id"),
        "consent",
        "consent",
        ["office_id", "replaces_id"],
        ["office_id", "id"],
    )
    op.create_table(
        "consent_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("answer", sa.String(length=24), nullable=False),
        sa.Column("instead_of_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_consent_answer_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "consent_id"],
            ["consent.office_id", "consent.id"],
            name=op.f("fk_consent_answer_office_id_consent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_consent_answer_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "instead_of_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_consent_answer_office_id_instead_of_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_answer")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_consent_answer_office_id_id")),
        sa.UniqueConstraint("consent_id", "account_id", name=op.f("uq_consent_answer_consent_id_account_id")),
    )
    op.create_table(
        "account_gap",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("found_at", database.Moment(), nullable=False),
        sa.Column("filled_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_account_gap_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_account_gap_office_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_gap")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_account_gap_office_id_id")),
        sa.UniqueConstraint("account_id", "first_day", name=op.f("uq_account_gap_account_id_first_day")),
    )
    tenancy.secure(OFFICE_TABLES)
