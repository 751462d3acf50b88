"""Identity providers of offices, links of people to them, ways there and back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0033"
down_revision = "0023"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ("oidc_attempt",)
OFFICE_TABLES = ("oidc_provider", "oidc_link")


def upgrade() -> None:
    op.create_table(
        "oidc_attempt",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("next_path", sa.String(length=500), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_oidc_attempt_office_id")),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_oidc_attempt")),
    )
    op.create_index(op.f("ix_oidc_attempt_created_at"), "oidc_attempt", ["created_at"], unique=False)
    op.create_table(
        "oidc_provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("client_id", sa.String(length=200), nullable=False),
        sa.Column("secret_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_oidc_provider_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_provider")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_oidc_provider_office_id_id")),
    )
    op.create_index(
        "uq_oidc_provider_issuer",
        "oidc_provider",
        ["office_id", "issuer"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "oidc_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("last_used_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "provider_id"],
            ["oidc_provider.office_id", "oidc_provider.id"],
            name=op.f("fk_oidc_link_office_id_provider_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_oidc_link_office_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_oidc_link_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_link")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_oidc_link_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "provider_id", "subject", name=op.f("uq_oidc_link_office_id_provider_id_subject")
        ),
        sa.UniqueConstraint("office_id", "provider_id", "user_id", name="uq_oidc_link_user"),
    )
    op.create_index(op.f("ix_oidc_link_user_id"), "oidc_link", ["user_id"], unique=False)
    tenancy.open_globally(GLOBAL_TABLES)
    tenancy.secure(OFFICE_TABLES)
