"""New and changed addresses of clients, which wait for another admin."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("address_change",)


def upgrade() -> None:
    op.create_table(
        "address_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind", sa.Enum("contact", "destination", name="addresskind", native_enum=False, length=24), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum("waiting", "confirmed", "refused", "replaced", name="changestate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("author_kind", sa.String(length=10), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("effective_at", database.Moment(), nullable=True),
        sa.Column("decider_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["decider_id"], ["app_user.id"], name=op.f("fk_address_change_decider_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_address_change_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_address_change_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_change")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_address_change_office_id_id")),
    )
    op.create_index(op.f("ix_address_change_client_id"), "address_change", ["client_id"], unique=False)
    op.create_index(op.f("ix_address_change_office_id"), "address_change", ["office_id"], unique=False)
    op.create_index("ix_address_change_import", "address_change", ["import_id", "state"], unique=False)
    op.create_index(
        "uq_address_change_waiting",
        "address_change",
        ["office_id", "client_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    tenancy.secure(OFFICE_TABLES)
    # What imports brought before waits as well; the office itself stands as its author.
    op.execute(
        "INSERT INTO address_change (id, office_id, client_id, kind, state, author_kind, author_id, created_at)"
        " SELECT gen_random_uuid(), office_id, client_id, 'contact', 'waiting', 'system', office_id, updated_at"
        " FROM client_profile WHERE (contact_email IS NOT NULL OR mobile IS NOT NULL) AND contact_confirmed_at IS NULL"
    )
    op.execute(
        "INSERT INTO address_change (id, office_id, client_id, kind, state, author_kind, author_id, created_at)"
        " SELECT gen_random_uuid(), office_id, client_id, 'destination', 'waiting', 'system', office_id, updated_at"
        " FROM client_profile WHERE destination IS NOT NULL AND destination_confirmed_at IS NULL"
    )
