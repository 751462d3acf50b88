"""Tables of baskets, payments and exports.

A payment row keeps each text twice: as entered and, in `sent_…`, as it leaves after conversion to the SEPA character
set; approvers see both, the file takes the second, the seal covers both (PAY-05, APP-07).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, Money, office_key, office_reference, words
from gateway.payments.states import BasketState, ExportState, PaymentState


class PaymentSettings(Base, table=True):
    """What the client's bank takes; a client without a row has the defaults."""

    __tablename__ = "payment_settings"
    __table_args__ = (office_key(), office_reference("client_id", "client"), UniqueConstraint("office_id", "client_id"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    pain_version: str = Field(default="pain.001.001.09", max_length=20)
    address_mode: str = Field(default="structured", max_length=12)
    """`none`, `minimal`, `structured` or `hybrid` (PAY-07)."""
    version: int = 1


class Basket(Base, table=True):
    """Payments of one client that are approved and exported together; at most 10,000."""

    __tablename__ = "basket"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        UniqueConstraint("office_id", "external_id"),
        Index(None, "office_id", "client_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    name: str = Field(max_length=70)
    external_id: str | None = Field(default=None, max_length=70)
    state: BasketState = Field(default=BasketState.DRAFT, sa_type=words(BasketState))
    version: int = 1
    """Rises with every change of the basket or of a payment in it; the basket's ETag."""
    created_by_kind: str = Field(max_length=10)
    created_by: UUID
    created_at: datetime = Field(sa_type=Moment)
    submitted_at: datetime | None = Field(default=None, sa_type=Moment)


class Payment(Base, table=True):
    """One credit transfer in euro."""

    __tablename__ = "payment"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("basket_id", "basket"),
        office_reference("debtor_account_id", "account"),
        UniqueConstraint("office_id", "external_id"),
        UniqueConstraint("office_id", "client_id", "end_to_end_id"),
        UniqueConstraint("office_id", "basket_id", "position"),
        Index(None, "office_id", "client_id", "state", "id"),
        Index(None, "office_id", "client_id", "creditor_key", "submitted_at"),
        Index(None, "office_id", "source_reference"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    basket_id: UUID
    position: int
    """1, 2, 3 … within the basket; the order in lists and in the file."""
    state: PaymentState = Field(default=PaymentState.DRAFT, sa_type=words(PaymentState))
    version: int = 1
    """Rises with every change; the payment's ETag."""

    debtor_account_id: UUID
    debtor_iban: str = Field(max_length=34)
    """As shown and sealed; compared with the account at export."""
    creditor_name: str = Field(max_length=400)
    sent_creditor_name: str = Field(max_length=1200)
    """Longer than what was entered can be: one letter may become three."""
    creditor_iban: str = Field(max_length=42)
    creditor_bic: str | None = Field(default=None, max_length=20)
    creditor_address: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    sent_creditor_address: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    creditor_supplier_id: str | None = Field(default=None, max_length=70)
    creditor_enterprise_number: str | None = Field(default=None, max_length=20)
    creditor_key: str = Field(max_length=120)
    """Who the creditor is: supplier id, else enterprise number, else the normalised name (PAY-09)."""
    creditor_state: str | None = Field(default=None, max_length=10)
    """`known`, `new` or `changed` when it was submitted (PAY-09)."""
    amount: Decimal = Field(sa_type=Money)
    currency: str = Field(max_length=3)
    date_choice: str = Field(max_length=16)
    asked_date: date | None = None
    days_before: int = 0
    used_date: date | None = None
    """The execution date in the file; set at export."""
    remittance: dict[str, str] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """`{"kind": "unstructured", "text": …}` or `{"kind": "structured", "issuer": "BBA" | "ISO", "reference": …}`."""
    sent_remittance: dict[str, str] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    category_purpose: str | None = Field(default=None, max_length=4)
    labels: list[str] = Field(default_factory=list, sa_type=ARRAY(String(70)))
    source: str = Field(max_length=10)
    """`person` or `api`: how it came in."""
    external_id: str | None = Field(default=None, max_length=70)
    source_reference: str | None = Field(default=None, max_length=140)
    invoice_date: date | None = None
    due_date: date | None = None
    amount_due: Decimal | None = Field(default=None, sa_type=Money)
    already_paid: Decimal | None = Field(default=None, sa_type=Money)
    is_source_unbooked: bool = False
    invoice_sha256: str | None = Field(default=None, max_length=64)
    end_to_end_id: str = Field(max_length=35)

    check_result: str = Field(max_length=8)
    """`complete`, `warning` or `blocked` (PAY-03)."""
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)

    approval_round: int = 0
    """Rises with every submission and every edit after it. Sealed, so that an approval of an earlier round never
    counts again, even when the content is changed back."""
    rules_revision: int | None = None
    """The client's rules as they were when it was submitted (APP-12)."""
    approval_basis: str | None = Field(default=None, max_length=12)
    """`rules` or `process_off` (APP-01)."""
    seal: str | None = Field(default=None, max_length=80)
    created_at: datetime = Field(sa_type=Moment)
    submitted_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_reason: str | None = Field(default=None, max_length=140)

    CONTENT: ClassVar[tuple[str, ...]] = (
        "debtor_account_id", "debtor_iban", "creditor_name", "sent_creditor_name", "creditor_iban", "creditor_bic",
        "creditor_address", "sent_creditor_address", "creditor_supplier_id", "creditor_enterprise_number",
        "creditor_key", "amount", "currency", "date_choice", "asked_date", "days_before", "remittance",
        "sent_remittance", "category_purpose", "labels", "source_reference", "invoice_date", "due_date", "amount_due",
        "already_paid", "is_source_unbooked", "invoice_sha256",
    )  # fmt: skip
    """The columns an edit may change."""


class PaymentPreparer(Base, table=True):
    """Who made, imported or changed a payment: none of them may approve it (APP-06)."""

    __tablename__ = "payment_preparer"
    __table_args__ = (
        office_key(),
        office_reference("payment_id", "payment"),
        UniqueConstraint("office_id", "payment_id", "actor_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    payment_id: UUID
    actor_kind: str = Field(max_length=10)
    """`user`, `machine` or `system`."""
    actor_id: UUID
    """User, credential, or the office for the service itself."""
    since: datetime = Field(sa_type=Moment)


class FindingAcceptance(Base, table=True):
    """A warning that somebody let pass, in the round it was shown (PAY-03)."""

    __tablename__ = "finding_acceptance"
    __table_args__ = (
        office_key(),
        office_reference("payment_id", "payment"),
        UniqueConstraint("office_id", "payment_id", "approval_round", "code"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    payment_id: UUID
    approval_round: int
    code: str = Field(max_length=40)
    accepted_by_kind: str = Field(max_length=10)
    accepted_by: UUID
    accepted_at: datetime = Field(sa_type=Moment)


class Export(Base, table=True):
    """One pain.001 file and what became of it."""

    __tablename__ = "export"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("basket_id", "basket"),
        office_reference("debtor_account_id", "account"),
        UniqueConstraint("office_id", "client_id", "message_id"),
        Index(None, "office_id", "client_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    basket_id: UUID
    debtor_account_id: UUID
    message_id: str = Field(max_length=35)
    state: ExportState = Field(default=ExportState.CREATED, sa_type=words(ExportState))
    pain_version: str = Field(max_length=20)
    file_name: str = Field(max_length=80)
    sha256: str = Field(max_length=64)
    size: int
    payment_count: int
    total: Decimal = Field(sa_type=Money)
    created_by: UUID
    created_at: datetime = Field(sa_type=Moment)
    first_downloaded_at: datetime | None = Field(default=None, sa_type=Moment)
    voided_reason: str | None = Field(default=None, max_length=40)
    """Code of the check that failed at the first download."""


class ExportFile(Base, table=True):
    """The bytes of an export: made once, never changed (the application may only add and read)."""

    __tablename__ = "export_file"
    __table_args__ = (office_key(), office_reference("export_id", "export"), UniqueConstraint("office_id", "export_id"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    export_id: UUID
    content: bytes
    sha256: str = Field(max_length=64)
    mac: bytes
    """Keyed hash over export and digest: whoever changes bytes and digest in the database still cannot make this."""


class ExportBlock(Base, table=True):
    """One `PmtInf` of a file; its id is unique for ever per client (PAY-15)."""

    __tablename__ = "export_block"
    __table_args__ = (
        office_key(),
        office_reference("export_id", "export"),
        UniqueConstraint("office_id", "client_id", "payment_information_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    export_id: UUID = Field(index=True)
    payment_information_id: str = Field(max_length=35)
    execution_date: date
    is_batch_booking: bool
    payment_count: int
    total: Decimal = Field(sa_type=Money)


class ExportPayment(Base, table=True):
    """A payment in a file; at most one live file holds it (law 4)."""

    __tablename__ = "export_payment"
    __table_args__ = (
        office_key(),
        office_reference("export_id", "export"),
        office_reference("block_id", "export_block"),
        office_reference("payment_id", "payment"),
        Index("uq_export_payment_live", "office_id", "payment_id", unique=True, postgresql_where=text("is_live")),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    export_id: UUID = Field(index=True)
    block_id: UUID
    payment_id: UUID
    seal: str = Field(max_length=80)
    """What was sealed when it left: a booked debit is compared with this (PAY-21)."""
    is_live: bool = True


class ExportDownload(Base, table=True):
    """One download of a file."""

    __tablename__ = "export_download"
    __table_args__ = (office_key(), office_reference("export_id", "export"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    export_id: UUID = Field(index=True)
    downloaded_by: UUID
    downloaded_at: datetime = Field(sa_type=Moment)
    is_first: bool
