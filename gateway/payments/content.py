"""From what somebody wants to pay to the columns of a payment, with every finding at once (PAY-03…07, PAY-11).

Nothing here reads the database. Account numbers, amounts and references are stored as given (blanks dropped from an
IBAN) and refused when wrong; names and texts are converted, and both forms are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from gateway.ids import encode
from gateway.payments.models import Payment
from sepa import AddressMode, DateChoice, Finding, PostalAddress, Severity, check_payment, sendable
from sepa import Payment as Order
from sepa.accounts import compact_iban
from sepa.errors import ReferenceInvalid, TextForbidden
from sepa.findings import CATALOGUE
from sepa.model import Party, ReferenceKind, Remittance, Structured, Unstructured
from sepa.names import plain_name
from sepa.text import identifier_from


class CheckResult(StrEnum):
    """What the checks say of a payment as a whole."""

    COMPLETE = "complete"
    WARNING = "warning"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class ExecutionDate:
    """When to pay: today, on a fixed date, on the due date, or 1 to 10 business days before it (PAY-11)."""

    choice: DateChoice = DateChoice.TODAY
    date: date | None = None
    """For the fixed choice only; the others have their date from today or the invoice."""
    days_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentWish:
    """What a caller wants to pay. `remittance` is `{"kind": …}` as the column of that name."""

    debtor_account_id: UUID | None
    """None: the client's default debtor account."""
    creditor_name: str
    creditor_iban: str
    amount: Decimal
    currency: str = "EUR"
    creditor_bic: str | None = None
    creditor_address: Mapping[str, Any] | None = None
    creditor_supplier_id: str | None = None
    creditor_enterprise_number: str | None = None
    execution_date: ExecutionDate = ExecutionDate()
    remittance: Mapping[str, str] | None = None
    category_purpose: str | None = None
    labels: Sequence[str] = field(default=())
    external_id: str | None = None
    source_reference: str | None = None
    invoice_date: date | None = None
    due_date: date | None = None
    amount_due: Decimal | None = None
    already_paid: Decimal | None = None
    is_source_unbooked: bool = False
    invoice_sha256: str | None = None
    metadata: Mapping[str, str] | None = None
    """Of a new payment; no content, and under no seal."""


def wish_of(payment: Payment) -> PaymentWish:
    """What a stored payment asks, to change a part of it."""
    choice = DateChoice(payment.date_choice)
    return PaymentWish(
        debtor_account_id=payment.debtor_account_id,
        creditor_name=payment.creditor_name,
        creditor_iban=payment.creditor_iban,
        amount=payment.amount,
        currency=payment.currency,
        creditor_bic=payment.creditor_bic,
        creditor_address=payment.creditor_address,
        creditor_supplier_id=payment.creditor_supplier_id,
        creditor_enterprise_number=payment.creditor_enterprise_number,
        execution_date=ExecutionDate(
            choice, payment.asked_date if choice is DateChoice.FIXED else None, payment.days_before
        ),
        remittance=payment.remittance,
        category_purpose=payment.category_purpose,
        labels=payment.labels,
        external_id=payment.external_id,
        source_reference=payment.source_reference,
        invoice_date=payment.invoice_date,
        due_date=payment.due_date,
        amount_due=payment.amount_due,
        already_paid=payment.already_paid,
        is_source_unbooked=payment.is_source_unbooked,
        invoice_sha256=payment.invoice_sha256,
    )


POINTERS: Final[Mapping[str, str]] = {
    "/debtor_iban": "/debtor_account_id",
    "/creditor_iban": "/creditor/iban",
    "/creditor_bic": "/creditor/bic",
    "/amount": "/amount/amount",
    "/currency": "/amount/currency",
    "/asked_date": "/execution_date/date",
    "/days_before": "/execution_date/days_before",
}
"""Where the library's fields stand in our API; the others have the same name."""


def columns(
    wish: PaymentWish, *, payment_id: UUID, debtor_iban: str, today: date, address_mode: AddressMode
) -> dict[str, Any]:
    """The columns an edit or a new payment sets: content, converted texts, and what the checks found on `today`."""
    asked = wish.execution_date.date if wish.execution_date.choice is DateChoice.FIXED else None
    if wish.execution_date.choice in (DateChoice.DUE_DATE, DateChoice.BEFORE_DUE_DATE):
        asked = wish.due_date
    values: dict[str, Any] = {
        "debtor_account_id": wish.debtor_account_id,
        "debtor_iban": debtor_iban,
        "creditor_name": wish.creditor_name,
        "creditor_iban": compact_iban(wish.creditor_iban),
        "creditor_bic": wish.creditor_bic or None,
        "creditor_address": dict(wish.creditor_address) if wish.creditor_address else None,
        "creditor_supplier_id": wish.creditor_supplier_id or None,
        "creditor_enterprise_number": wish.creditor_enterprise_number or None,
        "creditor_key": creditor_key(wish.creditor_supplier_id, wish.creditor_enterprise_number, wish.creditor_name),
        "amount": wish.amount,
        "currency": wish.currency,
        "date_choice": wish.execution_date.choice.value,
        "asked_date": asked,
        "days_before": wish.execution_date.days_before,
        "remittance": dict(wish.remittance) if wish.remittance else None,
        "category_purpose": wish.category_purpose or None,
        "labels": list(dict.fromkeys(wish.labels)),
        "source_reference": wish.source_reference or None,
        "invoice_date": wish.invoice_date,
        "due_date": wish.due_date,
        "amount_due": wish.amount_due,
        "already_paid": wish.already_paid,
        "is_source_unbooked": wish.is_source_unbooked,
        "invoice_sha256": wish.invoice_sha256,
    }
    entered = order_of(values, payment_id)
    return values | _sent(entered, address_mode) | checked(entered, today=today, address_mode=address_mode)


def checked(entered: Order, *, today: date, address_mode: AddressMode) -> dict[str, Any]:
    """The columns `check_result` and `findings` for the day."""
    findings = check_payment(entered, today=today, address_mode=address_mode)
    severities = {finding.severity for finding in findings}
    if Severity.BLOCKED in severities:
        result = CheckResult.BLOCKED
    else:
        result = CheckResult.WARNING if severities else CheckResult.COMPLETE
    return {"check_result": result.value, "findings": [_stored(finding, entered) for finding in findings]}


def warning_codes(findings: Sequence[Mapping[str, Any]]) -> set[str]:
    """The codes that somebody must accept."""
    return {finding["code"] for finding in findings if CATALOGUE[finding["code"]].severity is Severity.WARNING}


def order_of(row: Mapping[str, Any], payment_id: UUID) -> Order:
    """The payment as the library sees it, from its columns as entered."""
    return _order(row, payment_id, row["creditor_name"], row["creditor_address"], row["remittance"])


def sent_order(payment: Payment) -> Order:
    """The payment as it leaves, from the columns that are sealed; only for one without blocking findings."""
    row = {name: getattr(payment, name) for name in Payment.CONTENT}
    return _order(row, payment.id, payment.sent_creditor_name, payment.sent_creditor_address, payment.sent_remittance)


def end_to_end_id(payment_id: UUID) -> str:
    """Unique for ever, since the payment's id is (PAY-15)."""
    return identifier_from(encode("payment", payment_id))


def creditor_key(supplier_id: str | None, enterprise_number: str | None, name: str) -> str:
    """Supplier id, else enterprise number, else the name without case, accents and signs (PAY-09)."""
    if supplier_id:
        return f"supplier:{supplier_id}"
    if enterprise_number:
        digits = "".join(character for character in enterprise_number if character.isdigit())
        return f"enterprise:{digits}"
    return f"name:{plain_name(name)[:100]}"


def _order(
    row: Mapping[str, Any],
    payment_id: UUID,
    name: str,
    address: Mapping[str, Any] | None,
    remittance: Mapping[str, str] | None,
) -> Order:
    return Order(
        payment_id=encode("payment", payment_id),
        end_to_end_id=end_to_end_id(payment_id),
        debtor_iban=row["debtor_iban"],
        creditor=Party(name, address=_address(address)),
        creditor_iban=row["creditor_iban"],
        creditor_bic=row["creditor_bic"],
        amount=row["amount"],
        currency=row["currency"],
        date_choice=DateChoice(row["date_choice"]),
        asked_date=row["asked_date"],
        days_before=row["days_before"],
        remittance=_remittance(remittance),
        category_purpose=row["category_purpose"],
    )


def _address(parts: Mapping[str, Any] | None) -> PostalAddress | None:
    if not parts:
        return None
    return PostalAddress(
        **{name: value for name, value in parts.items() if name != "lines"}, lines=tuple(parts.get("lines", ()))
    )


def _remittance(stored: Mapping[str, str] | None) -> Remittance:
    if not stored:
        return None
    if stored["kind"] == "unstructured":
        return Unstructured(stored["text"])
    return Structured(ReferenceKind(stored["issuer"]), stored["reference"])


def _sent(entered: Order, address_mode: AddressMode) -> dict[str, Any]:
    """The converted texts. A payment that is blocked for its texts has none to show, so it shows what was entered."""
    try:
        leaving = sendable(entered, address_mode=address_mode)
    except (TextForbidden, ReferenceInvalid):
        leaving = entered
    address = leaving.creditor.address
    parts = {name: value for name, value in asdict(address).items() if value} if address else None
    if parts and "lines" in parts:
        parts["lines"] = list(parts["lines"])
    return {
        "sent_creditor_name": leaving.creditor.name,
        "sent_creditor_address": parts,
        "sent_remittance": _plain(leaving.remittance),
    }


def _plain(remittance: Remittance) -> dict[str, str] | None:
    match remittance:
        case Unstructured(text):
            return {"kind": "unstructured", "text": text}
        case Structured(kind, reference):
            return {"kind": "structured", "issuer": kind.value, "reference": reference}
    return None


def _stored(finding: Finding, entered: Order) -> dict[str, Any]:
    """A finding as codes; sentence and remedy come from the catalogue, in the reader's language, when it is shown."""
    pointer = POINTERS.get(finding.field, finding.field)
    if finding.code in ("date_missing", "date_past", "date_too_far") and entered.date_choice is not DateChoice.FIXED:
        pointer = "/due_date"
    return {
        "code": finding.code,
        "pointer": pointer,
        "found": finding.found,
        "expected": finding.expected,
        "proposal": finding.proposal,
    }
