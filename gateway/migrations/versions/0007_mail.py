"""The outbox of mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0007"
down_revision = "0021"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("mail_message",)


def upgrade() -> None:
    op.create_table(
        "mail_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("template", sa.String(length=60), nullable=False),
        sa.Column("content_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("due_at", database.Moment(), nullable=False),
        sa.Column("sent_at", database.Moment(), nullable=True),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_mail_message_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_message")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_mail_message_office_id_id")),
        sa.UniqueConstraint("office_id", "key", name=op.f("uq_mail_message_office_id_key")),
    )
    op.create_index("ix_mail_message_state", "mail_message", ["office_id", "state", "due_at"])
    tenancy.secure(OFFICE_TABLES)
