"""Ponto's accounts and transactions in the words of the Berlin Group, for the one normaliser; pure.

Source: Ponto Connect, API version 2 (interface description of 2022), recorded answers, official clients up to 2025.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from connectors import text
from connectors.account_data import normalise_account
from connectors.amounts import amount_of
from connectors.dialect import Dialect
from connectors.model import Account, Balance, BalanceKind, TransactionStatus

DIALECT: Final = Dialect(
    # Numbers of each bank; whether they are codes of CODA is not known.
    is_proprietary_code_wording=False,
    # Ponto says itself whether the text is a reference: inside other words it is the payer's own text.
    finds_references_within_text=False,
)
PENDING: Final = "pendingTransaction"

_ACCOUNT_TYPES: Final = {"checking": "CACC", "savings": "SVGS", "securities": "TRAS", "card": "CARD"}
_SAME: Final = ("endToEndId", "mandateId", "creditorId", "purposeCode", "bankTransactionCode",
                "proprietaryBankTransactionCode")  # fmt: skip


def attributes(resource: Any) -> Mapping[str, Any]:
    """The attributes of a resource; empty when it is none."""
    found = resource.get("attributes") if isinstance(resource, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def meta(resource: Any) -> Mapping[str, Any]:
    """What stands beside the attributes; empty when there is nothing."""
    found = resource.get("meta") if isinstance(resource, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def related_id(resource: Mapping[str, Any], name: str) -> str | None:
    """The id of a related resource."""
    found: Any = resource
    for part in ("relationships", name, "data"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return text.present_id(found.get("id")) if isinstance(found, Mapping) else None


def account(resource: Mapping[str, Any], *, bic: str | None = None) -> Account | None:
    """An account in the normal form; None without id or currency. `bic` is that of its bank."""
    values = attributes(resource)
    is_iban = (text.present(values.get("referenceType")) or "").upper() == "IBAN"
    found = normalise_account(
        {
            "resourceId": resource.get("id"),
            "iban": values.get("reference") if is_iban else None,
            "currency": values.get("currency"),
            # A kind that is not known is none of ours.
            "cashAccountType": _ACCOUNT_TYPES.get(text.present(values.get("subtype")) or "", "OTHR"),
            "name": values.get("description"),
            "product": values.get("product"),
            "ownerName": values.get("holderName"),
            "bic": bic,
            "status": "deleted" if values.get("deprecated") is True else None,
        }
    )
    return None if found is None else replace(found, raw=resource)


def balances(resource: Mapping[str, Any]) -> list[Balance]:
    """The two balances an account carries, those that are there; each with the day it speaks of."""
    values = attributes(resource)
    found = []
    for name, kind in (
        ("currentBalance", BalanceKind.INTERIM_BOOKED),
        ("availableBalance", BalanceKind.INTERIM_AVAILABLE),
    ):
        raw = {"amount": values.get(name), "currency": values.get("currency")}
        money = amount_of(raw)
        if money is not None:
            found.append(
                Balance(
                    kind=kind,
                    amount=money[0],
                    currency=money[1],
                    reference_date=text.day(values.get(f"{name}ReferenceDate")),
                    last_change_at=text.moment(values.get(f"{name}ChangedAt")),
                    bank_kind=name,
                    raw=raw,
                )
            )
    return found


def status_of(resource: Any) -> TransactionStatus:
    """Booked only what says that it is a transaction (SYN-07)."""
    is_booked = isinstance(resource, Mapping) and resource.get("type") == "transaction"
    return TransactionStatus.BOOKED if is_booked else TransactionStatus.PENDING


def row(resource: Mapping[str, Any]) -> dict[str, Any]:
    """One transaction with the names `normalise_berlin_group` reads.

    Dates are instants and become their day in Brussels there; the sign is in the amount.
    """
    values = attributes(resource)
    found: dict[str, Any] = {name: values.get(name) for name in _SAME}
    amount, currency = values.get("amount"), values.get("currency")
    side = "creditor" if str(amount).lstrip().startswith("-") else "debtor"
    found |= {
        "transactionId": resource.get("id"),
        "transactionAmount": {"amount": amount, "currency": currency},
        "bookingDate": values.get("executionDate"),
        "valueDate": values.get("valueDate"),
        f"{side}Name": values.get("counterpartName"),
        f"{side}Account": {"iban": values.get("counterpartReference")},
        # The bank's label first: the text rules look at the first line.
        "additionalInformation": [values.get("description"), values.get("additionalInformation")],
        "charges": {"amount": values.get("fee"), "currency": currency},
    }
    is_structured = (text.present(values.get("remittanceInformationType")) or "").casefold() == "structured"
    name = "remittanceInformationStructured" if is_structured else "remittanceInformationUnstructured"
    return {**found, name: values.get("remittanceInformation")}


def last_day_of(accounts: Sequence[Mapping[str, Any]], now: datetime) -> tuple[date | None, bool]:
    """The first day on which one of the accounts must be authorised anew, and whether all of them are over.

    Each account has an end of its own. Those that are over, or that Ponto has given up, are left aside while another
    one holds; None where no account names an end.
    """
    kept = [attributes(resource) for resource in accounts if attributes(resource).get("deprecated") is not True]
    named = [text.moment(values.get("authorizationExpirationExpectedAt")) for values in kept]
    ends = [end for end in named if end is not None]
    ahead = [end for end in ends if end > now]
    if ahead:
        return text.day(min(ahead).isoformat()), False
    is_over = bool(ends) and len(ends) == len(kept)
    return (text.day(max(ends).isoformat()) if is_over else None), is_over
