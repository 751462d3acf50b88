"""Transactions: change sets to follow, words and labels to search by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0010"
down_revision = "0002"
branch_labels = None
depends_on = None

OFFICE_TABLES = ("change_set", "pending_removal", "transaction_label", "transaction_term")


def upgrade() -> None:
    op.create_table(
        "change_set",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("indexed_at", database.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_change_set_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_change_set_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_set")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_change_set_office_id_id")),
        sa.UniqueConstraint(
            "office_id",
            "position",
            deferrable=True,
            initially="DEFERRED",
            name=op.f("uq_change_set_office_id_position"),
        ),
    )
    op.create_index(op.f("ix_change_set_account_id"), "change_set", ["account_id"], unique=False)
    op.create_table(
        "pending_removal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("removed_in", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "account_id"],
            ["account.office_id", "account.id"],
            name=op.f("fk_pending_removal_office_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["office_id", "removed_in"],
            ["change_set.office_id", "change_set.id"],
            name=op.f("fk_pending_removal_office_id_removed_in"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_pending_removal_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_removal")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_pending_removal_office_id_id")),
    )
    op.create_index(op.f("ix_pending_removal_removed_in"), "pending_removal", ["removed_in"], unique=False)
    op.create_table(
        "transaction_label",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "transaction_id"],
            ["bank_transaction.office_id", "bank_transaction.id"],
            name=op.f("fk_transaction_label_office_id_transaction_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_transaction_label_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transaction_label")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_transaction_label_office_id_id")),
        sa.UniqueConstraint(
            "office_id", "label", "transaction_id", name=op.f("uq_transaction_label_office_id_label_transaction_id")
        ),
    )
    op.create_index(op.f("ix_transaction_label_transaction_id"), "transaction_label", ["transaction_id"], unique=False)
    op.create_table(
        "transaction_term",
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("term", sa.String(length=40, collation="C"), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("is_name", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "transaction_id"],
            ["bank_transaction.office_id", "bank_transaction.id"],
            name=op.f("fk_transaction_term_office_id_transaction_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_transaction_term_office_id")),
        sa.PrimaryKeyConstraint("office_id", "term", "transaction_id", "is_name", name=op.f("pk_transaction_term")),
    )
    op.create_index(op.f("ix_transaction_term_transaction_id"), "transaction_term", ["transaction_id"], unique=False)

    op.add_column("bank_transaction", sa.Column("added_in", sa.Uuid(), nullable=True))
    op.add_column("bank_transaction", sa.Column("changed_in", sa.Uuid(), nullable=True))
    op.add_column("office_head", sa.Column("change_position", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("pending_transaction", sa.Column("added_in", sa.Uuid(), nullable=True))
    _put_into_sets()
    op.create_index(op.f("ix_bank_transaction_changed_in"), "bank_transaction", ["changed_in"], unique=False)
    op.create_index("ix_bank_transaction_office_amount", "bank_transaction", ["office_id", "amount"], unique=False)
    op.create_index(
        "ix_bank_transaction_office_end_to_end", "bank_transaction", ["office_id", "end_to_end_id"], unique=False
    )
    op.create_index(
        "ix_bank_transaction_office_iban", "bank_transaction", ["office_id", "counterparty_iban"], unique=False
    )
    op.create_index(
        "ix_bank_transaction_office_reference", "bank_transaction", ["office_id", "structured_reference"], unique=False
    )
    op.create_foreign_key(
        op.f("fk_bank_transaction_office_id_added_in"),
        "bank_transaction",
        "change_set",
        ["office_id", "added_in"],
        ["office_id", "id"],
    )
    op.create_foreign_key(
        op.f("fk_bank_transaction_office_id_changed_in"),
        "bank_transaction",
        "change_set",
        ["office_id", "changed_in"],
        ["office_id", "id"],
    )
    op.create_index(op.f("ix_pending_transaction_added_in"), "pending_transaction", ["added_in"], unique=False)
    op.create_foreign_key(
        op.f("fk_pending_transaction_office_id_added_in"),
        "pending_transaction",
        "change_set",
        ["office_id", "added_in"],
        ["office_id", "id"],
    )
    tenancy.secure(OFFICE_TABLES)


def _put_into_sets() -> None:
    """What is stored already becomes one change set an account, in the order of the accounts."""
    op.execute(
        "INSERT INTO change_set (id, office_id, account_id, position, created_at)"
        " SELECT gen_random_uuid(), office_id, id, row_number() OVER (PARTITION BY office_id ORDER BY id), now()"
        " FROM account"
    )
    op.execute(
        "UPDATE office_head SET change_position = (SELECT count(*) FROM change_set s"
        " WHERE s.office_id = office_head.office_id)"
    )
    op.execute(
        "UPDATE bank_transaction SET added_in = s.id, changed_in = s.id"
        " FROM change_set s WHERE s.account_id = bank_transaction.account_id"
    )
    op.execute(
        "UPDATE pending_transaction SET added_in = s.id"
        " FROM change_set s WHERE s.account_id = pending_transaction.account_id"
    )
    op.alter_column("bank_transaction", "added_in", nullable=False)
    op.alter_column("bank_transaction", "changed_in", nullable=False)
    op.alter_column("pending_transaction", "added_in", nullable=False)
    op.alter_column("office_head", "change_position", server_default=None)
    # The words of those rows are taken out like those of any reading.
    op.execute(
        "SELECT procrastinate_defer_jobs_v1(array_agg(ROW('default', 'index_transactions', 0, NULL, NULL,"
        " jsonb_build_object('office_id', office_id::text, 'change_set_id', id::text), NULL)"
        "::procrastinate_job_to_defer_v1)) FROM change_set HAVING count(*) > 0"
    )
