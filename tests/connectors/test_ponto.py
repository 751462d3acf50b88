"""Ponto by both doors: the walk from consent to revocation, and pages by cursor."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from connectors.errors import (
    BankAnswerInvalid,
)
from connectors.http import CallKind
from connectors.model import (
    AccountKind,
    BalanceKind,
    ConsentStatus,
    Finished,
    Redirect,
    ReferenceKind,
    TransactionStatus,
)
from connectors.signing import PONTO, RequestSigner
from tests.connectors.ponto_stubs import (
    DOORS,
    FIRST,
    PONTO_BASE,
    StubPonto,
    connector_at,
    error_answer,
    read,
    rows_of,
    with_rows,
)
from tests.connectors.support import (
    NOW,
    PSU,
    FakeBank,
    access,
    consent_request,
    json_answer,
    stub,
    throw_away_key,
)


def test_the_partners_door_is_walked_from_consent_to_revocation() -> None:
    bank = FakeBank(handler=StubPonto())
    connector = connector_at(bank)
    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    query = parse_qs(urlsplit(started.step.url).query)
    assert started.step.url.startswith("https://bank.example/ponto-connect/oauth2/auth?")
    assert query["scope"] == ["ai name offline_access"]
    assert query["state"] == ["state-123"]
    assert query["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
    assert query["code_challenge_method"] == ["S256"]
    assert bank.requests == [], "nothing is asked before the PSU signed in"
    assert connector.next_step(started.handle, None) == started.step

    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert granted.status is ConsentStatus.VALID
    assert granted.valid_until == date(2027, 2, 1), "the earliest end, in Brussels, of the accounts that are kept"
    assert granted.tokens is not None
    assert granted.tokens.refresh_token == "refresh-2"
    assert granted.tokens.expires_at == NOW + timedelta(seconds=1799 - 60)
    assert granted.handle is not None
    assert granted.handle.bank_consent_id == "organisation-7"
    exchange = bank.requests[0]
    assert exchange.headers["Authorization"] == f"Basic {base64.b64encode(b'PSDBE-NBB-0123456789:secret-1').decode()}"
    assert parse_qs(exchange.content.decode())["code_verifier"] == [consent_request().code_verifier]

    reading = replace(access(psu=PSU), bank_consent_id=granted.handle.bank_consent_id)
    accounts = connector.accounts(reading)
    assert [account.kind for account in accounts] == [
        AccountKind.CURRENT, AccountKind.CURRENT, AccountKind.SAVINGS, AccountKind.CARD
    ]  # fmt: skip
    assert [(account.currency, account.bic) for account in accounts[:3]] == [
        ("EUR", "NICABEBB"), ("USD", "NICABEBB"), ("EUR", "CMCIDEDDXXX")
    ]  # fmt: skip
    assert (accounts[3].iban, accounts[3].is_closed) == (None, True)
    booked, available = connector.balances(reading, "res-1")
    assert (booked.kind, booked.amount, booked.reference_date) == (
        BalanceKind.INTERIM_BOOKED, Decimal("4310.55"), date(2026, 11, 21)
    )  # fmt: skip
    assert available.kind is BalanceKind.INTERIM_AVAILABLE

    assert connector.consent_details(reading).status is ConsentStatus.VALID
    assert connector.refresh_tokens(granted.tokens, granted.handle).refresh_token == "refresh-2"
    connector.revoke_consent(reading)
    assert str(bank.requests[-1].url) == f"{PONTO_BASE}/organizations/organisation-7/integration"
    assert {record.kind for record in bank.records} >= {CallKind.TOKEN, CallKind.ACCOUNTS, CallKind.BALANCES}
    assert not any(name.startswith("psu-") for request in bank.requests for name in request.headers)


def test_the_custom_door_needs_no_browser_and_makes_tokens_anew() -> None:
    bank = FakeBank(handler=StubPonto())
    connector = connector_at(bank, "pontocustom")
    assert connector.signature is None
    started = connector.start_consent(consent_request())
    assert started.step == Finished(ConsentStatus.VALID)
    assert connector.next_step(started.handle, None) == Finished(ConsentStatus.VALID)
    granted = connector.finish_consent(started.handle, {}, None)
    assert granted.tokens is not None
    assert parse_qs(bank.requests[0].content.decode()) == {"grant_type": ["client_credentials"]}
    connector.refresh_tokens(granted.tokens, started.handle)
    assert parse_qs(bank.requests[-1].content.decode()) == {"grant_type": ["client_credentials"]}
    calls = len(bank.requests)
    connector.revoke_consent(access())
    assert len(bank.requests) == calls


@pytest.mark.parametrize("bank_id", DOORS)
def test_settled_rows_come_by_cursor_newest_first_and_unsettled_ones_after(bank_id: str) -> None:
    bank = FakeBank(handler=StubPonto())
    pages = read(bank, bank_id=bank_id)
    assert [(page.number, page.is_last, page.date_from) for page in pages] == [
        (1, False, FIRST), (2, False, FIRST), (3, True, FIRST)
    ]  # fmt: skip
    paid, received, fee, pending = rows_of(pages)
    assert (paid.amount, paid.booking_date, paid.coda_code, paid.counterparty_iban, paid.end_to_end_id) == (
        Decimal("-256.61"), date(2026, 11, 20), "00101000", "BE43068999999501", None
    )  # fmt: skip
    assert (received.structured_reference_kind, received.structured_reference) == (
        ReferenceKind.BELGIAN, "090933755493"
    )  # fmt: skip
    assert (fee.booking_date, fee.is_value_date_assumed, fee.coda_code) == (date(2026, 11, 18), True, "03537000")
    assert (pending.status, pending.bank_transaction_id) == (TransactionStatus.PENDING, "p-1")
    assert [request.url.raw_path.decode().removeprefix("/ponto-connect") for request in bank.requests] == [
        "/accounts/res-1/transactions?page%5Blimit%5D=100",
        "/accounts/res-1/transactions?page%5Blimit%5D=100&page%5Bafter%5D=t-2",
        "/accounts/res-1/pending-transactions?page%5Blimit%5D=100",
    ]
    assert not any(record.is_attended for record in bank.records)


def test_every_call_of_the_partner_can_be_signed_and_keys_are_signed_with_it() -> None:
    key = throw_away_key()
    bank = FakeBank(handler=StubPonto())
    connector = bank.connector("ponto", PONTO_BASE, signer=RequestSigner(PONTO, key, now=lambda: NOW))
    connector.accounts(access())
    connector.start_synchronisation(access(psu=PSU), "res-1")
    first, last = bank.requests[0], bank.requests[-1]
    assert 'headers="(request-target) host digest (created) authorization"' in first.headers["Signature"]
    assert "authorization ibanity-idempotency-key" in last.headers["Signature"]
    assert first.headers["Digest"].startswith("SHA-512=z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg")


# Pages


def test_an_account_without_rows_is_one_empty_page_and_no_address_for_unsettled_ones_is_none() -> None:
    stubs = StubPonto("/pending-transactions", error_answer(404, "resourceNotFound"))
    stubs.changed["transactions-1.json"] = lambda body: {"data": [], "meta": {"paging": {"limit": 100}}, "links": {}}
    assert [(page.transactions, page.is_last) for page in read(FakeBank(handler=stubs))] == [((), True)]


@pytest.mark.parametrize("link", [
    "https://attacker.example/ponto-connect/accounts/res-1/transactions?page[after]=t-2",
    "http://bank.example/ponto-connect/accounts/res-1/transactions?page[after]=t-2",
    "https://bank.example:8443/ponto-connect/accounts/res-1/transactions?page[after]=t-2",
])  # fmt: skip
def test_a_link_to_another_host_spoils_the_read_and_is_not_followed(link: str) -> None:
    stubs = StubPonto()
    stubs.changed["transactions-1.json"] = lambda body: {**body, "links": {"next": link}}
    bank = FakeBank(handler=stubs)
    with pytest.raises(BankAnswerInvalid):
        read(bank)
    assert len(bank.requests) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"links": {"next": "https://bank.example/elsewhere?after=t-2"}},
        {"links": {"next": None}},
        {"links": None},
        {"links": {"next": "https://bank.example/ponto-connect/accounts/res-1/transactions?page[limit]=100"}},
    ],
)
def test_the_cursor_alone_is_taken_and_our_own_address_asked(change: dict[str, Any]) -> None:
    stubs = StubPonto()
    stubs.changed["transactions-1.json"] = lambda body: {**body, **change}
    bank = FakeBank(handler=stubs)
    assert len(rows_of(read(bank))) == 4
    assert bank.requests[1].url.path == "/ponto-connect/accounts/res-1/transactions"


def test_pages_that_lead_in_a_circle_are_an_error_and_not_an_end() -> None:
    stubs = StubPonto()
    stubs.changed["transactions-2.json"] = lambda body: {
        "data": [], "meta": {"paging": {"limit": 100, "after": "t-2"}}, "links": {}
    }  # fmt: skip
    with pytest.raises(BankAnswerInvalid):
        read(FakeBank(handler=stubs))


def test_reading_stops_a_week_before_the_day_wanted_and_a_late_row_is_found() -> None:
    late = {"id": "t-8", "executionDate": (FIRST - timedelta(days=3)).isoformat() + "T00:00:00.000Z"}
    stubs = StubPonto()

    def older(body: Any) -> Any:
        return {**with_rows(late, {"id": "t-9"})(body), "meta": {"paging": {"limit": 100, "after": "t-9"}}}

    stubs.changed["transactions-2.json"] = older
    old = json_answer(
        {**stub("ponto", "transactions-2.json"), "data": [stub("ponto", "transactions-2.json")["data"][1]],
         "meta": {"paging": {"limit": 100, "after": "t-4"}}}
    )  # fmt: skip
    seen: list[str | None] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/res-1/transactions"):
            seen.append(request.url.params.get("page[after]"))
            if seen[-1] == "t-9":
                return old
        return stubs(request)

    assert [row.bank_transaction_id for row in rows_of(read(FakeBank(handler=handler)))] == ["t-1", "t-2", "t-9", "p-1"]
    assert seen == [None, "t-2", "t-9"], "the page after the old one is not asked for"
