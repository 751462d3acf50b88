"""The published answers of Bank J. Van Breda through the real connector; skipped where the samples are absent.

`balances.json` of that folder is another bank's and left aside.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from connectors.account_data import normalise_balance
from connectors.base import Connector
from connectors.http import BankAnswer
from connectors.model import AccountKind, BalanceKind, ConsentHandle, Redirect
from tests.connectors.support import PSU, TODAY, VERIFIER, FakeBank, Keeper, access, consent_request

BASE = "https://xs2a-sandbox.bankvanbreda.be/berlingroup/v1"
HOSTS = frozenset({".bankvanbreda.be"})


@pytest.fixture(scope="module")
def exchanges(shared: Path) -> dict[tuple[str, str], Any]:
    """Answers by method and path of the request, the stub server's host replaced by the bank's."""
    found: dict[tuple[str, str], Any] = {}
    for path in sorted((shared / "spec" / "psd2" / "fixtures" / "vanbreda").glob("*.json")):
        plain = path.read_text(encoding="utf-8").replace(
            "https://localhost:{{request.requestLine.port}}", "https://xs2a-sandbox.bankvanbreda.be"
        )
        # The numbers go on as written, so that amounts stay exact.
        for exchange in json.loads(plain, parse_float=Decimal)["exchanges"]:
            found[(exchange["request"]["method"], exchange["request"]["path"])] = exchange["response"]
            if path.stem.endswith("_token"):
                found[("POST", path.stem)] = exchange["response"]
    assert len(found) >= 10
    return found


def answering(exchanges: dict[tuple[str, str], Any]) -> tuple[FakeBank, Connector]:
    def handler(request: httpx2.Request) -> httpx2.Response:
        path = request.url.raw_path.decode()
        if path.endswith("/token"):
            path = "refresh_access_token" if b"refresh_token" in request.content else "user_access_token"
        for (method, wanted), response in exchanges.items():
            same_query = sorted(wanted.partition("?")[2].split("&")) == sorted(path.partition("?")[2].split("&"))
            if method == request.method and wanted.partition("?")[0] == path.partition("?")[0] and same_query:
                body = b"" if response["body"] is None else json.dumps(response["body"], default=_number).encode()
                return httpx2.Response(response["status"], content=body)
        raise AssertionError(f"the published answers hold no {request.method} {path}")

    bank = FakeBank(handler=handler)
    return bank, bank.connector("vanbreda", BASE, allowed_hosts=HOSTS)


def _number(value: Decimal) -> float:
    return float(value)


def test_the_consent_leads_to_the_address_of_the_metadata(exchanges: dict[tuple[str, str], Any]) -> None:
    bank, connector = answering(exchanges)
    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    assert started.step.url.startswith(
        "https://xs2a-sandbox-web.bankvanbreda.be/public/berlingroup/authorize/11111111-1111-1111-1111-111111111111?"
    )
    assert started.handle.bank_consent_id == "VALID_CONSENT_ID"
    assert started.handle.private["token_endpoint"] == f"{BASE}/token"
    assert len(bank.requests) == 2


def test_code_and_refresh_give_tokens_and_the_old_refresh_token_stays(exchanges: dict[tuple[str, str], Any]) -> None:
    _, connector = answering({**exchanges, ("GET", "/berlingroup/v1/consents/VALID_CONSENT_ID"): _valid()})
    handle = ConsentHandle(
        "VALID_CONSENT_ID",
        {
            "token_endpoint": f"{BASE}/token",
            "code_verifier": VERIFIER,
            "redirect_uri": "https://gateway.example/cb",
        },
    )
    granted = connector.finish_consent(handle, {"code": "code-1"}, PSU)
    assert granted.tokens is not None
    assert (granted.tokens.refresh_token, granted.tokens.scope) == ("new_refresh_token", "AIS:VALID_CONSENT_ID")
    assert connector.refresh_tokens(granted.tokens, handle).refresh_token == "new_refresh_token"


def test_the_accounts_are_read_with_their_balances(exchanges: dict[tuple[str, str], Any]) -> None:
    bank, connector = answering(exchanges)
    first, second = connector.accounts(access(Keeper("t"), PSU))
    assert (first.bank_account_id, first.kind, first.currency) == ("ACCOUNT_ID", AccountKind.CURRENT, "EUR")
    assert second.name == "Personal account 2"
    balance = normalise_balance(first.raw["balances"][0])
    assert balance is not None
    assert (balance.kind, balance.amount) == (BalanceKind.INTERIM_AVAILABLE, Decimal("150.02"))
    assert balance.reference_date == date(2022, 7, 5)
    assert str(bank.requests[0].url) == f"{BASE}/accounts?withBalance=true"


def test_both_pages_of_transactions_are_read(exchanges: dict[tuple[str, str], Any]) -> None:
    bank, connector = answering(exchanges)
    pages = list(
        connector.transaction_pages(
            access(Keeper("t"), PSU),
            "ACCOUNT_ID",
            account_iban="FR7630056009271234567890181",
            account_holder="John Doe",
            date_from=date(2022, 1, 1),
            today=TODAY,
        )
    )
    rows = [row for page in pages for row in page.transactions]
    assert [row.amount for row in rows] == [Decimal("-256.61"), Decimal("-256.62")]
    assert [row.booking_date for row in rows] == [date(2022, 6, 21), date(2022, 6, 22)]
    assert [row.value_date for row in rows] == [date(2022, 6, 22), date(2022, 6, 23)]
    assert rows[0].counterparty_name == "TEST PARTY FIVE"
    assert rows[0].remittance_information == "Example 1"
    assert len(bank.requests) == 2


def test_the_consent_is_revoked(exchanges: dict[tuple[str, str], Any]) -> None:
    _, connector = answering(exchanges)
    reading = access(Keeper("t"))
    connector.revoke_consent(type(reading)("consentId", reading.tokens))


def test_the_answers_of_the_other_bank_are_not_taken_for_balances(exchanges: dict[tuple[str, str], Any]) -> None:
    odd = [response for (_, path), response in exchanges.items() if path.startswith("/v2/psd2")]
    assert len(odd) == 1
    assert (
        BankAnswer(200, {}, json.dumps(odd[0]["body"], default=_number).encode()).json_object().get("balances") is None
    )


def _valid() -> dict[str, Any]:
    return {"status": 200, "body": {"consentStatus": "valid", "validUntil": "2027-02-18"}}
