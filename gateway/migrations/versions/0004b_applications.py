"""Applications, their tokens, and the identity providers that vouch for the people they act for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.migrations import tenancy

revision = "0004b"
down_revision = "0016"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ("application", "application_secret", "application_office", "access_token", "assertion_issuer")
OFFICE_TABLES = ("assertion_subject", "assertion_use")


def upgrade() -> None:
    op.create_table(
        "application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("mode", sa.String(length=4), nullable=False),
        sa.Column("allowed_addresses", sa.ARRAY(sa.String(length=50)), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("last_used_at", database.Moment(), nullable=True),
        sa.Column("revoked_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_application_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
    )
    op.create_index(op.f("ix_application_office_id"), "application", ["office_id"], unique=False)
    op.create_table(
        "application_secret",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("last_used_at", database.Moment(), nullable=True),
        sa.Column("revoked_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_secret_application_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_secret")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_application_secret_secret_hash")),
    )
    op.create_index(op.f("ix_application_secret_application_id"), "application_secret", ["application_id"])
    op.create_table(
        "application_office",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.String(length=40)), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_office_application_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_application_office_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_office")),
    )
    op.create_index(op.f("ix_application_office_office_id"), "application_office", ["office_id"])
    op.create_index(
        "uq_application_office_held",
        "application_office",
        ["application_id", "office_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "access_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.String(length=40)), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("expires_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name=op.f("fk_access_token_application_id")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_access_token_office_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_token")),
    )
    op.create_index(op.f("ix_access_token_application_id"), "access_token", ["application_id"])
    op.create_table(
        "assertion_issuer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("mode", sa.String(length=4), nullable=False),
        sa.Column("jwks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("thumbprints", sa.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_assertion_issuer_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assertion_issuer")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_assertion_issuer_office_id_id")),
    )
    op.create_index(
        "uq_assertion_issuer_held",
        "assertion_issuer",
        ["office_id", "issuer"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    tenancy.open_globally(GLOBAL_TABLES)
    op.create_table(
        "assertion_subject",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("issuer_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("linked_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_assertion_subject_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "issuer_id"],
            ["assertion_issuer.office_id", "assertion_issuer.id"],
            name=op.f("fk_assertion_subject_office_id_issuer_id"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_assertion_subject_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assertion_subject")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_assertion_subject_office_id_id")),
    )
    op.create_index(op.f("ix_assertion_subject_user_id"), "assertion_subject", ["user_id"])
    op.create_index(
        "uq_assertion_subject_held",
        "assertion_subject",
        ["office_id", "issuer_id", "subject"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "assertion_use",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("issuer_id", sa.Uuid(), nullable=False),
        sa.Column("jti_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_assertion_use_office_id")),
        sa.ForeignKeyConstraint(
            ["office_id", "issuer_id"],
            ["assertion_issuer.office_id", "assertion_issuer.id"],
            name=op.f("fk_assertion_use_office_id_issuer_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assertion_use")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_assertion_use_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "issuer_id", "jti_hash", name=op.f("uq_assertion_use_office_id_issuer_id_jti_hash")
        ),
    )
    op.create_index(op.f("ix_assertion_use_office_id_expires_at"), "assertion_use", ["office_id", "expires_at"])
    tenancy.secure(OFFICE_TABLES)
    op.add_column("audit_entry", sa.Column("via_id", sa.Uuid(), nullable=True))
