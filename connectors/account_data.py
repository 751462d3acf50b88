"""Accounts and balances of a bank's JSON in the normal form; pure.

Source: Berlin Group 1.3, `accountDetails` and `balance`; account types are those of ISO 20022.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors import text
from connectors.amounts import amount_of
from connectors.dialect import STANDARD, Dialect
from connectors.model import Account, AccountKind, Balance, BalanceKind

_CURRENCY = re.compile(r"[A-Z]{3}")
_BALANCE_KINDS = {
    "closingbooked": BalanceKind.CLOSING_BOOKED,
    "clbd": BalanceKind.CLOSING_BOOKED,
    "interimbooked": BalanceKind.INTERIM_BOOKED,
    "itbd": BalanceKind.INTERIM_BOOKED,
    "openingbooked": BalanceKind.OPENING_BOOKED,
    "opbd": BalanceKind.OPENING_BOOKED,
    "expected": BalanceKind.EXPECTED,
    "xpcd": BalanceKind.EXPECTED,
    "interimavailable": BalanceKind.INTERIM_AVAILABLE,
    "itav": BalanceKind.INTERIM_AVAILABLE,
    "forwardavailable": BalanceKind.FORWARD_AVAILABLE,
    "fwav": BalanceKind.FORWARD_AVAILABLE,
}
# ISO 20022 ExternalCashAccountType1Code; types not listed here are `OTHER`.
_ACCOUNT_TYPES = {
    "CACC": AccountKind.CURRENT,
    "TRAN": AccountKind.CURRENT,
    "SVGS": AccountKind.SAVINGS,
    "LLSV": AccountKind.SAVINGS,
    "ONDP": AccountKind.SAVINGS,
    "MOMA": AccountKind.SAVINGS,
    "CARD": AccountKind.CARD,
    "LOAN": AccountKind.LOAN,
    "MGLD": AccountKind.LOAN,
    "TRAS": AccountKind.INVESTMENT,
}
_PRODUCT_WORDS = (
    (re.compile(r"spaar|[eé]pargne|saving|livret", re.IGNORECASE), AccountKind.SAVINGS),
    (re.compile(r"effecten|titres|securities|investment|belegging", re.IGNORECASE), AccountKind.INVESTMENT),
    (re.compile(r"krediet|cr[eé]dit\b|\bloan|lening|\bpr[eê]t\b", re.IGNORECASE), AccountKind.LOAN),
    (re.compile(r"\bkaart|\bcarte|\bcard\b", re.IGNORECASE), AccountKind.CARD),
    (re.compile(r"zicht|\b[aà] vue\b|courant|current|checking", re.IGNORECASE), AccountKind.CURRENT),
)


def normalise_balance(raw: Mapping[str, Any]) -> Balance | None:
    """A balance in the normal form; None when it has no readable amount. Source: Berlin Group 1.3, `balance`.

    A booked type that includes a credit line proves no day and becomes `OTHER`.
    """
    money = amount_of(raw.get("balanceAmount"))
    if money is None:
        return None
    bank_kind = text.present(raw.get("balanceType")) or ""
    kind = balance_kind(raw)
    if raw.get("creditLimitIncluded") is True and kind in (BalanceKind.CLOSING_BOOKED, BalanceKind.INTERIM_BOOKED):
        kind = BalanceKind.OTHER
    return Balance(
        kind=kind,
        amount=money[0],
        currency=money[1],
        reference_date=text.day(raw.get("referenceDate")),
        last_change_at=text.moment(raw.get("lastChangeDateTime")),
        bank_kind=bank_kind,
        raw=raw,
    )


def balance_kind(raw: Mapping[str, Any]) -> BalanceKind:
    """What kind of balance the bank says it is."""
    # One bank writes INTERIM_BOOKED for interimBooked.
    return _BALANCE_KINDS.get(
        (text.present(raw.get("balanceType")) or "").replace("_", "").casefold(), BalanceKind.OTHER
    )


def normalise_account(raw: Mapping[str, Any], dialect: Dialect = STANDARD) -> Account | None:
    """An account in the normal form; None without id or currency. Source: Berlin Group 1.3, `accountDetails`."""
    resource_id = text.present_id(raw.get("resourceId"))
    currency = (text.present(raw.get("currency")) or "").upper()
    if resource_id is None or not _CURRENCY.fullmatch(currency):
        return None
    return Account(
        bank_account_id=resource_id,
        iban=text.compact_account(raw.get("iban")),
        currency=currency,
        kind=account_kind(raw, dialect),
        name=text.present(raw.get("displayName")) or text.present(raw.get("name")),
        product=text.present(raw.get("product")),
        holder_name=text.present(raw.get("ownerName")),
        bic=text.compact_account(raw.get("bic")),
        is_closed=(text.present(raw.get("status")) or "").casefold() == "deleted",
        raw=raw,
    )


def account_kind(raw: Mapping[str, Any], dialect: Dialect = STANDARD) -> AccountKind:
    """The kind by `cashAccountType` (ISO 20022), else by the words of `product`, else what the dialect says.

    A product that calls itself savings is savings even where the bank types every account as current: only current
    accounts are in scope, so doubt excludes (CON-08). The account's name is the PSU's own and decides nothing.
    """
    product = text.present(raw.get("product")) or ""
    by_type = _ACCOUNT_TYPES.get((text.present(raw.get("cashAccountType")) or "").upper())
    by_word = next((kind for pattern, kind in _PRODUCT_WORDS if pattern.search(product)), None)
    if by_type is AccountKind.CURRENT and by_word is AccountKind.SAVINGS:
        return AccountKind.SAVINGS
    if by_type is not None:
        return by_type
    if text.present(raw.get("cashAccountType")) is not None:
        return AccountKind.OTHER
    return by_word or dialect.kind_without_type
