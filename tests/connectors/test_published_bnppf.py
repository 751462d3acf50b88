"""The published answers of BNP Paribas Fortis through the real connector; skipped where the samples are absent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from connectors.base import Connector
from connectors.errors import BankAnswerInvalid, BankUnavailable, ConsentEnded, ConsentError
from connectors.model import AccountKind, BalanceKind, ConsentStatus, TransactionStatus
from tests.connectors.support import NOW, PSU, TODAY, FakeBank, Keeper, access, consent_request, json_answer

BASE = "https://bank.example/psd2/v2"
Make = Callable[..., tuple[FakeBank, Connector]]


@pytest.fixture
def published(shared: Path) -> Make:
    """A bank that gives the published answers of some files, by method, path and page."""
    folder = shared / "spec" / "psd2" / "fixtures" / "bnppf"

    def make(pattern: str = "happy-flow__*") -> tuple[FakeBank, Connector]:
        found: list[tuple[str, str, Any, Any]] = []
        for path in sorted(folder.glob(f"{pattern}.json")):
            for exchange in json.loads(path.read_text(encoding="utf-8"))["exchanges"]:
                asked = exchange["request"]
                index = (asked["query"] or {}).get("index", {}).get("equalTo")
                found.append((asked["method"], asked["path"], index, exchange["response"]))

        def handler(request: httpx2.Request) -> httpx2.Response:
            path = "/token" if request.url.path.endswith("/token") else request.url.path
            for method, wanted, index, response in found:
                if (method, wanted, index) == (request.method, path, request.url.params.get("index")):
                    if response["status"] == 204:
                        return httpx2.Response(204)
                    return json_answer(response["body"], response["status"])
            raise AssertionError(f"the published answers hold no {request.method} {request.url}")

        bank = FakeBank(handler=handler)
        return bank, bank.connector("bnppf", BASE)

    return make


def rows(connector: Connector, account: str) -> list[Any]:
    pages = connector.transaction_pages(
        access(psu=PSU), account, account_iban="BE53999819793853", account_holder=None, date_from=date(2019, 1, 1),
        today=TODAY,
    )  # fmt: skip
    found = list(pages)
    assert not any(page.rejected for page in found)
    return [row for page in found for row in page.transactions]


def test_the_published_happy_story_is_read_whole(published: Make) -> None:
    bank, connector = published()
    started = connector.start_consent(consent_request())
    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert granted.status is ConsentStatus.VALID
    assert granted.tokens is not None
    assert granted.tokens.expires_at == NOW + timedelta(seconds=7775999)
    assert granted.valid_until == date(2027, 2, 18), "the consent ends with the token"
    assert bank.requests[0].headers["x-openbank-stet-version"] == "1.4.0.47.develop"
    assert parse_qs(bank.requests[0].content.decode())["scope"] == ["aisp"]
    accounts = connector.accounts(access(psu=PSU))
    assert [(found.bank_account_id, found.iban) for found in accounts] == [
        ("1", "BE53999819793853"),
        ("2", None),
        ("3", None),
    ]
    assert {found.kind for found in accounts} == {AccountKind.CURRENT}
    balances = {name: connector.balances(access(psu=PSU), name) for name in ("1", "2", "3")}
    booked = {
        name: [balance.amount for balance in found if balance.kind is BalanceKind.CLOSING_BOOKED]
        for name, found in balances.items()
    }
    assert booked == {"1": [Decimal("-220.20")], "2": [], "3": [Decimal("-20.20")]}
    assert {balance.reference_date for balance in balances["3"]} == {date(2019, 4, 2)}, "a date and a midnight"
    found = rows(connector, "1")
    assert [(row.bank_transaction_id, str(row.amount), row.status) for row in found] == [
        ("1001", "-12.25", TransactionStatus.BOOKED),
        ("1002", "245.50", TransactionStatus.BOOKED),
        ("1003", "-8.00", TransactionStatus.PENDING),
    ]
    assert found[0].remittance_information == "transaction-information-1001"
    assert (found[0].booking_date, found[0].value_date) == (date(2019, 2, 27), date(2019, 2, 28))
    assert [str(request.url) for request in bank.requests[-2:]] == [
        f"{BASE}/accounts/1/transactions?index=2%7C20091231%7C2009-12-31-12.12.12.000012%7C96%7C272%7C272"
        "&dateFrom=2009-12-31&dateTo=2009-12-31",
        f"{BASE}/accounts/1/transactions?index=empty-page-index",
    ]
    assert [str(row.amount) for row in rows(connector, "2")] == ["1000.50"]
    assert rows(connector, "3") == []


def test_the_published_refusals_are_understood(published: Make) -> None:
    _, connector = published("accounts-401__*")
    assert connector.consent_status(access(Keeper(error=ConsentEnded("x", bank_id="bank")))) is ConsentStatus.REVOKED
    with pytest.raises(ConsentEnded):
        connector.accounts(access(Keeper("token-1", "token-2")))
    for pattern, kind in (("accounts-403__*", ConsentError), ("accounts-500__*", BankUnavailable)):
        _, connector = published(pattern)
        with pytest.raises(kind):
            connector.accounts(access())


def test_published_answers_that_lack_something_invent_nothing(published: Make) -> None:
    _, connector = published("missing-data__*")
    with pytest.raises(BankAnswerInvalid):
        connector.accounts(access())
    with pytest.raises(BankAnswerInvalid):
        connector.balances(access(), "1")
    (row,) = rows(connector, "1")
    assert (row.bank_transaction_id, row.amount) == ("1001", Decimal("-12.25"))
