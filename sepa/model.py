"""Payments and the order (file) they go into.

Money is `Decimal` in euro, above zero. Values are as entered; `sepa.checks.sendable`
makes the form that leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sepa.addresses import AddressMode, PostalAddress
from sepa.calendar import DateChoice


class ReferenceKind(StrEnum):
    """Who issues a structured reference; the value is what stands in `Issr`."""

    BELGIAN = "BBA"
    RF = "ISO"


@dataclass(frozen=True, slots=True)
class Unstructured:
    """Free remittance text, at most 140 characters after conversion."""

    text: str


@dataclass(frozen=True, slots=True)
class Structured:
    """A structured reference with check digits: 12 digits, or `RF…`; typed forms are read, wrong ones never sent."""

    kind: ReferenceKind
    reference: str


Remittance = Unstructured | Structured | None


@dataclass(frozen=True, slots=True)
class Party:
    """A debtor, creditor or initiating party; `enterprise_number` is 10 digits (KBO/BCE) or None."""

    name: str
    enterprise_number: str | None = None
    address: PostalAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One credit transfer in euro.

    `payment_id` is ours and comes back to us only; `end_to_end_id` goes to the creditor. `asked_date` is the fixed or
    due date and None for the choice `today`; `days_before` counts business days before the due date.
    """

    payment_id: str
    end_to_end_id: str
    debtor_iban: str
    creditor: Party
    creditor_iban: str
    amount: Decimal
    creditor_bic: str | None = None
    currency: str = "EUR"
    date_choice: DateChoice = DateChoice.TODAY
    asked_date: date | None = None
    days_before: int = 0
    remittance: Remittance = None
    category_purpose: str | None = None
    purpose: str | None = None
    ultimate_debtor: str | None = None
    ultimate_creditor: str | None = None
    is_instant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtorAccount:
    """An account that pays: its holder, IBAN, BIC when known, and what its bank accepts as address."""

    holder: Party
    iban: str
    bic: str | None = None
    address_mode: AddressMode = AddressMode.STRUCTURED


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One block (`PmtInf`): one debtor account, date, service, category and booking choice.

    `execution_date` is the date used, not the one asked. `is_batch_booking`: one debit for the block, or one each.
    """

    payment_information_id: str
    account: DebtorAccount
    execution_date: date
    is_batch_booking: bool
    payments: Sequence[Payment] = field(repr=False)
    category_purpose: str | None = None
    is_instant: bool = False

    @property
    def total(self) -> Decimal:
        return sum((payment.amount for payment in self.payments), Decimal("0.00"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One file: one message id, one initiating party, one or more groups. `created_at` has an offset."""

    message_id: str
    created_at: datetime
    initiating_party: Party
    groups: Sequence[Group]

    @property
    def count(self) -> int:
        return sum(len(group.payments) for group in self.groups)

    @property
    def total(self) -> Decimal:
        return sum((group.total for group in self.groups), Decimal("0.00"))
