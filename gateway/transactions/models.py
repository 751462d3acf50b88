"""Tables of transactions: booked ones, their earlier forms, pending ones, what changed when, words, labels, doubts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, Index, Numeric, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from gateway.database import Base, Moment, Money, office_key, office_reference

Term = String(40, collation="C")
"""A folded word; 40 characters tell any two apart that people tell apart."""

RAW_TABLE = "bank_transaction"
"""Name to which encrypted raw rows of booked transactions are bound."""


class TransactionFacts(SQLModel):
    """What a bank says of one transaction, in the normal form of `connectors.model.Transaction`."""

    value_date: date | None = None
    is_value_date_assumed: bool = False
    amount: Decimal = Field(sa_type=Money)
    currency: str = Field(max_length=3)
    bank_transaction_id: str | None = None
    original_amount: Decimal | None = Field(default=None, sa_type=Money)
    original_currency: str | None = Field(default=None, max_length=3)
    exchange_rate: Decimal | None = Field(default=None, sa_type=Numeric)
    fee: Decimal | None = Field(default=None, sa_type=Money)
    counterparty_name: str | None = None
    counterparty_iban: str | None = None
    counterparty_bban: str | None = None
    counterparty_bic: str | None = None
    counterparty_source: str | None = None
    remittance_information: str | None = None
    additional_information: str | None = None
    structured_reference_kind: str | None = None
    structured_reference: str | None = None
    end_to_end_id: str | None = None
    mandate_id: str | None = None
    creditor_id: str | None = None
    purpose_code: str | None = None
    iso_code: str | None = None
    proprietary_code: str | None = None
    batch_count: int | None = None
    balance_after: Decimal | None = Field(default=None, sa_type=Money)
    coda_code: str = Field(max_length=8)
    coda_code_basis: str = Field(max_length=12)
    missing_fields: list[str] = Field(default_factory=list, sa_type=JSONB)
    warnings: list[str] = Field(default_factory=list, sa_type=JSONB)


class BankTransaction(Base, TransactionFacts, table=True):
    """A booked transaction. It is marked when it vanishes at the bank, never deleted (SYN-06)."""

    __tablename__ = "bank_transaction"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        UniqueConstraint("account_id", "fingerprint", "fingerprint_version", "occurrence"),
        Index("ix_bank_transaction_account_day", "account_id", "booking_date", "id"),
        Index("ix_bank_transaction_office_day", "office_id", "booking_date", "id"),
        Index("ix_bank_transaction_office_amount", "office_id", "amount"),
        Index("ix_bank_transaction_office_iban", "office_id", "counterparty_iban"),
        Index("ix_bank_transaction_office_reference", "office_id", "structured_reference"),
        Index("ix_bank_transaction_office_end_to_end", "office_id", "end_to_end_id"),
        office_reference("added_in", "change_set"),
        office_reference("changed_in", "change_set"),
        office_reference("upload_id", "statement_upload"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID
    state: str = Field(max_length=8)
    """`booked`, or `vanished` at the bank."""
    booking_date: date
    fingerprint: str = Field(max_length=64)
    fingerprint_version: int
    occurrence: int
    """1, 2 … among rows that are alike in every way: twins stay two."""
    raw_cipher: bytes
    created_at: datetime = Field(sa_type=Moment)
    """Start of the reading that first gave it."""
    changed_at: datetime = Field(sa_type=Moment)
    vanished_at: datetime | None = Field(default=None, sa_type=Moment)
    added_in: UUID
    """The change set that first gave it."""
    changed_in: UUID = Field(index=True)
    """The last change set that touched it; the same as `added_in` when none did since."""
    upload_id: UUID | None = None
    """The upload that brought it; None for one that the bank gave (STA-19)."""


class ChangeSet(Base, table=True):
    """What one reading changed on one account. Numbered at its commit, so that no cursor skips a late one."""

    __tablename__ = "change_set"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        UniqueConstraint("office_id", "position", deferrable=True, initially="DEFERRED"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID = Field(index=True)
    position: int = Field(default=0, sa_type=BigInteger)
    """1, 2, 3 … within the office, in order of commit."""
    created_at: datetime = Field(sa_type=Moment)
    indexed_at: datetime | None = Field(default=None, sa_type=Moment)
    """When its words could be searched for."""


class TransactionTerm(Base, table=True):
    """A word of a transaction's texts, folded. Compared bytewise: the only order that row-level security lets index."""

    __tablename__ = "transaction_term"
    __table_args__ = (office_reference("transaction_id", "bank_transaction"),)

    office_id: UUID = Field(primary_key=True, foreign_key="office.id")
    term: str = Field(primary_key=True, sa_type=Term)
    transaction_id: UUID = Field(primary_key=True, index=True)
    is_name: bool = Field(primary_key=True)
    """Whether it stands in the counterparty's name."""


class TransactionLabel(Base, table=True):
    """A word of the office's own on a transaction."""

    __tablename__ = "transaction_label"
    __table_args__ = (
        office_key(),
        office_reference("transaction_id", "bank_transaction"),
        UniqueConstraint("office_id", "label", "transaction_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    transaction_id: UUID = Field(index=True)
    label: str = Field(max_length=40)


class TransactionRevision(Base, table=True):
    """The form a transaction had before the bank changed it."""

    __tablename__ = "transaction_revision"
    __table_args__ = (office_key(), office_reference("transaction_id", "bank_transaction"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    transaction_id: UUID = Field(index=True)
    kind: str = Field(max_length=8)
    """`edited`, `vanished` or `revived`."""
    booking_date: date
    fingerprint: str = Field(max_length=64)
    fingerprint_version: int
    raw_cipher: bytes | None = None
    """The raw form replaced; None where it did not change."""
    replaced_at: datetime = Field(sa_type=Moment)


class PendingTransaction(Base, TransactionFacts, table=True):
    """Announced, not booked, never part of statements (SYN-07). One that a reading shows unchanged keeps its id."""

    __tablename__ = "pending_transaction"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        office_reference("added_in", "change_set"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID = Field(index=True)
    booking_date: date | None = None
    created_at: datetime = Field(sa_type=Moment)
    added_in: UUID = Field(index=True)


class PendingRemoval(Base, table=True):
    """A pending transaction that is no longer announced; whoever keeps a copy removes it."""

    __tablename__ = "pending_removal"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        office_reference("removed_in", "change_set"),
    )

    id: UUID = Field(primary_key=True)
    """The id that the transaction had."""
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID
    removed_in: UUID = Field(index=True)


class ReviewItem(Base, table=True):
    """A row nobody can decide without a person: kept, never dropped (SYN-05, SYN-08)."""

    __tablename__ = "review_item"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        office_reference("transaction_id", "bank_transaction"),
        office_reference("statement_id", "statement"),
        UniqueConstraint("account_id", "digest"),
        Index("ix_review_item_office_state", "office_id", "state", "id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID
    reason: str = Field(max_length=40)
    """Stable code: that of `RejectedRow`, `edit_undecided` or `changed_after_issue`."""
    state: str = Field(max_length=8)
    digest: bytes
    """Keyed hash of reason and raw row: the same row read again makes no second item."""
    raw_cipher: bytes
    booking_date: date | None = None
    amount_before: Decimal | None = Field(default=None, sa_type=Money)
    """Of a row changed after issue: what it counted for before; zero where it was not there."""
    amount: Decimal | None = Field(default=None, sa_type=Money)
    """What it counts for now; with an undecided sign the bare amount; None where the bank gave none."""
    currency: str | None = Field(default=None, max_length=3)
    transaction_id: UUID | None = Field(default=None, index=True)
    """The row as it is stored, where it is."""
    statement_id: UUID | None = Field(default=None, index=True)
    """The issued statement that a changed row stands on."""
    candidates: list[str] = Field(default_factory=list, sa_type=JSONB)
    """Ids of vanished rows whose new form it may be."""
    decision: str | None = Field(default=None, max_length=16)
    created_at: datetime = Field(sa_type=Moment)
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)
