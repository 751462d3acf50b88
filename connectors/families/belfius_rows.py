"""Belfius accounts, balances and rows in the words of the Berlin Group, for the one normaliser; pure.

Source: portal text of the bank and a production client of 2023; see `banks/belfius.md` for what is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from connectors import text
from connectors.account_data import normalise_account
from connectors.amounts import amount_of
from connectors.model import Account, Balance, BalanceKind

FREE_TEXT: Final = "FREETEXT"
REFERENCE_FAILED: Final = "structured_reference_failed"

_LOGICAL_IDS: Final = ("logical-id", "logical_id")
"""The portal writes the first, the answers that were seen write the second."""
_NO_DIGIT: Final = re.compile(r"[^0-9]")
_BETWEEN: Final = "~"


def listed_accounts(body: Any) -> list[Any] | None:
    """The entries of the list of accounts; None when there is no list.

    Its shape was never seen: the bare list, one named `accounts`, and one in `_embedded`, where the bank puts its rows,
    are all taken.
    """
    if isinstance(body, Mapping) and isinstance(body.get("_embedded"), Mapping):
        body = body["_embedded"]
    found = body.get("accounts") if isinstance(body, Mapping) else body
    return found if isinstance(found, list) else None


def logical_id(entry: Any) -> str | None:
    """The bank's name for an account."""
    if not isinstance(entry, Mapping):
        return None
    return next((found for name in _LOGICAL_IDS if (found := text.present_id(entry.get(name))) is not None), None)


def accounts(bank_id: str, body: Mapping[str, Any]) -> list[Account] | None:
    """The account of one logical id, and one more for each other currency it is kept in; None without a currency.

    Each currency is read apart, so it is part of the id.
    """
    own = {
        "resourceId": bank_id,
        "iban": body.get("iban"),
        "currency": body.get("currency"),
        "displayName": body.get("accountName"),
        # The only word seen is `current-account`; the words of products tell others.
        "product": body.get("type"),
    }
    found: list[Account] = []
    for compartment in (body, *_compartments(body)):
        account = normalise_account({**own, "currency": compartment.get("currency")})
        if account is None:
            return None
        if all(account.currency != other.currency for other in found):
            named = f"{bank_id}{_BETWEEN}{account.currency}"
            found.append(replace(account, bank_account_id=named, raw=body))
    return found


def parts_of(bank_account_id: str) -> tuple[str, str]:
    """Logical id and currency of an id made by `accounts`."""
    resource, _, currency = bank_account_id.rpartition(_BETWEEN)
    return resource, currency


def balance(body: Mapping[str, Any], currency: str) -> Balance | None:
    """The one balance of a currency; None when it cannot be read.

    That it counts booked rows is assumed. The euro balance beside other currencies may be the sum of all of them: it
    proves no day.
    """
    own = (text.present(body.get("currency")) or "").upper()
    others = [item for item in _compartments(body) if (text.present(item.get("currency")) or "").upper() != own]
    kind = BalanceKind.OTHER if others and currency == own else BalanceKind.INTERIM_BOOKED
    for source in (body, *others):
        money = amount_of({"amount": source.get("balance"), "currency": source.get("currency")})
        if money is not None and money[1] == currency:
            return Balance(kind=kind, amount=money[0], currency=currency, bank_kind="balance", raw=source)
    return None


def row(raw: Mapping[str, Any]) -> dict[str, Any]:
    """One transaction with the names `normalise_berlin_group` reads."""
    found: dict[str, Any] = {
        "transaction_ref": raw.get("transaction_ref"),
        "transactionAmount": {"amount": raw.get("amount"), "currency": raw.get("currency")},
        "bookingDate": raw.get("execution_date"),
        "valueDate": raw.get("value_date"),
        # Often the whole line as it is printed: the only place that tells what kind of transaction it is.
        "additionalInformation": raw.get("remittance_info"),
    }
    money = amount_of(found["transactionAmount"])
    side = "creditor" if money is not None and money[0] < 0 else "debtor"
    # Name and address in one text, without a mark between them: nothing is cut off.
    found[f"{side}Name"] = raw.get("counterparty_info")
    found[f"{side}Account"] = {"iban": raw.get("counterparty_account")}
    wording = text.present(raw.get("communication"))
    if wording is not None and is_structured(raw):
        found["remittanceInformationStructured"] = {"reference": _reference(wording)}
    else:
        found["remittanceInformationUnstructured"] = wording
    return found


def is_structured(raw: Mapping[str, Any]) -> bool:
    """Whether the bank says that the communication is a reference; only the name of the other kind is known."""
    kind = text.present(raw.get("communication_type"))
    return kind is not None and kind.upper() != FREE_TEXT and text.present(raw.get("communication")) is not None


def _reference(wording: str) -> str:
    """Twelve digits where their check digits hold, whatever stands around them; else the text as it is."""
    digits = _NO_DIGIT.sub("", wording)
    return digits if text.is_belgian_reference(digits) else wording


def _compartments(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = body.get("other_compartments")
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
