"""Signed heads of the audit chain, bundles for auditors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway import database
from gateway.migrations import tenancy

revision = "0005"
down_revision = "0009"
branch_labels = None
depends_on = None

GLOBAL_TABLES = ()
OFFICE_TABLES = ("audit_checkpoint", "audit_bundle", "audit_bundle_file")


def upgrade() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", database.Moment(), nullable=False),
        sa.Column("key_fingerprint", sa.String(length=16), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_audit_checkpoint_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checkpoint")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_audit_checkpoint_office_id_id")),
        sa.UniqueConstraint("office_id", "position", name=op.f("uq_audit_checkpoint_office_id_position")),
    )
    op.create_table(
        "audit_bundle",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("client_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("sample_size", sa.Integer(), nullable=False),
        sa.Column("first_payment_above", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_by_kind", sa.String(length=10), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.Moment(), nullable=False),
        sa.Column("finished_at", database.Moment(), nullable=True),
        sa.Column("failure", sa.String(length=300), nullable=True),
        sa.Column("head_position", sa.Integer(), nullable=True),
        sa.Column("entries_count", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_audit_bundle_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_bundle")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_audit_bundle_office_id_id")),
    )
    op.create_table(
        "audit_bundle_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("bundle_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id", "bundle_id"],
            ["audit_bundle.office_id", "audit_bundle.id"],
            name=op.f("fk_audit_bundle_file_office_id_bundle_id"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_audit_bundle_file_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_bundle_file")),
        sa.UniqueConstraint("office_id", "id", name=op.f("uq_audit_bundle_file_office_id_id")),
        sa.UniqueConstraint("office_id", "bundle_id", name=op.f("uq_audit_bundle_file_office_id_bundle_id")),
    )
    tenancy.secure(OFFICE_TABLES)
    tenancy.insert_only(("audit_checkpoint", "audit_bundle_file"))
