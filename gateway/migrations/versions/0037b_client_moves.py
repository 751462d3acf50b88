"""Moves of clients between offices, and readings counted for all offices together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0037b"
down_revision = "0037"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("client_move", "client_move_account")
GLOBAL_TABLES = ("reading_budget",)


def upgrade() -> None:
    op.add_column("account", sa.Column("takes_over_on", sa.Date(), nullable=True))
    op.add_column("account", sa.Column("moved_on", sa.Date(), nullable=True))
    op.add_column("account", sa.Column("moved_by", sa.Uuid(), nullable=True))
    op.add_column("statement_chain", sa.Column("handed_year", sa.Integer(), nullable=True))
    op.add_column("statement_chain", sa.Column("handed_number", sa.Integer(), nullable=True))
    op.create_table(
        "reading_budget",
        sa.Column("account_hash", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_hash", "day", name=op.f("pk_reading_budget")),
    )
    op.create_index(op.f("ix_reading_budget_day"), "reading_budget", ["day"], unique=False)
    op.create_table(
        "client_move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("move_on", sa.Date(), nullable=False),
        sa.Column(
            "state", sa.Enum("requested", "done", name="movestate", native_enum=False, length=24), nullable=False
        ),
        sa.Column("proof", sa.String(length=14), nullable=False),
        sa.Column("chosen_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("announced_at", database.Moment(), nullable=True),
        sa.Column("done_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_client_move_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_move_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_move")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_move_office_id_id")),
    )
    op.create_index(op.f("ix_client_move_client_id"), "client_move", ["client_id"], unique=False)
    op.create_index("ix_client_move_state", "client_move", ["office_id", "state"], unique=False)
    op.create_table(
        "client_move_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("move_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("done_at", database.Moment(), nullable=True),
        sa.Column("is_chain_continued", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_client_move_account_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "move_id"],
            ["client_move.office_id", "client_move.id"],
            name=op.f("fk_client_move_account_office_id_move_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_move_account_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_move_account")),
        sa.UniqueConstraint("move_id", "account_id", name=op.f("uq_client_move_account_move_id_account_id")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_move_account_office_id_id")),
    )
    op.create_index(op.f("ix_client_move_account_account_id"), "client_move_account", ["account_id"], unique=False)
    op.create_index(op.f("ix_client_move_account_move_id"), "client_move_account", ["move_id"], unique=False)
    tenancy.secure(OFFICE_TABLES)
    tenancy.open_globally(GLOBAL_TABLES)
