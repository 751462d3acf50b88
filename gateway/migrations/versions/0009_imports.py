"""Client profiles, known accounts, and imports of clients with their rows and runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0009"
down_revision = "0004c"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("client_profile", "known_account", "client_import", "client_import_row", "client_import_run")


def upgrade() -> None:
    _make_tables()
    tenancy.secure(OFFICE_TABLES)


def _make_tables() -> None:
    op.create_table(
        "client_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("creator_kind", sa.String(length=10), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(length=100), nullable=True),
        sa.Column("format", sa.String(length=4), nullable=False),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("erase_after", database.Moment(), nullable=False),
        sa.Column("erased_at", database.Moment(), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_import_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_import")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_import_office_id_id")),
    )
    op.create_index(op.f("ix_client_import_erase_after"), "client_import", ["erase_after"], unique=False)
    op.create_index(
        op.f("ix_client_import_office_id_created_at"), "client_import", ["office_id", "created_at"], unique=False
    )
    op.create_table(
        "client_import_row",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind", sa.Enum("new", "existing", "invalid", name="rowkind", native_enum=False, length=24), nullable=False
        ),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "waiting",
                "queued",
                "imported",
                "undo_queued",
                "undone",
                "kept",
                name="outcome",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("imported_at", database.Moment(), nullable=True),
        sa.Column("content_cipher", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "import_id"],
            ["client_import.office_id", "client_import.id"],
            name=op.f("fk_client_import_row_office_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_import_row_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_import_row")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_import_row_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "import_id", "number", name=op.f("uq_client_import_row_office_id_import_id_number")
        ),
    )
    op.create_index(op.f("ix_client_import_row_client_id"), "client_import_row", ["client_id"], unique=False)
    op.create_index("ix_client_import_row_kind", "client_import_row", ["import_id", "kind", "number"], unique=False)
    op.create_index("ix_client_import_row_run", "client_import_row", ["run_id", "outcome"], unique=False)
    op.create_table(
        "client_profile",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_code", sa.String(length=20), nullable=True),
        sa.Column("contact_name", sa.String(length=70), nullable=True),
        sa.Column("contact_email", sa.String(length=254), nullable=True),
        sa.Column("mobile", sa.String(length=16), nullable=True),
        sa.Column("contact_confirmed_at", database.Moment(), nullable=True),
        sa.Column("responsible_id", sa.Uuid(), nullable=True),
        sa.Column("labels", sa.ARRAY(sa.String(length=40)), nullable=False),
        sa.Column("package", sa.String(length=20), nullable=True),
        sa.Column("delivery", sa.String(length=10), nullable=True),
        sa.Column("destination", sa.String(length=254), nullable=True),
        sa.Column("destination_confirmed_at", database.Moment(), nullable=True),
        sa.Column("send_invitation", sa.Boolean(), nullable=False),
        sa.Column("updated_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_client_profile_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_profile_office_id")),
        sa.ForeignKeyConstraint(["responsible_id"], ["app_user.id"], name=op.f("fk_client_profile_responsible_id")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_profile")),
    )
    op.create_index(op.f("ix_client_profile_office_id"), "client_profile", ["office_id"], unique=False)
    op.create_table(
        "known_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("bank_id", sa.String(length=40), nullable=True),
        sa.Column("bic", sa.String(length=11), nullable=True),
        sa.Column("alias", sa.String(length=70), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("statements_from", sa.Date(), nullable=True),
        sa.Column("next_coda_number", sa.Integer(), nullable=True),
        sa.Column("last_balance", database.Money(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_known_account_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_known_account_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_account")),
        sa.UniqueConstraint("office_id", "iban", name=op.f("uq_known_account_office_id_iban")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_known_account_office_id_id")),
    )
    op.create_index(op.f("ix_known_account_client_id"), "known_account", ["client_id"], unique=False)
    op.create_table(
        "client_import_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Enum("import", "undo", name="runkind", native_enum=False, length=24), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("started_at", database.Moment(), nullable=False),
        sa.Column("finished_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "import_id"],
            ["client_import.office_id", "client_import.id"],
            name=op.f("fk_client_import_run_office_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "job_id"], ["job.office_id", "job.id"], name=op.f("fk_client_import_run_office_id_job_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_import_run_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_import_run")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_import_run_office_id_id")),
    )
    op.create_index(op.f("ix_client_import_run_import_id"), "client_import_run", ["import_id"], unique=False)
    op.create_index(
        "uq_client_import_run_open",
        "client_import_run",
        ["office_id", "import_id"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
