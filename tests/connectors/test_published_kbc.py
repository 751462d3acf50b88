"""The published answers for the KBC group through the real connector; skipped where the samples are absent."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from connectors.errors import BankUnavailable, ConnectorError, ConsentEnded, ConsentError
from connectors.model import BalanceKind, ConsentStatus, Redirect, RejectedRow, TokenSet, Transaction, TransactionStatus
from connectors.registry import bank_for_iban, connector_class
from connectors.simulator.references import belgian_iban
from tests.connectors.support import (
    NOW,
    PSU,
    TODAY,
    FakeBank,
    Keeper,
    access,
    consent_request,
    json_answer,
    page,
    row,
)

BASE = "https://psd2.api.kbc.be/psd2/v2"
HOSTS = frozenset(connector_class("kbc").profile.hosts)
OWN = "BE32999969120202"


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "spec" / "psd2" / "fixtures" / "kbc"


def answering(folder: Path, story: str) -> FakeBank:
    """The bank of one published story, by path of the request; what a story lacks is that of the happy one."""
    found: dict[tuple[str, str], Any] = {}
    for name in ("happy_flow", story):
        for path in sorted(folder.glob(f"{name}__*.json")):
            for exchange in json.loads(path.read_text(encoding="utf-8"))["exchanges"]:
                step = "refresh" if path.stem.endswith("refresh-token") else ""
                key = exchange["request"]["path"].partition("?")[0] + step
                found[(exchange["request"]["method"], key)] = exchange["response"]

    def handler(request: httpx2.Request) -> httpx2.Response:
        step = "refresh" if b"grant_type=refresh_token" in request.content else ""
        response = found[(request.method, request.url.path + step)]
        return json_answer(response["body"], response["status"])

    return FakeBank(handler=handler)


def test_the_published_happy_story_is_read_whole(folder: Path) -> None:
    bank = answering(folder, "happy_flow")
    connector = bank.connector("kbc", BASE, allowed_hosts=HOSTS)
    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert (granted.status, granted.valid_until) == (ConsentStatus.VALID, None)
    assert granted.tokens == TokenSet("test-access-token", "test-refresh-token", NOW + timedelta(seconds=1800), "AIS")
    assert connector.refresh_tokens(granted.tokens).access_token == "test-access-token-refreshed"
    reading = access(Keeper(granted.tokens.access_token), PSU)
    (account,) = connector.accounts(reading)
    (balance,) = connector.balances(reading, account.bank_account_id)
    assert (balance.kind, balance.amount) == (BalanceKind.CLOSING_BOOKED, Decimal("123.45"))
    pages = list(
        connector.transaction_pages(
            reading, account.bank_account_id, account_iban=OWN, account_holder=None, date_from=date(2020, 1, 1),
            today=TODAY,
        )
    )  # fmt: skip
    received, paid = [found for one in pages for found in one.transactions]
    assert (received.amount, received.counterparty_name) == (Decimal("11.22"), "Test Debtor Name")
    assert received.counterparty_iban == "BE21999880850303"
    # The account itself stands as creditor of what it paid: the other party is then on the far side.
    assert (paid.amount, paid.counterparty_name) == (Decimal("-3.14"), "Test Debtor Name Two")
    assert paid.coda_code.startswith("001")
    assert [len(bank.requests), bank.requests[-1].url.path] == [
        7,
        "/psd2/v2/accounts/test-resource-id/transactions/page2",
    ]
    assert {request.url.params.get("bookingStatus") for request in bank.requests[5:]} == {"booked", None}


@pytest.mark.parametrize(
    ("story", "kind"),
    [("accounts_401", ConsentEnded), ("accounts_403", ConsentError), ("accounts_500", BankUnavailable)],
)
def test_the_published_errors_say_who_must_act(folder: Path, story: str, kind: type[ConnectorError]) -> None:
    bank = answering(folder, story)
    with pytest.raises(ConnectorError) as caught:
        bank.connector("kbc", BASE, allowed_hosts=HOSTS).accounts(access(psu=PSU))
    assert type(caught.value) is kind
    assert "FORBIDDEN" not in str(caught.value)
    assert len(bank.requests) == {"accounts_401": 2, "accounts_403": 1, "accounts_500": 3}[story]


@pytest.mark.parametrize(
    ("bank_id", "company"),
    [
        ("kbc", {"mainCompany": ["0001"]}),
        ("cbc", {"mainCompany": ["0002"]}),
        ("kbcbrussels", {"mainCompany": ["0001"], "company": ["9998"]}),
    ],
)
def test_the_address_to_authorise_at_is_built_here_with_the_company(bank_id: str, company: dict[str, Any]) -> None:
    profile = connector_class(bank_id).profile
    assert profile.production_url is not None
    bank = FakeBank(answers=[json_answer({"consentStatus": "received", "consentId": "c-1", "_links": {}}, 201)])
    started = bank.connector(bank_id, profile.production_url, allowed_hosts=frozenset(profile.hosts)).start_consent(
        consent_request()
    )
    assert isinstance(started.step, Redirect)
    parts = urlsplit(started.step.url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://idp.kbc.com/ASK/oauth/authorize/1"
    query = parse_qs(parts.query)
    assert {name: query[name] for name in query if "ompany" in name} == company
    assert query["scope"] == ["AIS:c-1"]
    assert started.handle.private["token_endpoint"] == "https://openapi.kbc-group.com/ASK/oauth/token/1"
    assert bank.requests[0].content.startswith(b'{"access":{"accounts":[],"balances":[],"transactions":[]},')


def test_an_iban_cannot_tell_kbc_from_kbc_brussels() -> None:
    assert [found.bank_id for found in bank_for_iban(belgian_iban("735", "1234567"))] == ["kbc", "kbcbrussels"]
    assert [found.bank_id for found in bank_for_iban(belgian_iban("732", "1234567"))] == ["cbc"]


def test_the_hint_says_business_in_four_languages_and_names_the_brand() -> None:
    hints = connector_class("cbc").profile.user_hints
    for language, word in (("nl", "zakelijk"), ("fr", "professionnel"), ("en", "business"), ("de", "geschäftlich")):
        assert word in hints[language]
        assert "CBC Mobile" in hints[language]
        assert "CBC Business" in hints[language]


def normalised(**changes: Any) -> Transaction:
    raw = row(1, creditorName=None, creditorAccount=None, **changes)
    found = FakeBank().connector("kbc", BASE).transaction(
        raw, status=TransactionStatus.BOOKED, account_iban="BE14645123456783", account_holder=None,
        own_ibans=frozenset(), today=TODAY,
    )  # fmt: skip
    assert not isinstance(found, RejectedRow)
    return found


@pytest.mark.parametrize(
    ("wording", "name"),
    [
        ("BUURTWINKEL BE9000 GENT Betaling met Bancontact 28-08-2026 om 19.15", "BUURTWINKEL BE9000 GENT"),
        ("ENERGIE VOORBEELD NV Domiciliëring 2026/11", "ENERGIE VOORBEELD NV"),
        ("BOULANGERIE INVENTEE Paiement Maestro par Carte de débit CBC", "BOULANGERIE INVENTEE"),
        ("INVENTED SHOP Payment with CBC Debit Card via Bancontact", "INVENTED SHOP"),
        ("Betaling met Bancontact 28-08-2026", None),
        ("Factuur 77", None),
    ],
)  # fmt: skip
def test_the_payee_stands_before_the_words_that_say_what_was_paid(wording: str, name: str | None) -> None:
    assert normalised(remittanceInformationUnstructured=wording).counterparty_name == name
    received = normalised(
        remittanceInformationUnstructured=wording, transactionAmount={"currency": "EUR", "amount": "5.00"}
    )
    assert received.counterparty_name is None, "in a receipt these would be the payer's words"


def test_the_holder_is_never_the_counterparty_of_a_receipt() -> None:
    raw = row(1, creditorName="Studio Noordlicht BV", creditorAccount={"iban": "BE14645123456783"})
    raw["transactionAmount"] = {"currency": "EUR", "amount": "9.00"}
    found = FakeBank().connector("kbc", BASE).transaction(
        raw, status=TransactionStatus.BOOKED, account_iban="BE14645123456783", account_holder=None,
        own_ibans=frozenset(), today=TODAY,
    )  # fmt: skip
    assert isinstance(found, Transaction)
    assert (found.counterparty_name, found.counterparty_iban) == (None, None)


@pytest.mark.parametrize(
    ("rates", "rate", "currency"),
    [
        (("USD", "1.0850", "EUR", "1"), Decimal("1.0850"), "USD"),
        (("EUR", "1.00", "GBP", "0.8421"), Decimal("0.8421"), "GBP"),
        (("USD", "2", "EUR", "3"), None, "USD"),
        (("EUR", "0", "EUR", "0"), None, None),
        (("EUR", "1", "EUR", "1"), None, None),
    ],
)
def test_a_rate_of_the_old_form_is_read_where_it_can_be_understood(
    rates: tuple[str, str, str, str], rate: Decimal | None, currency: str | None
) -> None:
    names = ("currencyFrom", "rateFrom", "currencyTo", "rateTo")
    found = normalised(exchangeRate=[{**dict(zip(names, rates, strict=True)), "rateDate": "2026-11-18"}])
    assert (found.exchange_rate, found.original_currency) == (rate, currency)


def test_a_bare_refusal_of_a_long_period_is_asked_once_more_and_shorter() -> None:
    bank = FakeBank(answers=[json_answer({"status": 400, "message": "x"}, 400), page(row(1))])
    (only,) = bank.connector("kbc", BASE).transaction_pages(
        access(), "r", account_iban=OWN, account_holder=None, date_from=date(2025, 1, 1), today=TODAY
    )
    assert only.date_from == TODAY - timedelta(days=89)


def test_the_balances_of_an_account_that_is_gone_are_an_error() -> None:
    bank = FakeBank(answers=[json_answer({"accounts": []})])
    with pytest.raises(ConnectorError, match="does not hold"):
        bank.connector("kbc", BASE).balances(access(), "gone")
    assert bank.requests[0].url.params["withBalance"] == "true"


def test_accounts_tell_whether_a_consent_still_holds() -> None:
    refused = json_answer({"status": 401, "message": "x"}, 401)
    assert FakeBank(answers=[json_answer({})]).connector("kbc", BASE).consent_status(access()) is ConsentStatus.VALID
    ended = FakeBank(answers=[refused, refused]).connector("kbc", BASE).consent_details(access())
    assert ended.status is ConsentStatus.REVOKED
