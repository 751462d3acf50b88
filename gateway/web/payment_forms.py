"""A payment as a form: fields as people type them, and the wish they make."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from starlette.datastructures import FormData

from gateway.i18n import _
from gateway.payments.content import ExecutionDate, PaymentWish
from gateway.payments.models import Payment
from gateway.web import formats
from gateway.web.security import text_of
from sepa import DateChoice

FIELDS: Final = (
    "account", "name", "iban", "amount", "kind", "reference", "when", "date", "due_date", "source_reference",
)  # fmt: skip
CHOICES: Final = (DateChoice.TODAY, DateChoice.FIXED, DateChoice.DUE_DATE)
STRUCTURED: Final = ("BBA", "ISO")


@dataclass(frozen=True, slots=True)
class FormFault:
    """What cannot be read as typed: the field and a sentence."""

    field: str
    sentence: str


def entered(form: FormData) -> dict[str, str]:
    """The fields as typed, to show the form again."""
    return {name: text_of(form, name) for name in FIELDS}


def blank(account_ids: list[UUID]) -> dict[str, str]:
    """An empty form; the only account is chosen beforehand."""
    values = dict.fromkeys(FIELDS, "")
    account = str(account_ids[0]) if len(account_ids) == 1 else ""
    return values | {"account": account, "kind": "structured", "when": DateChoice.TODAY.value}


def filled(payment: Payment) -> dict[str, str]:
    """The form of a stored payment."""
    remittance = payment.remittance or {"kind": "none"}
    reference = remittance.get("text") or formats.structured(remittance.get("reference", ""))
    choice = DateChoice(payment.date_choice)
    return {
        "account": str(payment.debtor_account_id),
        "name": payment.creditor_name,
        "iban": formats.fours(payment.creditor_iban),
        "amount": formats.amount(payment.amount),
        "kind": remittance["kind"],
        "reference": reference,
        "when": choice.value,
        "date": payment.asked_date.isoformat() if payment.asked_date and choice is DateChoice.FIXED else "",
        "due_date": payment.due_date.isoformat() if payment.due_date else "",
        "source_reference": payment.source_reference or "",
    }


def read(values: dict[str, str], account_ids: list[UUID]) -> tuple[PaymentWish | None, list[FormFault]]:
    """The wish, or what must be typed differently. What the bank would refuse is found by the checks afterwards."""
    faults = []
    account = next((account_id for account_id in account_ids if str(account_id) == values["account"]), None)
    if account is None:
        faults.append(FormFault("account", _("Choose the account that pays.")))
    amount = formats.parse_amount(values["amount"])
    if amount is None:
        faults.append(FormFault("amount", _("Type the amount in digits, such as 1.250,00.")))
    choice = next((choice for choice in CHOICES if choice.value == values["when"]), DateChoice.TODAY)
    fixed, due = formats.parse_day(values["date"]), formats.parse_day(values["due_date"])
    if values["date"] and fixed is None:
        faults.append(FormFault("date", _("Type a day such as 21/11/2026.")))
    if values["due_date"] and due is None:
        faults.append(FormFault("due_date", _("Type a day such as 21/11/2026.")))
    if choice is DateChoice.FIXED and fixed is None and not values["date"]:
        faults.append(FormFault("date", _("Give the day, or choose today.")))
    if choice is DateChoice.DUE_DATE and due is None and not values["due_date"]:
        faults.append(FormFault("due_date", _("Give the due date, or choose today.")))
    if faults or account is None:
        return None, faults
    wish = PaymentWish(
        debtor_account_id=account,
        creditor_name=values["name"],
        creditor_iban=values["iban"].replace(formats.NO_BREAK, ""),
        amount=amount if amount is not None else Decimal(0),
        execution_date=ExecutionDate(choice, fixed if choice is DateChoice.FIXED else None),
        remittance=_remittance(values["kind"], values["reference"]),
        source_reference=values["source_reference"] or None,
        due_date=due,
    )
    return wish, []


def changes(wish: PaymentWish) -> dict[str, object]:
    """The fields this form knows, for an edit; all others stay as they are."""
    return {
        "debtor_account_id": wish.debtor_account_id,
        "creditor_name": wish.creditor_name,
        "creditor_iban": wish.creditor_iban,
        "amount": wish.amount,
        "execution_date": wish.execution_date,
        "remittance": wish.remittance,
        "source_reference": wish.source_reference,
        "due_date": wish.due_date,
    }


def _remittance(kind: str, text: str) -> dict[str, str] | None:
    if kind == "structured" and text:
        compact = text.replace(" ", "").upper()
        if compact.startswith("RF"):
            return {"kind": "structured", "issuer": "ISO", "reference": compact}
        digits = "".join(character for character in text if character not in "+*/ .")
        return {"kind": "structured", "issuer": "BBA", "reference": digits}
    if kind == "unstructured" and text:
        return {"kind": "unstructured", "text": text}
    return None
