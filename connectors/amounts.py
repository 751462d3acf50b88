"""Amounts of a row: exact, in range, with what was exchanged and charged (transaction mapping, rules 1, 3 and 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors import text

AMOUNT_LIMIT = Decimal(10) ** 12
"""Amounts stay below this, the room CODA has for them (12 digits before the decimal sign)."""

_AMOUNT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")


class Unreadable(Exception):
    """Carries the reason of a `RejectedRow`."""


def amount_of(value: Any) -> tuple[Decimal, str] | None:
    """Amount and currency of `{"amount": …, "currency": …}`; None when either lacks, is unreadable or out of range."""
    try:
        return read_amount(value)
    except Unreadable:
        return None


def read_amount(value: Any) -> tuple[Decimal, str]:
    """As `amount_of`, and raises `Unreadable` with the reason."""
    if not isinstance(value, Mapping):
        raise Unreadable("amount_missing")
    amount = _decimal(value.get("amount"))
    currency = (text.present(value.get("currency")) or "").upper()
    if not _CURRENCY.fullmatch(currency):
        raise Unreadable("currency_missing")
    return amount, currency


def _decimal(value: Any) -> Decimal:
    """An exact amount with two or three decimals. A JSON number comes as Decimal or int, or as text when stored."""
    if value is None or isinstance(value, bool) or (isinstance(value, str) and not value.strip()):
        raise Unreadable("amount_missing")
    if isinstance(value, str) and not _AMOUNT.fullmatch(value.strip()):
        raise Unreadable("amount_unreadable")
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        raise Unreadable("amount_unreadable") from None
    if not amount.is_finite():
        raise Unreadable("amount_unreadable")
    if amount and amount.adjusted() >= AMOUNT_LIMIT.adjusted():
        raise Unreadable("amount_out_of_range")
    if not amount:
        return Decimal("0.00")
    for quantum in (Decimal("0.01"), Decimal("0.001")):
        try:
            fitted = amount.quantize(quantum)
        except InvalidOperation:
            break
        if fitted == amount:
            return fitted
    raise Unreadable("amount_too_precise")


def original_amount(raw: Mapping[str, Any], amount: Decimal, currency: str) -> tuple[Decimal | None, str | None]:
    """Amount (with the sign of the row) and currency before exchange, where the bank gives them."""
    details = raw.get("transactionAmountDetails")
    sources = [raw.get("originalAmount"), raw.get("instructedAmount")]
    if isinstance(details, Mapping):
        sources += [details.get("originalAmount"), details.get("instructedAmount"), details]
    for source in sources:
        money = amount_of(source)
        if money is not None and money[1] != currency:
            return (-abs(money[0]) if amount < 0 else abs(money[0])), money[1]
    for exchange in _exchanges(raw):
        for name in ("sourceCurrency", "targetCurrency", "unitCurrency"):
            other = (text.present(exchange.get(name)) or "").upper()
            if _CURRENCY.fullmatch(other) and other != currency:
                return None, other
    return None, None


def exchange_rate(raw: Mapping[str, Any]) -> Decimal | None:
    """The first rate that can be one; None when the bank gives none."""
    candidates = [exchange.get("exchangeRate") for exchange in _exchanges(raw)] + [raw.get("exchangeRate")]
    for candidate in candidates:
        if isinstance(candidate, bool) or not isinstance(candidate, str | int | Decimal):
            continue
        try:
            rate = Decimal(str(candidate).strip())
        except InvalidOperation:
            continue
        if rate.is_finite() and rate > 0 and -12 <= rate.adjusted() <= 12:
            return rate
    return None


def _exchanges(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The exchanges in the form of today; that of Berlin Group 1.1 (`exchangeRate` with two rates) is rewritten."""
    found = [item for name in ("currencyExchange", "exchangeRate") for item in _mappings(raw.get(name))]
    return [_rewritten(item) if "currencyFrom" in item else item for item in found]


def _rewritten(old: Mapping[str, Any]) -> Mapping[str, Any]:
    """Two rates say how many units of one currency stand for how many of the other.

    Read only where one of them is 1: which way a quotient goes is written nowhere. Source: Berlin Group 1.1.
    """
    names = (text.present(old.get("currencyFrom")), text.present(old.get("currencyTo")))
    rates = [text.present(old.get(name)) for name in ("rateFrom", "rateTo")]
    others = [rate for rate in rates if rate is not None and not re.fullmatch(r"1(?:\.0*)?", rate)]
    is_one_sided = names[0] != names[1] and len(others) == 1 and None not in rates
    return {
        "sourceCurrency": names[0],
        "targetCurrency": names[1],
        "exchangeRate": others[0] if is_one_sided else None,
    }


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Mapping)]


def fee(raw: Mapping[str, Any]) -> Decimal | None:
    """What was charged, in the currency of the charges; None when not told."""
    money = amount_of(raw.get("charges"))
    return money[0] if money is not None else None


def balance_after(raw: Mapping[str, Any], currency: str) -> Decimal | None:
    """The balance after this row, where the bank gives it in the row's currency."""
    value = raw.get("balanceAfterTransaction")
    money = amount_of(value.get("balanceAmount", value)) if isinstance(value, Mapping) else None
    return money[0] if money is not None and money[1] == currency else None
