"""The code that is handed over before somebody with rights sets up a new second factor (SEC-13)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database

revision = "0038"
down_revision = "0042"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("app_user", sa.Column("enrolment_code_hash", sa.LargeBinary(), nullable=True))
    op.add_column("app_user", sa.Column("enrolment_code_expires_at", database.Moment(), nullable=True))
    op.add_column("app_user", sa.Column("enrolment_tries", sa.Integer(), server_default=sa.text("0"), nullable=False))
