"""Files that a package refused, withdrawn and issued anew; nightly verification of stored files (STA-07, STA-23)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ("statement_verification",)


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("statement", sa.Column("import_refused_at", database.Moment(), nullable=True))
    op.add_column("statement", sa.Column("import_refused_by", sa.Uuid(), nullable=True))
    op.add_column("statement", sa.Column("import_refusal", sa.String(length=500), nullable=True))
    op.add_column("statement", sa.Column("withdrawn_at", database.Moment(), nullable=True))
    op.add_column("statement", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    op.alter_column("statement", "revision", server_default=None)
    op.add_column("statement", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_statement_office_id_replaces_id"),
        "statement",
        "statement",
        ["office_id", "replaces_id"],
        ["office_id", "id"],
    )
    for name, columns in (
        ("account_id_day_part", ["account_id", "day", "part"]),
        ("account_id_year_number", ["account_id", "year", "number"]),
    ):
        op.drop_constraint(op.f(f"uq_statement_{name}"), "statement", type_="unique")
        op.create_index(
            f"uq_statement_{name}",
            "statement",
            columns,
            unique=True,
            postgresql_where=sa.text("state <> 'withdrawn'"),
        )
    op.create_table(
        "statement_verification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.Column("files_count", sa.Integer(), nullable=False),
        sa.Column("differences_count", sa.Integer(), nullable=False),
        sa.Column("started_at", database.Moment(), nullable=False),
        sa.Column("finished_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_statement_verification_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_verification")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_statement_verification_office_id_id")),
    )
    tenancy.secure(OFFICE_TABLES)
