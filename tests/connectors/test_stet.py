"""STET through the real connectors: invented answers of each bank, and the odd forms the standard allows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from connectors import signing
from connectors.base import BankEndpoint
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
    AccountKind,
    BalanceKind,
    ConsentStatus,
    PsuContext,
    Redirect,
    ReferenceKind,
    RejectedRow,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.registry import bank_for_iban, connector_class
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
    html_answer,
    json_answer,
    stub_text,
    throw_away_key,
)

FORTIS = ("bnppf", "fintro", "hellobank")
BANKS = (*FORTIS, "beobank")
PATHS = {"beobank": "/stet-psd2-api/v2.2"}
ENDED = ConsentEnded("nothing to renew with", bank_id="bank")


def base(bank_id: str) -> str:
    return f"https://bank.example{PATHS.get(bank_id, '/psd2/v4')}"


def stubs(bank_id: str) -> FakeBank:
    def handler(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path.endswith("/transactions"):
            name = "transactions-2.json" if "index" in request.url.params else "transactions-1.json"
        else:
            name = {"token": "tokens", "accounts": "accounts", "balances": "balances"}[path.rsplit("/", 1)[1]] + ".json"
        return httpx2.Response(200, content=stub_text(bank_id, name).encode())

    return FakeBank(handler=handler)


def entry(number: int = 1, **changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "resourceId": "res-1",
        "entryReference": f"R{number:04}",
        "transactionAmount": amount(f"{number}.25"),
        "creditDebitIndicator": "DBIT",
        "status": "BOOK",
        "bookingDate": "2026-11-18",
        "valueDate": "2026-11-18",
        "remittanceInformation": {"unstructured": [f"Factuur {number}"]},
    }
    return {name: value for name, value in (raw | changes).items() if value is not None}


def listing(*rows: dict[str, Any], following: Any = None) -> httpx2.Response:
    links = {} if following is None else {"next": following}
    return json_answer({"transactions": list(rows), "_links": links})


def pages(bank: FakeBank, bank_id: str = "bnppf", keeper: Keeper | None = None) -> list[TransactionPage]:
    connector = bank.connector(bank_id, base(bank_id))
    return list(
        connector.transaction_pages(
            access(keeper, PSU), "res-1", account_iban="BE14645123456783", account_holder=None,
            date_from=date(2026, 6, 1), today=TODAY,
        )
    )  # fmt: skip


def rows(bank: FakeBank, bank_id: str = "bnppf") -> list[Transaction]:
    return [found for one in pages(bank, bank_id) for found in one.transactions]


def one(raw: dict[str, Any], bank_id: str = "beobank") -> Transaction:
    (found,) = rows(FakeBank(answers=[listing(raw)]), bank_id)
    return found


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_bank_is_walked_from_sign_in_to_the_rows(bank_id: str) -> None:
    bank = stubs(bank_id)
    connector = bank.connector(bank_id, base(bank_id))
    started = connector.start_consent(consent_request())
    assert bank.requests == [], "the consent is the authorisation: nothing is asked before"
    assert isinstance(started.step, Redirect)
    query = parse_qs(urlsplit(started.step.url).query)
    assert (query["scope"], query["state"], query["code_challenge_method"]) == (["aisp"], ["state-123"], ["S256"])
    assert connector.next_step(started.handle, None) == started.step
    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert (granted.status, granted.valid_until) == (ConsentStatus.VALID, None), "renewed by a refresh token"
    assert granted.tokens is not None
    assert connector.refresh_tokens(granted.tokens, started.handle).refresh_token == "refresh-2"
    form = parse_qs(bank.requests[0].content.decode())
    assert form["code_verifier"]
    assert form.get("client_secret") == (["secret-1"] if bank_id in FORTIS else None)
    reading = access(psu=PSU)
    reading = type(reading)("", reading.tokens, PSU)
    current, savings, card = connector.accounts(reading)
    assert [current.kind, savings.kind, card.kind] == [AccountKind.CURRENT, AccountKind.SAVINGS, AccountKind.CARD]
    assert card.iban is None, "a masked number is no IBAN"
    assert bank_id in [profile.bank_id for profile in bank_for_iban(current.iban or "")]
    balances = connector.balances(reading, "res-1")
    assert [(balance.kind, balance.reference_date) for balance in balances] == [
        (BalanceKind.CLOSING_BOOKED, date(2026, 11, 20)),
        (BalanceKind.EXPECTED, TODAY),
        (BalanceKind.OTHER, TODAY),
    ]
    found = rows(bank, bank_id)
    assert [(row.status, row.amount) for row in found] == [
        (TransactionStatus.PENDING, Decimal("-12.10")),
        (TransactionStatus.BOOKED, Decimal("-256.61")),
        (TransactionStatus.BOOKED, Decimal("845.50")),
        (TransactionStatus.BOOKED, Decimal("-3.50")),
    ]
    paid, received = found[1], found[2]
    assert (paid.counterparty_name, paid.counterparty_bic, paid.end_to_end_id) == (
        "Papierhandel Voorbeeld NV",
        "GKCCBEBB",
        "F-2026-118",
    )
    assert (paid.remittance_information, paid.iso_code) == ("Factuur 118 tweede lijn", "PMNT-ICDT-ESCT")
    assert (received.structured_reference_kind, received.structured_reference) == (
        ReferenceKind.BELGIAN,
        "090933755493",
    )
    calls = len(bank.requests)
    connector.revoke_consent(reading)
    assert len(bank.requests) == calls, "the standard has no call to end it"
    assert all("psu-ip-address" in request.headers for request in bank.requests if "/accounts" in request.url.path)
    assert not any("consent-id" in request.headers for request in bank.requests[2:4])


def test_the_brands_share_their_codes_and_the_psu_is_asked() -> None:
    for code in ("001", "137", "143", "210", "299", "679"):
        assert [profile.bank_id for profile in bank_for_iban(belgian_iban(code, "1234567"))] == list(FORTIS)
    (former,) = bank_for_iban(belgian_iban("000", "1234567"))
    assert (former.bank_id, former.routed_from) == ("bnppf", ("bpost bank",))
    (beobank,) = bank_for_iban(belgian_iban("953", "1234567"))
    assert beobank.bank_id == "beobank"


@pytest.mark.parametrize(
    ("bank_id", "page", "token"),
    [
        ("bnppf", "services.bnpparibasfortis.be/SEPLJ04/sps/oauth/oauth20/authorize", "services.bnpparibasfortis.be"),
        ("fintro", "services.fintro.be/SEPLJ04/sps/oauth/oauth20/authorize", "services.fintro.be"),
        ("hellobank", "services.hellobank.be/SEPLJ04/sps/oauth/oauth20/authorize", "services.hellobank.be"),
        ("beobank", "online.beobank.be/oauth2/nl/banque/oauth2_authorization.aspx", "oauth2-apiii.e-i.com"),
    ],
)
def test_the_psu_and_the_tokens_go_to_the_addresses_of_the_bank(bank_id: str, page: str, token: str) -> None:
    profile = connector_class(bank_id).profile
    bank = FakeBank(answers=[json_answer({"access_token": "t", "expires_in": 7775999})])
    connector = bank.connector(bank_id, profile.production_url or "", allowed_hosts=frozenset(profile.hosts))
    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    assert started.step.url.startswith(f"https://{page}?")
    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert bank.requests[0].url.host == token
    assert granted.valid_until == date(2027, 2, 18), "90 days of the token, the last of them not whole"
    assert granted.tokens is not None
    with pytest.raises(ConsentEnded):
        connector.refresh_tokens(granted.tokens, started.handle)


def test_the_sandbox_of_the_group_has_addresses_of_its_own() -> None:
    profile = connector_class("fintro").profile
    bank = FakeBank(answers=[json_answer({"access_token": "t"})])
    connector = bank.connector("fintro", profile.sandbox_url or "", allowed_hosts=frozenset(profile.hosts))
    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    assert started.step.url.startswith("https://sandbox.auth.bnpparibasfortis.com/authorize?")
    connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert str(bank.requests[0].url) == "https://sandbox.auth.bnpparibasfortis.com/token"
    assert bank.requests[0].headers["X-Openbank-Organization"] == "sandbox"


@pytest.mark.parametrize(("language", "expected"), [("fr-BE", "fr"), ("de-BE", "en"), (None, "en")])
def test_beobank_is_asked_in_the_language_of_the_psu(language: str | None, expected: str) -> None:
    profile = connector_class("beobank").profile
    connector = FakeBank().connector("beobank", profile.production_url or "")
    started = connector.start_consent(consent_request(psu=PsuContext("192.0.2.17", None, language)))
    assert isinstance(started.step, Redirect)
    assert f"/oauth2/{expected}/banque/" in started.step.url


def test_a_missing_secret_is_the_operators_matter() -> None:
    bank = FakeBank()
    endpoint = BankEndpoint(base("bnppf"), "client", frozenset())
    connector = connector_class("bnppf")(endpoint, bank.http(base("bnppf")), now=lambda: NOW, new_id=lambda: "1")
    started = connector.start_consent(consent_request())
    with pytest.raises(OperatorError):
        connector.finish_consent(started.handle, {"code": "code-1"}, PSU)
    assert bank.requests == []


def test_a_cancelled_sign_in_and_a_foreign_callback_are_refused() -> None:
    connector = FakeBank().connector("bnppf", base("bnppf"))
    started = connector.start_consent(consent_request())
    with pytest.raises(ConsentRefused):
        connector.finish_consent(started.handle, {"error": "access_denied", "state": "state-123"}, PSU)
    with pytest.raises(CallbackRejected):
        connector.finish_consent(started.handle, {"code": "c", "state": "another"}, PSU)
    with pytest.raises(CallbackRejected):
        connector.finish_consent(started.handle, {"state": "state-123"}, PSU)


@pytest.mark.parametrize(
    ("written", "indicator", "expected"),
    [("-12.25", "DBIT", "-12.25"), ("12.25", "DBIT", "-12.25"), ("-12.25", "CRDT", "12.25"), (12.5, "CRDT", "12.50")],
)
def test_the_indicator_is_trusted_over_the_sign(written: Any, indicator: str, expected: str) -> None:
    for bank_id in ("bnppf", "beobank"):
        raw = entry(transactionAmount=amount(written), creditDebitIndicator=indicator)
        assert one(raw, bank_id).amount == Decimal(expected)


def test_without_indicator_only_a_bank_that_writes_signs_is_read() -> None:
    raw = entry(transactionAmount=amount("-12.25"), creditDebitIndicator=None)
    assert one(raw, "bnppf").amount == Decimal("-12.25")
    (page,) = pages(FakeBank(answers=[listing(raw)]), "beobank")
    assert page.rejected == (RejectedRow("sign_undecided", raw),)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-20T00:00:00Z", date(2026, 11, 20)),
        ("2026-11-20T00:00:00.000Z", date(2026, 11, 20)),
        ("2026-11-20T00:00:00+14:00", date(2026, 11, 20)),
        ("2026-11-19T23:30:00Z", date(2026, 11, 20)),
        ("2026-11-20", date(2026, 11, 20)),
    ],
)
def test_midnight_is_cut_to_its_day_and_a_moment_becomes_its_day_in_brussels(written: str, expected: date) -> None:
    found = one(entry(bookingDate=written, valueDate=written))
    assert (found.booking_date, found.value_date) == (expected, expected)


def test_only_what_the_bank_calls_booked_is_booked() -> None:
    words = ("BOOK", "PDNG", "FUTR", "OTHR", "RJCT", "INFO", "NEWS", None)
    given = [entry(number, status=word) for number, word in enumerate(words, 1)]
    found = {row.bank_transaction_id: row.status for row in rows(FakeBank(answers=[listing(*given)]))}
    booked = [name for name, status in found.items() if status is TransactionStatus.BOOKED]
    assert booked == ["R0001"]
    assert set(found) == {"R0001", "R0002", "R0003", "R0004", "R0007", "R0008"}, "refused and informative rows are none"


def test_a_pending_row_without_a_date_gets_none() -> None:
    found = one(entry(status="PDNG", bookingDate=None, valueDate=None), "bnppf")
    assert (found.status, found.booking_date, found.value_date) == (TransactionStatus.PENDING, None, None)


def test_a_row_keeps_what_the_bank_gave_and_is_read_again_from_it() -> None:
    raw = entry(relatedParties={"creditor": {"name": "Drukkerij Voorbeeld"}, "debtor": {"name": "Wij"}})
    found = one(raw)
    assert found.raw == raw
    connector = FakeBank().connector("beobank", base("beobank"))
    again = connector.transaction(
        found.raw, status=found.status, account_iban="BE14645123456783", account_holder=None, own_ibans=frozenset(),
        today=TODAY,
    )  # fmt: skip
    assert again == found
    assert found.counterparty_name == "Drukkerij Voorbeeld"


def test_an_exchange_and_charges_are_read() -> None:
    exchanged = {
        "amount": amount(100, "USD"),
        "sourceCurrency": "USD",
        "targetCurrency": "EUR",
        "exchangeRate": 1.0712,
    }
    raw = entry(
        transactionAmountDetails={"instructedAmount": exchanged},
        charges={"totalChargesAndTaxAmount": amount("2.50")},
    )
    found = one(raw)
    assert (found.original_amount, found.original_currency) == (Decimal("-100.00"), "USD")
    assert (found.exchange_rate, found.fee) == (Decimal("1.0712"), Decimal("2.50"))


@pytest.mark.parametrize(
    "value", [["Factuur 1", "lijn 2"], {"unstructured": ["Factuur 1", "lijn 2"]}, {"unstructured": "Factuur 1 lijn 2"}]
)
def test_every_form_of_the_text_is_read(value: Any) -> None:
    assert one(entry(remittanceInformation=value)).remittance_information == "Factuur 1 lijn 2"


def test_twins_are_two_and_a_row_without_a_reference_is_kept() -> None:
    twin = entry(1, entryReference=None)
    found = rows(FakeBank(answers=[listing(twin, twin)]))
    assert [row.bank_transaction_id for row in found] == [None, None]
    assert len({row.fingerprint for row in found}) == 1


@pytest.mark.parametrize("last", [listing(entry(2)), listing(entry(2), following=""), httpx2.Response(204)])
def test_pages_end_without_a_link_with_an_empty_one_and_with_204(last: httpx2.Response) -> None:
    bank = FakeBank(answers=[listing(entry(1), following={"href": "/accounts/res-1/transactions?index=2%7C9"}), last])
    found = pages(bank, "fintro")
    assert [page.is_last for page in found] == [False, True]
    assert str(bank.requests[1].url) == f"{base('fintro')}/accounts/res-1/transactions?index=2%7C9&brand=fintro"
    assert bank.requests[0].url.params["brand"] == "fintro"


@pytest.mark.parametrize(
    "href", ["accounts/res-1/transactions?p=2", "/stet-psd2-api/v2.2/accounts/res-1/transactions?p=2"]
)
def test_a_link_may_be_relative_to_the_version_or_to_the_host(href: str) -> None:
    bank = FakeBank(answers=[listing(entry(1), following={"href": href}), listing(entry(2))])
    assert len(rows(bank, "beobank")) == 2
    assert str(bank.requests[1].url) == f"{base('beobank')}/accounts/res-1/transactions?p=2"


@pytest.mark.parametrize("href", ["https://evil.example/x", "//evil.example/x"])
def test_a_link_to_another_host_is_refused(href: str) -> None:
    bank = FakeBank(answers=[listing(entry(1), following={"href": href})])
    with pytest.raises(BankAnswerInvalid):
        pages(bank)
    assert len(bank.requests) == 1


def test_nothing_to_list_is_204_or_an_empty_list() -> None:
    for answer in (httpx2.Response(204), listing()):
        (page,) = pages(FakeBank(answers=[answer]))
        assert (page.transactions, page.is_last) == ((), True)
    assert FakeBank(answers=[httpx2.Response(204)]).connector("bnppf", base("bnppf")).accounts(access()) == []


def test_version_2_names_no_brand() -> None:
    bank = FakeBank(answers=[httpx2.Response(204)])
    bank.connector("bnppf", "https://bank.example/psd2/v2").accounts(access())
    assert str(bank.requests[0].url) == "https://bank.example/psd2/v2/accounts"


def test_a_period_the_bank_refuses_is_asked_once_shorter() -> None:
    bank = FakeBank(answers=[json_answer({"status": 400, "error": "Bad Request"}, 400), listing(entry(1))])
    assert len(rows(bank)) == 1
    assert [request.url.params["dateFrom"] for request in bank.requests] == ["2026-06-01", "2026-08-24"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (json_answer({"status": 403, "message": "FORBIDDEN"}, 403), ConsentError),
        (json_answer({"status": 404, "error": "Not Found"}, 404), RequestRefused),
        (json_answer({"status": 429}, 429), QuotaExhausted),
        (json_answer({"status": 501}, 501), BankUnavailable),
        (html_answer(), BankAnswerInvalid),
        (json_answer({"balances": []}), BankAnswerInvalid),
    ],
)
def test_errors_say_who_must_act(answer: httpx2.Response, kind: type[ConnectorError]) -> None:
    with pytest.raises(ConnectorError) as caught:
        pages(FakeBank(answers=[answer]))
    assert type(caught.value) is kind


def test_a_server_that_recovers_and_a_short_wait_are_lived_through() -> None:
    slow = json_answer({"status": 429}, 429, **{"Retry-After": "2"})
    bank = FakeBank(answers=[json_answer({"status": 500}, 500), slow, listing(entry(1))])
    assert len(rows(bank)) == 1
    assert bank.slept[-1] == 2


def test_a_token_refused_twice_with_fresh_stamps_ends_the_consent() -> None:
    refused = [json_answer({"status": 401, "message": "invalid token"}, 401) for _ in range(2)]
    bank = FakeBank(answers=list(refused))
    connector = bank.connector("bnppf", base("bnppf"))
    assert connector.consent_status(access(Keeper(error=ENDED))) is ConsentStatus.REVOKED
    assert len(bank.requests) == 2


def test_a_stamp_that_came_too_late_is_made_anew() -> None:
    bank = FakeBank(answers=[json_answer({"status": 401}, 401), listing(entry(1))])
    moments = iter([datetime(2026, 11, 21, 9, 0, tzinfo=UTC), datetime(2026, 11, 21, 9, 5, tzinfo=UTC)])
    key = throw_away_key()
    connector = bank.connector(
        "bnppf", base("bnppf"), signer=RequestSigner(signing.BNPPF, key, now=lambda: next(moments))
    )
    list(
        connector.transaction_pages(
            access(Keeper(error=ENDED)), "res-1", account_iban="BE14645123456783", account_holder=None,
            date_from=TODAY - timedelta(days=9), today=TODAY,
        )
    )  # fmt: skip
    first, second = (signing.read_signature(request.headers["Signature"]) for request in bank.requests)
    assert (second.created or 0) - (first.created or 0) == 300


@pytest.mark.parametrize("bank_id", ["bnppf", "beobank"])
def test_every_call_is_signed_and_holds(bank_id: str) -> None:
    key, profile = throw_away_key(), connector_class(bank_id).signature
    assert profile is not None
    bank = stubs(bank_id)
    connector = bank.connector(bank_id, base(bank_id), signer=RequestSigner(profile, key, now=lambda: NOW))
    connector.accounts(access(psu=PSU))
    connector.balances(access(psu=PSU), "res-1")
    assert len(bank.requests) == 2
    for request in bank.requests:
        signing.verify(
            profile, {key.key_id: key.key.public_key()}.get, method=request.method,
            target=request.url.raw_path.decode(), headers=dict(request.headers), body=request.content,
            now=int(NOW.timestamp()),
        )  # fmt: skip
