"""Ponto's refusals, and tokens, consents and accounts that end: who must act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import httpx2
import pytest

from connectors.errors import (
    AccountEnded,
    AccountGone,
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
    ConsentHandle,
    ConsentStatus,
)
from tests.connectors.ponto_stubs import (
    StubPonto,
    connector_at,
    error_answer,
    read,
    rows_of,
)
from tests.connectors.support import (
    PSU,
    FakeBank,
    Keeper,
    access,
    consent_request,
    html_answer,
    json_answer,
    stub,
)


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
    assert type(caught.value) is AccountEnded, "the other accounts of the integration are read on"
    assert caught.value.bank_code == code
    assert "Anna" not in str(caught.value)


@pytest.mark.parametrize("code", ["internalServerError", None])
def test_a_technical_failure_at_the_accounts_bank_leaves_the_copy_readable(code: str | None) -> None:
    stubs = StubPonto()
    stubs.changed["transactions-1.json"] = synchronised(code)
    assert len(rows_of(read(FakeBank(handler=stubs)))) == 4


ERRORS: list[tuple[int, str | None, type[ConnectorError]]] = [
    (403, None, ConsentError),
    (403, "authorizationExpired", AccountEnded),
    (404, "resourceNotFound", AccountGone),
    (404, "somethingElse", RequestRefused),
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
