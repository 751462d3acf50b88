"""Payments at Belfius: the version 1 body, signed calls for payments alone, and answers whose form is assumed."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from connectors.errors import (
    ConnectorError,
    ConsentError,
    OperatorError,
    PaymentFateUnknown,
    PaymentNotOffered,
    RequestRefused,
)
from connectors.families.belfius_payments import body_of
from connectors.http import CallKind
from connectors.model import Redirect
from connectors.payments import PaymentInitiation, PaymentState
from connectors.registry import connector_class
from connectors.simulator import SimulatorServer
from connectors.simulator.payments import FAILURES
from tests.connectors.support import PSU, FakeBank, html_answer, json_answer
from tests.connectors.test_payments import (
    SUPPLIER,
    TODAY,
    account_at,
    line_at,
    payments_of,
    request,
    server,
    sign,
    simulated,
    started,
    transfer,
)

__all__ = ["server", "simulated"]

PAGES = [
    {"language": "fr", "consent_uri": "https://www.bank.example/pay?id=1"},
    {"language": "nl", "consent_uri": "https://www.bank.example/betaal?id=1"},
]


def payments_at(bank: FakeBank) -> PaymentInitiation:
    """At a bank whose line signs payments, as the settings of an operator make it."""
    connector = bank.connector(
        "belfius",
        signer=lambda method, target, headers, body, key_id=None: {"Signature": "s"},
        signed_kinds=connector_class("belfius").signed_kinds,
    )
    found = connector.payments()
    assert found is not None
    return found


def test_the_body_holds_the_amount_as_an_exact_number() -> None:
    body = body_of(request("BE71096123456769", transfer(amount=Decimal("90071992547409.93")), execution_date=TODAY))
    assert b'"amount": 90071992547409.93' in body
    assert json.loads(body, parse_float=Decimal) == {
        "origin_account": {"iban": "BE71096123456769"},
        "remote_account": {"name": "Drukkerij De Ster NV", "iban": SUPPLIER},
        "amount": Decimal("90071992547409.93"),
        "currency": "EUR",
        "communication": "Factuur 1",
        "communication_type": "FREETEXT",
        "execution_date": TODAY.isoformat(),
        "payment_id": "INV-2026-1",
        "payment_treatment_type": "NORMAL",
    }


def test_a_payment_carries_challenge_version_and_signature_and_a_read_of_accounts_no_signature() -> None:
    answer = json_answer({"payment_id": "p-1", "transaction_status": "RCVD", "consent_uris": PAGES}, 201)
    bank = FakeBank(answers=[answer, json_answer({"transaction_status": "ACTC"})])
    payments = payments_at(bank)
    begun = payments.start(request())
    # In the language of the PSU, with the state that ties the return to this browser.
    assert isinstance(begun.step, Redirect)
    assert begun.step.url == "https://www.bank.example/betaal?id=1&state=state-of-this-browser"
    payments.status(begun.handle, None, None)
    sent, read = bank.requests
    assert sent.url.path.endswith("/payments/sepa-credit-transfers")
    assert read.url.path.endswith("/payments/sepa-credit-transfers/p-1/status")
    assert sent.headers["Accept"] == read.headers["Accept"] == "application/vnd.belfius.api+json; version=1"
    assert (sent.headers["Code-Challenge-Method"], sent.headers["Redirect-URI"]) == (
        "S256", "https://gateway.example/callback",
    )  # fmt: skip
    assert sent.headers["Signature"] == read.headers["Signature"] == "s"
    assert "Authorization" not in sent.headers
    assert "Authorization" not in read.headers


def test_nothing_is_sent_while_no_certificate_signs() -> None:
    bank = FakeBank(answers=[])
    payments = bank.connector("belfius").payments()
    assert payments is not None
    with pytest.raises(OperatorError):
        payments.start(request())
    assert bank.requests == []


def test_only_payments_are_signed_so_that_a_bank_without_seal_can_be_linked() -> None:
    assert connector_class("belfius").signed_kinds == {CallKind.PAYMENT}
    assert "seal_certificate" not in connector_class("belfius").needs()


@pytest.mark.parametrize(
    ("answer", "expected", "has_handle"),
    [
        (json_answer({"error": "x", "error_code": "B14821ZZ-2101"}, 400), RequestRefused, False),
        (json_answer({"error": "x", "error_code": "B14663ZZ-2100"}, 401), OperatorError, False),
        (json_answer({"transaction_status": "RCVD", "consent_uris": PAGES}, 201), PaymentFateUnknown, False),
        (json_answer({"payment_id": "p-1", "consent_uris": PAGES}, 201), PaymentFateUnknown, True),
        (json_answer({"payment_id": "p-1", "transaction_status": "RCVD"}, 201), PaymentFateUnknown, True),
        (json_answer([{"payment_id": "p-1"}], 201), PaymentFateUnknown, False),
        (
            json_answer(
                {
                    "payment_id": "p-1",
                    "transaction_status": "RCVD",
                    "consent_uris": [{"language": "nl", "consent_uri": "https://elsewhere.example/pay"}],
                },
                201,
            ),
            PaymentFateUnknown,
            True,
        ),
        (html_answer(200), PaymentFateUnknown, False),
        (httpx2.Response(500), PaymentFateUnknown, False),
        (httpx2.Response(408), PaymentFateUnknown, False),
        (httpx2.ReadTimeout("slow"), PaymentFateUnknown, False),
    ],
)
def test_an_answer_of_another_form_is_a_payment_whose_fate_is_unknown(
    answer: Any, expected: type[ConnectorError], has_handle: bool
) -> None:
    bank = FakeBank(answers=[answer])
    with pytest.raises(expected) as caught:
        payments_at(bank).start(request())
    assert len(bank.requests) == 1
    assert (getattr(caught.value, "handle", None) is not None) == has_handle


@pytest.mark.parametrize(
    ("transfers", "changes", "field"),
    [
        ((transfer(1), transfer(2)), {}, "transfers"),
        ((transfer(),), {"is_instant": True}, "is_instant"),
        ((transfer(text=None, structured_reference="090933755493"),), {}, "transfers/0/structured_reference"),
    ],
)
def test_what_is_not_known_is_not_offered(transfers: Any, changes: dict[str, Any], field: str) -> None:
    bank = FakeBank(answers=[])
    with pytest.raises(PaymentNotOffered) as caught:
        payments_at(bank).start(request("BE71096123456769", *transfers, **changes))
    assert (caught.value.field, bank.requests) == (field, [])


def test_a_payment_that_is_not_signed_is_refused_by_the_bank(simulated: SimulatorServer) -> None:
    line = line_at(simulated, "belfius")
    asked = request(account_at(simulated, "belfius").account_id)
    line.http._signer = lambda method, target, headers, body, key_id=None: {}
    with pytest.raises(OperatorError):
        payments_of(line).start(asked)
    assert simulated.simulator.payments.listing() == []


def test_a_refused_payment_says_why_and_a_past_day_is_refused_at_once(simulated: SimulatorServer) -> None:
    for iban, reason in FAILURES.items():
        payments, begun = started(simulated, "belfius", transfer(creditor_iban=iban))
        status = payments.finish(begun.handle, sign(begun), PSU).status
        assert (status.state, status.reason_code, status.is_final) == (PaymentState.REFUSED, reason, True)
    own = account_at(simulated, "belfius").account_id
    payments = payments_of(line_at(simulated, "belfius"))
    with pytest.raises(RequestRefused):
        payments.start(request(own, request_id=str(uuid4()), execution_date=TODAY - timedelta(days=1)))
    # An account the bank does not open in a channel: the person at the bank can change that.
    with pytest.raises(ConsentError):
        payments.start(request(SUPPLIER))
