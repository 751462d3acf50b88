"""Ponto by both doors: every scenario of the contract, against invented answers."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
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
    OperatorError,
    QuotaExhausted,
    RequestRefused,
)
from connectors.families.ponto import PontoConnector
from connectors.http import CallKind
from connectors.model import (
    AccountKind,
    BalanceKind,
    ConsentHandle,
    ConsentStatus,
    Finished,
    Redirect,
    ReferenceKind,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.signing import PONTO, RequestSigner
from tests.connectors.support import (
    NOW,
    PSU,
    TODAY,
    FakeBank,
    Keeper,
    access,
    consent_request,
    html_answer,
    json_answer,
    stub,
    throw_away_key,
)

PONTO_BASE = "https://bank.example/ponto-connect"
DOORS = ("ponto", "pontocustom")
FIRST = date(2026, 8, 24)
FILES = {
    "/oauth2/token": "tokens.json",
    "/userinfo": "userinfo.json",
    "/accounts": "accounts.json",
    "/financial-institutions/bank-1": "institution.json",
    "/accounts/res-1/pending-transactions": "pending-transactions.json",
    "/accounts/res-1/reauthorization-requests": "reauthorisation.json",
    "/synchronizations": "synchronisation.json",
    "/synchronizations/sync-9": "synchronisation.json",
    "/synchronizations/sync-9/updated-transactions": "transactions-2.json",
    "/synchronizations/sync-9/updated-pending-transactions": "pending-transactions.json",
}


class StubPonto:
    """Answers each path from the stubs; `answers` are given first, in turn, to data calls that match `path`."""

    def __init__(self, path: str = "", *answers: httpx2.Response | Exception) -> None:
        self.path = path
        self.answers = list(answers)
        self.changed: dict[str, Callable[[Any], Any]] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/ponto-connect")
        if self.path and path.endswith(self.path) and self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if request.method == "DELETE":
            return json_answer({"data": {"type": "integration", "id": "1"}})
        if path == "/accounts/res-1/transactions":
            name = "transactions-2.json" if request.url.params.get("page[after]") == "t-2" else "transactions-1.json"
        elif path == "/accounts/res-1":
            return json_answer({"data": stub("ponto", "accounts.json")["data"][0]})
        elif path in FILES:
            name = FILES[path]
        else:
            return error_answer(404, "resourceNotFound")
        body = stub("ponto", name)
        return json_answer(self.changed.get(name, lambda same: same)(body), 201 if request.method == "POST" else 200)


def error_answer(status: int, code: str, **headers: str) -> httpx2.Response:
    return json_answer({"errors": [{"code": code, "detail": "Anna Voorbeeld", "meta": {}}]}, status, **headers)


def connector_at(bank: FakeBank, bank_id: str = "ponto") -> PontoConnector:
    found = bank.connector(bank_id, PONTO_BASE)
    assert isinstance(found, PontoConnector)
    return found


def read(bank: FakeBank, keeper: Keeper | None = None, bank_id: str = "ponto") -> list[TransactionPage]:
    return list(
        connector_at(bank, bank_id).transaction_pages(
            access(keeper),
            "res-1",
            account_iban="BE14645123456783",
            account_holder="Voorbeeld BV",
            date_from=FIRST,
            today=TODAY,
        )
    )


def rows_of(pages: list[TransactionPage]) -> list[Transaction]:
    return [row for page in pages for row in page.transactions]


def with_rows(*changes: dict[str, Any]) -> Callable[[Any], Any]:
    """The second page with these rows in place of its own."""

    def change(body: Any) -> Any:
        base = body["data"][0]
        rows = [
            {**base, "id": one.pop("id", "t-9"), "attributes": {**base["attributes"], **one}}
            for one in map(dict, changes)
        ]
        return {**body, "data": rows}

    return change


def rows_with(*changes: dict[str, Any]) -> list[TransactionPage]:
    stubs = StubPonto()
    stubs.changed["transactions-2.json"] = with_rows(*changes)
    return read(FakeBank(handler=stubs))


# The walk


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


# Rows


def test_twins_differ_by_id_only_and_one_row_given_twice_counts_once() -> None:
    twins = rows_of(rows_with({"id": "a"}, {"id": "b"}, {"id": "t-1"}))
    fingerprints = [row.fingerprint for row in twins if row.bank_transaction_id in ("a", "b")]
    assert len(fingerprints) == 2
    assert len(set(fingerprints)) == 1
    assert [row.bank_transaction_id for row in twins].count("t-1") == 1


def test_another_id_or_none_changes_nothing_else() -> None:
    first, other, bare = rows_of(rows_with({"id": "a"}, {"id": "other"}, {"id": None}))[2:5]
    assert first.fingerprint == other.fingerprint == bare.fingerprint
    assert bare.bank_transaction_id is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": None}, "amount_missing"),
        ({"amount": "veel"}, "amount_unreadable"),
        ({"currency": None}, "currency_missing"),
        ({"executionDate": None, "valueDate": None}, "booking_date_missing"),
    ],
)
def test_a_row_that_cannot_be_understood_is_handed_over_for_review(change: dict[str, Any], reason: str) -> None:
    pages = rows_with(change)
    (rejected,) = [row for page in pages for row in page.rejected]
    assert rejected.reason == reason
    assert rejected.raw["type"] == "transaction"


def test_missing_fields_leave_a_row_that_is_poorer_and_right() -> None:
    kept = {"amount": -5, "currency": "EUR", "executionDate": "2026-11-18T00:00:00.000Z"}
    names = stub("ponto", "transactions-2.json")["data"][0]["attributes"]
    (row,) = [row for row in rows_of(rows_with({**dict.fromkeys(names), **kept})) if row.bank_transaction_id == "t-9"]
    assert (row.amount, row.counterparty_name, row.remittance_information) == (Decimal("-5.00"), None, None)
    assert "counterparty_name" in row.missing_fields


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-11-18T00:00:00.000Z", date(2026, 11, 18)),
        ("2026-11-17T23:00:00.000Z", date(2026, 11, 18)),
        ("2026-07-17T22:00:00.000Z", date(2026, 7, 18)),
    ],
)
def test_both_midnights_are_the_day_in_brussels(written: str, day: date) -> None:
    raw = stub("ponto", "transactions-1.json")["data"][0]
    raw["attributes"]["executionDate"] = written
    row = connector_at(FakeBank()).transaction(
        raw, status=TransactionStatus.BOOKED, account_iban="", account_holder=None, own_ibans=frozenset(), today=TODAY
    )
    assert isinstance(row, Transaction)
    assert row.booking_date == day
    assert row.raw is raw


def test_a_reference_counts_where_ponto_says_so_or_where_it_is_the_whole_text() -> None:
    inside, whole, wrong = rows_of(
        rows_with(
            {"id": "a", "remittanceInformation": "Betaling +++090/9337/55493+++ bedankt"},
            {"id": "b", "remittanceInformation": "+++090/9337/55493+++"},
            {"id": "c", "remittanceInformation": "090933755499", "remittanceInformationType": "structured"},
        )
    )[2:5]
    assert (inside.structured_reference, inside.remittance_information) == (
        None, "Betaling +++090/9337/55493+++ bedankt"
    )  # fmt: skip
    assert whole.structured_reference == "090933755493"
    assert (wrong.structured_reference, wrong.warnings) == (None, ("structured_reference_failed",))


def test_two_currencies_of_one_number_are_two_accounts() -> None:
    euros, dollars, *_ = connector_at(FakeBank(handler=StubPonto())).accounts(access())
    assert euros.iban == dollars.iban
    assert (euros.bank_account_id, dollars.bank_account_id) == ("res-1", "res-2")


def test_what_was_pending_is_booked_later_under_another_id() -> None:
    before = rows_of(read(FakeBank(handler=StubPonto())))[-1]
    reservation = {**stub("ponto", "pending-transactions.json")["data"][0]["attributes"], "id": "t-5"}
    (after,) = [row for row in rows_of(rows_with(reservation)) if row.bank_transaction_id == "t-5"]
    assert (before.status, after.status) == (TransactionStatus.PENDING, TransactionStatus.BOOKED)
    assert before.fingerprint == after.fingerprint


# Tokens, consent, errors


def test_a_token_refused_is_renewed_once_and_serves_the_pages_that_follow() -> None:
    bank, keeper = FakeBank(handler=StubPonto("/transactions", error_answer(401, "invalidAccessToken"))), Keeper()
    assert len(rows_of(read(bank, keeper))) == 4
    assert keeper.renewed == 1
    assert [request.headers["Authorization"] for request in bank.requests] == [
        "Bearer token-1", *["Bearer token-2"] * 3
    ]  # fmt: skip


def test_a_fresh_token_refused_or_a_renewal_refused_ends_the_consent() -> None:
    refused = error_answer(401, "invalidAccessToken")
    with pytest.raises(ConsentEnded):
        read(FakeBank(handler=StubPonto("/transactions", refused, refused)))
    with pytest.raises(ConsentEnded):
        read(FakeBank(handler=StubPonto("/transactions", refused)), Keeper(error=ConsentEnded("refused")))
    bank = FakeBank(answers=[json_answer({"error": "invalid_grant", "error_description": "x"}, 400)])
    with pytest.raises(ConsentEnded):
        connector_at(bank).refresh_tokens(Keeper().current())
    details = connector_at(FakeBank(handler=StubPonto("/accounts", refused, refused))).consent_details(access())
    assert details.status is ConsentStatus.REVOKED


def test_the_end_of_all_accounts_is_the_end_and_that_of_some_is_not() -> None:
    stubs = StubPonto()

    def over(body: Any) -> Any:
        for resource in body["data"]:
            resource["attributes"]["authorizationExpirationExpectedAt"] = "2026-11-20T09:00:00.000Z"
        return body

    stubs.changed["accounts.json"] = over
    details = connector_at(FakeBank(handler=stubs)).consent_details(access())
    assert (details.status, details.valid_until) == (ConsentStatus.EXPIRED, date(2026, 11, 20))
    details = connector_at(FakeBank(handler=StubPonto())).consent_details(access())
    assert (details.status, details.valid_until) == (ConsentStatus.VALID, date(2027, 2, 1))


def synchronised(code: str | None, status: str = "error") -> Callable[[Any], Any]:
    errors = [] if code is None else [{"code": code, "detail": "Anna Voorbeeld", "meta": {}}]

    def change(body: Any) -> Any:
        latest = {"type": "synchronization", "id": "s", "attributes": {"status": status, "errors": errors}}
        return {**body, "meta": {**body["meta"], "latestSynchronization": latest}}

    return change


@pytest.mark.parametrize("code", ["authorizationInvalid", "authorizationExpired"])
def test_an_account_to_authorise_anew_is_not_read_as_if_nothing_were(code: str) -> None:
    stubs = StubPonto()
    stubs.changed["transactions-1.json"] = synchronised(code)
    with pytest.raises(ConsentError) as caught:
        read(FakeBank(handler=stubs))
    assert type(caught.value) is ConsentError, "the other accounts of the integration are read on"
    assert caught.value.bank_code == code
    assert "Anna" not in str(caught.value)


@pytest.mark.parametrize("code", ["internalServerError", None])
def test_a_technical_failure_at_the_accounts_bank_leaves_the_copy_readable(code: str | None) -> None:
    stubs = StubPonto()
    stubs.changed["transactions-1.json"] = synchronised(code)
    assert len(rows_of(read(FakeBank(handler=stubs)))) == 4


ERRORS: list[tuple[int, str | None, type[ConnectorError]]] = [
    (403, None, ConsentError),
    (403, "authorizationExpired", ConsentError),
    (404, "resourceNotFound", RequestRefused),
    (400, "accountRecentlySynchronized", RequestRefused),
    (400, "missingAttribute", RequestRefused),
    (409, "idempotencyConflict", RequestRefused),
    (400, "invalidSignature", OperatorError),
    (401, "digestInvalid", OperatorError),
    (401, "clientIdInvalid", OperatorError),
    (429, "tooManyRequests", QuotaExhausted),
]


@pytest.mark.parametrize(("status", "code", "kind"), ERRORS)
def test_an_error_of_ponto_says_who_must_act(status: int, code: str | None, kind: type[ConnectorError]) -> None:
    answer = httpx2.Response(status, content=b"{}") if code is None else error_answer(status, code)
    with pytest.raises(ConnectorError) as caught:
        connector_at(FakeBank(answers=[answer])).balances(access(), "res-1")
    assert type(caught.value) is kind
    assert "Anna" not in str(caught.value)
    if status != 429:
        assert caught.value.bank_code == code


def test_a_short_wait_is_kept_and_a_limit_without_one_is_not_tried_again() -> None:
    answer = error_answer(429, "tooManyRequests", **{"Retry-After": "7"})
    bank = FakeBank(handler=StubPonto("/transactions", answer))
    assert len(rows_of(read(bank))) == 4
    assert bank.slept == [7]
    bank = FakeBank(handler=StubPonto("/transactions", error_answer(429, "tooManyRequests")))
    with pytest.raises(QuotaExhausted):
        read(bank)
    assert len(bank.requests) == 1


@pytest.mark.parametrize(
    "fault", [httpx2.Response(500), html_answer(503), httpx2.ReadTimeout("slow"), httpx2.RemoteProtocolError("cut")]
)
def test_a_fault_that_passes_is_asked_again_and_one_that_stays_is_told(fault: Any) -> None:
    assert len(rows_of(read(FakeBank(handler=StubPonto("/transactions", fault))))) == 4
    with pytest.raises(BankUnavailable):
        read(FakeBank(handler=StubPonto("/transactions", fault, fault, fault)))


@pytest.mark.parametrize("answer", [html_answer(), html_answer(404), json_answer({"data": {}}), json_answer([])])
def test_a_page_for_people_or_another_shape_is_an_invalid_answer(answer: httpx2.Response) -> None:
    with pytest.raises(BankAnswerInvalid):
        read(FakeBank(handler=StubPonto("/transactions", answer)))


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
    handle = ConsentHandle("", {"state": "state-123", "code_verifier": "v", "redirect_uri": "https://g.example/"})
    with pytest.raises(ConnectorError) as caught:
        connector_at(bank).finish_consent(handle, callback, PSU)
    assert type(caught.value) is kind
    assert bank.requests == []


def test_tokens_survive_when_ponto_cannot_be_read_after_the_code_was_spent() -> None:
    bank = FakeBank(handler=StubPonto("/userinfo", *[httpx2.Response(503)] * 3))
    connector = connector_at(bank)
    started = connector.start_consent(consent_request())
    granted = connector.finish_consent(started.handle, {"code": "c"}, PSU)
    assert granted.tokens is not None
    assert (granted.status, granted.valid_until, granted.handle) == (ConsentStatus.VALID, None, None)


def test_our_registration_refused_concerns_the_operator() -> None:
    answer = json_answer({"error": "invalid_client", "error_description": "x"}, 401)
    with pytest.raises(OperatorError):
        connector_at(FakeBank(answers=[answer]), "pontocustom").refresh_tokens(Keeper().current())
    bank = FakeBank()
    connector = connector_at(bank)
    connector.endpoint = replace(connector.endpoint, client_secret=None)
    with pytest.raises(OperatorError):
        connector.refresh_tokens(Keeper().current())
    assert bank.requests == []


def test_revoking_what_has_ended_is_fine() -> None:
    bank = FakeBank(answers=[json_answer(stub("ponto", "tokens.json")), error_answer(404, "resourceNotFound")])
    connector_at(bank).revoke_consent(access())
    assert [request.method for request in bank.requests] == ["POST", "DELETE"]


# Synchronisations and authorising an account anew


def test_a_synchronisation_names_the_person_who_is_there_and_goes_on_by_itself() -> None:
    bank = FakeBank(handler=StubPonto())
    connector = connector_at(bank)
    started = connector.start_synchronisation(access(psu=PSU), "res-1")
    assert (started.synchronisation_id, started.is_done) == ("sync-9", False)
    assert b'"customerIpAddress":"192.0.2.17"' in bank.requests[0].content
    assert b'"subtype":"accountTransactionsWithUnsettled"' in bank.requests[0].content
    assert "ibanity-idempotency-key" in bank.requests[0].headers
    assert bank.records[0].is_attended
    assert not connector.synchronisation(access(), "sync-9").is_done


def test_without_a_person_nothing_is_synchronised() -> None:
    bank = FakeBank()
    with pytest.raises(ValueError, match="present"):
        connector_at(bank).start_synchronisation(access(), "res-1")
    assert bank.requests == []


def test_a_synchronisation_asked_for_again_at_once_counts_as_done() -> None:
    stubs = StubPonto("/synchronizations", error_answer(400, "accountRecentlySynchronized"))
    found = connector_at(FakeBank(handler=stubs)).start_synchronisation(access(psu=PSU), "res-1")
    assert (found.synchronisation_id, found.is_done) == (None, True)


def test_a_refused_token_starts_one_synchronisation_under_one_key() -> None:
    bank = FakeBank(handler=StubPonto("/synchronizations", error_answer(401, "invalidAccessToken")))
    connector_at(bank).start_synchronisation(access(psu=PSU), "res-1")
    first, second = bank.requests
    assert first.headers["ibanity-idempotency-key"] == second.headers["ibanity-idempotency-key"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("authorizationInvalid", ConsentError), ("somethingElse", BankUnavailable), (None, BankUnavailable)],
)
def test_a_synchronisation_that_failed_says_who_must_act(code: str | None, kind: type[ConnectorError]) -> None:
    errors = [] if code is None else [{"code": code, "meta": {"financialInstitutionResponse": {"body": "<html>"}}}]
    body = {"data": {"id": "s", "type": "synchronization", "attributes": {"status": "error", "errors": errors}}}
    with pytest.raises(ConnectorError) as caught:
        connector_at(FakeBank(answers=[json_answer(body)])).synchronisation(access(), "s")
    assert type(caught.value) is kind


def test_what_a_synchronisation_changed_is_read_at_our_own_address() -> None:
    bank = FakeBank(handler=StubPonto())
    pages = connector_at(bank).updated_transactions(
        access(), "sync-9", account_iban="BE14645123456783", account_holder=None, today=TODAY
    )
    assert [(row.bank_transaction_id, row.status) for row in rows_of(list(pages))] == [
        ("t-3", TransactionStatus.BOOKED), ("t-4", TransactionStatus.BOOKED), ("p-1", TransactionStatus.PENDING)
    ]  # fmt: skip


def test_one_account_is_authorised_anew_on_a_page_of_pontos() -> None:
    bank = FakeBank(handler=StubPonto())
    found = connector_at(bank).reauthorise_account(access(psu=PSU), "res-1", "https://gateway.example/back")
    assert found == Redirect("https://authorize.bank.example/re-1")
    assert b'"redirectUri":"https://gateway.example/back"' in bank.requests[0].content
    body = {"data": {"type": "reauthorizationRequest", "links": {"redirect": "javascript:alert(1)"}}}
    with pytest.raises(BankAnswerInvalid):
        connector_at(FakeBank(answers=[json_answer(body, 201)])).reauthorise_account(access(), "res-1", "https://g")


@pytest.mark.parametrize("odd", ["..", ".", ""])
def test_an_id_that_would_climb_out_of_the_path_is_refused(odd: str) -> None:
    with pytest.raises(BankAnswerInvalid):
        connector_at(FakeBank()).balances(access(), odd)
