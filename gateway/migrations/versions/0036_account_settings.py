"""Accounts: place, default debtor account, dossier code; known accounts say which account they became."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("position", sa.Integer(), nullable=False, server_default="1"))
    for table in ("account", "known_account"):
        op.add_column(table, sa.Column("is_default_debtor", sa.Boolean(), nullable=False, server_default=sa.false()))
        op.add_column(table, sa.Column("dossier_code", sa.String(length=20), nullable=True))
    op.add_column("known_account", sa.Column("is_visible", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("known_account", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("known_account", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_known_account_office_id_account_id"),
        "known_account",
        "account",
        ["office_id", "account_id"],
        ["office_id", "id"],
    )
    for table in ("account", "known_account"):
        op.create_index(
            f"uq_{table}_default_debtor",
            table,
            ["office_id", "client_id"],
            unique=True,
            postgresql_where=sa.text("is_default_debtor"),
        )
    # Until now statements began on the first day of history by themselves: what began goes on.
    op.execute("UPDATE account SET statements_from = history_from WHERE statements_from IS NULL")
    # The same number connected already: the account's settings count.
    op.execute(
        "UPDATE known_account SET account_id = account.id FROM account"
        " WHERE account.office_id = known_account.office_id AND account.client_id = known_account.client_id"
        " AND account.iban = known_account.iban AND account.currency = 'EUR'"
    )
    for table, column in (
        ("account", "position"),
        ("account", "is_default_debtor"),
        ("known_account", "is_default_debtor"),
        ("known_account", "is_visible"),
        ("known_account", "version"),
    ):
        op.alter_column(table, column, server_default=None)
