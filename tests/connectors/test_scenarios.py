"""The scenario list every connector passes (CON-03), one sentence each, on the Worldline line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

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
from connectors.families.berlin_group import BerlinGroupConnector, ConsentModel
from connectors.model import (
    Access,
    ConsentHandle,
    ConsentStatus,
    Finished,
    Poll,
    PsuContext,
    Redirect,
    TransactionPage,
)
from connectors.registry import connector_class
from tests.connectors.support import (
    BASE,
    PSU,
    TODAY,
    VERIFIER,
    FakeBank,
    Keeper,
    access,
    consent_request,
    error_answer,
    html_answer,
    json_answer,
    page,
    row,
)

NEXT = {"href": f"{BASE}/accounts/res-1/transactions?dateFrom=2026-08-24&bookingStatus=both&page=1"}
THIRD = {"href": f"{BASE}/accounts/res-1/transactions?dateFrom=2026-08-24&bookingStatus=both&page=2"}


def read(bank: FakeBank, reading: Access | None = None, **changes: Any) -> list[TransactionPage]:
    values: dict[str, Any] = {
        "account_iban": "BE14645123456783",
        "account_holder": "Studio Noordlicht BV",
        "date_from": date(2026, 8, 24),
        "today": TODAY,
    }
    connector = bank.connector("keytrade")
    return list(connector.transaction_pages(reading or access(psu=PSU), "res-1", **(values | changes)))


def ids(pages: list[TransactionPage]) -> list[str | None]:
    return [found.bank_transaction_id for one in pages for found in one.transactions]


class Generic(BerlinGroupConnector):
    """A bank of the generic kind, for what the Worldline banks do not do."""

    profile = connector_class("keytrade").profile


def generic(**attributes: Any) -> type[BerlinGroupConnector]:
    return type("Generic", (Generic,), attributes)


# Pages


def test_two_pages_are_followed() -> None:
    bank = FakeBank(answers=[page(row(1), next_link=NEXT), page(row(2))])
    pages = read(bank)
    assert ids(pages) == ["T0001", "T0002"]
    assert [one.is_last for one in pages] == [False, True]
    first, second = bank.requests
    assert first.url.params["bookingStatus"] == "both"
    assert first.url.params["dateFrom"] == "2026-08-24"
    for name in ("Authorization", "Consent-ID", "PSU-IP-Address"):
        assert first.headers[name] == second.headers[name]
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_an_empty_list_and_204_are_one_empty_page() -> None:
    for answer in (page(), httpx2.Response(204), json_answer({"transactions": {}})):
        (only,) = read(FakeBank(answers=[answer]))
        assert (only.transactions, only.is_last) == ((), True)


def test_204_after_a_page_ends_the_list() -> None:
    assert ids(read(FakeBank(answers=[page(row(1), next_link=NEXT), httpx2.Response(204)]))) == ["T0001"]


@pytest.mark.parametrize("empty", [{}, "", {"href": ""}, None])
def test_an_empty_next_link_ends_the_list(empty: object) -> None:
    assert len(read(FakeBank(answers=[page(row(1), next_link=empty)]))) == 1


def test_a_next_link_to_the_same_page_ends_the_list_without_doubling_it() -> None:
    same = {"href": "/berlingroup/v1/accounts/res-1/transactions?dateFrom=2026-08-24&bookingStatus=both"}
    assert ids(read(FakeBank(answers=[page(row(1), next_link=same)]))) == ["T0001"]


def test_a_page_repeated_under_another_address_counts_as_empty_and_the_list_goes_on() -> None:
    pages = read(
        FakeBank(answers=[page(row(1), next_link=NEXT), page(row(1), next_link=THIRD), page(row(2), next_link=NEXT)])
    )
    assert [ids([one]) for one in pages] == [["T0001"], [], ["T0002"]]
    assert [one.is_last for one in pages] == [False, False, True]


def test_twins_without_ids_on_two_pages_stay_two() -> None:
    bare = row(1, transactionId=None)
    assert len(ids(read(FakeBank(answers=[page(bare, next_link=NEXT), page(bare)])))) == 2


def test_a_next_link_to_another_host_is_refused() -> None:
    bank = FakeBank(answers=[page(row(1), next_link={"href": "https://evil.example/berlingroup/v1/x"})])
    with pytest.raises(BankAnswerInvalid):
        read(bank)
    assert len(bank.requests) == 1


def test_pages_without_end_are_given_up() -> None:
    def endless(request: httpx2.Request) -> httpx2.Response:
        number = int(request.url.params.get("page", 0)) + 1
        return page(row(number), next_link=f"/berlingroup/v1/accounts/res-1/transactions?page={number}")

    bank = FakeBank(handler=endless)
    connector = bank.of_class(generic(pages_max=7))
    with pytest.raises(BankAnswerInvalid, match="7 pages"):
        list(
            connector.transaction_pages(
                access(), "res-1", account_iban="BE14645123456783", account_holder=None, date_from=TODAY, today=TODAY
            )
        )


def test_a_consent_that_ends_on_page_three_spoils_the_whole_read() -> None:
    bank = FakeBank(
        answers=[page(row(1), next_link=NEXT), page(row(2), next_link=THIRD), error_answer(401, "CONSENT_EXPIRED")]
    )
    with pytest.raises(ConsentEnded) as caught:
        read(bank)
    assert caught.value.bank_code == "CONSENT_EXPIRED"


def test_a_limit_on_page_two_spoils_the_whole_read() -> None:
    bank = FakeBank(answers=[page(row(1), next_link=NEXT), error_answer(429, "ACCESS_EXCEEDED")])
    with pytest.raises(QuotaExhausted):
        read(bank)
    assert len(bank.requests) == 2


def test_a_period_refused_is_asked_once_more_and_shorter_and_said_so() -> None:
    bank = FakeBank(answers=[error_answer(400, "PERIOD_INVALID"), page(row(1))])
    (only,) = read(bank, date_from=date(2025, 1, 1))
    assert only.date_from == TODAY - timedelta(days=89)
    assert bank.requests[1].url.params["dateFrom"] == only.date_from.isoformat()


def test_a_short_period_refused_is_refused() -> None:
    bank = FakeBank(answers=[error_answer(400, "PERIOD_INVALID")])
    with pytest.raises(RequestRefused):
        read(bank, date_from=TODAY - timedelta(days=5))


def test_a_list_offered_as_a_file_is_not_an_empty_list() -> None:
    body = {"transactions": {"_links": {"download": {"href": f"{BASE}/files/1"}}}}
    with pytest.raises(BankAnswerInvalid, match="file"):
        read(FakeBank(answers=[json_answer(body)]))


@pytest.mark.parametrize(
    "body", [{}, [], {"transactions": None}, {"transactions": {"booked": {}}}, {"transactions": []}]
)
def test_an_answer_without_a_list_is_not_an_empty_list(body: object) -> None:
    with pytest.raises(BankAnswerInvalid):
        read(FakeBank(answers=[json_answer(body)]))


# Rows


def test_twins_stay_two_and_a_changed_id_changes_nothing_else() -> None:
    (only,) = read(FakeBank(answers=[page(row(1), row(1, transactionId="other"), row(1, transactionId=None))]))
    assert len(only.transactions) == 3
    assert len({found.fingerprint for found in only.transactions}) == 1


def test_a_row_that_cannot_be_understood_is_handed_over_for_review() -> None:
    (only,) = read(FakeBank(answers=[page(row(1), row(2, transactionAmount=None), row(3))]))
    assert ids([only]) == ["T0001", "T0003"]
    assert [rejected.reason for rejected in only.rejected] == ["amount_missing"]


def test_an_odd_entry_in_the_list_is_handed_over_for_review() -> None:
    body = {"transactions": {"booked": [row(1), "odd", None]}}
    (only,) = read(FakeBank(answers=[json_answer(body)]))
    assert [rejected.reason for rejected in only.rejected] == ["not_an_object", "not_an_object"]


# Tokens, consent, certificates


def test_a_token_refused_is_renewed_once_and_the_call_repeated() -> None:
    bank, keeper = FakeBank(answers=[error_answer(401, "TOKEN_EXPIRED"), page(row(1))]), Keeper("old", "new")
    assert ids(read(bank, access(keeper))) == ["T0001"]
    assert [request.headers["Authorization"] for request in bank.requests] == ["Bearer old", "Bearer new"]


def test_the_renewed_token_serves_the_pages_that_follow() -> None:
    bank = FakeBank(answers=[page(row(1), next_link=NEXT), httpx2.Response(401), page(row(2), next_link=THIRD), page()])
    keeper = Keeper("old", "new")
    assert ids(read(bank, access(keeper))) == ["T0001", "T0002"]
    assert bank.requests[3].headers["Authorization"] == "Bearer new"
    assert keeper.renewed == 1


def test_a_token_refused_for_good_ends_the_consent() -> None:
    bank = FakeBank(answers=[error_answer(401, "TOKEN_INVALID"), error_answer(401, "TOKEN_INVALID")])
    with pytest.raises(ConsentEnded):
        read(bank)
    assert len(bank.requests) == 2


def test_a_bare_401_for_good_is_explained_by_the_consent_status() -> None:
    bank = FakeBank(
        answers=[httpx2.Response(401), httpx2.Response(401), json_answer({"consentStatus": "revokedByPsu"})]
    )
    with pytest.raises(ConsentEnded) as caught:
        read(bank)
    assert caught.value.bank_code == "revoked"
    assert bank.requests[2].url.path.endswith("/consents/consent-7/status")


def test_when_renewing_fails_its_error_is_the_answer() -> None:
    keeper = Keeper(error=ConsentEnded("refused"))
    with pytest.raises(ConsentEnded):
        read(FakeBank(answers=[httpx2.Response(401)]), access(keeper))


ERRORS: list[tuple[int, str | None, type[ConnectorError]]] = [
    (401, "CONSENT_INVALID", ConsentEnded),
    (403, "CONSENT_UNKNOWN", ConsentEnded),
    (400, "CONSENT_UNKNOWN", ConsentEnded),
    (401, "CERTIFICATE_EXPIRED", OperatorError),
    (401, "CERTIFICATE_REVOKE", OperatorError),
    (401, "SIGNATURE_MISSING", OperatorError),
    (401, "ROLE_INVALID", OperatorError),
    (401, "PSU_CREDENTIALS_INVALID", ConsentError),
    (403, "SERVICE_BLOCKED", ConsentError),
    (403, None, ConsentError),
    (403, "RESOURCE_UNKNOWN", RequestRefused),
    (404, "RESOURCE_UNKNOWN", RequestRefused),
    (404, None, RequestRefused),
    (400, "FORMAT_ERROR", RequestRefused),
    (406, "REQUESTED_FORMATS_INVALID", RequestRefused),
    (429, "ACCESS_EXCEEDED", QuotaExhausted),
]


@pytest.mark.parametrize("shape", ["tppMessages", "problem"])
@pytest.mark.parametrize(("status", "code", "kind"), ERRORS)
def test_an_error_of_the_bank_says_who_must_act(
    status: int, code: str | None, kind: type[ConnectorError], shape: str
) -> None:
    body: dict[str, Any] = {}
    if code is not None and shape == "tppMessages":
        body = {"tppMessages": [{"category": "WARNING", "code": "NOTE"}, {"category": "ERROR", "code": code}]}
    elif code is not None:
        body = {"type": "https://bank.example/x", "title": "Anna Voorbeeld", "code": code, "additionalErrors": []}
    bank = FakeBank(answers=[json_answer(body, status)])
    with pytest.raises(ConnectorError) as caught:
        bank.connector().balances(access(), "res-1")
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.bank_id is not None
    assert "Anna" not in str(caught.value)
    if status != 429:
        assert caught.value.bank_code == code


def test_a_401_without_a_token_concerns_our_certificate() -> None:
    with pytest.raises(OperatorError):
        FakeBank(answers=[httpx2.Response(401)]).connector().start_consent(consent_request())


@pytest.mark.parametrize("answer", [html_answer(), html_answer(404), httpx2.Response(200)])
def test_a_page_for_people_or_nothing_at_all_is_an_invalid_answer(answer: httpx2.Response) -> None:
    with pytest.raises(BankAnswerInvalid):
        FakeBank(answers=[answer]).connector().accounts(access())


@pytest.mark.parametrize(
    "fault", [httpx2.ReadTimeout("slow"), httpx2.ReadError("cut"), httpx2.RemoteProtocolError("cut")]
)
def test_a_slow_answer_or_a_cut_line_is_asked_again(fault: Exception) -> None:
    bank = FakeBank(answers=[fault, httpx2.Response(500), page(row(1))])
    assert ids(read(bank)) == ["T0001"]
    with pytest.raises(BankUnavailable):
        read(FakeBank(answers=[fault, fault, fault]))


# Accounts and balances


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"accounts": None},
        {"accounts": ["x"]},
        {"accounts": [{"resourceId": "1"}]},
        {"accounts": [{"currency": "EUR"}]},
    ],
)
def test_all_accounts_come_or_none(body: object) -> None:
    with pytest.raises(BankAnswerInvalid):
        FakeBank(answers=[json_answer(body)]).connector().accounts(access())


def test_no_account_and_204_are_an_empty_list() -> None:
    for answer in (json_answer({"accounts": []}), httpx2.Response(204)):
        bank = FakeBank(answers=[answer])
        assert bank.connector().accounts(access()) == []
        assert bank.requests[0].url.params["withBalance"] == "true"


def test_a_balance_without_amount_is_an_invalid_answer() -> None:
    with pytest.raises(BankAnswerInvalid):
        FakeBank(answers=[json_answer({"balances": [{"balanceType": "closingBooked"}]})]).connector().balances(
            access(), "res-1"
        )


@pytest.mark.parametrize("odd", ["..", ".", ""])
def test_an_id_that_would_climb_out_of_the_path_is_refused(odd: str) -> None:
    with pytest.raises(BankAnswerInvalid):
        FakeBank().connector().balances(access(), odd)


def test_an_id_with_a_slash_stays_one_part_of_the_path() -> None:
    bank = FakeBank(answers=[json_answer({"balances": []})])
    bank.connector().balances(access(), "a/../b?x")
    assert bank.requests[0].url.raw_path == b"/berlingroup/v1/accounts/a%2F..%2Fb%3Fx/balances"


# Consent


def handle(**private: str) -> ConsentHandle:
    values = {
        "state": "state-123",
        "code_verifier": VERIFIER,
        "redirect_uri": "https://gateway.example/psd2/callback",
        "token_endpoint": f"{BASE}/token",
        "authorisation_url": "https://login.bank.example/authorize?x=1",
    }
    return ConsentHandle("consent-7", {name: value for name, value in (values | private).items() if value})


@pytest.mark.parametrize(
    ("callback", "kind"),
    [
        ({"error": "access_denied", "state": "state-123"}, ConsentRefused),
        ({"state": "state-123"}, CallbackRejected),
        ({"code": "x", "state": "another"}, CallbackRejected),
        ({"error": "access_denied", "state": "another"}, CallbackRejected),
        ({"code": "x", "state": "é"}, CallbackRejected),
    ],
)
def test_a_call_back_without_a_right_code_spends_nothing(callback: dict[str, str], kind: type[ConnectorError]) -> None:
    bank = FakeBank()
    with pytest.raises(ConnectorError) as caught:
        bank.connector().finish_consent(handle(), callback, PSU)
    assert type(caught.value) is kind
    assert bank.requests == []


TOKENS = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600}


def test_tokens_survive_when_the_bank_cannot_be_read_after_the_code_was_spent() -> None:
    bank = FakeBank(answers=[json_answer(TOKENS), *[httpx2.Response(503)] * 3])
    granted = bank.connector().finish_consent(handle(), {"code": "c"}, PSU)
    assert granted.tokens is not None
    assert (granted.status, granted.valid_until) == (ConsentStatus.AWAITING_AUTHORISATION, None)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("received", ConsentStatus.AWAITING_AUTHORISATION),
        ("partiallyAuthorised", ConsentStatus.PARTIALLY_AUTHORISED),
        ("valid", ConsentStatus.VALID),
        ("revokedByPsu", ConsentStatus.REVOKED),
        ("terminatedByTpp", ConsentStatus.REVOKED),
        ("EXPIRED", ConsentStatus.EXPIRED),
        ("somethingNew", ConsentStatus.AWAITING_AUTHORISATION),
    ],
)
def test_a_consent_status_is_read_and_an_unknown_one_never_counts_as_valid(word: str, status: ConsentStatus) -> None:
    bank = FakeBank(answers=[json_answer({"consentStatus": word, "validUntil": "2027-02-17"})])
    details = bank.connector().consent_details(access())
    assert (details.status, details.valid_until) == (status, date(2027, 2, 17))


def test_a_rejected_consent_is_refused_at_the_end() -> None:
    bank = FakeBank(answers=[json_answer(TOKENS), json_answer({"consentStatus": "rejected"})])
    with pytest.raises(ConsentRefused):
        bank.connector().finish_consent(handle(), {"code": "c"}, PSU)


def test_the_next_step_is_the_banks_page_while_it_waits_and_none_after() -> None:
    bank = FakeBank(answers=[json_answer({"consentStatus": word}) for word in ("received", "partiallyAuthorised")])
    connector = bank.connector()
    assert connector.next_step(handle(), None) == Redirect("https://login.bank.example/authorize?x=1")
    assert connector.next_step(handle(), PSU) == Finished(ConsentStatus.PARTIALLY_AUTHORISED)


@pytest.mark.parametrize("answer", [httpx2.Response(204), httpx2.Response(404), error_answer(403, "CONSENT_UNKNOWN")])
def test_revoking_what_has_ended_is_fine(answer: httpx2.Response) -> None:
    FakeBank(answers=[answer]).connector().revoke_consent(access())


def test_revoking_tells_when_the_bank_refuses() -> None:
    with pytest.raises(RequestRefused):
        FakeBank(answers=[error_answer(400, "FORMAT_ERROR")]).connector().revoke_consent(access())


def test_without_a_handle_tokens_are_renewed_at_the_usual_address() -> None:
    bank = FakeBank(answers=[json_answer(TOKENS), json_answer(TOKENS)])
    connector = bank.connector()
    old = Keeper("a").current()
    connector.refresh_tokens(old)
    connector.refresh_tokens(old, handle(token_endpoint="https://login.bank.example/token"))
    assert [str(request.url) for request in bank.requests] == [f"{BASE}/token", "https://login.bank.example/token"]


def start(answers: list[httpx2.Response | Exception], **attributes: Any) -> tuple[Any, FakeBank]:
    bank = FakeBank(answers=answers)
    return bank.of_class(generic(**attributes)).start_consent(consent_request(ibans=("BE14645123456783",))), bank


def created(links: dict[str, Any], status: str = "received", **extra: Any) -> dict[str, Any]:
    return {"consentStatus": status, "consentId": "consent-7", "_links": links, **extra}


@pytest.mark.parametrize("form", [{"href": "/berlingroup/login"}, "/berlingroup/login"])
def test_a_redirect_link_comes_first_and_the_state_rides_on_the_return_address(form: object) -> None:
    both = {"scaRedirect": form, "scaOAuth": {"href": "https://evil.example/"}}
    started, bank = start([json_answer(created(both), 201)])
    assert started.step == Redirect("https://bank.example/berlingroup/login")
    assert bank.requests[0].headers["TPP-Redirect-URI"] == "https://gateway.example/psd2/callback?state=state-123"


def test_a_redirect_is_finished_by_reading_the_consent_and_no_token() -> None:
    bank = FakeBank(answers=[json_answer({"consentStatus": "valid", "validUntil": "2027-01-31"})])
    granted = bank.of_class(Generic).finish_consent(handle(token_endpoint=""), {"state": "state-123"}, PSU)
    assert (granted.status, granted.tokens, granted.valid_until) == (ConsentStatus.VALID, None, date(2027, 1, 31))


def test_an_explicit_start_is_made_once() -> None:
    first = created({"startAuthorisation": {"href": f"{BASE}/consents/consent-7/authorisations"}})
    second = {"scaStatus": "received", "_links": {"scaRedirect": {"href": f"{BASE}/login"}}}
    started, bank = start([json_answer(first, 201), json_answer(second, 201)])
    assert started.step == Redirect(f"{BASE}/login")
    assert [request.method for request in bank.requests] == ["POST", "POST"]
    with pytest.raises(BankAnswerInvalid):
        start([json_answer(first, 201), json_answer(first, 201)])


def test_approval_in_the_banks_app_is_polled() -> None:
    started, _ = start([json_answer(created({}, psuMessage="Open uw app"), 201, **{"ASPSP-SCA-Approach": "DECOUPLED"})])
    assert started.step == Poll(4, "Open uw app")
    bank = FakeBank(answers=[json_answer({"consentStatus": "received"})])
    assert bank.of_class(Generic).next_step(started.handle, None) == Poll(4, "Open uw app")


def test_a_consent_that_needs_no_authorisation_is_finished() -> None:
    started, _ = start([json_answer(created({}, "valid"), 201)])
    assert started.step == Finished(ConsentStatus.VALID)


@pytest.mark.parametrize("body", [created({}), created({"scaRedirect": "http://bank.example/"}), {"_links": {}}, {}])
def test_a_consent_nobody_can_authorise_is_an_invalid_answer(body: dict[str, Any]) -> None:
    with pytest.raises(BankAnswerInvalid):
        start([json_answer(body, 201)])


@pytest.mark.parametrize(
    ("model", "check"),
    [
        (ConsentModel.GLOBAL, lambda body: body == {"allPsd2": "allAccounts"}),
        (ConsentModel.BANK_OFFERED, lambda body: body == {"accounts": [], "balances": [], "transactions": []}),
        (ConsentModel.DETAILED, lambda body: body["transactions"] == [{"iban": "BE14645123456783"}]),
    ],
)
def test_the_access_asked_for_follows_the_banks_model(model: ConsentModel, check: Callable[[Any], bool]) -> None:
    request = consent_request(ibans=("BE14645123456783",))
    connector = FakeBank().of_class(generic(consent_model=model))
    assert isinstance(connector, BerlinGroupConnector)
    assert check(connector.consent_access(request))


def test_the_secrets_of_a_consent_are_not_printed() -> None:
    assert VERIFIER not in repr(handle())
    assert "state-123" not in repr(consent_request())


def test_odd_browser_text_is_not_sent_on_as_a_header() -> None:
    bank = FakeBank(answers=[json_answer({"balances": []})])
    bank.connector().balances(access(psu=PsuContext("192.0.2.1", "a\r\nX: y", "né")), "res-1")
    assert "psu-user-agent" not in bank.requests[0].headers
    assert "psu-accept-language" not in bank.requests[0].headers
