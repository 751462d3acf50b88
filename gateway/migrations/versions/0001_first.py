"""First schema."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from gateway.database import GLOBAL_TABLES, Base
from gateway.embedded import APPLICATION
from gateway.migrations import tenancy
from gateway.models import import_all

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Working form while the first schema is being laid: replaced by the written-out tables before it is released.
    import_all()
    connection = op.get_bind()
    raw = connection.connection.driver_connection
    raw.execute((Path(__file__).parents[1] / "sql" / "procrastinate_3.10.0.sql").read_text())
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APPLICATION}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APPLICATION}")
    Base.metadata.create_all(connection)
    tenant = [table.name for table in Base.metadata.sorted_tables if table.name not in GLOBAL_TABLES]
    tenancy.secure(tenant)
    tenancy.open_globally(sorted(GLOBAL_TABLES & set(Base.metadata.tables)))
    tenancy.insert_only([t for t in ("audit_entry", "statement_file", "export_file") if t in Base.metadata.tables])
