"""The published answers of Belfius through the real connector; skipped where the samples are absent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from connectors.base import Connector
from connectors.model import Access, AccountKind, BalanceKind, Redirect, TokenSet, Transaction
from tests.connectors.support import NOW, PSU, FakeBank, Keeper, consent_request, json_answer

BASE = "https://bank.example:8443"
DAY = date(2020, 1, 20)
Make = Callable[[str], tuple[FakeBank, Connector]]


@pytest.fixture
def published(shared: Path) -> Make:
    """A bank that gives the published answers; of the list of accounts none is published, so one is invented."""
    folder = shared / "spec" / "psd2" / "fixtures" / "belfius"

    def make(consent: str) -> tuple[FakeBank, Connector]:
        found = {}
        for path in sorted(folder.glob("*.json")):
            if path.stem.startswith("initiate-consent") and path.stem != consent:
                continue
            if path.stem == "refresh-token":
                continue
            for exchange in json.loads(path.read_text(encoding="utf-8"))["exchanges"]:
                asked = exchange["request"]
                key = (asked["query"] or {}).get("next", {}).get("equalTo")
                found[asked["method"], asked["path"], key] = (asked["header_names"], exchange["response"])

        def handler(request: httpx2.Request) -> httpx2.Response:
            if request.url.path == "/accounts":
                return json_answer([{"logical-id": "SOME_LOGICAL_ID", "iban": "BE77999906811442"}])
            headers, response = found[request.method, request.url.path, request.url.params.get("next")]
            assert {name.lower() for name in headers} <= set(request.headers)
            return json_answer(response["body"], response["status"])

        bank = FakeBank(handler=handler)
        hosts = frozenset({"www.belfius.be"})
        return bank, bank.connector("belfius", BASE, allowed_hosts=hosts)

    return make


@pytest.mark.parametrize(
    ("answer", "language"), [("initiate-consent", "en"), ("initiate-consent-wrong-size-response", "nl")]
)
def test_the_published_pages_are_taken_one_or_several(published: Make, answer: str, language: str) -> None:
    _, connector = published(answer)
    started = connector.start_consent(consent_request())
    assert started.step == Redirect(
        f"https://www.belfius.be/common/{language}/fw/generic/launcher.html"
        "?appkey=APP_KEY&apptoken=rdger6e5325drte5635trwe45rew5wr345we5&state=state-123"
    )


def test_the_published_story_is_read_whole(published: Make) -> None:
    _, connector = published("initiate-consent")
    started = connector.start_consent(consent_request())
    tokens = connector.finish_consent(started.handle, {"code": "code-1"}, PSU).tokens
    assert tokens == TokenSet("BELFIUS_ACCESS_TOKEN", "BELFIUS_REFRESH_TOKEN", NOW + timedelta(hours=1), "AIS")
    access = Access(started.handle.bank_consent_id, Keeper(), PSU)
    # The one compartment beside it has the same currency, so it is no account of its own.
    (account,) = connector.accounts(access)
    assert (account.iban, account.currency, account.kind) == ("BE77999906811442", "EUR", AccountKind.CURRENT)
    assert account.name == "ACCOUNT NAME"
    (balance,) = connector.balances(access, account.bank_account_id)
    assert (balance.kind, balance.amount) == (BalanceKind.INTERIM_BOOKED, Decimal("123.12"))
    pages = list(
        connector.transaction_pages(
            access, account.bank_account_id, account_iban="BE77999906811442", account_holder=None,
            date_from=date(2020, 1, 1), today=DAY,
        )
    )  # fmt: skip
    assert not any(page.rejected for page in pages)
    rows = [row for page in pages for row in page.transactions]
    assert [(row.bank_transaction_id, str(row.amount), row.is_value_date_assumed) for row in rows] == [
        ("081721I000088", "123.12", False),
        ("081721I000089", "-100.12", True),
        ("081721I000090", "10000.12", False),
    ]
    for row in rows:
        assert isinstance(row, Transaction)
        assert (row.counterparty_name, row.counterparty_iban) == ("TEST ACCOUNT", "BE48999865032027")
        assert (row.remittance_information, row.additional_information) == ("012-34567-890", "REMITTANCE INFO")
        assert row.structured_reference is None


def test_the_published_renewal_gives_a_new_pair(shared: Path) -> None:
    path = shared / "spec" / "psd2" / "fixtures" / "belfius" / "refresh-token.json"
    (exchange,) = json.loads(path.read_text(encoding="utf-8"))["exchanges"]
    bank = FakeBank(answers=[json_answer(exchange["response"]["body"])])
    tokens = bank.connector("belfius", BASE).refresh_tokens(TokenSet("old", "refresh-1"))
    assert tokens.refresh_token == "BELFIUS_REFRESH_TOKEN"
