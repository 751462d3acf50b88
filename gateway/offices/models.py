"""Tables of offices, their clients and the grants through which data opens."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference, words


class Service(StrEnum):
    """What an office does for a client, switched for the office and then per client (OFF-06)."""

    TRANSACTIONS = "transactions"
    CODA = "coda"
    PAYMENTS = "payments"


def _services() -> list[str]:
    return [service.value for service in Service]


class Office(Base, table=True):
    """An accountancy office; global, everything else of it carries its id."""

    __tablename__ = "office"

    id: UUID = Field(primary_key=True)
    name: str = Field(max_length=70)
    language: str = Field(max_length=2)
    mode: str = Field(max_length=4)
    """`live` or `test`; only a test office has a clock offset."""
    consent_days_max: int
    """The office's cap on the life of a consent (CON-09)."""
    clock_offset_seconds: int = 0
    services: list[str] = Field(default_factory=_services, sa_type=ARRAY(String(12)))
    """Values of `Service` that are on."""
    default_delivery: str | None = Field(default=None, max_length=10)
    """Delivery channel of clients that have none of their own, an id of `profiles.packages.CHANNELS`."""
    version: int = 1
    created_at: datetime = Field(sa_type=Moment)


class OfficeLogo(Base, table=True):
    """The office's picture, as its guests see it on invitations and consent pages."""

    __tablename__ = "office_logo"

    office_id: UUID = Field(primary_key=True, foreign_key="office.id")
    content: bytes
    media_type: str = Field(max_length=12)
    sha256: str = Field(max_length=64)
    created_at: datetime = Field(sa_type=Moment)


class OfficeTemplate(Base, table=True):
    """What each new client begins with; an office without a row gives every client the defaults (OFF-01)."""

    __tablename__ = "office_template"

    office_id: UUID = Field(primary_key=True, foreign_key="office.id")
    content: dict[str, Any] = Field(sa_type=JSONB)
    """As `gateway.offices.template` writes it."""
    version: int = 1
    changed_by: UUID
    changed_at: datetime = Field(sa_type=Moment)


class OfficeHead(Base, table=True):
    """One row per office, locked last: it orders audit entries so that no reader skips a late commit."""

    __tablename__ = "office_head"

    office_id: UUID = Field(primary_key=True, foreign_key="office.id")
    audit_position: int = 0
    audit_hash: bytes = b""
    change_position: int = Field(default=0, sa_type=BigInteger)
    """Position of the last change set of transactions."""
    event_position: int = 0
    event_pruned_position: int = 0
    """Position of the newest event that is not kept any more."""


class ClientState(StrEnum):
    """OFF-03."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


TRANSITIONS: dict[ClientState, frozenset[ClientState]] = {
    ClientState.PENDING: frozenset({ClientState.ACTIVE, ClientState.CLOSED}),
    ClientState.ACTIVE: frozenset({ClientState.SUSPENDED, ClientState.CLOSED}),
    ClientState.SUSPENDED: frozenset({ClientState.ACTIVE, ClientState.CLOSED}),
    ClientState.CLOSED: frozenset({ClientState.ACTIVE, ClientState.SUSPENDED}),
}


class Client(Base, table=True):
    """A client company; its key within the office is the enterprise number with the dossier code, or `external_id`."""

    __tablename__ = "client"
    __table_args__ = (
        office_key(),
        UniqueConstraint("office_id", "enterprise_number", "dossier_code"),
        UniqueConstraint("office_id", "external_id"),
        Index("ix_client_unregistered", "office_id", postgresql_where=text("unregistered_since IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    enterprise_number: str | None = Field(default=None, max_length=10)
    dossier_code: str = Field(default="", max_length=20)
    external_id: str | None = Field(default=None, max_length=70)
    name: str = Field(max_length=70)
    language: str = Field(max_length=2)
    state: ClientState = Field(sa_type=words(ClientState))
    financial_year_end: str = Field(max_length=5)
    """`MM-DD`."""
    unregistered_since: datetime | None = Field(default=None, sa_type=Moment)
    """Admitted before the registry knew the number; None once confirmed (OFF-02)."""
    suspended_at: datetime | None = Field(default=None, sa_type=Moment)
    """Set until two people end the suspension, through a closing and a reopening as well (OFF-03)."""
    services: list[str] = Field(default_factory=_services, sa_type=ARRAY(String(12)))
    """Values of `Service` that are on; one counts only while it is on for the office too."""
    portal_shows_transactions: bool = True
    portal_shows_coda: bool = True
    portal_prepares_while_processing: bool = True
    """Whether the portal prepares payments while it still processes the invoices."""
    created_at: datetime = Field(sa_type=Moment)
    version: int = 1


class ClientSettings(Base, table=True):
    """Numbering and reminders of a client, copied from the template; a client without a row has the defaults."""

    __tablename__ = "client_settings"
    __table_args__ = (office_reference("client_id", "client"),)

    client_id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id", index=True)
    statements_from: str = Field(max_length=16)
    """A value of `template.StatementsFrom`: the first day of statements of a newly connected account."""
    first_coda_number: int | None = None
    """001 to 999: of the first file of an account for which nothing else is known."""
    late_entry_date: str = Field(default="file", max_length=8)
    """`booking`: a late entry has the bank's booking date in the file, which its package takes; `file`: the file's own,
    and the bank's in the text (STA-06)."""
    consent_reminder_days: list[int] = Field(sa_type=ARRAY(Integer))
    approval_reminder_days: list[int] = Field(sa_type=ARRAY(Integer))
    approval_expiry_days: int
    template_version: int = 0
    """Version of the template that was copied or applied last; 0 when none was."""
    rules_copied: int = 0
    """How many approval rules came with the client; any later revision is people's own."""
    version: int = 1
    changed_at: datetime = Field(sa_type=Moment)


class NumberChange(Base, table=True):
    """Another enterprise number for a client, with the document that proves it (OFF-02)."""

    __tablename__ = "client_number_change"
    __table_args__ = (office_key(), office_reference("client_id", "client"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    old_number: str | None = Field(default=None, max_length=10)
    old_dossier_code: str = Field(max_length=20)
    new_number: str = Field(max_length=10)
    new_dossier_code: str = Field(max_length=20)
    reason: str = Field(max_length=10)
    document_cipher: bytes
    document_sha256: str = Field(max_length=64)
    document_type: str = Field(max_length=20)
    changed_by: UUID
    changed_at: datetime = Field(sa_type=Moment)


class AccessGrant(Base, table=True):
    """The office's right to see a client's data, from a day until a day (OFF-04)."""

    __tablename__ = "access_grant"
    __table_args__ = (office_key(), office_reference("client_id", "client"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    from_date: date
    until_date: date | None = None
    created_at: datetime = Field(sa_type=Moment)
