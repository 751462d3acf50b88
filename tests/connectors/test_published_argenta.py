"""The published answers of Argenta through the real connector; skipped where the samples are absent."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from connectors import signing
from connectors.base import BankEndpoint
from connectors.errors import (
    BankUnavailable,
    CallbackRejected,
    ConnectorError,
    ConsentEnded,
    ConsentError,
    OperatorError,
    QuotaExhausted,
    RequestRefused,
)
from connectors.model import BalanceKind, ConsentHandle, ConsentStatus, Redirect, TokenSet, TransactionStatus
from connectors.registry import connector_class
from connectors.signing import RequestSigner
from tests.connectors.support import (
    NOW,
    PSU,
    TODAY,
    VERIFIER,
    FakeBank,
    Keeper,
    access,
    consent_request,
    json_answer,
    throw_away_key,
)

BASE = "https://api.payments.argenta.be/berlingroup/v1"
HOSTS = frozenset(connector_class("argenta").profile.hosts)


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "spec" / "psd2" / "fixtures" / "argenta"


def answering(folder: Path, story: str = "happy-flow") -> FakeBank:
    """The bank of one published story, by path, paging and step; what a story lacks is that of the happy one."""
    found: dict[tuple[str, str, str], Any] = {}
    for name in dict.fromkeys(("happy-flow", story)):
        for path in sorted(folder.glob(f"{name}__*.json")):
            for exchange in json.loads(path.read_text(encoding="utf-8"))["exchanges"]:
                ranged = ((exchange["request"]["query"] or {}).get("range") or {}).get("equalTo", "")
                step = "refresh" if path.stem.endswith("refresh-token") else ranged
                found[(exchange["request"]["method"], exchange["request"]["path"], step)] = exchange["response"]

    def handler(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["apiKey"] == "key-1"
        step = "refresh" if b"grant_type=refresh_token" in request.content else request.url.params.get("range", "")
        if request.url.path.endswith("/consents/TEST_CONSENT_ID") and request.method == "GET":
            return json_answer({"consentStatus": "valid", "validUntil": "2027-02-17"})
        response = found[(request.method, request.url.path, step)]
        if response["body"] is None:
            return httpx2.Response(response["status"])
        return json_answer(response["body"], response["status"])

    return FakeBank(handler=handler)


def test_the_published_happy_story_is_read_whole(folder: Path) -> None:
    bank = answering(folder)
    signer = RequestSigner(signing.ARGENTA, throw_away_key(), now=lambda: NOW)
    connector = bank.connector("argenta", BASE, allowed_hosts=HOSTS, signer=signer)
    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    parts = urlsplit(started.step.url)
    assert (parts.netloc, parts.path) == ("login.payments.argenta.be", "/psd2/v1/berlingroup-auth")
    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert (granted.status, granted.valid_until) == (ConsentStatus.VALID, date(2027, 2, 17))
    assert granted.tokens is not None
    renewed = connector.refresh_tokens(granted.tokens, started.handle)
    assert (renewed.access_token, renewed.refresh_token) == ("TEST_REFRESHED_ACCESS_TOKEN", "TEST_REFRESH_TOKEN")
    reading = access(Keeper(renewed.access_token), PSU)
    first, second = connector.accounts(reading)
    kinds = {balance.kind: balance.amount for balance in connector.balances(reading, first.bank_account_id)}
    assert kinds[BalanceKind.INTERIM_BOOKED] == Decimal("9600.00")
    assert kinds[BalanceKind.INTERIM_AVAILABLE] == Decimal("9700.00")
    assert kinds[BalanceKind.OTHER] == Decimal("0.00"), "of the previous day, whichever that is"
    rows = [
        row
        for account in (first, second)
        for one in connector.transaction_pages(
            reading, account.bank_account_id, account_iban=account.iban or "", account_holder=None,
            date_from=date(2020, 12, 31), today=TODAY,
        )
        for row in one.transactions
    ]  # fmt: skip
    assert len(connector.balances(reading, second.bank_account_id)) == 3
    assert [str(row.amount) for row in rows] == [
        "8637.31", "-6843.46", "-4343.21", "9637.31", "5843.46", "-5343.21", "8637.31", "6843.46", "-4343.21",
    ]  # fmt: skip
    assert [row.status for row in rows].count(TransactionStatus.PENDING) == 1
    assert rows[0].bank_transaction_id == "B7H31CWDOS4K1F13"
    assert rows[1].counterparty_name == "ENZCASJWXSNWOOHRSGIT"
    assert rows[1].remittance_information == "VCUTZERMRSQPNGSMWCAG"
    for request in bank.requests:
        signing.verify(
            signing.ARGENTA, {throw_away_key().key_id: throw_away_key().key.public_key()}.get,
            method=request.method, target=request.url.raw_path.decode(), headers=dict(request.headers),
            body=request.content, now=int(NOW.timestamp()),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, RequestRefused), (403, ConsentError), (429, QuotaExhausted), (500, BankUnavailable)],
)
def test_the_published_errors_say_who_must_act(folder: Path, status: int, kind: type[ConnectorError]) -> None:
    connector = answering(folder, f"fetch-data-accounts-http{status}").connector("argenta", BASE, allowed_hosts=HOSTS)
    reading = access(Keeper("old", "new"), PSU)
    with pytest.raises(ConnectorError) as caught:
        connector.accounts(reading)
    assert type(caught.value) is kind


def test_a_published_bare_401_is_explained_by_the_state_of_the_consent(folder: Path) -> None:
    bank = answering(folder, "fetch-data-accounts-http401")
    published = bank.handler
    assert published is not None
    bank.handler = lambda request: (
        json_answer({"consentStatus": "expired"}) if request.url.path.endswith("/status") else published(request)
    )
    with pytest.raises(ConsentEnded) as caught:
        bank.connector("argenta", BASE, allowed_hosts=HOSTS).accounts(access(Keeper("old", "new"), PSU))
    assert caught.value.bank_code == "expired"


def test_a_code_or_refresh_token_that_is_refused_concerns_the_psu(folder: Path) -> None:
    handle = ConsentHandle(
        "TEST_CONSENT_ID",
        {
            "token_endpoint": "https://api.payments.argenta.be/psd2/v1/berlingroup-auth/token",
            "code_verifier": VERIFIER,
            "redirect_uri": "https://gateway.example/cb",
        },
    )
    story = "create-access-means-invalid-authorization-code"
    with pytest.raises(CallbackRejected):
        answering(folder, story).connector("argenta", BASE, allowed_hosts=HOSTS).finish_consent(
            handle, {"code": "x"}, PSU
        )
    story = "refresh-access-means-expired-refresh-token"
    with pytest.raises(ConsentEnded):
        answering(folder, story).connector("argenta", BASE, allowed_hosts=HOSTS).refresh_tokens(
            TokenSet("a", "r"), handle
        )


def test_the_consent_is_ended_with_a_token(folder: Path) -> None:
    bank = answering(folder)
    reading = access(Keeper("t"))
    bank.connector("argenta", BASE, allowed_hosts=HOSTS).revoke_consent(
        type(reading)("TEST_CONSENT_ID", reading.tokens)
    )
    assert bank.requests[0].headers["Authorization"] == "Bearer t"


def test_the_test_environment_has_its_own_login_host() -> None:
    base = "https://api.test-payments.argenta.be/berlingroup/v1"
    connector = FakeBank().connector("argenta", base)
    server = connector.authorisation_server()  # type: ignore[attr-defined]  # of the family
    assert server.authorization_endpoint == "https://login.test-payments.argenta.be/psd2/v1/berlingroup-auth"
    assert server.token_endpoint == "https://api.test-payments.argenta.be/psd2/v1/berlingroup-auth/token"


def test_without_the_key_of_the_portal_the_operator_must_act() -> None:
    bank = FakeBank()
    connector = bank.connector("argenta", BASE)
    connector.endpoint = BankEndpoint(BASE, "PSDBE-NBB-0123456789")
    with pytest.raises(OperatorError, match="API key"):
        connector.accounts(access())
    assert bank.requests == []
