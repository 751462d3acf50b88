"""Payments at ING: what is sent and signed, each answer, and the published ones where the samples are (PAY-18)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from connectors import signing
from connectors.errors import (
    BankUnavailable,
    ConnectorError,
    OperatorError,
    PaymentFateUnknown,
    PaymentNotOffered,
    QuotaExhausted,
    RequestRefused,
)
from connectors.model import Redirect
from connectors.payments import PaymentHandle, PaymentInitiation, PaymentState
from connectors.registry import connector_class
from connectors.signing import RequestSigner
from tests.connectors.support import NOW, PSU, FakeBank, error_answer, html_answer, json_answer, throw_away_key
from tests.connectors.test_payments import request, transfer

BASE = "https://api.ing.com"
PAGE = "https://myaccounts.ing.com/payment-initiation/p-1/NL/?TPP-Redirect-URI=https://gateway.example/callback"
PATH = "/v1/payments/sepa-credit-transfers"
HANDLE = PaymentHandle(
    "p-1",
    {"path": PATH, "state": "state-of-this-browser", "code_verifier": "v" * 64, "redirect_uri": "https://g.example/"},
)


def token() -> httpx2.Response:
    return json_answer(
        {"access_token": "own-token", "token_type": "Bearer", "expires_in": 905, "client_id": "client-7", "keys": []}
    )


def created(page: Any = PAGE) -> httpx2.Response:
    links = {"scaRedirect": page, "self": f"{PATH}/p-1", "status": f"{PATH}/p-1/status"}
    return json_answer({"transactionStatus": "RCVD", "paymentId": "p-1", "_links": links}, 201)


def paying(*answers: httpx2.Response | Exception, handler: Any = None) -> tuple[FakeBank, PaymentInitiation]:
    bank = FakeBank(handler=handler, answers=list(answers))
    signer = RequestSigner(signing.ING, throw_away_key(), now=lambda: NOW)
    hosts = frozenset(connector_class("ing").profile.hosts)
    payments = bank.connector("ing", BASE, allowed_hosts=hosts, signer=signer).payments()
    assert payments is not None
    return bank, payments


def checked(sent: httpx2.Request) -> str:
    """The name a request is signed under; raises when the signature does not hold."""
    return signing.verify(
        signing.ING,
        lambda _: throw_away_key().key.public_key(),
        method=sent.method,
        target=sent.url.raw_path.decode(),
        headers=sent.headers,
        body=sent.read(),
        now=int(NOW.timestamp()),
    )


def test_a_payment_is_handed_over_with_the_application_token_and_signed_under_its_name() -> None:
    bank, payments = paying(token(), created(), token(), json_answer({"transactionStatus": "ACSC"}))
    begun = payments.start(request(redirect_uri="https://gateway.example/callback?bank=1"))
    assert begun.step == Redirect(PAGE)
    asked, sent = bank.requests
    assert parse_qs(asked.content.decode()) == {"grant_type": ["client_credentials"]}
    assert (sent.method, sent.url.path, sent.headers["Authorization"]) == ("POST", PATH, "Bearer own-token")
    # One address for both ends of the story: the state in it tells whose it is.
    assert sent.headers["TPP-Redirect-URI"] == "https://gateway.example/callback?bank=1&state=state-of-this-browser"
    assert sent.headers["PSU-IP-Address"] == PSU.ip_address
    assert json.loads(sent.content)["creditorName"] == "Drukkerij De Ster NV"
    assert [checked(one) for one in (asked, sent)] == [throw_away_key().key_id, "client-7"]
    returned = payments.finish(begun.handle, {"bank": "1", "state": "state-of-this-browser"}, PSU)
    assert (returned.tokens, returned.status.state) == (None, PaymentState.EXECUTED)
    assert bank.requests[-1].url.path == f"{PATH}/p-1/status"
    assert checked(bank.requests[-1]) == "client-7"
    # As seen in the published calls, the signature covers all four.
    assert signing.read_signature(sent.headers["Signature"]).names == (
        "(request-target)", "date", "digest", "x-request-id",
    )  # fmt: skip


SENT: list[tuple[httpx2.Response | Exception, type[ConnectorError], str | None]] = [
    (error_answer(400, "FORMAT_ERROR"), RequestRefused, "FORMAT_ERROR"),
    (error_answer(401, "TOKEN_INVALID"), OperatorError, "TOKEN_INVALID"),
    (error_answer(401, "SIGNATURE_INVALID"), OperatorError, "SIGNATURE_INVALID"),
    (httpx2.Response(401), OperatorError, None),
    (httpx2.Response(429), QuotaExhausted, None),
    (httpx2.Response(500), PaymentFateUnknown, None),
    (httpx2.ReadTimeout("slow"), PaymentFateUnknown, None),
    (html_answer(200), PaymentFateUnknown, None),
    (created("https://elsewhere.example/"), PaymentFateUnknown, None),
]


@pytest.mark.parametrize(("answer", "expected", "code"), SENT)
def test_each_answer_says_who_must_act_and_none_is_tried_again(
    answer: httpx2.Response | Exception, expected: type[ConnectorError], code: str | None
) -> None:
    bank, payments = paying(token(), answer)
    with pytest.raises(ConnectorError) as caught:
        payments.start(request())
    assert (type(caught.value), caught.value.bank_code, len(bank.requests)) == (expected, code, 2)


def test_where_no_token_is_given_nothing_was_sent() -> None:
    bank, payments = paying(httpx2.Response(503))
    with pytest.raises(BankUnavailable):
        payments.start(request())
    assert [sent.url.path for sent in bank.requests] == ["/oauth2/token"]


def test_instant_payments_and_several_at_once_are_not_known_to_be_taken() -> None:
    bank, payments = paying()
    for asked, field in (
        (request(is_instant=True), "is_instant"),
        (request("BE71096123456769", transfer(1), transfer(2), file=b"<Document/>"), "transfers"),
    ):
        with pytest.raises(PaymentNotOffered) as caught:
            payments.start(asked)
        assert caught.value.field == field
    assert bank.requests == []


# Published answers


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "spec" / "psd2" / "fixtures" / "ing"


def published(folder: Path, scenario: str) -> Any:
    """The published answers of one scenario by method, with what the happy one has where it holds none."""
    found: dict[str, Any] = {}
    for story in ("happy-flow", scenario):
        for name in ("client_credential_grant", "payment_request", "payment_status"):
            path = folder / f"{story}__{name}.json"
            if path.exists():
                (exchange,) = json.loads(path.read_text(encoding="utf-8"))["exchanges"]
                found[name] = exchange

    def handler(sent: httpx2.Request) -> httpx2.Response:
        name = "client_credential_grant" if sent.url.path == "/oauth2/token" else (
            "payment_request" if sent.method == "POST" else "payment_status"
        )  # fmt: skip
        exchange = found[name]
        if name != "client_credential_grant":
            assert sent.url.path == exchange["request"]["path"].removeprefix("/ing")
        given = {header.casefold() for header in exchange["request"]["header_names"]}
        assert given <= {header.casefold() for header in sent.headers}
        return json_answer(exchange["response"]["body"], exchange["response"]["status"])

    return handler


def test_the_published_payment_is_started_and_followed(folder: Path) -> None:
    _, payments = paying(handler=published(folder, "happy-flow"))
    begun = payments.start(request())
    assert begun.handle.bank_payment_id == "cc04ef71-085e-468e-87bd-2881d8a03a5d"
    assert isinstance(begun.step, Redirect)
    assert begun.step.url.startswith("https://myaccounts.ing.com/payment-initiation/cc04ef71")
    # A message beside it, with a code that is none, is no reason.
    assert (begun.status.state, payments.status(begun.handle, None, PSU).state) == (
        PaymentState.WAITING, PaymentState.WAITING,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [("initiate-payment-http4xx", RequestRefused), ("initiate-payment-http500", PaymentFateUnknown)],
)
def test_a_published_refusal_concerns_the_payment_and_a_500_leaves_its_fate_open(
    folder: Path, scenario: str, expected: type[ConnectorError]
) -> None:
    """The bank answers 401 to a payment that failed: our token is not meant."""
    bank, payments = paying(handler=published(folder, scenario))
    with pytest.raises(ConnectorError) as caught:
        payments.start(request())
    assert type(caught.value) is expected
    assert [sent.method for sent in bank.requests] == ["POST", "POST"]


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [("submit-payment-http4xx", RequestRefused), ("submit-payment-http500", BankUnavailable)],
)
def test_a_published_status_that_cannot_be_read_says_so(
    folder: Path, scenario: str, expected: type[ConnectorError]
) -> None:
    _, payments = paying(handler=published(folder, scenario))
    handle = PaymentHandle("cc04ef71-085e-468e-87bd-2881d8a03a5d", HANDLE.private)
    with pytest.raises(ConnectorError) as caught:
        payments.status(handle, None, PSU)
    assert type(caught.value) is expected
