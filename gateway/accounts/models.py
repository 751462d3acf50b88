"""Tables of accounts, of the balances read for them, and of each reading."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, Money, office_key, office_reference


class Account(Base, table=True):
    """One account of a client, recognised by IBAN and currency: id, settings and numbers outlive consents (CON-11)."""

    __tablename__ = "account"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("consent_id", "consent"),
        UniqueConstraint("office_id", "iban", "currency"),
        # A client has one account from which it pays when none is named.
        Index(
            "uq_account_default_debtor",
            "office_id",
            "client_id",
            unique=True,
            postgresql_where=text("is_default_debtor"),
        ),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    consent_id: UUID | None = Field(default=None, index=True)
    """The consent under which it is read now."""
    bank_id: str = Field(max_length=40)
    """Empty for an account that was never connected, at a bank that is not one of ours."""
    bank_account_id: str | None = Field(default=None, max_length=200)
    """The bank's id under the present consent; another one after a renewal."""
    iban: str = Field(max_length=34)
    currency: str = Field(max_length=3)
    kind: str = Field(max_length=12)
    bic: str = Field(max_length=11)
    """Constant for the account's life: importers compare it (CODA rules, section 7)."""
    holder_name: str | None = Field(default=None, max_length=140)
    alias: str | None = Field(default=None, max_length=70)
    position: int = 1
    """Place among the accounts of its client, for people."""
    is_visible: bool = True
    is_default_debtor: bool = False
    """The client pays from it when a payment names no account."""
    bank_made_source: str | None = Field(default=None, max_length=10)
    """`codabox`, `isabel` or `upload`: its statements are bank-made files; None: it is read at its bank (CON-17)."""
    source_from: date | None = None
    """First day of the present source; None: since the beginning."""
    dossier_code: str | None = Field(default=None, max_length=20)
    """Where the client's dossier code is not this account's (OFF-02)."""
    delivery: str | None = Field(default=None, max_length=10)
    """Its own channel, an id of `profiles.packages.CHANNELS`; None: as its client (OFF-02)."""
    destination: str | None = Field(default=None, max_length=254)
    destination_confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    """None: nothing is delivered there yet (DEL-13)."""
    statements_from: date | None = None
    """First day of which statements are made; None: not chosen yet, and none is made (OFF-10)."""
    releases_computed: bool = False
    """Days without a booked balance of the bank are issued as `computed` (STA-04)."""
    issues_derived: bool = False
    """The first statements are issued from a derived opening, before a later balance confirms it (STA-05)."""
    empty_statement: str = Field(default="none", max_length=5)
    """`daily`: a day without entries makes an empty file; `none`: it makes none (STA-08)."""
    excluded_reason: str | None = Field(default=None, max_length=140)
    """Why no statement is made of it; None: they are made (STA-14)."""
    history_from: date | None = None
    """First day of history the bank gave; None until the first reading is stored."""
    complete_until: date | None = None
    """Last booking day that was complete at the last stored reading (STA-01)."""
    health: str = Field(max_length=8)
    health_code: str | None = Field(default=None, max_length=40)
    health_since: datetime = Field(sa_type=Moment)
    fresh_as_of: datetime | None = Field(default=None, sa_type=Moment)
    """What is stored is what the bank said at this moment."""
    last_sync_at: datetime | None = Field(default=None, sa_type=Moment)
    """Last reading, whether or not it succeeded."""
    takes_over_on: date | None = None
    """The day on which it moves here from another office, if one has it; until that is done no statement is made."""
    moved_on: date | None = None
    """The day on which the client moved it to another office: read-only since (OFF-17)."""
    moved_by: UUID | None = None
    """The move, at the other office; never shown."""
    reread_for: date | None = None
    """The held day for which a longer period was read already (STA-03)."""
    is_quiet: bool = False
    """The office says that little happens on it: silence is no news."""
    dormant_since: date | None = None
    """Day of its last entry, once its silence was told (SYN-12)."""
    alerted_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the operator was told that it waits for us; None again once its health changes."""
    created_at: datetime = Field(sa_type=Moment)
    version: int = 1


class BankCall(Base, table=True):
    """One unattended call about an account, counted for all offices together; global (SYN-02, OFF-05).

    It knows the account by a keyed hash of number and currency, and nothing of any office: whose reading it was can be
    seen by that office alone, which finds `sync_id` among its own.
    """

    __tablename__ = "bank_call"
    __table_args__ = (Index("ix_bank_call_account_called", "account_hash", "called_at"),)

    id: UUID = Field(primary_key=True)
    account_hash: bytes
    sync_id: UUID | None = None
    """None: taken over from the time when calls were counted per day."""
    reason: str = Field(max_length=10)
    """That of the reading; `unknown` where it was counted per day."""
    called_at: datetime = Field(sa_type=Moment, index=True)
    """The clock of the office that called."""
    outcome: str | None = Field(default=None, max_length=40)
    """`ok` or the code of what went wrong; None: under way, or ended with its worker."""


class Balance(Base, table=True):
    """One balance at one moment; never changed (SYN-11)."""

    __tablename__ = "balance"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        office_reference("sync_id", "sync"),
        Index("ix_balance_account_reference", "account_id", "reference_date"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID
    sync_id: UUID | None = Field(default=None, index=True)
    """The reading that gave it; None for one from a document."""
    kind: str = Field(max_length=20)
    amount: Decimal = Field(sa_type=Money)
    currency: str = Field(max_length=3)
    reference_date: date | None = None
    read_at: datetime = Field(sa_type=Moment)
    basis: str = Field(max_length=10)
    """`bank` as reported; `computed`: a booked balance read during a day, less that day's rows of the same reading;
    `document`: stated by a document of the bank, at a restart (STA-03)."""


class Sync(Base, table=True):
    """One reading of an account. `window_from`…`window_until` are whole booking days."""

    __tablename__ = "sync"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        Index("ix_sync_account_requested", "account_id", "requested_at"),
        Index("ix_sync_office_state", "office_id", "state"),
        Index("ix_sync_office_requested", "office_id", "requested_at"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID
    state: str = Field(max_length=8)
    reason: str = Field(max_length=10)
    """`first`, `planned`, `request`, `renewal`, `full` (all history), `reread` (of a held day) or `event`."""
    is_attended: bool
    psu_cipher: bytes | None = None
    """Address of the person who is present; erased when the reading ends."""
    requested_at: datetime = Field(sa_type=Moment)
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    window_from: date | None = None
    """Before it starts: the day from which it is to read at least, where whoever asked said so."""
    window_until: date | None = None
    counts: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    """new, kept, edited, vanished, revived, pending, rejected."""
    error_code: str | None = Field(default=None, max_length=40)
    bank_code: str | None = Field(default=None, max_length=70)
    retry_after_seconds: int | None = None


class AccountGap(Base, table=True):
    """Days between two readings that no reading covers: named until they are filled (CON-13)."""

    __tablename__ = "account_gap"
    __table_args__ = (
        office_key(),
        office_reference("account_id", "account"),
        UniqueConstraint("account_id", "first_day"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    account_id: UUID
    first_day: date
    last_day: date
    """Both are missing."""
    cause: str = Field(max_length=40)
    """Why they were not read in time: a code of `accounts.health`, or `bank_history_short`."""
    found_at: datetime = Field(sa_type=Moment)
    filled_at: datetime | None = Field(default=None, sa_type=Moment)
