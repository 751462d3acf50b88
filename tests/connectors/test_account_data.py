"""Accounts and balances: kinds read with care, amounts exact."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.account_data import account_kind, normalise_account, normalise_balance
from connectors.dialect import Dialect
from connectors.model import AccountKind, BalanceKind
from tests.connectors.support import IBAN, amount


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ({"cashAccountType": "CACC"}, AccountKind.CURRENT),
        ({"cashAccountType": "CACC", "product": "SAC"}, AccountKind.CURRENT),
        ({"cashAccountType": "cacc", "name": "spaarpotje"}, AccountKind.CURRENT),
        ({"cashAccountType": "SVGS"}, AccountKind.SAVINGS),
        ({"cashAccountType": "CACC", "product": "Compte d'épargne"}, AccountKind.SAVINGS),
        ({"cashAccountType": "CARD"}, AccountKind.CARD),
        ({"cashAccountType": "LOAN"}, AccountKind.LOAN),
        ({"cashAccountType": "ZZZZ", "product": "Zichtrekening"}, AccountKind.OTHER),
        ({"product": "Zichtrekening"}, AccountKind.CURRENT),
        ({"product": "Compte à vue"}, AccountKind.CURRENT),
        ({"product": "Spaarrekening"}, AccountKind.SAVINGS),
        ({"product": "Effectenrekening"}, AccountKind.INVESTMENT),
        ({"product": "Kaskrediet"}, AccountKind.LOAN),
        ({"product": "Carte Visa"}, AccountKind.CARD),
        ({"name": "Zichtrekening"}, AccountKind.OTHER),
        ({}, AccountKind.OTHER),
    ],
)
def test_the_kind_of_an_account_is_read_with_care(raw: dict[str, Any], kind: AccountKind) -> None:
    assert account_kind(raw) is kind


def test_a_bank_that_names_no_type_can_say_so_in_its_dialect() -> None:
    assert account_kind({}, Dialect(kind_without_type=AccountKind.CURRENT)) is AccountKind.CURRENT


def test_an_account_is_read_whole() -> None:
    found = normalise_account(
        {"resourceId": "1", "currency": "eur", "iban": "be14 6451 2345 6783", "status": "deleted"}
    )
    assert found is not None
    assert (found.iban, found.currency, found.is_closed) == (IBAN, "EUR", True)


@pytest.mark.parametrize(
    ("bank_kind", "extra", "kind"),
    [
        ("closingBooked", {}, BalanceKind.CLOSING_BOOKED),
        ("INTERIMBOOKED", {}, BalanceKind.INTERIM_BOOKED),
        ("CLBD", {}, BalanceKind.CLOSING_BOOKED),
        ("closingBooked", {"creditLimitIncluded": True}, BalanceKind.OTHER),
        ("interimAvailable", {"creditLimitIncluded": True}, BalanceKind.INTERIM_AVAILABLE),
        ("nonInvoiced", {}, BalanceKind.OTHER),
        (None, {}, BalanceKind.OTHER),
    ],
)
def test_a_balance_keeps_its_kind(bank_kind: Any, extra: dict[str, Any], kind: BalanceKind) -> None:
    found = normalise_balance({"balanceType": bank_kind, "balanceAmount": amount("1.00"), **extra})
    assert found is not None
    assert found.kind is kind
    assert found.bank_kind == (bank_kind or "")
