"""N26 through the real connector: invented answers, and the published ones where the samples are present."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from connectors.errors import (
    BankAnswerInvalid,
    BankUnavailable,
    CallbackRejected,
    ConnectorError,
    ConsentEnded,
    ConsentError,
    ConsentRefused,
    QuotaExhausted,
    RequestRefused,
)
from connectors.model import (
    AccountKind,
    BalanceKind,
    ConsentHandle,
    ConsentStatus,
    Finished,
    Poll,
    Redirect,
    TokenSet,
    Transaction,
)
from connectors.registry import bank_for_iban, connector_class
from tests.connectors.support import (
    NOW,
    PSU,
    TODAY,
    FakeBank,
    Handler,
    Keeper,
    access,
    consent_request,
    error_answer,
    html_answer,
    json_answer,
    page,
    row,
    stub_text,
)

BASE = "https://xs2a.tech26.de/v1/berlin-group/v1"
LOGIN = "https://app.n26.com/login?requestId=1&authType=XS2A"
HOSTS = frozenset(connector_class("n26").profile.hosts)
CONSENT = "16640bfe-9a98-441a-8380-c568976eee4a"


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "spec" / "psd2" / "fixtures" / "n26"


def published(folder: Path, *names: str) -> Handler:
    """The published answers of these files by method and path; several for one path in turn."""
    found: dict[tuple[str, str, bool], list[Any]] = {}
    for name in names or ("happy-flow__*",):
        for path in sorted(folder.glob(f"{name}.json")):
            for exchange in json.loads(path.read_text(encoding="utf-8"))["exchanges"]:
                key = (exchange["request"]["method"], exchange["request"]["path"], "refresh" in path.stem)
                found.setdefault(key, []).append(exchange["response"])

    def handler(request: httpx2.Request) -> httpx2.Response:
        answers = found[(request.method, request.url.path, b"grant_type=refresh_token" in request.content)]
        response = answers.pop(0) if len(answers) > 1 else answers[0]
        if response["body"] is None:
            location = (response["headers"] or {}).get("Location")
            return httpx2.Response(response["status"], headers={"Location": location} if location else {})
        return json_answer(response["body"], response["status"])

    return handler


def test_the_published_happy_story_is_read_whole(folder: Path) -> None:
    bank = FakeBank(handler=published(folder))
    connector = bank.connector("n26", BASE, allowed_hosts=HOSTS)
    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    assert started.step.url.startswith("https://app.n26.com/login?requestId=")
    asked = parse_qs(urlsplit(str(bank.requests[0].url)).query)
    assert (asked["scope"], asked["response_type"], asked["code_challenge_method"]) == (
        ["DEDICATED_AISP"],
        ["code"],
        ["S256"],
    )
    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert granted.status is ConsentStatus.AWAITING_AUTHORISATION
    assert granted.tokens == TokenSet("access-token", "refresh-token", NOW + timedelta(seconds=900))
    assert granted.handle is not None
    assert granted.handle.bank_consent_id == CONSENT
    assert connector.next_step(granted.handle, None) == Poll(4), "`pending` is a state nobody lists: never valid"
    assert connector.next_step(granted.handle, None) == Finished(ConsentStatus.VALID)
    assert connector.finish_consent(granted.handle, {}, None).status is ConsentStatus.VALID
    assert connector.refresh_tokens(granted.tokens, granted.handle).access_token == "access-token"
    reading = access(Keeper("access-token"), PSU)
    accounts = connector.accounts(reading)
    assert [account.is_closed for account in accounts] == [False, False, True]
    assert {account.kind for account in accounts} == {AccountKind.CURRENT}
    balances = [connector.balances(reading, name)[0] for name in ("1", "2")]
    assert [(one.kind, one.amount) for one in balances] == [
        (BalanceKind.EXPECTED, Decimal("55.55")),
        (BalanceKind.EXPECTED, Decimal("120.00")),
    ]
    rows = [
        found
        for name in ("1", "2")
        for one in connector.transaction_pages(
            reading, name, account_iban="DE73100110012629586632", account_holder=None, date_from=date(2020, 7, 1),
            today=TODAY,
        )
        for found in one.transactions
    ]  # fmt: skip
    assert [str(found.amount) for found in rows] == ["-12.00", "-14.99", "5.00"]
    assert (rows[0].counterparty_name, rows[0].additional_information) == ("Creditor name", "description")
    assert rows[2].remittance_information == "Test, Information"
    connector.revoke_consent(type(reading)(CONSENT, reading.tokens))
    assert bank.requests[-1].headers["Authorization"] == "Bearer access-token"
    assert all(request.headers["User-Agent"] for request in bank.requests)
    assert {request.url.params["role"] for request in bank.requests if request.url.path == "/oauth2/token"} == {
        "DEDICATED_AISP"
    }


def test_the_published_refusals_are_understood(folder: Path) -> None:
    def connector_with(name: str) -> Any:
        return FakeBank(handler=published(folder, name)).connector("n26", BASE, allowed_hosts=HOSTS)

    with pytest.raises(BankAnswerInvalid) as caught:
        connector_with("bad-request__access-token-400").finish_consent(signing_in(), {"code": "x"}, PSU)
    assert caught.value.bank_code == "invalid_request"
    reading = access()
    with pytest.raises(RequestRefused):
        connector_with("bad-request__delete-consent-400").revoke_consent(type(reading)(CONSENT, reading.tokens))


def signing_in() -> ConsentHandle:
    """The handle of a consent whose PSU is at the sign-in page."""
    bank = FakeBank(answers=[httpx2.Response(302, headers={"Location": LOGIN})])
    return bank.connector("n26", BASE, allowed_hosts=HOSTS).start_consent(consent_request()).handle


def approved() -> ConsentHandle:
    return ConsentHandle("consent-7", {"state": "state-123", "access_token": "token-1"})


def test_the_bank_is_walked_from_sign_in_to_revocation() -> None:
    answers = [
        httpx2.Response(200, content=stub_text("n26", "tokens.json").encode()),
        httpx2.Response(201, content=stub_text("n26", "consent.json").encode()),
        json_answer({"consentStatus": "valid"}),
        httpx2.Response(200, content=stub_text("n26", "accounts.json").encode()),
        *[httpx2.Response(200, content=stub_text("n26", f"transactions-{number}.json").encode()) for number in (1, 2)],
        httpx2.Response(204),
    ]
    bank = FakeBank(answers=list(answers))
    connector = bank.connector("n26", "https://xs2a.tech26.de/berlingroup/v1", allowed_hosts=HOSTS)
    granted = connector.finish_consent(signing_in(), {"code": "c", "state": "state-123"}, PSU)
    assert granted.handle is not None
    assert bank.requests[1].headers["Authorization"] == "Bearer token-1"
    assert json.loads(bank.requests[1].content)["access"] == {"allPsd2": "allAccounts"}
    assert connector.next_step(granted.handle, None) == Finished(ConsentStatus.VALID)
    (account,) = connector.accounts(access(psu=PSU))
    assert bank_for_iban(account.iban or "") == []
    pages = list(
        connector.transaction_pages(
            access(psu=PSU), "res-1", account_iban=account.iban or "", account_holder=None,
            date_from=date(2026, 8, 24), today=TODAY,
        )
    )  # fmt: skip
    paid, fee = [found for one in pages for found in one.transactions]
    assert isinstance(paid, Transaction)
    assert (paid.coda_code, paid.additional_information) == ("00101000", "card payment")
    assert "additional_information" not in paid.missing_fields
    assert fee.is_value_date_assumed
    connector.revoke_consent(access())
    assert bank.answers == []


def test_before_the_sign_in_there_is_a_page_to_go_to_and_nothing_to_end() -> None:
    bank = FakeBank()
    connector = bank.connector("n26", BASE, allowed_hosts=HOSTS)
    handle = signing_in()
    assert connector.next_step(handle, None) == Redirect(LOGIN)
    reading = access()
    connector.revoke_consent(type(reading)("", reading.tokens))
    assert bank.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(302),
        httpx2.Response(302, headers={"Location": "https://evil.example/login"}),
        httpx2.Response(302, headers={"Location": "http://app.n26.com/login"}),
        html_answer(),
    ],
)
def test_a_sign_in_page_elsewhere_or_none_is_refused(answer: httpx2.Response) -> None:
    with pytest.raises(BankAnswerInvalid):
        FakeBank(answers=[answer]).connector("n26", BASE, allowed_hosts=HOSTS).start_consent(consent_request())


@pytest.mark.parametrize(
    ("callback", "kind"),
    [
        ({"error": "access_denied", "state": "state-123"}, ConsentRefused),
        ({"state": "state-123"}, CallbackRejected),
        ({"code": "x", "state": "another"}, CallbackRejected),
    ],
)
def test_a_call_back_without_a_right_code_spends_nothing(callback: dict[str, str], kind: type[ConnectorError]) -> None:
    bank = FakeBank()
    with pytest.raises(kind):
        bank.connector("n26", BASE, allowed_hosts=HOSTS).finish_consent(signing_in(), callback, PSU)
    assert bank.requests == []


def test_a_consent_rejected_in_the_app_is_refused_and_its_state_is_told() -> None:
    rejected = json_answer({"consentStatus": "rejected"})
    with pytest.raises(ConsentRefused):
        FakeBank(answers=[rejected]).connector("n26", BASE).finish_consent(approved(), {}, None)
    bank = FakeBank(answers=[json_answer({"consentStatus": "expired"})])
    assert bank.connector("n26", BASE).consent_details(access()).status is ConsentStatus.EXPIRED
    assert bank.requests[0].headers["Authorization"] == "Bearer token-1"


READ: list[tuple[Callable[[], httpx2.Response], type[ConnectorError]]] = [
    (lambda: error_answer(401, "CONSENT_EXPIRED"), ConsentEnded),
    (lambda: httpx2.Response(401), ConsentEnded),
    (lambda: httpx2.Response(403), ConsentError),
    (lambda: httpx2.Response(429), QuotaExhausted),
    (lambda: httpx2.Response(500), BankUnavailable),
    (html_answer, BankAnswerInvalid),
]


@pytest.mark.parametrize(("answer", "kind"), READ)
def test_an_error_in_the_middle_spoils_the_whole_read(
    answer: Callable[[], httpx2.Response], kind: type[ConnectorError]
) -> None:
    following = {"href": "/v1/berlin-group/v1/accounts/1/transactions?page=1"}
    bank = FakeBank(answers=[page(row(1), next_link=following), *[answer() for _ in range(3)]])
    with pytest.raises(ConnectorError) as caught:
        list(
            bank.connector("n26", BASE).transaction_pages(
                access(psu=PSU), "1", account_iban="DE02100100100006820101", account_holder=None, date_from=TODAY,
                today=TODAY,
            )
        )  # fmt: skip
    assert type(caught.value) is kind
