"""Sessions with an id, the method of their second factor and of their sign-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database

revision = "0003"
down_revision = "0005"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ()


def upgrade() -> None:
    op.add_column("app_user", sa.Column("second_factor_reset_at", database.Moment(), nullable=True))
    op.alter_column("audit_entry", "second_factor", type_=sa.String(length=20))
    # Sessions opened before have no id and no method: their people sign in again.
    op.execute("DELETE FROM web_session")
    op.add_column("web_session", sa.Column("id", sa.Uuid(), nullable=False))
    op.add_column("web_session", sa.Column("sign_in_method", sa.String(length=20), nullable=False))
    op.add_column("web_session", sa.Column("oidc_provider_id", sa.Uuid(), nullable=True))
    op.add_column("web_session", sa.Column("device", sa.String(length=60), nullable=False))
    op.add_column("web_session", sa.Column("second_factor_method", sa.String(length=20), nullable=True))
    op.create_unique_constraint(op.f("uq_web_session_id"), "web_session", ["id"])
