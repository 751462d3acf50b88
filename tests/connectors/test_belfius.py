"""Belfius through the real connector: invented answers, its own headers and errors, and forms that are not known."""

from __future__ import annotations

import base64
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

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
from connectors.families.belfius_errors import _KINDS
from connectors.model import (
    Access,
    AccountKind,
    BalanceKind,
    ConsentHandle,
    ConsentStatus,
    PsuContext,
    Redirect,
    ReferenceKind,
    RejectedRow,
    StartedConsent,
    TokenSet,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.registry import bank_for_iban, connector_class
from tests.connectors.support import (
    NOW,
    PSU,
    TODAY,
    VERIFIER,
    FakeBank,
    Keeper,
    consent_request,
    html_answer,
    json_answer,
    stub,
    stub_text,
)

BASE = "https://bank.example:8443"
RETURN = "https://gateway.example/psd2/callback"
IBAN = "BE14645123456783"
MAIN = "logical-1~EUR"


def stubs() -> FakeBank:
    """A bank that answers from the invented files."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        name = {
            "/consent-uris": "consent-uris.json",
            "/token": "tokens.json",
            "/accounts": "accounts.json",
            "/accounts/logical-1": "account-1.json",
            "/accounts/logical-2": "account-2.json",
        }.get(request.url.path)
        if request.url.path.endswith("/transactions"):
            name = f"transactions-{2 if 'next' in request.url.params else 1}.json"
        assert name is not None, "a path the bank does not have"
        return httpx2.Response(200, content=stub_text("belfius", name).encode())

    return FakeBank(handler=handler)


def access(keeper: Keeper | None = None, psu: PsuContext | None = PSU) -> Access:
    return Access(RETURN, keeper or Keeper(), psu)


def pages(bank: FakeBank, reading: Access | None = None, **changes: Any) -> list[TransactionPage]:
    values: dict[str, Any] = {"date_from": TODAY - timedelta(days=30), "today": TODAY}
    return list(
        bank.connector("belfius", BASE).transaction_pages(
            reading or access(), MAIN, account_iban=IBAN, account_holder=None, **(values | changes)
        )
    )


def rows(bank: FakeBank, **changes: Any) -> list[Transaction]:
    return [row for page in pages(bank, **changes) for row in page.transactions]


def entry(number: int = 1, **changes: Any) -> dict[str, Any]:
    raw = {
        "transaction_ref": f"081721I{number:06}",
        "amount": f"-{number}.25",
        "currency": "EUR",
        "execution_date": "2026-11-18",
        "value_date": "2026-11-18",
        "counterparty_account": "BE43068999999501",
        "counterparty_info": "Drukkerij Voorbeeld",
        "communication": f"Factuur {number}",
        "communication_type": "FREETEXT",
        "remittance_info": "",
    }
    return {name: value for name, value in (raw | changes).items() if value is not None}


def listing(*found: Any, key: Any = None) -> httpx2.Response:
    embedded: dict[str, Any] = {"transactions": list(found)}
    return json_answer({"_embedded": embedded if key is None else {**embedded, "next_page_key": key}, "_links": {}})


def refusal(status: int, code: str | int | None, error: str = "ERROR") -> httpx2.Response:
    body = {"error": error, "error_description": "Anna Voorbeeld"}
    return json_answer(body if code is None else {**body, "error_code": code}, status)


def one(**changes: Any) -> Transaction:
    found = connector_class("belfius").transaction(
        FakeBank().connector("belfius", BASE), entry(**changes), status=TransactionStatus.BOOKED, account_iban=IBAN,
        account_holder=None, own_ibans=frozenset(), today=TODAY,
    )  # fmt: skip
    assert isinstance(found, Transaction)
    return found


# The walk


def test_belfius_is_walked_from_consent_to_revocation() -> None:
    bank = stubs()
    connector = bank.connector("belfius", BASE)
    started = connector.start_consent(consent_request())
    assert started.step == Redirect(
        "https://www.bank.example/common/nl/launcher.html?appkey=key-1&apptoken=token-1&state=state-123"
    )
    assert connector.next_step(started.handle, None) == started.step
    first = bank.requests[0]
    assert dict(first.url.params) == {"scope": "AIS"}
    assert first.headers["Code-Challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert first.headers["Code-Challenge-Method"] == "S256"
    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert (granted.status, granted.valid_until) == (ConsentStatus.VALID, None)
    assert granted.tokens is not None
    assert granted.tokens.expires_at == NOW + timedelta(hours=1)
    token = bank.requests[1]
    assert token.headers["Authorization"] == f"Basic {base64.b64encode(b'PSDBE-NBB-0123456789:secret-1').decode()}"
    assert {name: values[0] for name, values in parse_qs(token.content.decode()).items()} == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "code_verifier": VERIFIER,
        "redirect_uri": RETURN,
    }
    reading = Access(started.handle.bank_consent_id, Keeper(), PSU)
    current, dollars, savings = connector.accounts(reading)
    assert [account.kind for account in (current, dollars, savings)] == [
        AccountKind.CURRENT, AccountKind.CURRENT, AccountKind.SAVINGS,
    ]  # fmt: skip
    assert current.iban == dollars.iban == stub("belfius", "accounts.json")["accounts"][0]["iban"]
    assert [account.bank_account_id for account in (current, dollars, savings)] == [
        MAIN, "logical-1~USD", "logical-2~EUR",
    ]  # fmt: skip
    paid, received, fee = rows(bank)
    assert (paid.amount, paid.coda_code, paid.counterparty_iban) == (Decimal("-256.61"), "00101000", "BE43068999999501")
    assert paid.counterparty_name == "Papierhandel Voorbeeld NV Dorpsstraat 1 9000 Gent"
    assert paid.remittance_information == "Factuur 118"
    assert paid.additional_information == "OVERSCHRIJVING NAAR BE43 0689 9999 9501"
    assert (received.structured_reference_kind, received.structured_reference) == (
        ReferenceKind.BELGIAN, "090933755493",
    )  # fmt: skip
    assert received.is_value_date_assumed
    assert (fee.coda_code, fee.counterparty_name, fee.counterparty_iban) == ("08033000", None, None)
    assert paid.raw == stub("belfius", "transactions-1.json")["_embedded"]["transactions"][0] | {
        "amount": Decimal("-256.61")
    }
    connector.revoke_consent(reading)
    assert connector.consent_status(reading) is ConsentStatus.VALID


def test_every_call_carries_the_headers_of_the_bank() -> None:
    bank = stubs()
    connector = bank.connector("belfius", BASE)
    started = connector.start_consent(consent_request(psu=PsuContext("192.0.2.17", None, "fr-BE")))
    connector.finish_consent(started.handle, {"code": "c"}, PSU)
    connector.refresh_tokens(TokenSet("old", "refresh-1"), started.handle)
    connector.accounts(access())
    connector.balances(access(), MAIN)
    pages(bank)
    versions = [4, 3, 3, *[3] * 6]
    assert [request.headers["Accept"] for request in bank.requests] == [
        f"application/vnd.belfius.api+json; version={version}" for version in versions
    ]
    for request in bank.requests:
        assert request.headers["Accept-Language"] in ("fr", "nl")
        assert request.headers["Client-ID"] == "PSDBE-NBB-0123456789"
        assert request.headers["Redirect-URI"] == RETURN
        assert request.headers["Request-ID"] == request.headers["X-Request-ID"]
        assert not [name for name in request.headers if name.lower().startswith("psu-")]
    own = bank.requests[:-2]  # The pages were read by another connector.
    assert len({request.headers["Request-ID"] for request in own}) == len(own)


@pytest.mark.parametrize(
    ("wanted", "sent"), [("fr-BE,fr;q=0.9", "fr"), ("NL", "nl"), ("de-BE", "nl"), (None, "nl"), ("", "nl")]
)
def test_only_the_languages_of_the_bank_are_asked_for(wanted: str | None, sent: str) -> None:
    bank = stubs()
    bank.connector("belfius", BASE).start_consent(consent_request(psu=PsuContext("192.0.2.17", None, wanted)))
    assert bank.requests[0].headers["Accept-Language"] == sent


def test_a_read_is_attended_only_when_the_query_says_so() -> None:
    for psu, said in ((PSU, "true"), (None, None)):
        bank = stubs()
        connector = bank.connector("belfius", BASE)
        connector.accounts(access(psu=psu))
        connector.balances(access(psu=psu), MAIN)
        pages(bank, access(psu=psu))
        assert {request.url.params.get("psu_involved") for request in bank.requests} == {said}
        assert {record.is_attended for record in bank.records} == {psu is not None}


# Consent and tokens


def start(body: Any) -> StartedConsent:
    return FakeBank(answers=[json_answer(body)]).connector("belfius", BASE).start_consent(consent_request())


def test_the_page_is_in_the_language_of_the_psu_else_the_one_there_is() -> None:
    page = "https://www.bank.example/launcher"
    assert start([{"language": "en", "consent_uri": page}]).step == Redirect(f"{page}?state=state-123")
    odd = ["x", {"language": "fr", "consent_uri": f"{page}?f=1"}, {"language": "nl", "consent_uri": f"{page}?n=1"}]
    assert start(odd).step == Redirect(f"{page}?n=1&state=state-123")


@pytest.mark.parametrize(
    "body",
    [[], {}, None, ["x"], [{"language": "nl"}], [{"language": "nl", "consent_uri": "https://evil.example/"}],
     [{"language": "nl", "consent_uri": "http://www.bank.example/"}], [{"language": "nl", "consent_uri": 7}]],
)  # fmt: skip
def test_no_page_or_one_at_another_host_is_an_invalid_answer(body: Any) -> None:
    with pytest.raises(BankAnswerInvalid):
        start(body)


def handle() -> ConsentHandle:
    return ConsentHandle(RETURN, {"state": "state-123", "code_verifier": VERIFIER, "redirect_uri": RETURN})


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
        bank.connector("belfius", BASE).finish_consent(handle(), callback, PSU)
    assert bank.requests == []


def test_of_the_previous_pair_nothing_is_kept() -> None:
    bank = FakeBank(answers=[json_answer({"access_token": "new", "token_type": "Bearer"})])
    connector = bank.connector("belfius", BASE)
    assert connector.refresh_tokens(TokenSet("old", "refresh-1"), handle()).refresh_token is None
    with pytest.raises(ConsentEnded):
        connector.refresh_tokens(TokenSet("new"), handle())
    assert len(bank.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(400, "GEN-1203-100004"), ConsentEnded),
        (refusal(400, None, "invalid_grant"), ConsentEnded),
        (refusal(401, "GEN-1203-100008"), OperatorError),
        (refusal(401, "B14663ZZ-2100"), OperatorError),
        (refusal(400, "GEN-1201-100001"), RequestRefused),
        (httpx2.Response(503), BankUnavailable),
    ],
)
def test_a_refresh_refused_is_sent_once_and_says_who_must_act(
    answer: httpx2.Response, kind: type[ConnectorError]
) -> None:
    bank = FakeBank(answers=[answer])
    with pytest.raises(ConnectorError) as caught:
        bank.connector("belfius", BASE).refresh_tokens(TokenSet("old", "refresh-1"), handle())
    assert type(caught.value) is kind
    assert "Anna" not in str(caught.value)


def test_without_the_secret_of_the_registration_nothing_is_sent() -> None:
    bank = FakeBank()
    found = connector_class("belfius")
    connector = found(BankEndpoint(BASE, "client"), bank.http(BASE), now=lambda: NOW, new_id=lambda: "id")
    with pytest.raises(OperatorError):
        connector.refresh_tokens(TokenSet("old", "refresh-1"))
    assert bank.requests == []


# Accounts and balances


@pytest.mark.parametrize("name", ["logical-id", "logical_id"])
@pytest.mark.parametrize("shape", [lambda found: found, lambda found: {"accounts": found},
                                   lambda found: {"_embedded": {"accounts": found}}])  # fmt: skip
def test_the_list_of_accounts_is_read_in_every_form_that_can_be_meant(name: str, shape: Any) -> None:
    details = {"type": "current-account", "iban": IBAN, "currency": "EUR", "balance": "1.00"}
    bank = FakeBank(answers=[json_answer(shape([{name: "a/b", "iban": IBAN}])), json_answer(details)])
    (account,) = bank.connector("belfius", BASE).accounts(access())
    assert (account.bank_account_id, account.kind) == ("a/b~EUR", AccountKind.CURRENT)
    assert bank.requests[1].url.raw_path.startswith(b"/accounts/a%2Fb?")


@pytest.mark.parametrize("body", [{}, {"accounts": None}, ["x"], [{"iban": IBAN}], [{"logical-id": " "}], "x"])
def test_all_accounts_come_or_none(body: Any) -> None:
    with pytest.raises(BankAnswerInvalid):
        FakeBank(answers=[json_answer(body)]).connector("belfius", BASE).accounts(access())


def test_an_account_without_a_currency_and_one_of_an_unknown_type_are_not_taken_for_current() -> None:
    listed = json_answer([{"logical-id": "1"}])
    with pytest.raises(BankAnswerInvalid):
        FakeBank(answers=[listed, json_answer({"iban": IBAN})]).connector("belfius", BASE).accounts(access())
    for kind in (None, "b-business"):
        bank = FakeBank(answers=[json_answer([{"logical-id": "1"}]), json_answer({"currency": "EUR", "type": kind})])
        (account,) = bank.connector("belfius", BASE).accounts(access())
        assert account.kind is AccountKind.OTHER


def test_no_account_is_an_empty_list() -> None:
    for answer in (httpx2.Response(204), json_answer([])):
        assert FakeBank(answers=[answer]).connector("belfius", BASE).accounts(access()) == []


def test_a_euro_balance_beside_another_currency_proves_no_day() -> None:
    bank = stubs()
    connector = bank.connector("belfius", BASE)
    found = [connector.balances(access(), f"logical-{name}")[0] for name in ("1~EUR", "1~USD", "2~EUR")]
    assert [(one.kind, str(one.amount), one.currency, one.reference_date) for one in found] == [
        (BalanceKind.OTHER, "4310.55", "EUR", None),
        (BalanceKind.INTERIM_BOOKED, "-12.50", "USD", None),
        (BalanceKind.INTERIM_BOOKED, "25000.00", "EUR", None),
    ]
    for gone in ("1~GBP", "1~", "logical-1"):
        with pytest.raises(BankAnswerInvalid):
            connector.balances(access(), f"logical-{gone}" if "~" in gone else gone)


# Transactions


def test_pages_follow_the_key_with_the_query_of_the_first() -> None:
    bank = FakeBank(answers=[listing(entry(1), key="a+b/c="), listing(entry(2), key="second"), listing(entry(3))])
    found = pages(bank)
    assert [row.bank_transaction_id for page in found for row in page.transactions] == [
        "081721I000001", "081721I000002", "081721I000003",
    ]  # fmt: skip
    assert [page.is_last for page in found] == [False, False, True]
    same = {"date_from": "2026-10-22", "currency": "EUR", "psu_involved": "true"}
    assert [dict(request.url.params) for request in bank.requests] == [
        same, same | {"next": "a+b/c="}, same | {"next": "second"},
    ]  # fmt: skip


def test_a_key_that_comes_again_ends_the_list_and_a_page_that_comes_again_counts_once() -> None:
    bank = FakeBank(answers=[listing(entry(1), key="k"), listing(entry(2), key="k")])
    assert len(rows(bank)) == 2
    bank = FakeBank(answers=[listing(entry(1), key="k"), listing(entry(1), key="l"), listing(entry(2))])
    assert [row.bank_transaction_id for row in rows(bank)] == ["081721I000001", "081721I000002"]


@pytest.mark.parametrize("key", ["https://evil.example/x", "a&date_from=1900-01-01", "a b", "é", "x" * 1025])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    bank = FakeBank(answers=[listing(entry(1), key=key)])
    with pytest.raises(BankAnswerInvalid):
        pages(bank)
    assert len(bank.requests) == 1


def test_more_than_90_days_is_never_asked_for_and_said_so() -> None:
    bank = FakeBank(answers=[listing(entry(1))])
    (page,) = pages(bank, date_from=date(2024, 1, 1))
    assert page.date_from == TODAY - timedelta(days=89)
    assert bank.requests[0].url.params["date_from"] == "2026-08-24"


def test_nothing_to_list_is_one_empty_page_and_an_answer_without_a_list_is_none() -> None:
    for answer in (httpx2.Response(204), listing(), json_answer({"_links": {}}), listing(key="")):
        (page,) = pages(FakeBank(answers=[answer]))
        assert (page.transactions, page.is_last) == ((), True)
    for body in ({}, [], {"_embedded": []}, {"_embedded": {}}, {"_embedded": {"transactions": {}}}):
        with pytest.raises(BankAnswerInvalid):
            pages(FakeBank(answers=[json_answer(body)]))


def test_the_sign_says_on_which_side_the_counterparty_stands() -> None:
    paid, received = one(amount=Decimal("-12.3")), one(amount="12.3")
    assert [(row.amount, row.counterparty_name, row.counterparty_iban) for row in (paid, received)] == [
        (Decimal("-12.30"), "Drukkerij Voorbeeld", "BE43068999999501"),
        (Decimal("12.30"), "Drukkerij Voorbeeld", "BE43068999999501"),
    ]


@pytest.mark.parametrize(
    ("communication", "reference"),
    [
        ("+++090/9337/55493+++", "090933755493"),
        ("090933755493", "090933755493"),
        ("*** 090 / 9337 / 55493 ***", "090933755493"),
        ("OGM 090-9337-55493", "090933755493"),
        ("RF18 5390 0754 7034", "RF18539007547034"),
    ],
)
def test_a_communication_of_another_type_is_a_reference(communication: str, reference: str) -> None:
    row = one(communication=communication, communication_type="ANY")
    assert (row.structured_reference, row.warnings) == (reference, ())


def test_a_reference_that_fails_its_check_stays_text_with_a_warning() -> None:
    for communication in ("+++090/9337/55494+++", "090/9337", "no digits"):
        row = one(communication=communication, communication_type="ANY")
        assert (row.structured_reference, row.remittance_information) == (None, communication)
        assert row.warnings == ("structured_reference_failed",)
    assert one(communication="012-34567-890").warnings == ()
    assert one(communication=" ", communication_type="ANY").warnings == ()


def test_twins_stay_two_and_a_repeated_reference_recognises_nothing() -> None:
    found = rows(FakeBank(answers=[listing(entry(1), entry(1), entry(2, transaction_ref="081721I000001"))]))
    assert [row.fingerprint == found[0].fingerprint for row in found] == [True, True, False]


def test_a_row_that_cannot_be_understood_is_handed_over_as_it_came() -> None:
    for changes, reason in (({"amount": None}, "amount_missing"), ({"currency": None}, "currency_missing")):
        (page,) = pages(FakeBank(answers=[listing(entry(1, **changes))]))
        assert page.rejected == (RejectedRow(reason, entry(1, **changes)),)
    (page,) = pages(FakeBank(answers=[listing("odd", entry(1, execution_date=None, value_date=None))]))
    assert [row.reason for row in page.rejected] == ["not_an_object", "booking_date_missing"]


def test_a_booking_day_to_come_is_pending() -> None:
    assert one(execution_date="2026-11-22").status is TransactionStatus.PENDING


def test_a_card_payment_is_told_by_the_printed_line() -> None:
    row = one(communication="", counterparty_account="", counterparty_info="", remittance_info="BETALING MET KAART")
    assert row.coda_code == "00402000"


# Errors


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(401, "B14800ZZ-0PLC-REDRCT", "SCA_REQUIRED"), ConsentEnded),
        (refusal(401, None, "SCA_REQUIRED"), ConsentEnded),
        (refusal(400, 20007), ConsentEnded),
        (refusal(403, "B14800ZZ-3013"), ConsentEnded),
        (refusal(403, "B14800ZZ-3002"), ConsentError),
        (refusal(403, "B14800ZZ-3004"), ConsentError),
        (refusal(403, "B14800ZZ-3007"), ConsentError),
        (refusal(401, "B14663ZZ-2100", "INVALID_TPP"), OperatorError),
        (refusal(401, "GEN-1203-100009"), OperatorError),
        (refusal(401, "GEN-1203-100010"), OperatorError),
        (refusal(400, "GEN-1202-100002"), RequestRefused),
        (refusal(406, None), RequestRefused),
        (httpx2.Response(403), ConsentError),
        (httpx2.Response(404), RequestRefused),
        (httpx2.Response(429), QuotaExhausted),
        (html_answer(), BankAnswerInvalid),
        (html_answer(404), BankAnswerInvalid),
    ],
)
def test_an_error_of_the_bank_says_who_must_act(answer: httpx2.Response, kind: type[ConnectorError]) -> None:
    with pytest.raises(ConnectorError) as caught:
        pages(FakeBank(answers=[answer]))
    assert type(caught.value) is kind
    assert "Anna" not in str(caught.value)


def test_every_code_that_is_known_is_in_the_card_or_its_group_is() -> None:
    groups = {code.partition("-")[0] for code in _KINDS}
    assert groups == {"GEN", "B14663ZZ", "B14800ZZ", "B14821ZZ", "20007", "SCA_REQUIRED"}


def test_a_token_refused_is_renewed_once_and_refused_for_good_it_ends_the_consent() -> None:
    refused = refusal(401, "GEN-1203-100003")
    bank, keeper = FakeBank(answers=[refused, listing(entry(1))]), Keeper("old", "new")
    assert len(pages(bank, access(keeper))) == 1
    assert [request.headers["Authorization"] for request in bank.requests] == ["Bearer old", "Bearer new"]
    bank = FakeBank(answers=[refused, refused])
    assert bank.connector("belfius", BASE).consent_status(access()) is ConsentStatus.REVOKED
    with pytest.raises(OperatorError):
        FakeBank(answers=[httpx2.Response(401)]).connector("belfius", BASE).start_consent(consent_request())


def test_a_server_that_recovers_and_a_short_wait_are_lived_through() -> None:
    slow = json_answer({"error": "x"}, 429, **{"Retry-After": "2"})
    bank = FakeBank(answers=[json_answer({}, 500), slow, listing(entry(1))])
    assert len(rows(bank)) == 1
    assert bank.slept[-1] == 2


def test_the_hints_warn_of_both_support_cases_and_the_number_names_the_bank() -> None:
    profile = connector_class("belfius").profile
    words = {
        "nl": ("entiteit", "kanaal"),
        "fr": ("entité", "canal"),
        "en": ("entity", "channel"),
        "de": ("Einheit", "Kanal"),
    }
    assert all(word in profile.user_hints[language] for language, both in words.items() for word in both)
    assert [found.bank_id for found in bank_for_iban("BE43068999999501")] == ["belfius"]
