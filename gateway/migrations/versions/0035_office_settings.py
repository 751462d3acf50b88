"""Settings of an office, its logo, its template, and what a client got from it (OFF-01)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.embedded import APPLICATION
from gateway.migrations import tenancy

revision = "0035"
down_revision = "0039b"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ("office_logo", "office_template", "client_settings")


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.add_column("office", sa.Column("default_delivery", sa.String(length=10), nullable=True))
    op.add_column("office", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.alter_column("office", "version", server_default=None)
    op.create_table(
        "office_logo",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_office_logo_office_id")),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_office_logo")),
    )
    op.create_table(
        "office_template",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_office_template_office_id")),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_office_template")),
    )
    op.create_table(
        "client_settings",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("statements_from", sa.String(length=16), nullable=False),
        sa.Column("first_coda_number", sa.Integer(), nullable=True),
        sa.Column("consent_reminder_days", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("approval_reminder_days", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("approval_expiry_days", sa.Integer(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("rules_copied", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_client_settings_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_settings_office_id")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_settings")),
    )
    op.create_index(op.f("ix_client_settings_office_id"), "client_settings", ["office_id"])
    tenancy.secure(OFFICE_TABLES)
    _allow_forgetting_copied_rules()


def _allow_forgetting_copied_rules() -> None:
    """The service may not delete a version of a rule; undoing an import takes back those copied to a new client.

    The function does it for the unit of work's office only, and only where nothing but the copy was ever made and no
    payment exists. It belongs to the owner, whom policies do not bind.
    """
    op.execute(
        f"""
        CREATE FUNCTION forget_copied_rules(clients uuid[]) RETURNS bigint
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
            WITH gone AS (
                DELETE FROM public.approval_rule_version AS version
                USING public.client_settings AS settings
                WHERE version.office_id = {tenancy.OFFICE}
                AND version.client_id = ANY(clients)
                AND settings.client_id = version.client_id
                AND NOT EXISTS (SELECT FROM public.basket AS basket WHERE basket.client_id = version.client_id)
                AND NOT EXISTS (
                    SELECT FROM public.approval_rule_version AS later
                    WHERE later.client_id = version.client_id AND later.revision > settings.rules_copied
                )
                RETURNING version.id
            )
            SELECT count(*) FROM gone
        $$
        """  # noqa: S608  the only text put in is a constant of ours
    )
    op.execute("REVOKE ALL ON FUNCTION forget_copied_rules(uuid[]) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION forget_copied_rules(uuid[]) TO {APPLICATION}")
