"""Tables of statements: the chain of an account, its days, the numbered periods, their entries and their bytes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, Money, office_key, office_reference

NOT_WITHDRAWN: Final = text("state <> 'withdrawn'")


class StatementChain(Base, table=True):
    """Where the chain of an account began and how far it is closed. It begins when its first balance proves."""

    __tablename__ = "statement_chain"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        office_reference("pending_restart_id", "chain_restart"),
        UniqueConstraint("account_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID
    first_date: date
    opening_balance: Decimal = Field(sa_type=Money)
    opening_basis: str = Field(max_length=12)
    """`derived` backwards from the first bank balance, `handed_over`, or `document` of a restart."""
    anchor_date: date
    """Day of the bank balance the opening was derived from; days up to it are `derived`."""
    anchor_read_at: datetime = Field(sa_type=Moment)
    """Rows first seen later were not in that balance, whatever their booking date."""
    closed_until: date
    """Every day up to this one is final."""
    closing_balance: Decimal = Field(sa_type=Money)
    """At the end of `closed_until`."""
    handed_year: int | None = None
    handed_number: int | None = None
    """Number of the last file that another office issued in that year: the next one here follows it (OFF-17)."""
    last_entry_date: date | None = None
    """Date of the last file with entries: the old-balance date of the next one."""
    computed_from: date | None = None
    """First closed day that no balance of the bank has proven yet (STA-04); None when all are proven."""
    restarted_at: datetime | None = Field(default=None, sa_type=Moment)
    """When two people restarted it last: entries found gone before are in that balance (STA-03)."""
    pending_restart_id: UUID | None = None
    """The restart that the next statement is to show."""
    created_at: datetime = Field(sa_type=Moment)


class AccountDay(Base, table=True):
    """One calendar day of an account as it stands; final up to the chain's `closed_until`."""

    __tablename__ = "account_day"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        UniqueConstraint("account_id", "day"),
        Index("ix_account_day_held", "office_id", "account_id", "day", postgresql_where=text("state = 'held'")),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID
    day: date
    state: str = Field(max_length=14)
    proof: str | None = Field(default=None, max_length=16)
    cause: str | None = Field(default=None, max_length=40)
    """Why it is not green or grey."""
    opening_balance: Decimal | None = Field(default=None, sa_type=Money)
    closing_balance: Decimal | None = Field(default=None, sa_type=Money)
    entries_count: int = 0
    late_count: int = 0
    """Entries with an earlier booking date than this day (STA-06)."""
    span_from: date | None = None
    span_until: date | None = None
    """The bank balances between which a day is `proven_by_span`."""
    is_restarted: bool = False
    """Its statement is the first one after a documented restart (STA-03)."""


class Statement(Base, table=True):
    """A period of one account from opening to closing balance; `number` and file exist once it is issued."""

    __tablename__ = "statement"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        office_reference("client_id", "client"),
        office_reference("restart_id", "chain_restart"),
        office_reference("replaces_id", "statement"),
        # A withdrawn one stays; its day and its number may be issued anew (STA-23).
        Index(
            "uq_statement_account_id_day_part", "account_id", "day", "part", unique=True, postgresql_where=NOT_WITHDRAWN
        ),
        Index(
            "uq_statement_account_id_year_number",
            "account_id",
            "year",
            "number",
            unique=True,
            postgresql_where=NOT_WITHDRAWN,
        ),
        Index("ix_statement_office_day", "office_id", "day", "id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID
    client_id: UUID = Field(index=True)
    day: date
    """Closing date."""
    part: int = 1
    """1, 2 … where a day has more than 9,999 entries."""
    state: str = Field(max_length=16)
    proof: str | None = Field(default=None, max_length=16)
    currency: str = Field(max_length=3)
    opening_balance: Decimal = Field(sa_type=Money)
    closing_balance: Decimal = Field(sa_type=Money)
    entries_count: int
    credit_total: Decimal = Field(sa_type=Money)
    debit_total: Decimal = Field(sa_type=Money)
    """Below or equal to zero."""
    late_count: int = 0
    crosses_period: bool = False
    """An entry's booking date lies in an earlier month than the file (STA-06)."""
    year: int | None = None
    number: int | None = None
    old_balance_date: date | None = None
    issued_at: datetime | None = Field(default=None, sa_type=Moment)
    file_name: str | None = Field(default=None, max_length=60)
    sha256: str | None = Field(default=None, max_length=64)
    hold_code: str | None = Field(default=None, max_length=40)
    difference: Decimal | None = Field(default=None, sa_type=Money)
    """Bank balance less our closing balance; None where the bank named no balance."""
    bank_balance: Decimal | None = Field(default=None, sa_type=Money)
    bank_balance_basis: str | None = Field(default=None, max_length=10)
    likely_causes: list[str] = Field(default_factory=list, sa_type=JSONB)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    """For `proven_by_span`: the two days whose bank balances span it."""
    restart_id: UUID | None = None
    """The documented restart after which it is the first one; shown everywhere as `restarted` (STA-03)."""
    import_refused_at: datetime | None = Field(default=None, sa_type=Moment)
    """When somebody of the office noted that its package refused the file."""
    import_refused_by: UUID | None = None
    import_refusal: str | None = Field(default=None, max_length=500)
    """The package's message."""
    withdrawn_at: datetime | None = Field(default=None, sa_type=Moment)
    revision: int = 0
    """1, 2 … for a file that was issued anew; its name ends in `_R` and this number."""
    replaces_id: UUID | None = None
    """The withdrawn statement that this one replaces."""


class BankDocument(Base, table=True):
    """A document of the bank that states a balance, kept encrypted with its hash (STA-03)."""

    __tablename__ = "bank_document"
    __table_args__ = (office_key(), office_reference("account_id", "account"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID = Field(index=True)
    document_cipher: bytes
    document_sha256: str = Field(max_length=64)
    document_type: str = Field(max_length=20)
    uploaded_by: UUID
    uploaded_at: datetime = Field(sa_type=Moment)


class ChainRestart(Base, table=True):
    """Two people of the office restarted the chain of an account at a balance on a document; has the proposal's id."""

    __tablename__ = "chain_restart"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        office_reference("document_id", "bank_document"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID = Field(index=True)
    document_id: UUID
    day: date
    """The balance is the one at its end; the chain goes on the day after."""
    balance: Decimal = Field(sa_type=Money)
    previous_until: date | None = None
    """Up to there the chain was closed; None where it had not begun."""
    previous_balance: Decimal | None = Field(default=None, sa_type=Money)
    left_out_from: date
    left_out_entries: int
    proposer_id: UUID
    confirmer_id: UUID
    restarted_at: datetime = Field(sa_type=Moment)


class StatementEntry(Base, table=True):
    """One transaction on one issued statement as it was written, or the reversal of such an entry (STA-03)."""

    __tablename__ = "statement_entry"
    __table_args__ = (
        office_key(),
        office_reference("statement_id", "statement"),
        office_reference("transaction_id", "bank_transaction"),
        office_reference("reverses_entry_id", "statement_entry"),
        UniqueConstraint("statement_id", "sequence"),
        # Nothing twice: one entry of a transaction counts at a time.
        Index("uq_statement_entry_live", "transaction_id", unique=True, postgresql_where=text("is_live")),
        Index("ix_statement_entry_transaction", "transaction_id"),
        Index("ix_statement_entry_amount", "office_id", "amount"),
        Index("ix_statement_entry_ended", "account_id", postgresql_where=text("NOT is_live")),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    statement_id: UUID
    transaction_id: UUID
    account_id: UUID = Field(index=True)
    sequence: int
    entry_date: date
    booking_date: date
    amount: Decimal = Field(sa_type=Money)
    bank_reference: str = Field(max_length=21)
    is_live: bool = True
    """Whether its transaction is issued by it. Not for a reversal, for what it reverses, and on a withdrawn file."""
    reverses_entry_id: UUID | None = None
    """The issued entry that this one offsets; its transaction is the same."""
    coda_code: str | None = Field(default=None, max_length=8)
    """Of a reversal; every other entry has its transaction's."""


class StatementFile(Base, table=True):
    """The bytes as issued. The application can add and read, nothing else (STA-07)."""

    __tablename__ = "statement_file"
    __table_args__ = (office_key(), office_reference("statement_id", "statement"), UniqueConstraint("statement_id"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    statement_id: UUID
    name: str = Field(max_length=60)
    content: bytes
    sha256: str = Field(max_length=64)
    created_at: datetime = Field(sa_type=Moment)


class StatementVerification(Base, table=True):
    """One comparison of all stored files of an office with their hashes; several steps long (STA-07)."""

    __tablename__ = "statement_verification"
    __table_args__ = (office_key(),)

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    after_id: UUID | None = None
    """The last statement that was compared; None before the first step."""
    files_count: int = 0
    differences_count: int = 0
    started_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
