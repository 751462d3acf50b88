"""Tables of client profiles and known accounts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, Index, String, UniqueConstraint, text
from sqlmodel import Field

from gateway.database import Base, Moment, Money, office_key, office_reference


class ClientProfile(Base, table=True):
    """One row per client that has any of it (OFF-12). Addresses count from their confirmation on (DEL-13)."""

    __tablename__ = "client_profile"
    __table_args__ = (office_reference("client_id", "client"),)

    client_id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id", index=True)
    client_code: str | None = Field(default=None, max_length=20)
    contact_name: str | None = Field(default=None, max_length=70)
    contact_email: str | None = Field(default=None, max_length=254)
    mobile: str | None = Field(default=None, max_length=16)
    """E.164."""
    contact_confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    """None: nothing is sent to the contact yet."""
    responsible_id: UUID | None = Field(default=None, foreign_key="app_user.id")
    """The person of the office who looks after this client."""
    labels: list[str] = Field(default_factory=list, sa_type=ARRAY(String(40)))
    package: str | None = Field(default=None, max_length=20)
    """Accounting package, an id of `packages.PACKAGES`."""
    delivery: str | None = Field(default=None, max_length=10)
    """Wished channel, an id of `packages.CHANNELS`."""
    destination: str | None = Field(default=None, max_length=254)
    destination_confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    """None: nothing is delivered there yet."""
    send_invitation: bool = False
    """A wish only: inviting is an act of its own, with a preview (OFF-15)."""
    updated_at: datetime = Field(sa_type=Moment)


class KnownAccount(Base, table=True):
    """An account of a client known by its number, with or without a consent (OFF-10).

    It serves for recognising own transfers and as debtor account, and says how statements begin once it is connected.
    """

    __tablename__ = "known_account"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("account_id", "account"),
        UniqueConstraint("office_id", "iban"),
        Index(
            "uq_known_account_default_debtor",
            "office_id",
            "client_id",
            unique=True,
            postgresql_where=text("is_default_debtor"),
        ),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    iban: str = Field(max_length=34)
    bank_id: str | None = Field(default=None, max_length=40)
    bic: str | None = Field(default=None, max_length=11)
    alias: str | None = Field(default=None, max_length=70)
    position: int = 1
    is_visible: bool = True
    is_default_debtor: bool = False
    dossier_code: str | None = Field(default=None, max_length=20)
    account_id: UUID | None = None
    """The account it became, with the same id: connected, or named by a payment. Its settings count from then on."""
    statements_from: date | None = None
    next_coda_number: int | None = None
    """001 to 999: the number after the last file of the package (STA-20)."""
    last_balance: Decimal | None = Field(default=None, sa_type=Money)
    """Closing balance of that last file, as the office states it."""
    created_at: datetime = Field(sa_type=Moment)
    import_id: UUID | None = None
    """The import that brought it; its undo takes it away."""
    version: int = 1
