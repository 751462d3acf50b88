"""Roles with days and wages, client groups, clients assigned to staff (OFF-08, OFF-09)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0002"
down_revision = "0006"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ("client_group", "client_group_client", "client_group_user", "client_assignment")


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("membership", sa.Column("salaries", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.add_column("membership", sa.Column("from_date", sa.Date(), nullable=True))
    op.add_column("membership", sa.Column("until_date", sa.Date(), nullable=True))
    _make_tables()
    tenancy.secure(OFFICE_TABLES)
    # Everybody goes on seeing what they saw.
    op.execute(
        "INSERT INTO client_group (id, office_id, name, is_everyone, created_at, version)"
        " SELECT gen_random_uuid(), id, 'Everyone', true, now(), 1 FROM office"
    )
    op.execute(
        "INSERT INTO client_group_user (id, office_id, group_id, user_id)"
        " SELECT gen_random_uuid(), g.office_id, g.id, m.user_id FROM client_group g"
        " JOIN (SELECT DISTINCT office_id, user_id FROM membership WHERE client_id IS NULL AND ended_at IS NULL"
        " AND role IN ('staff', 'support')) m ON m.office_id = g.office_id"
    )


def _make_tables() -> None:
    op.create_table(
        "client_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("is_everyone", sa.Boolean(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_group_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_group")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_group_office_id_id")),
        sa.UniqueConstraint("office_id", "name", name=op.f("uq_client_group_office_id_name")),
    )
    op.create_index(
        "uq_client_group_everyone", "client_group", ["office_id"], unique=True, postgresql_where=sa.text("is_everyone")
    )
    op.create_table(
        "client_group_client",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_group_client_office_id")),
        _group("client_group_client"),
        _client("client_group_client"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_group_client")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_group_client_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "group_id", "client_id", name=op.f("uq_client_group_client_office_id_group_id_client_id")
        ),
    )
    op.create_index(op.f("ix_client_group_client_client_id"), "client_group_client", ["client_id"])
    op.create_table(
        "client_group_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_group_user_office_id")),
        _group("client_group_user"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_client_group_user_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_group_user")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_group_user_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "user_id", "group_id", name=op.f("uq_client_group_user_office_id_user_id_group_id")
        ),
    )
    op.create_index(op.f("ix_client_group_user_group_id"), "client_group_user", ["group_id"])
    op.create_table(
        "client_assignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_assignment_office_id")),
        _client("client_assignment"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_client_assignment_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_assignment")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_assignment_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "user_id", "client_id", name=op.f("uq_client_assignment_office_id_user_id_client_id")
        ),
    )
    op.create_index(op.f("ix_client_assignment_client_id"), "client_assignment", ["client_id"])


def _group(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["office_id", "group_id"],
        ["client_group.office_id", "client_group.id"],
        name=op.f(f"fk_{table}_office_id_group_id"),
        ondelete="CASCADE",
    )


def _client(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["office_id", "client_id"], ["client.office_id", "client.id"], name=op.f(f"fk_{table}_office_id_client_id")
    )
