"""Invitations (OFF-07, SEC-13)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0022"
down_revision = "0004"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ("invitation",)


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("first_name", sa.String(length=70), nullable=False),
        sa.Column("last_name", sa.String(length=70), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.String(length=20)), nullable=False),
        sa.Column("salaries", sa.Boolean(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=True),
        sa.Column("until_date", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("inviter_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("sent_at", database.Moment(), nullable=True),
        sa.Column("expires_at", database.Moment(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("accepted_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_invitation_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_invitation_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["inviter_id"], ["app_user.id"], name=op.f("fk_invitation_inviter_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_invitation_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_invitation_office_id_id")),
        sa.UniqueConstraint("office_id", "token_hash", name=op.f("uq_invitation_office_id_token_hash")),
    )
    op.create_index(op.f("ix_invitation_client_id"), "invitation", ["client_id"])
    tenancy.secure(OFFICE_TABLES)
