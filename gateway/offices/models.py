"""Tables of offices, their clients and the grants through which data opens."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, String, UniqueConstraint
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
    created_at: datetime = Field(sa_type=Moment)


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
