"""ING through the real connector: invented answers, and the published ones where the samples are present."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from connectors import signing
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
from connectors.model import (
    Access,
    AccountKind,
    BalanceKind,
    ConsentHandle,
    ConsentStatus,
    PartySource,
    Redirect,
    ReferenceKind,
    TokenSet,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.registry import connector_class
from connectors.signing import RequestSigner
from tests.connectors.support import (
    IBAN,
    NOW,
    PSU,
    TODAY,
    FakeBank,
    Handler,
    Keeper,
    consent_request,
    error_answer,
    html_answer,
    json_answer,
    page,
    row,
    stub_text,
    throw_away_key,
)

BASE = "https://api.ing.com"
HOSTS = frozenset(connector_class("ing").profile.hosts)
ACCOUNT = "7de0041d-4f25-4b6c-a885-0bbeb1eab220@EUR"
SCOPES = "payment-accounts:balances:view payment-accounts:transactions:view"


def line(bank: FakeBank, **options: Any) -> Any:
    return bank.connector("ing", BASE, allowed_hosts=HOSTS, **options)


def signed(bank: FakeBank) -> Any:
    return line(bank, signer=RequestSigner(signing.ING, throw_away_key(), now=lambda: NOW))


def reading(*tokens: str, psu: Any = PSU) -> Access:
    return Access("client-7", Keeper(*tokens), psu)


def read(connector: Any, access: Access | None = None, account: str = "res-1@EUR", **changes: Any) -> Any:
    values: dict[str, Any] = {
        "account_iban": IBAN,
        "account_holder": "Studio Noordlicht BV",
        "date_from": date(2026, 8, 24),
        "today": TODAY,
    }
    pages: list[TransactionPage] = list(connector.transaction_pages(access or reading(), account, **(values | changes)))
    return pages


def answer(name: str) -> httpx2.Response:
    return httpx2.Response(200, content=stub_text("ing", name).encode(), headers={"Content-Type": "application/json"})


def from_stubs(request: httpx2.Request) -> httpx2.Response:
    path, form = request.url.path, request.content
    if path == "/oauth2/token":
        return answer("application.json" if form == b"grant_type=client_credentials" else "tokens.json")
    if path.endswith("/transactions"):
        return answer("transactions-2.json" if "next" in request.url.params else "transactions-1.json")
    names = {
        "/oauth2/authorization-server-url": "consent.json",
        "/v3/accounts": "accounts.json",
        "/v3/accounts/res-1/balances": "balances.json",
    }
    return answer(names[path])


def checked(request: httpx2.Request) -> str:
    """The name a request is signed under; raises when the signature does not hold."""
    return signing.verify(
        signing.ING,
        lambda _: throw_away_key().key.public_key(),
        method=request.method,
        target=request.url.raw_path.decode(),
        headers=request.headers,
        body=request.read(),
        now=int(NOW.timestamp()),
    )


# Invented answers


def test_the_bank_is_walked_from_application_token_to_renewal() -> None:
    bank = FakeBank(handler=from_stubs)
    connector = signed(bank)
    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    assert started.handle.bank_consent_id == "client-7"
    assert connector.next_step(started.handle, None) == started.step
    url = urlsplit(started.step.url)
    assert url.hostname == "login.ing.com"
    assert parse_qs(url.query) == {
        "client_id": ["client-7"],
        "scope": [SCOPES],
        "redirect_uri": ["https://gateway.example/psd2/callback"],
        "state": ["state-123"],
        "response_type": ["code"],
    }
    asked = bank.requests[1].url
    assert asked.params["country_code"] == "BE"
    assert b"scope=payment-accounts%3Abalances%3Aview%20payment" in asked.query

    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    end = NOW + timedelta(days=90)
    assert granted.status is ConsentStatus.VALID
    assert granted.valid_until == end.date(), "the bank's answer, not what we asked for"
    assert granted.tokens == TokenSet("token-1", "refresh-1", NOW + timedelta(seconds=900), SCOPES, end)
    assert parse_qs(bank.requests[3].content.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["code-1"],
        "redirect_uri": ["https://gateway.example/psd2/callback"],
    }
    assert connector.refresh_tokens(granted.tokens, started.handle).access_token == "token-1"
    assert parse_qs(bank.requests[5].content.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["refresh-1"],
    }

    current, dollars, savings = connector.accounts(reading("token-1"))
    assert [one.kind for one in (current, dollars, savings)] == [
        AccountKind.CURRENT,
        AccountKind.CURRENT,
        AccountKind.SAVINGS,
    ]
    assert [one.bank_account_id for one in (current, dollars)] == ["res-1@EUR", "res-1@USD"]
    (balance,) = connector.balances(reading("token-1"), dollars.bank_account_id)
    assert (balance.kind, balance.amount, balance.currency) == (BalanceKind.INTERIM_BOOKED, Decimal("12.00"), "USD")
    assert dict(bank.requests[-1].url.params) == {"balanceTypes": "interimBooked", "currency": "USD"}
    assert connector.consent_details(reading("token-1")).status is ConsentStatus.VALID
    before = len(bank.requests)
    connector.revoke_consent(reading("token-1"))
    assert len(bank.requests) == before, "the PSU withdraws at the bank"


def test_every_request_is_signed_under_the_name_the_bank_knows() -> None:
    bank = FakeBank(handler=from_stubs)
    connector = signed(bank)
    started = connector.start_consent(consent_request())
    connector.finish_consent(started.handle, {"code": "c"}, PSU)
    read(connector)
    names = [checked(request) for request in bank.requests]
    certificate = throw_away_key().key_id
    assert names == [certificate, "client-7", certificate, "client-7", "client-7", "client-7"]
    for request, name in zip(bank.requests, names, strict=True):
        is_application = name == certificate
        assert ("signature" in request.headers) is not is_application
        assert ("tpp-signature-certificate" in request.headers) is is_application
        assert request.headers["Authorization"].startswith("Signature keyId=" if is_application else "Bearer ")
        assert "consent-id" not in request.headers


def test_rows_are_read_with_their_labels_and_over_two_pages() -> None:
    bank = FakeBank(handler=from_stubs)
    first, second = read(line(bank))
    assert (first.number, first.is_last, second.is_last) == (1, False, True)
    assert dict(bank.requests[0].url.params) == {"currency": "EUR", "dateFrom": "2026-08-24"}
    paid, received, pending = first.transactions
    assert (paid.amount, paid.counterparty_iban, paid.coda_code) == (Decimal("-256.61"), "BE43068999999501", "00101000")
    assert paid.remittance_information == "Factuur 2026-118\nValutadatum: 18-11-2026"
    assert "<BR/>" in paid.raw["remittanceInformationUnstructured"]
    assert paid.proprietary_code == "Overschrijving"
    assert "proprietaryBankTransactionCode" not in paid.raw
    assert (received.amount, received.counterparty_name) == (Decimal("1210.00"), "Bakkerij Voorbeeld")
    assert (received.structured_reference_kind, received.structured_reference) == (
        ReferenceKind.BELGIAN,
        "090933755493",
    )
    assert pending.status is TransactionStatus.PENDING
    assert (pending.counterparty_name, pending.counterparty_source) == ("Winkel Voorbeeld", PartySource.TEXT)
    assert pending.remittance_information == "kassa 3"
    (fee,) = second.transactions
    assert (fee.is_value_date_assumed, fee.coda_code) == (True, "08033000")


def one(**changes: Any) -> Transaction:
    found = line(FakeBank()).transaction(
        row(1, **changes),
        status=TransactionStatus.BOOKED,
        account_iban=IBAN,
        account_holder="Studio Noordlicht BV",
        own_ibans=frozenset(),
        today=TODAY,
    )
    assert isinstance(found, Transaction)
    return found


LABELS = "Naam: T-mobile<br>Omschrijving: 0000071511<br />IBAN: BE43 0689 9999 9501<br>Kenmerk: toestel"


def test_a_party_is_read_from_the_labels_of_money_paid_only() -> None:
    nobody: dict[str, Any] = {"creditorName": None, "creditorAccount": {}}
    paid = one(**nobody, remittanceInformationUnstructured=LABELS)
    assert (paid.counterparty_name, paid.counterparty_iban) == ("T-mobile", "BE43068999999501")
    assert paid.remittance_information == "0000071511\nKenmerk: toestel"
    received = one(
        **nobody,
        transactionAmount={"amount": "5.00", "currency": "EUR"},
        remittanceInformationUnstructured=LABELS,
    )
    assert (received.counterparty_name, received.counterparty_iban) == (None, None)
    assert received.remittance_information is not None
    assert "Naam: T-mobile" in received.remittance_information, "what was not read stays in the text"


@pytest.mark.parametrize(
    ("wording", "name", "iban"),
    [
        ("Nom: Voorbeeld SA", "Voorbeeld SA", None),
        ("NAAM : A B <BR/>IBAN: BE43068999999501", "A B", "BE43068999999501"),
        ("Naam: A B<br>IBAN: BE44068999999501", "A B", None),
        ("kassa<br>Naam: A B", None, None),
        ("Naam:<br>IBAN: BE43068999999501", None, None),
    ],
)
def test_a_label_is_read_only_where_the_bank_writes_it(wording: str, name: str | None, iban: str | None) -> None:
    found = one(creditorName=None, creditorAccount={}, remittanceInformationUnstructured=wording)
    assert (found.counterparty_name, found.counterparty_iban) == (name, iban)


def test_the_kind_of_a_row_changes_no_fingerprint() -> None:
    assert one(transactionType="Betaalautomaat").fingerprint == one().fingerprint
    twins = read(line(FakeBank(answers=[page(row(1), row(1, transactionId="other"))])))[0].transactions
    assert twins[0].fingerprint == twins[1].fingerprint


def test_rows_that_cannot_be_understood_are_handed_over_as_they_came() -> None:
    odd = row(2, transactionAmount=None)
    (only,) = read(line(FakeBank(answers=[page(row(1), odd, row(3))])))
    assert [found.bank_transaction_id for found in only.transactions] == ["T0001", "T0003"]
    assert [(rejected.reason, rejected.raw) for rejected in only.rejected] == [("amount_missing", odd)]
    (only,) = read(line(FakeBank(answers=[json_answer({"transactions": {"booked": ["odd"]}})])))
    assert [rejected.reason for rejected in only.rejected] == ["not_an_object"]


def test_a_pending_row_that_returns_booked_under_another_id_is_told_by_its_fingerprint() -> None:
    waiting = page(pending=[row(1, transactionId="waiting")])
    (before,), (after,) = (read(line(FakeBank(answers=[answer])))[0].transactions for answer in (waiting, page(row(1))))
    assert (before.status, after.status) == (TransactionStatus.PENDING, TransactionStatus.BOOKED)
    assert before.bank_transaction_id != after.bank_transaction_id
    assert before.fingerprint == after.fingerprint


def test_after_a_renewal_an_account_is_known_by_its_number_and_currency() -> None:
    renewed = httpx2.Response(200, content=stub_text("ing", "accounts.json").replace("res-", "new-").encode())
    before = line(FakeBank(handler=from_stubs)).accounts(reading())
    after = line(FakeBank(answers=[renewed])).accounts(reading())
    assert {one.bank_account_id for one in before}.isdisjoint(one.bank_account_id for one in after)
    assert [(one.iban, one.currency) for one in before] == [(one.iban, one.currency) for one in after]


def test_an_empty_list_is_one_empty_page() -> None:
    (only,) = read(line(FakeBank(answers=[page()])))
    assert (only.transactions, only.is_last) == ((), True)


def test_an_id_without_a_currency_is_refused_without_a_call() -> None:
    bank = FakeBank()
    with pytest.raises(BankAnswerInvalid):
        line(bank).balances(reading(), "res-1")
    assert bank.requests == []


def handle() -> ConsentHandle:
    return line(FakeBank(handler=from_stubs)).start_consent(consent_request()).handle  # type: ignore[no-any-return]


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
    known = handle()
    with pytest.raises(ConnectorError) as caught:
        line(bank).finish_consent(known, callback, PSU)
    assert type(caught.value) is kind
    assert bank.requests == []


REFUSALS = [{"error": "invalid_grant", "error_description": "x"}, {"id": "1", "severity": "ERROR", "message": "Anna"}]


@pytest.mark.parametrize("body", REFUSALS)
def test_a_code_or_a_refresh_token_refused_says_who_must_act(body: dict[str, str]) -> None:
    known = handle()
    with pytest.raises(CallbackRejected):
        line(FakeBank(answers=[answer("application.json"), json_answer(body, 400)])).finish_consent(
            known, {"code": "x"}, PSU
        )
    with pytest.raises(ConsentEnded) as caught:
        line(FakeBank(answers=[answer("application.json"), json_answer(body, 400)])).refresh_tokens(
            TokenSet("token-1", "refresh-1"), known
        )
    assert "Anna" not in str(caught.value)
    bank = FakeBank()
    with pytest.raises(ConsentEnded):
        line(bank).refresh_tokens(TokenSet("token-1"), known)
    assert bank.requests == []


@pytest.mark.parametrize("body", [*REFUSALS, {"error": "invalid_client"}])
def test_an_application_token_refused_concerns_the_operator(body: dict[str, str]) -> None:
    bank = FakeBank(answers=[json_answer(body, 401)])
    with pytest.raises(OperatorError):
        line(bank).start_consent(consent_request())
    assert len(bank.requests) == 1


def test_an_application_token_without_our_name_or_a_page_elsewhere_is_refused() -> None:
    bare = json_answer({"access_token": "a", "token_type": "Bearer"})
    with pytest.raises(BankAnswerInvalid, match="client id"):
        line(FakeBank(answers=[bare])).start_consent(consent_request())
    for location in ("https://evil.example/", "", None):
        with pytest.raises(BankAnswerInvalid):
            line(FakeBank(answers=[answer("application.json"), json_answer({"location": location})])).start_consent(
                consent_request()
            )


def test_a_token_refused_is_renewed_once_and_for_good_it_ends_the_access() -> None:
    bank = FakeBank(answers=[httpx2.Response(401), page(row(1))])
    assert len(read(line(bank), reading("old", "new"))) == 1
    assert [request.headers["Authorization"] for request in bank.requests] == ["Bearer old", "Bearer new"]
    bank = FakeBank(answers=[httpx2.Response(401), httpx2.Response(401)])
    with pytest.raises(ConsentEnded):
        read(line(bank))
    withdrawn = FakeBank(answers=[httpx2.Response(401), httpx2.Response(401)])
    assert line(withdrawn).consent_status(reading()) is ConsentStatus.REVOKED


READ: list[tuple[Callable[[], httpx2.Response | Exception], type[ConnectorError]]] = [
    (lambda: error_answer(401, "CONSENT_EXPIRED"), ConsentEnded),
    (lambda: httpx2.Response(403), ConsentError),
    (lambda: error_answer(400, "FORMAT_ERROR"), RequestRefused),
    (lambda: error_answer(401, "SIGNATURE_INVALID"), OperatorError),
    (lambda: httpx2.Response(429), QuotaExhausted),
    (lambda: httpx2.Response(429, headers={"Retry-After": "3600"}), QuotaExhausted),
    (lambda: httpx2.Response(500), BankUnavailable),
    (lambda: httpx2.ReadTimeout("slow"), BankUnavailable),
    (lambda: httpx2.ReadError("cut"), BankUnavailable),
    (html_answer, BankAnswerInvalid),
]


@pytest.mark.parametrize(("fault", "kind"), READ)
def test_an_error_in_the_middle_spoils_the_whole_read(
    fault: Callable[[], httpx2.Response | Exception], kind: type[ConnectorError]
) -> None:
    following = {"href": "/v2/accounts/res-1/transactions?next=CQR23TABC"}
    bank = FakeBank(answers=[page(row(1), next_link=following), *[fault() for _ in range(3)]])
    with pytest.raises(ConnectorError) as caught:
        read(line(bank))
    assert type(caught.value) is kind


def test_a_500_then_an_answer_is_read() -> None:
    (only,) = read(line(FakeBank(answers=[httpx2.Response(500), page(row(1))])))
    assert len(only.transactions) == 1


# Published answers


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "spec" / "psd2" / "fixtures" / "ing"


def published(folder: Path, pattern: str = "happy-flow__*") -> Handler:
    """The published account answers by path; of those for tokens the one that fits the form."""
    tokens: dict[str, Any] = {}
    others: list[tuple[str, Any]] = []
    for path in sorted(folder.glob(f"{pattern}.json")):
        if "payment" in path.stem:
            continue
        for exchange in json.loads(path.read_text(encoding="utf-8"))["exchanges"]:
            name = exchange["request"]["path"].removeprefix("/ing")
            if name == "/token":
                tokens[path.stem.rpartition("__")[2]] = exchange["response"]
            else:
                others.append((name, exchange["response"]))
    grants = {
        "client_credentials": "client_credential_grant",
        "authorization_code": "access_token",
        "refresh_token": "refresh_token",
    }

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth2/token":
            (grant,) = parse_qs(request.content.decode())["grant_type"]
            response = tokens[grants[grant]]
        else:
            target = request.url.raw_path.decode().removeprefix("/oauth2")
            # The client behind the stubs asks for a number of rows, and names no type of balance or answer.
            target = f"{target}&limit=1" if "?" in target and "next=" not in target else target
            response = next(found for pattern, found in others if fits(pattern, target))
        text = json.dumps(response["body"]).replace("http://localhost:8888", "https://login.ing.com")
        return json_answer(json.loads(text), response["status"])

    return handler


def fits(path: str, target: str) -> bool:
    """Whether a published path, with its patterns, is that of a request; the order of parameters may differ."""
    wanted, _, query = path.partition("\\?")
    given, _, asked = target.partition("?")
    return re.fullmatch(wanted, given) is not None and all(
        any(re.fullmatch(part, one) for one in asked.split("&")) for part in query.split("&") if part
    )


def test_the_published_happy_story_is_read_whole(folder: Path) -> None:
    bank = FakeBank(handler=published(folder))
    connector = signed(bank)
    started = connector.start_consent(consent_request())
    assert started.step.url.startswith("https://login.ing.com/yoltbank/ing/granting/1234567/xx?client_id=example_")
    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert granted.tokens.access_token == "test-customer-access-token"
    assert granted.valid_until == TODAY, "3600 seconds of renewal"
    renewed = connector.refresh_tokens(granted.tokens, started.handle)
    assert renewed.refresh_token == "test-customer-refresh-token", "none new came: the old one stays"
    access = Access(started.handle.bank_consent_id, Keeper("test-customer-access-token"), PSU)
    account, card = connector.accounts(access)
    assert (account.bank_account_id, account.iban) == (ACCOUNT, "IT50N1234561605000323304444")
    assert (card.kind, card.iban) == (AccountKind.CARD, None)
    (balance,) = connector.balances(access, ACCOUNT)
    assert (balance.kind, balance.amount) == (BalanceKind.EXPECTED, Decimal("547.60"))
    pages = read(connector, access, ACCOUNT, account_iban=account.iban, date_from=date(2020, 7, 1))
    first, pending, second = [found for one in pages for found in one.transactions]
    assert [str(found.amount) for found in (first, pending, second)] == ["5.00", "-47.13", "15.00"]
    assert first.counterparty_bban == "INGB1234426876"
    assert first.remittance_information is not None
    assert first.remittance_information.split("\n")[0] == "HAFO DEN HAAG SGRAVENHAGE NLD"
    assert (first.structured_reference_kind, first.structured_reference) == (ReferenceKind.RF, "RF18539007547034")
    assert (pending.status, pending.counterparty_name) == (TransactionStatus.PENDING, "Creditor Name")
    assert pending.end_to_end_id is None
    assert (second.counterparty_iban, second.counterparty_bban) == (None, "NL10INGB5432100114"), "check digits fail"
    assert {checked(request) for request in bank.requests} == {"example_client_id", throw_away_key().key_id}


def test_the_published_incomplete_answers_are_told_apart(folder: Path) -> None:
    """A currency that is none spoils the list; an account without balances has none."""
    connector = line(FakeBank(handler=published(folder, "missing-data__*")))
    with pytest.raises(BankAnswerInvalid):
        connector.accounts(reading())
    assert connector.balances(reading(), ACCOUNT) == []
