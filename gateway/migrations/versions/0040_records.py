"""The job that makes an auditor's bundle."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0034"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    op.add_column("audit_bundle", sa.Column("job_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_audit_bundle_office_id_job_id"),
        "audit_bundle",
        "job",
        ["office_id", "job_id"],
        ["office_id", "id"],
    )
