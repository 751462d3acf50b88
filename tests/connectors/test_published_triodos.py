"""The published answers of Triodos through the real connector; skipped where the samples are absent."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from connectors import signing
from connectors.base import BankEndpoint
from connectors.errors import BankAnswerInvalid, OperatorError
from connectors.model import BalanceKind, ConsentStatus, Redirect, RejectedRow, Transaction, TransactionStatus
from connectors.registry import bank_for_iban
from connectors.signing import RequestSigner
from connectors.simulator.references import belgian_iban
from tests.connectors.support import (
    NOW,
    PSU,
    TODAY,
    FakeBank,
    Keeper,
    access,
    amount,
    consent_request,
    json_answer,
    throw_away_key,
)

BASE = "https://xs2a-sandbox.triodos.com/xs2a-bg/nl/v1"
CONSENT = "c5bcbf1b-5a3a-45d4-86aa-ed17988e3a63"
REGISTRATION = ("registration", "OnBoarding")


@pytest.fixture
def bank(shared: Path) -> FakeBank:
    """The published happy story; consent and authorisation ids of the answers differ from file to file."""
    found: list[tuple[str, str, str, Any]] = []
    for path in sorted((shared / "spec" / "psd2" / "fixtures" / "triodos").glob("happy-flow__*.json")):
        for exchange in json.loads(path.read_text(encoding="utf-8"))["exchanges"]:
            query = exchange["request"]["query"] or {}
            step = query.get("edgeToken", {}).get("equalTo", "") or ("refresh" if "refresh" in path.stem else "")
            found.append((exchange["request"]["method"], exchange["request"]["path"], step, exchange["response"]))

    def handler(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.replace(CONSENT, "consent-id") if request.method != "DELETE" else request.url.path
        path = re.sub("/authorisations/.*", "/authorisations/authorisation-id", path)
        step = "refresh" if b"grant_type=refresh_token" in request.content else request.url.params.get("edgeToken", "")
        for method, pattern, wanted, response in found:
            if method == request.method and wanted == step and re.fullmatch(pattern, path):
                if response["body"] is None:
                    return httpx2.Response(response["status"])
                return json_answer(response["body"], response["status"])
        raise AssertionError(f"the published answers hold no {request.method} {path} {step}")

    return FakeBank(handler=handler)


def test_the_published_happy_story_is_read_whole(bank: FakeBank) -> None:
    signer = RequestSigner(signing.TRIODOS, throw_away_key(), now=lambda: NOW)
    connector = bank.connector("triodos", BASE, signer=signer)
    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    assert started.step.url.startswith("https://xs2a-sandbox.triodos.com/auth/nl/v1/auth?")
    query = parse_qs(urlsplit(started.step.url).query)
    assert query["scope"] == [f"openid offline_access AIS:{CONSENT}"]
    assert query["state"] == ["state-123"]
    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    # The published state is that before the confirmation; it is never taken for valid.
    assert (granted.status, granted.valid_until) == (ConsentStatus.AWAITING_AUTHORISATION, None)
    confirmed = next(request for request in bank.requests if request.method == "PUT")
    assert confirmed.url.path.endswith(f"/consents/{CONSENT}/authorisations/b6fafab4-0ae4-48a9-b192-28f8b1fdc0f9")
    assert confirmed.headers["Authorization"] == "Bearer access-token"
    assert granted.tokens is not None
    assert connector.refresh_tokens(granted.tokens).refresh_token == "new-refresh-token"
    assert {request.headers["Authorization"] for request in bank.requests if request.url.path.endswith("/token")} == {
        "Basic UFNEQkUtTkJCLTAxMjM0NTY3ODk6c2VjcmV0LTE="
    }
    reading = access(Keeper("new-access-token"), PSU)
    accounts = connector.accounts(reading)
    balances = [connector.balances(reading, account.bank_account_id) for account in accounts]
    assert [[str(one.amount) for one in found] for found in balances] == [["100.00"], ["510.84", "590.01"], ["279.33"]]
    assert {found[0].kind for found in balances} == {BalanceKind.CLOSING_BOOKED}
    assert balances[0][0].reference_date == date(2019, 2, 28)
    rows = [
        row
        for account in accounts
        for one in connector.transaction_pages(
            reading, account.bank_account_id, account_iban=account.iban or "", account_holder=None,
            date_from=date(2019, 1, 1), today=TODAY,
        )
        for row in (*one.transactions, *one.rejected)
    ]  # fmt: skip
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    booked = [row for row in rows if isinstance(row, Transaction) and row.status is TransactionStatus.BOOKED]
    assert [str(row.amount) for row in booked] == ["11.25", "-41.12", "59.27", "-102.14", "31.07", "-9.18", "-6.67"]
    pending = [row for row in rows if isinstance(row, Transaction) and row.status is TransactionStatus.PENDING]
    assert [str(row.amount) for row in pending] == ["999.26", "-666.85", "-10.36", "-78.76"], "the first comes back"
    connector.revoke_consent(type(reading)(CONSENT, reading.tokens))
    for request in bank.requests:
        signing.verify(
            signing.TRIODOS, {throw_away_key().key_id: throw_away_key().key.public_key()}.get,
            method=request.method, target=request.url.raw_path.decode(), headers=dict(request.headers),
            body=request.content, now=int(NOW.timestamp()),
        )  # fmt: skip


def test_tokens_survive_when_the_confirmation_fails() -> None:
    consent = {"consentStatus": "received", "consentId": "c-1", "authorisationId": "a-1", "_links": {}}
    tokens = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 600}
    bank = FakeBank(answers=[json_answer(consent, 201), json_answer(tokens), httpx2.Response(503)])
    connector = bank.connector("triodos", BASE)
    granted = connector.finish_consent(connector.start_consent(consent_request()).handle, {"code": "c"}, PSU)
    assert granted.status is ConsentStatus.AWAITING_AUTHORISATION
    assert granted.tokens is not None
    assert bank.requests[-1].method == "PUT", "asked once: a PUT is not repeated"


def test_a_consent_without_an_authorisation_id_cannot_be_confirmed_and_is_refused() -> None:
    bank = FakeBank(answers=[json_answer({"consentStatus": "received", "consentId": "c-1", "_links": {}}, 201)])
    with pytest.raises(BankAnswerInvalid, match="authorisation id"):
        bank.connector("triodos", BASE).start_consent(consent_request())


def test_without_the_secret_of_the_registration_the_operator_must_act() -> None:
    connector = FakeBank().connector("triodos", BASE)
    connector.endpoint = BankEndpoint(BASE, "client-1")
    with pytest.raises(OperatorError, match="client secret"):
        connector.refresh_tokens(Keeper().current())


def test_the_iban_does_not_tell_the_tenant() -> None:
    found = [profile.bank_id for profile in bank_for_iban(belgian_iban("523", "1234567"))]
    assert found == ["triodos", "triodosfr"]


def test_a_booked_row_with_a_sign_goes_to_review() -> None:
    raw = {"bookingDate": "2026-11-18", "transactionAmount": amount("-5.00"), "creditorName": "A"}
    found = FakeBank().connector("triodos", BASE).transaction(
        raw, status=TransactionStatus.BOOKED, account_iban="BE14645123456783", account_holder=None,
        own_ibans=frozenset(), today=TODAY,
    )  # fmt: skip
    assert found == RejectedRow("sign_undecided", raw)
    pending = FakeBank().connector("triodos", BASE).transaction(
        raw, status=TransactionStatus.PENDING, account_iban="BE14645123456783", account_holder=None,
        own_ibans=frozenset(), today=TODAY,
    )  # fmt: skip
    assert isinstance(pending, Transaction)
    assert pending.amount == Decimal("5.00")
