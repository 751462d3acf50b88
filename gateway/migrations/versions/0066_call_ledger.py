"""A ledger of unattended calls instead of a count per day (SYN-02)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0066"
down_revision = "0061"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ("bank_call",)
OFFICE_TABLES = ()
DROPPED_TABLES = ("reading_budget",)


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "bank_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sync_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("called_at", database.Moment(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_call")),
    )
    op.create_index("ix_bank_call_account_called", "bank_call", ["account_hash", "called_at"])
    op.create_index(op.f("ix_bank_call_called_at"), "bank_call", ["called_at"])
    tenancy.open_globally(GLOBAL_TABLES)
    # What was counted today counts on. At what hour it was is not known any more: as late as it can have been, so that
    # no bank is asked once too often.
    op.execute(
        """
        INSERT INTO bank_call (id, account_hash, reason, called_at)
        SELECT gen_random_uuid(), account_hash, 'unknown',
               CASE WHEN day = (now() AT TIME ZONE 'Europe/Brussels')::date THEN now()
                    ELSE (day + 1)::timestamp AT TIME ZONE 'Europe/Brussels' END
        FROM reading_budget CROSS JOIN LATERAL generate_series(1, count)
        WHERE day >= (now() AT TIME ZONE 'Europe/Brussels')::date - 1
        """
    )
    for table in DROPPED_TABLES:
        op.drop_table(table)
