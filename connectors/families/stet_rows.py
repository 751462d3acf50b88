"""STET accounts, balances and rows in the words of the Berlin Group, for the one normaliser; pure.

Source: STET PSD2 API 1.5.0.43 (interface description, CC BY 3.0 FR); published answers of 1.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from connectors import text
from connectors.model import TransactionStatus

STATUSES: Final = {"BOOK": TransactionStatus.BOOKED}
NO_ITEMS: Final = frozenset({"RJCT", "INFO"})
"""Refused, or told for information only: never a booking and never going to be one (ISO 20022, entry status)."""

_MIDNIGHT: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T00:00(?::00(?:\.0+)?)?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})")
_SIDES: Final = ("creditor", "debtor", "ultimateCreditor", "ultimateDebtor")
_SAME: Final = (
    "entryReference", "transactionAmount", "creditDebitIndicator", "endToEndId", "additionalInformation",
)  # fmt: skip


def status_of(raw: Any) -> TransactionStatus | None:
    """The status of a row; None for what is no item at all. A status not known counts as pending (SYN-07)."""
    word = (text.present(raw.get("status")) or "").upper() if isinstance(raw, Mapping) else ""
    return None if word in NO_ITEMS else STATUSES.get(word, TransactionStatus.PENDING)


def row(raw: Mapping[str, Any]) -> dict[str, Any]:
    """One transaction with the names `normalise_berlin_group` reads."""
    found = {name: raw[name] for name in _SAME if name in raw}
    for name in ("bookingDate", "valueDate", "transactionDate"):
        found[name] = day(raw.get(name))
    code = raw.get("bankTransactionCode")
    if isinstance(code, Mapping):
        parts = [text.present(code.get(name)) for name in ("domain", "family", "subFamily")]
        found["bankTransactionCode"] = "-".join(part for part in parts if part) or None
        found["proprietaryBankTransactionCode"] = code.get("code")
    else:
        found["bankTransactionCode"] = code
    if text.present(raw.get("additionalTransactionInformation")) is not None:
        found["additionalInformation"] = raw["additionalTransactionInformation"]
    charges = raw.get("charges")
    found["charges"] = charges.get("totalChargesAndTaxAmount") if isinstance(charges, Mapping) else None
    return {
        **found,
        **_exchange(raw.get("transactionAmountDetails")),
        **_remittance(raw.get("remittanceInformation")),
        **_parties(raw.get("relatedParties")),
    }


def account(raw: Mapping[str, Any]) -> dict[str, Any]:
    """One account with the names `normalise_account` reads; a card's masked number is no IBAN and stays out."""
    identification = raw.get("accountId")
    identification = identification if isinstance(identification, Mapping) else {}
    same = {name: raw.get(name) for name in ("resourceId", "name", "product", "cashAccountType")}
    return {
        **same,
        "iban": identification.get("iban"),
        "currency": text.present(raw.get("currency")) or identification.get("currency"),
        "bic": raw.get("bicFi"),
    }


def balance(raw: Mapping[str, Any]) -> dict[str, Any]:
    """One balance; its day is sometimes a date and sometimes midnight."""
    return {**raw, "referenceDate": day(raw.get("referenceDate"))}


def day(value: Any) -> Any:
    """A day written as midnight, cut to the day without converting; every other value as it is.

    Beobank writes midnight UTC for a plain date. A real moment goes on and becomes its day in Brussels (SYN-08).
    """
    match = _MIDNIGHT.fullmatch(value.strip()) if isinstance(value, str) else None
    return match[1] if match else value


def _exchange(value: Any) -> dict[str, Any]:
    """The amount as ordered and how it was exchanged; each stands in an object that holds both."""
    details = value.get("instructedAmount") if isinstance(value, Mapping) else None
    if not isinstance(details, Mapping):
        return {}
    return {"instructedAmount": details.get("amount"), "currencyExchange": [details]}


def _remittance(value: Any) -> dict[str, Any]:
    """Lines and references; the oldest versions give a bare list of lines."""
    if not isinstance(value, Mapping):
        return {"remittanceInformationUnstructured": value}
    structured = value.get("structured")
    references = [
        item["creditorReferenceInformation"]
        for item in (structured if isinstance(structured, list) else [structured])
        if isinstance(item, Mapping) and isinstance(item.get("creditorReferenceInformation"), Mapping)
    ]
    return {
        "remittanceInformationUnstructured": value.get("unstructured"),
        "remittanceInformationStructuredArray": references,
    }


def _parties(value: Any) -> dict[str, Any]:
    """Names and accounts of both sides; absent at older deployments."""
    if not isinstance(value, Mapping):
        return {}
    found: dict[str, Any] = {}
    for side in _SIDES:
        party, account, agent = (value.get(f"{side}{part}") for part in ("", "Account", "Agent"))
        name = party.get("name") if isinstance(party, Mapping) else party
        if text.present(name) is not None:
            found[f"{side}Name"] = name
        if isinstance(account, Mapping):
            other = account.get("other")
            number = other.get("identification") if isinstance(other, Mapping) else None
            found[f"{side}Account"] = {"iban": account.get("iban"), "bban": number}
        if isinstance(agent, Mapping):
            found[f"{side}Agent"] = agent.get("bicFi")
    return found
