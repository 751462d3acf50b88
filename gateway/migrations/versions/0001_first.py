"""First schema: the job queue, the global tables, the tables of offices with their policies."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway import database
from gateway.embedded import APPLICATION
from gateway.migrations import tenancy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GLOBAL_TABLES = (
    "app_user",
    "callback_token",
    "credential",
    "membership",
    "office",
    "sign_in_attempt",
    "web_session",
)
OFFICE_TABLES = (
    "audit_entry",
    "client",
    "office_head",
    "access_grant",
    "approval_rule",
    "approval_settings",
    "approver_group",
    "audit_value",
    "basket",
    "consent",
    "payment_settings",
    "account",
    "approval_rule_version",
    "approver_group_member",
    "account_day",
    "bank_transaction",
    "consent_account",
    "export",
    "payment",
    "pending_transaction",
    "review_item",
    "statement",
    "statement_chain",
    "sync",
    "approval",
    "approval_request",
    "balance",
    "export_block",
    "export_download",
    "export_file",
    "finding_acceptance",
    "payment_preparer",
    "statement_entry",
    "statement_file",
    "transaction_revision",
    "export_payment",
)
INSERT_ONLY_TABLES = (
    "approval",
    "approval_rule_version",
    "audit_entry",
    "export_download",
    "export_file",
    "statement_file",
)
QUEUE_SCHEMA = Path(__file__).parents[1] / "sql" / "procrastinate_3.10.0.sql"


def upgrade() -> None:
    _make_queue()
    _make_tables()
    tenancy.secure(OFFICE_TABLES)
    tenancy.open_globally(GLOBAL_TABLES)
    tenancy.insert_only(INSERT_ONLY_TABLES)


def _make_queue() -> None:
    # procrastinate's own schema, copied; the driver runs the whole script at once.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None, "migrations run online"
    driver.execute(QUEUE_SCHEMA.read_text())
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APPLICATION}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APPLICATION}")


def _make_tables() -> None:
    op.create_table(
        "app_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("first_name", sa.String(length=70), nullable=False),
        sa.Column("last_name", sa.String(length=70), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", database.Moment(), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("email", name=op.f("uq_app_user_email")),
    )
    op.create_table(
        "office",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("mode", sa.String(length=4), nullable=False),
        sa.Column("consent_days_max", sa.Integer(), nullable=False),
        sa.Column("clock_offset_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure_at", database.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_attempt")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("occurred_at", database.Moment(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object_kind", sa.String(length=30), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("second_factor", sa.String(length=10), nullable=True),
        sa.Column("digests", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("previous_mac", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_audit_entry_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_audit_entry_office_id_id")),
        sa.UniqueConstraint("office_id", "position", name=op.f("uq_audit_entry_office_id_position")),
    )
    op.create_index(op.f("ix_audit_entry_client_id"), "audit_entry", ["client_id"], unique=False)
    op.create_table(
        "callback_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("expires_at", database.Moment(), nullable=False),
        sa.Column("used_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_callback_token_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_callback_token_token_hash")),
    )
    op.create_index(op.f("ix_callback_token_consent_id"), "callback_token", ["consent_id"], unique=False)
    op.create_table(
        "client",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_number", sa.String(length=10), nullable=True),
        sa.Column("dossier_code", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=70), nullable=True),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column(
            "state",
            sa.Enum("pending", "active", "suspended", "closed", name="clientstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("financial_year_end", sa.String(length=5), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_client_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint(
            "office_id",
            "enterprise_number",
            "dossier_code",
            name=op.f("uq_client_office_id_enterprise_number_dossier_code"),
        ),
        sa.UniqueConstraint("office_id", "external_id", name=op.f("uq_client_office_id_external_id")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_client_office_id_id")),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("prefix", sa.String(length=40), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.String(length=40)), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("expires_at", database.Moment(), nullable=True),
        sa.Column("last_used_at", database.Moment(), nullable=True),
        sa.Column("revoked_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_credential_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_credential_secret_hash")),
    )
    op.create_index(op.f("ix_credential_office_id"), "credential", ["office_id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_membership_office_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_membership_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_office_id"), "membership", ["office_id"], unique=False)
    op.create_index(op.f("ix_membership_user_id"), "membership", ["user_id"], unique=False)
    op.create_index(
        "uq_membership_held",
        "membership",
        ["user_id", "office_id", "client_id", "role"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "office_head",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("audit_position", sa.Integer(), nullable=False),
        sa.Column("audit_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_office_head_office_id")),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_office_head")),
    )
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("form_token", sa.String(length=64), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("last_seen_at", database.Moment(), nullable=False),
        sa.Column("second_factor_at", database.Moment(), nullable=True),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_web_session_office_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_web_session_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
    )
    op.create_index(op.f("ix_web_session_user_id"), "web_session", ["user_id"], unique=False)
    op.create_table(
        "access_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_access_grant_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_access_grant_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_access_grant_office_id_id")),
    )
    op.create_index(op.f("ix_access_grant_client_id"), "access_grant", ["client_id"], unique=False)
    op.create_table(
        "approval_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_approval_rule_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_approval_rule_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_rule")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_approval_rule_office_id_id")),
    )
    op.create_index(
        op.f("ix_approval_rule_office_id_client_id"), "approval_rule", ["office_id", "client_id"], unique=False
    )
    op.create_table(
        "approval_settings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("is_payment_process_on", sa.Boolean(), nullable=False),
        sa.Column("preparer_may_approve", sa.Boolean(), nullable=False),
        sa.Column("rules_revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_approval_settings_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_approval_settings_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_settings")),
        sa.UniqueConstraint("office_id", "client_id", name=op.f("uq_approval_settings_office_id_client_id")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_approval_settings_office_id_id")),
    )
    op.create_table(
        "approver_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_approver_group_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_approver_group_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approver_group")),
        sa.UniqueConstraint("office_id", "client_id", "name", name=op.f("uq_approver_group_office_id_client_id_name")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_approver_group_office_id_id")),
    )
    op.create_table(
        "audit_value",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("old_value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("new_value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "entry_id"],
            ["audit_entry.office_id", "audit_entry.id"],
            name=op.f("fk_audit_value_office_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_audit_value_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_value")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_audit_value_office_id_id")),
    )
    op.create_index(op.f("ix_audit_value_entry_id"), "audit_value", ["entry_id"], unique=False)
    op.create_table(
        "basket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("external_id", sa.String(length=70), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "approved",
                "processing",
                "closed",
                "cancelled",
                name="basketstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by_kind", sa.String(length=10), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("submitted_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"], ["client.office_id", "client.id"], name=op.f("fk_basket_office_id_client_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_basket_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_basket")),
        sa.UniqueConstraint("office_id", "external_id", name=op.f("uq_basket_office_id_external_id")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_basket_office_id_id")),
    )
    op.create_index(op.f("ix_basket_office_id_client_id_id"), "basket", ["office_id", "client_id", "id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("bank_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("state_since", database.Moment(), nullable=False),
        sa.Column("end_code", sa.String(length=40), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("return_url", sa.String(length=500), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("link_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("link_expires_at", database.Moment(), nullable=False),
        sa.Column("handle_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("callback_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("tokens_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("tokens_version", sa.Integer(), nullable=False),
        sa.Column("refresh_started_at", database.Moment(), nullable=True),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("starts_failed", sa.Integer(), nullable=False),
        sa.Column("refusal_code", sa.String(length=40), nullable=True),
        sa.Column("polled_at", database.Moment(), nullable=True),
        sa.Column("started_at", database.Moment(), nullable=True),
        sa.Column("accounts_read_at", database.Moment(), nullable=True),
        sa.Column("chosen_at", database.Moment(), nullable=True),
        sa.Column("is_bank_end_due", sa.Boolean(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"], ["client.office_id", "client.id"], name=op.f("fk_consent_office_id_client_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_consent_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_consent_office_id_id")),
    )
    op.create_index(op.f("ix_consent_client_id"), "consent", ["client_id"], unique=False)
    op.create_index("ix_consent_office_state", "consent", ["office_id", "state"], unique=False)
    op.create_table(
        "payment_settings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("pain_version", sa.String(length=20), nullable=False),
        sa.Column("address_mode", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"],
            ["client.office_id", "client.id"],
            name=op.f("fk_payment_settings_office_id_client_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_payment_settings_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_settings")),
        sa.UniqueConstraint("office_id", "client_id", name=op.f("uq_payment_settings_office_id_client_id")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_payment_settings_office_id_id")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("bank_id", sa.String(length=40), nullable=False),
        sa.Column("bank_account_id", sa.String(length=200), nullable=True),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=False),
        sa.Column("holder_name", sa.String(length=140), nullable=True),
        sa.Column("alias", sa.String(length=70), nullable=True),
        sa.Column("is_visible", sa.Boolean(), nullable=False),
        sa.Column("statements_from", sa.Date(), nullable=True),
        sa.Column("history_from", sa.Date(), nullable=True),
        sa.Column("complete_until", sa.Date(), nullable=True),
        sa.Column("health", sa.String(length=8), nullable=False),
        sa.Column("health_code", sa.String(length=40), nullable=True),
        sa.Column("health_since", database.Moment(), nullable=False),
        sa.Column("fresh_as_of", database.Moment(), nullable=True),
        sa.Column("last_sync_at", database.Moment(), nullable=True),
        sa.Column("reread_for", sa.Date(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"], ["client.office_id", "client.id"], name=op.f("fk_account_office_id_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "consent_id"],
            ["consent.office_id", "consent.id"],
            name=op.f("fk_account_office_id_consent_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_account_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("office_id", "iban", "currency", name=op.f("uq_account_office_id_iban_currency")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_account_office_id_id")),
    )
    op.create_index(op.f("ix_account_client_id"), "account", ["client_id"], unique=False)
    op.create_index(op.f("ix_account_consent_id"), "account", ["consent_id"], unique=False)
    op.create_table(
        "approval_rule_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("approvers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "rule_id"],
            ["approval_rule.office_id", "approval_rule.id"],
            name=op.f("fk_approval_rule_version_office_id_rule_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_approval_rule_version_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_rule_version")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_approval_rule_version_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "rule_id", "version", name=op.f("uq_approval_rule_version_office_id_rule_id_version")
        ),
    )
    op.create_table(
        "approver_group_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("since", database.Moment(), nullable=False),
        sa.Column("ended_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "group_id"],
            ["approver_group.office_id", "approver_group.id"],
            name=op.f("fk_approver_group_member_office_id_group_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_approver_group_member_office_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_approver_group_member_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approver_group_member")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_approver_group_member_office_id_id")),
    )
    op.create_index(
        "uq_approver_group_member_present",
        "approver_group_member",
        ["office_id", "group_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "account_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("proof", sa.String(length=16), nullable=True),
        sa.Column("cause", sa.String(length=40), nullable=True),
        sa.Column("opening_balance", database.Money(), nullable=True),
        sa.Column("closing_balance", database.Money(), nullable=True),
        sa.Column("entries_count", sa.Integer(), nullable=False),
        sa.Column("late_count", sa.Integer(), nullable=False),
        sa.Column("span_from", sa.Date(), nullable=True),
        sa.Column("span_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_account_day_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_account_day_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_day")),
        sa.UniqueConstraint("account_id", "day", name=op.f("uq_account_day_account_id_day")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_account_day_office_id_id")),
    )
    op.create_table(
        "bank_transaction",
        sa.Column("value_date", sa.Date(), nullable=True),
        sa.Column("is_value_date_assumed", sa.Boolean(), nullable=False),
        sa.Column("amount", database.Money(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("bank_transaction_id", sa.String(), nullable=True),
        sa.Column("original_amount", database.Money(), nullable=True),
        sa.Column("original_currency", sa.String(length=3), nullable=True),
        sa.Column("exchange_rate", sa.Numeric(), nullable=True),
        sa.Column("fee", database.Money(), nullable=True),
        sa.Column("counterparty_name", sa.String(), nullable=True),
        sa.Column("counterparty_iban", sa.String(), nullable=True),
        sa.Column("counterparty_bban", sa.String(), nullable=True),
        sa.Column("counterparty_bic", sa.String(), nullable=True),
        sa.Column("counterparty_source", sa.String(), nullable=True),
        sa.Column("remittance_information", sa.String(), nullable=True),
        sa.Column("additional_information", sa.String(), nullable=True),
        sa.Column("structured_reference_kind", sa.String(), nullable=True),
        sa.Column("structured_reference", sa.String(), nullable=True),
        sa.Column("end_to_end_id", sa.String(), nullable=True),
        sa.Column("mandate_id", sa.String(), nullable=True),
        sa.Column("creditor_id", sa.String(), nullable=True),
        sa.Column("purpose_code", sa.String(), nullable=True),
        sa.Column("iso_code", sa.String(), nullable=True),
        sa.Column("proprietary_code", sa.String(), nullable=True),
        sa.Column("batch_count", sa.Integer(), nullable=True),
        sa.Column("balance_after", database.Money(), nullable=True),
        sa.Column("coda_code", sa.String(length=8), nullable=False),
        sa.Column("coda_code_basis", sa.String(length=12), nullable=False),
        sa.Column("missing_fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("fingerprint_version", sa.Integer(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("raw_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("changed_at", database.Moment(), nullable=False),
        sa.Column("vanished_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_bank_transaction_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_bank_transaction_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_transaction")),
        sa.UniqueConstraint(
            "account_id",
            "fingerprint",
            "fingerprint_version",
            "occurrence",
            name=op.f("uq_bank_transaction_account_id_fingerprint_fingerprint_version_occurrence"),
        ),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_bank_transaction_office_id_id")),
    )
    op.create_index(
        "ix_bank_transaction_account_day", "bank_transaction", ["account_id", "booking_date", "id"], unique=False
    )
    op.create_index(
        "ix_bank_transaction_office_day", "bank_transaction", ["office_id", "booking_date", "id"], unique=False
    )
    op.create_table(
        "consent_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.String(length=200), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=140), nullable=True),
        sa.Column("product", sa.String(length=140), nullable=True),
        sa.Column("holder_name", sa.String(length=140), nullable=True),
        sa.Column("bic", sa.String(length=11), nullable=True),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_consent_account_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "consent_id"],
            ["consent.office_id", "consent.id"],
            name=op.f("fk_consent_account_office_id_consent_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_consent_account_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_account")),
        sa.UniqueConstraint(
            "consent_id", "bank_account_id", name=op.f("uq_consent_account_consent_id_bank_account_id")
        ),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_consent_account_office_id_id")),
    )
    op.create_index(op.f("ix_consent_account_consent_id"), "consent_account", ["consent_id"], unique=False)
    op.create_table(
        "export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("basket_id", sa.Uuid(), nullable=False),
        sa.Column("debtor_account_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.String(length=35), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "downloaded",
                "sent",
                "accepted",
                "partly_refused",
                "refused",
                "settled",
                "replaced",
                "voided",
                name="exportstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("pain_version", sa.String(length=20), nullable=False),
        sa.Column("file_name", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("payment_count", sa.Integer(), nullable=False),
        sa.Column("total", database.Money(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("first_downloaded_at", database.Moment(), nullable=True),
        sa.Column("voided_reason", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "basket_id"], ["basket.office_id", "basket.id"], name=op.f("fk_export_office_id_basket_id")
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"], ["client.office_id", "client.id"], name=op.f("fk_export_office_id_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "debtor_account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_export_office_id_debtor_account_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_export_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
        sa.UniqueConstraint(
            "office_id", "client_id", "message_id", name=op.f("uq_export_office_id_client_id_message_id")
        ),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_export_office_id_id")),
    )
    op.create_index(op.f("ix_export_office_id_client_id_id"), "export", ["office_id", "client_id", "id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("basket_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "approved",
                "rejected",
                "cancelled",
                "paid_elsewhere",
                "initiating",
                "qr_shown",
                "exported",
                "sent",
                "executed",
                "altered",
                "refused",
                "returned",
                name="paymentstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("debtor_account_id", sa.Uuid(), nullable=False),
        sa.Column("debtor_iban", sa.String(length=34), nullable=False),
        sa.Column("creditor_name", sa.String(length=400), nullable=False),
        sa.Column("sent_creditor_name", sa.String(length=1200), nullable=False),
        sa.Column("creditor_iban", sa.String(length=42), nullable=False),
        sa.Column("creditor_bic", sa.String(length=20), nullable=True),
        sa.Column("creditor_address", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("sent_creditor_address", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("creditor_supplier_id", sa.String(length=70), nullable=True),
        sa.Column("creditor_enterprise_number", sa.String(length=20), nullable=True),
        sa.Column("creditor_key", sa.String(length=120), nullable=False),
        sa.Column("creditor_state", sa.String(length=10), nullable=True),
        sa.Column("amount", database.Money(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("date_choice", sa.String(length=16), nullable=False),
        sa.Column("asked_date", sa.Date(), nullable=True),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("used_date", sa.Date(), nullable=True),
        sa.Column("remittance", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("sent_remittance", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("category_purpose", sa.String(length=4), nullable=True),
        sa.Column("labels", sa.ARRAY(sa.String(length=70)), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("external_id", sa.String(length=70), nullable=True),
        sa.Column("source_reference", sa.String(length=140), nullable=True),
        sa.Column("invoice_date", sa.Date(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("amount_due", database.Money(), nullable=True),
        sa.Column("already_paid", database.Money(), nullable=True),
        sa.Column("is_source_unbooked", sa.Boolean(), nullable=False),
        sa.Column("invoice_sha256", sa.String(length=64), nullable=True),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=False),
        sa.Column("check_result", sa.String(length=8), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("approval_round", sa.Integer(), nullable=False),
        sa.Column("rules_revision", sa.Integer(), nullable=True),
        sa.Column("approval_basis", sa.String(length=12), nullable=True),
        sa.Column("seal", sa.String(length=80), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("submitted_at", database.Moment(), nullable=True),
        sa.Column("ended_reason", sa.String(length=140), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "basket_id"], ["basket.office_id", "basket.id"], name=op.f("fk_payment_office_id_basket_id")
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"], ["client.office_id", "client.id"], name=op.f("fk_payment_office_id_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "debtor_account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_payment_office_id_debtor_account_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_payment_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("office_id", "basket_id", "position", name=op.f("uq_payment_office_id_basket_id_position")),
        sa.UniqueConstraint(
            "office_id", "client_id", "end_to_end_id", name=op.f("uq_payment_office_id_client_id_end_to_end_id")
        ),
        sa.UniqueConstraint("office_id", "external_id", name=op.f("uq_payment_office_id_external_id")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_payment_office_id_id")),
    )
    op.create_index(
        op.f("ix_payment_office_id_client_id_creditor_key_submitted_at"),
        "payment",
        ["office_id", "client_id", "creditor_key", "submitted_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payment_office_id_client_id_state_id"),
        "payment",
        ["office_id", "client_id", "state", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payment_office_id_source_reference"), "payment", ["office_id", "source_reference"], unique=False
    )
    op.create_table(
        "pending_transaction",
        sa.Column("value_date", sa.Date(), nullable=True),
        sa.Column("is_value_date_assumed", sa.Boolean(), nullable=False),
        sa.Column("amount", database.Money(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("bank_transaction_id", sa.String(), nullable=True),
        sa.Column("original_amount", database.Money(), nullable=True),
        sa.Column("original_currency", sa.String(length=3), nullable=True),
        sa.Column("exchange_rate", sa.Numeric(), nullable=True),
        sa.Column("fee", database.Money(), nullable=True),
        sa.Column("counterparty_name", sa.String(), nullable=True),
        sa.Column("counterparty_iban", sa.String(), nullable=True),
        sa.Column("counterparty_bban", sa.String(), nullable=True),
        sa.Column("counterparty_bic", sa.String(), nullable=True),
        sa.Column("counterparty_source", sa.String(), nullable=True),
        sa.Column("remittance_information", sa.String(), nullable=True),
        sa.Column("additional_information", sa.String(), nullable=True),
        sa.Column("structured_reference_kind", sa.String(), nullable=True),
        sa.Column("structured_reference", sa.String(), nullable=True),
        sa.Column("end_to_end_id", sa.String(), nullable=True),
        sa.Column("mandate_id", sa.String(), nullable=True),
        sa.Column("creditor_id", sa.String(), nullable=True),
        sa.Column("purpose_code", sa.String(), nullable=True),
        sa.Column("iso_code", sa.String(), nullable=True),
        sa.Column("proprietary_code", sa.String(), nullable=True),
        sa.Column("batch_count", sa.Integer(), nullable=True),
        sa.Column("balance_after", database.Money(), nullable=True),
        sa.Column("coda_code", sa.String(length=8), nullable=False),
        sa.Column("coda_code_basis", sa.String(length=12), nullable=False),
        sa.Column("missing_fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_pending_transaction_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_pending_transaction_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_transaction")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_pending_transaction_office_id_id")),
    )
    op.create_index(op.f("ix_pending_transaction_account_id"), "pending_transaction", ["account_id"], unique=False)
    op.create_table(
        "review_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("raw_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("resolved_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_review_item_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_review_item_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_item")),
        sa.UniqueConstraint("account_id", "digest", name=op.f("uq_review_item_account_id_digest")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_review_item_office_id_id")),
    )
    op.create_table(
        "statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("proof", sa.String(length=16), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opening_balance", database.Money(), nullable=False),
        sa.Column("closing_balance", database.Money(), nullable=False),
        sa.Column("entries_count", sa.Integer(), nullable=False),
        sa.Column("credit_total", database.Money(), nullable=False),
        sa.Column("debit_total", database.Money(), nullable=False),
        sa.Column("late_count", sa.Integer(), nullable=False),
        sa.Column("crosses_period", sa.Boolean(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("old_balance_date", sa.Date(), nullable=True),
        sa.Column("issued_at", database.Moment(), nullable=True),
        sa.Column("file_name", sa.String(length=60), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("hold_code", sa.String(length=40), nullable=True),
        sa.Column("difference", database.Money(), nullable=True),
        sa.Column("bank_balance", database.Money(), nullable=True),
        sa.Column("bank_balance_basis", sa.String(length=10), nullable=True),
        sa.Column("likely_causes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_statement_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "client_id"], ["client.office_id", "client.id"], name=op.f("fk_statement_office_id_client_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_statement_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("account_id", "day", "part", name=op.f("uq_statement_account_id_day_part")),
        sa.UniqueConstraint("account_id", "year", "number", name=op.f("uq_statement_account_id_year_number")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_statement_office_id_id")),
    )
    op.create_index(op.f("ix_statement_client_id"), "statement", ["client_id"], unique=False)
    op.create_index("ix_statement_office_day", "statement", ["office_id", "day", "id"], unique=False)
    op.create_table(
        "statement_chain",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("first_date", sa.Date(), nullable=False),
        sa.Column("opening_balance", database.Money(), nullable=False),
        sa.Column("opening_basis", sa.String(length=12), nullable=False),
        sa.Column("anchor_date", sa.Date(), nullable=False),
        sa.Column("anchor_read_at", database.Moment(), nullable=False),
        sa.Column("closed_until", sa.Date(), nullable=False),
        sa.Column("closing_balance", database.Money(), nullable=False),
        sa.Column("last_entry_date", sa.Date(), nullable=True),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_statement_chain_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_statement_chain_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_chain")),
        sa.UniqueConstraint("account_id", name=op.f("uq_statement_chain_account_id")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_statement_chain_office_id_id")),
    )
    op.create_table(
        "sync",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("is_attended", sa.Boolean(), nullable=False),
        sa.Column("psu_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("requested_at", database.Moment(), nullable=False),
        sa.Column("started_at", database.Moment(), nullable=True),
        sa.Column("finished_at", database.Moment(), nullable=True),
        sa.Column("window_from", sa.Date(), nullable=True),
        sa.Column("window_until", sa.Date(), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("bank_code", sa.String(length=70), nullable=True),
        sa.Column("retry_after_seconds", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"], ["account.office_id", "account.id"], name=op.f("fk_sync_office_id_account_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_sync_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_sync_office_id_id")),
    )
    op.create_index("ix_sync_account_requested", "sync", ["account_id", "requested_at"], unique=False)
    op.create_index("ix_sync_office_state", "sync", ["office_id", "state"], unique=False)
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("approval_round", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("reason_code", sa.String(length=20), nullable=True),
        sa.Column("reason_text", sa.String(length=280), nullable=True),
        sa.Column("payment_seal", sa.String(length=80), nullable=False),
        sa.Column("rule_versions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_at", database.Moment(), nullable=False),
        sa.Column("mac", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "payment_id"],
            ["payment.office_id", "payment.id"],
            name=op.f("fk_approval_office_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_approval_office_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_approval_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_approval_office_id_id")),
        sa.UniqueConstraint(
            "office_id",
            "payment_id",
            "approval_round",
            "user_id",
            name=op.f("uq_approval_office_id_payment_id_approval_round_user_id"),
        ),
    )
    op.create_index(op.f("ix_approval_office_id_user_id_id"), "approval", ["office_id", "user_id", "id"], unique=False)
    op.create_table(
        "approval_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("approval_round", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "pending",
                "approved",
                "rejected",
                "expired",
                "not_needed",
                "voided",
                name="requeststate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "payment_id"],
            ["payment.office_id", "payment.id"],
            name=op.f("fk_approval_request_office_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "rule_id"],
            ["approval_rule.office_id", "approval_rule.id"],
            name=op.f("fk_approval_request_office_id_rule_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_approval_request_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_request")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_approval_request_office_id_id")),
        sa.UniqueConstraint(
            "office_id",
            "payment_id",
            "approval_round",
            "rule_id",
            name=op.f("uq_approval_request_office_id_payment_id_approval_round_rule_id"),
        ),
    )
    op.create_table(
        "balance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sync_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("amount", database.Money(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference_date", sa.Date(), nullable=True),
        sa.Column("read_at", database.Moment(), nullable=False),
        sa.Column("basis", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_balance_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "sync_id"], ["sync.office_id", "sync.id"], name=op.f("fk_balance_office_id_sync_id")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_balance_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_balance_office_id_id")),
    )
    op.create_index("ix_balance_account_reference", "balance", ["account_id", "reference_date"], unique=False)
    op.create_index(op.f("ix_balance_sync_id"), "balance", ["sync_id"], unique=False)
    op.create_table(
        "export_block",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("payment_information_id", sa.String(length=35), nullable=False),
        sa.Column("execution_date", sa.Date(), nullable=False),
        sa.Column("is_batch_booking", sa.Boolean(), nullable=False),
        sa.Column("payment_count", sa.Integer(), nullable=False),
        sa.Column("total", database.Money(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "export_id"],
            ["export.office_id", "export.id"],
            name=op.f("fk_export_block_office_id_export_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_export_block_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_block")),
        sa.UniqueConstraint(
            "office_id",
            "client_id",
            "payment_information_id",
            name=op.f("uq_export_block_office_id_client_id_payment_information_id"),
        ),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_export_block_office_id_id")),
    )
    op.create_index(op.f("ix_export_block_export_id"), "export_block", ["export_id"], unique=False)
    op.create_table(
        "export_download",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("downloaded_by", sa.Uuid(), nullable=False),
        sa.Column("downloaded_at", database.Moment(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "export_id"],
            ["export.office_id", "export.id"],
            name=op.f("fk_export_download_office_id_export_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_export_download_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_download")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_export_download_office_id_id")),
    )
    op.create_index(op.f("ix_export_download_export_id"), "export_download", ["export_id"], unique=False)
    op.create_table(
        "export_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "export_id"],
            ["export.office_id", "export.id"],
            name=op.f("fk_export_file_office_id_export_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_export_file_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_file")),
        sa.UniqueConstraint("office_id", "export_id", name=op.f("uq_export_file_office_id_export_id")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_export_file_office_id_id")),
    )
    op.create_table(
        "finding_acceptance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("approval_round", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("accepted_by_kind", sa.String(length=10), nullable=False),
        sa.Column("accepted_by", sa.Uuid(), nullable=False),
        sa.Column("accepted_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "payment_id"],
            ["payment.office_id", "payment.id"],
            name=op.f("fk_finding_acceptance_office_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_finding_acceptance_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_acceptance")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_finding_acceptance_office_id_id")),
        sa.UniqueConstraint(
            "office_id",
            "payment_id",
            "approval_round",
            "code",
            name=op.f("uq_finding_acceptance_office_id_payment_id_approval_round_code"),
        ),
    )
    op.create_table(
        "payment_preparer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("since", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "payment_id"],
            ["payment.office_id", "payment.id"],
            name=op.f("fk_payment_preparer_office_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_payment_preparer_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_preparer")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_payment_preparer_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "payment_id", "actor_id", name=op.f("uq_payment_preparer_office_id_payment_id_actor_id")
        ),
    )
    op.create_table(
        "statement_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("entry_date", sa.Date(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("amount", database.Money(), nullable=False),
        sa.Column("bank_reference", sa.String(length=21), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "statement_id"],
            ["statement.office_id", "statement.id"],
            name=op.f("fk_statement_entry_office_id_statement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "transaction_id"],
            ["bank_transaction.office_id", "bank_transaction.id"],
            name=op.f("fk_statement_entry_office_id_transaction_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_statement_entry_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_entry")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_statement_entry_office_id_id")),
        sa.UniqueConstraint("statement_id", "sequence", name=op.f("uq_statement_entry_statement_id_sequence")),
        sa.UniqueConstraint("transaction_id", name=op.f("uq_statement_entry_transaction_id")),
    )
    op.create_index(op.f("ix_statement_entry_account_id"), "statement_entry", ["account_id"], unique=False)
    op.create_table(
        "statement_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "statement_id"],
            ["statement.office_id", "statement.id"],
            name=op.f("fk_statement_file_office_id_statement_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_statement_file_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_file")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_statement_file_office_id_id")),
        sa.UniqueConstraint("statement_id", name=op.f("uq_statement_file_statement_id")),
    )
    op.create_table(
        "transaction_revision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("fingerprint_version", sa.Integer(), nullable=False),
        sa.Column("raw_cipher", sa.LargeBinary(), nullable=True),
        sa.Column("replaced_at", database.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "transaction_id"],
            ["bank_transaction.office_id", "bank_transaction.id"],
            name=op.f("fk_transaction_revision_office_id_transaction_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_transaction_revision_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transaction_revision")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_transaction_revision_office_id_id")),
    )
    op.create_index(
        op.f("ix_transaction_revision_transaction_id"), "transaction_revision", ["transaction_id"], unique=False
    )
    op.create_table(
        "export_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("seal", sa.String(length=80), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "block_id"],
            ["export_block.office_id", "export_block.id"],
            name=op.f("fk_export_payment_office_id_block_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "export_id"],
            ["export.office_id", "export.id"],
            name=op.f("fk_export_payment_office_id_export_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "payment_id"],
            ["payment.office_id", "payment.id"],
            name=op.f("fk_export_payment_office_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_export_payment_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_payment")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_export_payment_office_id_id")),
    )
    op.create_index(op.f("ix_export_payment_export_id"), "export_payment", ["export_id"], unique=False)
    op.create_index(
        "uq_export_payment_live",
        "export_payment",
        ["office_id", "payment_id"],
        unique=True,
        postgresql_where=sa.text("is_live"),
    )
