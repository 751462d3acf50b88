"""Payment requests of STET: what is sent, what each answer means, and nothing sent twice (PAY-18, PAY-19)."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import jsonschema_rs
import pytest

from connectors.errors import (
    BankAnswerInvalid,
    BankUnavailable,
    ConnectorError,
    OperatorError,
    PaymentFateUnknown,
    PaymentNotOffered,
    QuotaExhausted,
    RequestRefused,
)
from connectors.families.stet_payments import body_of
from connectors.http import BankRequest
from connectors.model import Redirect
from connectors.payments import Bulk, PaymentHandle, PaymentInitiation, PaymentOffer, PaymentState
from connectors.registry import connector_class
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank
from tests.connectors.simulated import KEY, line_to
from tests.connectors.support import NOW, PSU, FakeBank, html_answer, json_answer
from tests.connectors.test_payments import CLOSED, LINES, SUPPLIER, TODAY, account_at, request, sign, started, transfer

BASE = "https://bank.example/psd2/v4"
PAGE = "https://bank.example/approve/p-1"
TOKEN = {"access_token": "own-token", "token_type": "Bearer", "expires_in": 900}


def token() -> httpx2.Response:
    return json_answer(TOKEN)


def created(location: str = "/psd2/v4/payment-requests/p-1", page: Any = PAGE) -> httpx2.Response:
    body = {"appliedAuthenticationApproach": "REDIRECT", "_links": {"consentApproval": {"href": page}}}
    return json_answer(body, 201, Location=location)


def told(code: str | None, *, reason: str | None = None, part: str | None = None) -> httpx2.Response:
    """The request given back with its status, and reasons beside the whole or a transfer."""
    parts = [{"transactionStatus": "RJCT", "statusReasonInformation": part}] if part else []
    found = {"paymentInformationStatus": code, "statusReasonInformation": reason, "creditTransferTransaction": parts}
    return json_answer({"paymentRequest": found, "_links": {}})


def paying(*answers: httpx2.Response | Exception, bank_id: str = "bnppf") -> tuple[FakeBank, PaymentInitiation]:
    bank = FakeBank(answers=list(answers))
    payments = bank.connector(bank_id, BASE if bank_id != "beobank" else "https://bank.example/stet-psd2-api/v2.2")
    found = payments.payments()
    assert found is not None
    return bank, found


HANDLE = PaymentHandle("p-1", {"state": "state-of-this-browser"})


def test_a_payment_is_handed_over_with_a_token_of_our_own() -> None:
    bank, payments = paying(token(), created())
    begun = payments.start(request(request_id="5d9b1a2e-0000-4000-8000-000000000001"))
    asked, sent = bank.requests
    assert parse_qs(asked.content.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["pisp"],
        "client_id": ["PSDBE-NBB-0123456789"],
        "client_secret": ["secret-1"],
    }
    assert asked.headers["X-Openbank-Organization"] == "bnppf"
    assert (sent.method, sent.url.path, dict(sent.url.params)) == (
        "POST", "/psd2/v4/payment-requests", {"brand": "bnppf"},
    )  # fmt: skip
    wanted = {
        "authorization": "Bearer own-token", "businesslinename": "RPB", "psu-ip-address": PSU.ip_address,
        "x-request-id": "5d9b1a2e-0000-4000-8000-000000000001",
    }  # fmt: skip
    assert {name: sent.headers[name] for name in wanted} == wanted
    assert json.loads(sent.content) == {
        "paymentInformationId": "5d9b1a2e-0000-4000-8000-000000000001",
        "creationDateTime": "2026-11-21T10:00:00.000+01:00",
        "numberOfTransactions": 1,
        "initiatingParty": {"name": "PSDBE-NBB-0123456789"},
        "paymentTypeInformation": {"serviceLevel": "SEPA"},
        "debtorAccount": {"iban": "BE71096123456769"},
        "chargeBearer": "SLEV",
        "requestedExecutionDate": "2026-11-21T10:00:00.000+01:00",
        "beneficiary": {"creditor": {"name": "Drukkerij De Ster NV"}, "creditorAccount": {"iban": SUPPLIER}},
        "creditTransferTransaction": [
            {
                "paymentId": {"instructionId": "1", "endToEndId": "INV-2026-1"},
                "instructedAmount": {"currency": "EUR", "amount": "126.40"},
                "remittanceInformation": {"unstructured": ["Factuur 1"]},
            }
        ],
        "supplementaryData": {
            "acceptedAuthenticationApproach": ["REDIRECT"],
            "successfulReportUrl": "https://gateway.example/callback?state=state-of-this-browser",
            "unsuccessfulReportUrl": (
                "https://gateway.example/callback?state=state-of-this-browser&error=access_denied"
            ),
        },
    }
    assert begun.step == Redirect(PAGE)
    assert (begun.handle.bank_payment_id, begun.status.state) == ("p-1", PaymentState.WAITING)
    assert "own-token" not in str(begun.handle.private), "the token is ours, and is asked for anew"


def test_beobank_wants_neither_secret_nor_brand_nor_business_line() -> None:
    bank, payments = paying(token(), created(), bank_id="beobank")
    payments.start(request(initiator="Kantoor Voorbeeld BV"))
    asked, sent = bank.requests
    assert sorted(parse_qs(asked.content.decode())) == ["client_id", "grant_type", "scope"]
    assert (sent.url.path, str(sent.url.query, "ascii")) == ("/stet-psd2-api/v2.2/payment-requests", "")
    assert "businesslinename" not in sent.headers
    assert json.loads(sent.content)["initiatingParty"] == {"name": "Kantoor Voorbeeld BV"}


def test_days_instant_payments_and_references_have_their_places() -> None:
    later = body_of(request(execution_date=date(2026, 7, 1)), initiator="x", now=NOW)
    assert later["requestedExecutionDate"] == "2026-07-01T00:00:00.000+02:00"
    instant = body_of(request(is_instant=True), initiator="x", now=NOW)
    assert instant["paymentTypeInformation"] == {"serviceLevel": "SEPA", "localInstrument": "INST"}

    def remittance(**changes: Any) -> Any:
        one = transfer(**({"text": None} | changes))
        (part,) = body_of(request(SUPPLIER, one), initiator="x", now=NOW)["creditTransferTransaction"]
        return part.get("remittanceInformation")

    assert remittance(structured_reference="090933755493") == {"unstructured": ["+++090/9337/55493+++"]}
    (structured,) = remittance(structured_reference="RF18539007547034")["structured"]
    assert structured["creditorReferenceInformation"]["reference"] == "RF18539007547034"
    assert remittance() is None
    kept = body_of(request(redirect_uri="https://gateway.example/cb?bank=1"), initiator="x", now=NOW)
    assert kept["supplementaryData"]["successfulReportUrl"] == (
        "https://gateway.example/cb?bank=1&state=state-of-this-browser"
    )


SENT: list[tuple[httpx2.Response | Exception, type[ConnectorError]]] = [
    (httpx2.Response(400), RequestRefused),
    (httpx2.Response(401), OperatorError),
    (httpx2.Response(409), RequestRefused),
    (httpx2.Response(429), QuotaExhausted),
    (httpx2.Response(408), PaymentFateUnknown),
    (httpx2.Response(501), PaymentFateUnknown),
    (httpx2.Response(503), PaymentFateUnknown),
    (httpx2.ReadTimeout("slow"), PaymentFateUnknown),
    (html_answer(200), PaymentFateUnknown),
    (json_answer({"_links": {"consentApproval": {"href": PAGE}}}, 201), PaymentFateUnknown),
]


@pytest.mark.parametrize("bank_id", ["bnppf", "beobank"])
@pytest.mark.parametrize(("answer", "expected"), SENT)
def test_each_answer_says_who_must_act_and_none_is_tried_again(
    answer: httpx2.Response | Exception, expected: type[ConnectorError], bank_id: str
) -> None:
    """A read the group refuses is stamped anew and repeated; a payment never is."""
    bank, payments = paying(token(), answer, bank_id=bank_id)
    with pytest.raises(ConnectorError) as caught:
        payments.start(request())
    assert type(caught.value) is expected
    assert len(bank.requests) == 2


@pytest.mark.parametrize("page", [None, "", "https://elsewhere.example/approve"])
def test_without_a_page_we_may_use_the_payment_is_known_but_not_signed(page: Any) -> None:
    _, payments = paying(token(), created(page=page))
    with pytest.raises(PaymentFateUnknown) as caught:
        payments.start(request())
    assert caught.value.handle == HANDLE


def test_where_no_token_is_given_nothing_was_sent() -> None:
    """The fate of a payment is known while the bank has not seen it."""
    for answer, expected in ((httpx2.Response(503), BankUnavailable), (json_answer({}, 401), OperatorError)):
        bank, payments = paying(answer)
        with pytest.raises(ConnectorError) as caught:
            payments.start(request())
        assert type(caught.value) is expected
        assert [sent.url.path for sent in bank.requests] == ["/oauth2/token"]


@pytest.mark.parametrize(
    "location",
    ["https://bank.example/psd2/v4/payment-requests/p%2F1", "/payment-requests/p%2F1/", "p%2F1?brand=bnppf"],
)
def test_the_id_is_the_last_part_of_the_location(location: str) -> None:
    bank, payments = paying(token(), created(location), token(), told("ACSC"))
    handle = payments.start(request()).handle
    assert handle.bank_payment_id == "p/1"
    payments.status(handle, None, None)
    assert bank.requests[-1].url.raw_path == b"/psd2/v4/payment-requests/p%2F1?brand=bnppf"


@pytest.mark.parametrize(
    ("answer", "state", "is_final", "reason"),
    [
        (told("RCVD"), PaymentState.WAITING, False, None),
        (told("PDNG"), PaymentState.WAITING, False, None),
        (told("PATC"), PaymentState.PARTLY_SIGNED, False, None),
        (told("ACCP"), PaymentState.ACCEPTED, False, None),
        (told("ACWC"), PaymentState.ACCEPTED, False, None),
        (told("ACSP"), PaymentState.EXECUTING, False, None),
        (told("ACSC"), PaymentState.EXECUTED, True, None),
        (told("ACWP"), PaymentState.EXECUTED, True, None),
        (told("CANC", reason="DS02"), PaymentState.CANCELLED, True, "DS02"),
        (told("RJCT", reason="CUST", part="AC01"), PaymentState.REFUSED, True, "CUST"),
        (told("RJCT", part="AC01"), PaymentState.REFUSED, True, "AC01"),
        (told("NEWW"), PaymentState.UNKNOWN, False, None),
    ],
)
def test_the_words_of_the_bank_are_understood(
    answer: httpx2.Response, state: PaymentState, is_final: bool, reason: str | None
) -> None:
    _, payments = paying(token(), answer)
    status = payments.status(HANDLE, None, PSU)
    assert (status.state, status.is_final, status.reason_code) == (state, is_final, reason)


def test_a_status_that_is_not_there_or_refused_says_who_must_act() -> None:
    cases: tuple[tuple[list[httpx2.Response], type[ConnectorError]], ...] = (
        ([told(None)], BankAnswerInvalid),
        ([json_answer({})], BankAnswerInvalid),
        ([httpx2.Response(404)], RequestRefused),
        # Stamped anew once, as a signature lives for a minute.
        ([httpx2.Response(401), httpx2.Response(401)], OperatorError),
    )
    for answers, expected in cases:
        bank, payments = paying(token(), *answers)
        with pytest.raises(ConnectorError) as caught:
            payments.status(HANDLE, None, PSU)
        assert (type(caught.value), bank.answers) == (expected, [])


def test_ids_the_description_does_not_take_are_refused_before_the_call() -> None:
    bank, payments = paying()
    with pytest.raises(PaymentNotOffered) as caught:
        payments.start(request(SUPPLIER, transfer(end_to_end_id="INV+1")))
    assert (caught.value.field, bank.requests) == ("transfers/0/end_to_end_id", [])


# At a simulated bank, by the official description


@pytest.fixture
def described(shared: Path) -> Any:
    path = shared / "spec" / "psd2" / "openapi" / "stet-ais-pis-1.5.0.43.json"
    return json.loads(path.read_text(encoding="utf-8"))["components"]["schemas"]


@pytest.fixture
def server() -> Any:
    config = SimulatorConfig(today=TODAY, banks=every_bank(), signature_keys={KEY.key_id: KEY.key.public_key()})
    with SimulatorServer(config) as running:
        yield running
    while LINES:
        LINES.pop().http.close()


def test_requests_and_answers_fit_the_official_description(
    described: Any, server: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout of 1.5 whole; that of 1.4 but for what stands at the top. Amounts are text at every bank."""

    def faults(name: str, body: Any) -> list[str]:
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": described}}
        found = jsonschema_rs.Draft4Validator(schema, validate_formats=True).iter_errors(body)
        return [error.message for error in found if error.instance_path[-1:] != ["amount"]]

    kinds = [
        transfer(1), transfer(2, text=None, structured_reference="090933755493"),
        transfer(3, text=None, structured_reference="RF18539007547034"), transfer(4, text=None),
    ]  # fmt: skip
    several = body_of(request(SUPPLIER, *kinds, is_batch_booked=True), initiator="x", now=NOW)
    assert faults("PaymentRequestResource", several) == []
    single = body_of(request(SUPPLIER, kinds[0], execution_date=TODAY, is_instant=True), initiator="x", now=NOW)
    assert sorted(faults("PaymentRequestResource", single)) == [
        '"beneficiary" is a required property', '"requestedExecutionDate" is a required property',
    ]  # fmt: skip
    assert faults("RequestedExecutionDate", single["requestedExecutionDate"]) == []
    assert faults("RequestedExecutionDate", "2026-11-23") != []

    bodies: list[tuple[BankRequest, Any]] = []
    line = line_to(server, "beobank")
    send = line.http.send

    def watched(sent: BankRequest) -> Any:
        answer = send(sent)
        bodies.append((sent, answer))
        return answer

    monkeypatch.setattr(line.http, "send", watched)
    monkeypatch.setattr(connector_class("beobank"), "payment_offer", PaymentOffer(bulk=Bulk.JSON))
    payments = line.connector.payments()
    assert payments is not None
    own = account_at(server, "beobank").account_id
    begun = payments.start(request(own, *kinds, transfer(5, creditor_iban=CLOSED)))
    payments.finish(begun.handle, sign(begun), PSU)
    line.http.close()
    schemas = {"POST": "HalAuthenticationRequest", "GET": "HalPaymentRequest"}
    given = [(sent.method, json.loads(answer.body)) for sent, answer in bodies if sent.template != "/token"]
    assert [method for method, _ in given] == ["POST", "GET"]
    assert [fault for method, body in given for fault in faults(schemas[method], body)] == []


def test_several_beneficiaries_go_in_one_request_where_a_bank_takes_them(
    server: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No bank here is known to; the layout of 1.5 has them."""
    with pytest.raises(PaymentNotOffered):
        started(server, "beobank", transfer(1), transfer(2))
    monkeypatch.setattr(connector_class("beobank"), "payment_offer", PaymentOffer(bulk=Bulk.JSON))
    kinds = [
        transfer(1),
        transfer(2, text=None, structured_reference="090933755493"),
        transfer(3, creditor_iban=CLOSED),
    ]
    payments, begun = started(server, "beobank", *kinds)
    status = payments.finish(begun.handle, sign(begun), PSU).status
    assert (status.state, status.reason_code) == (PaymentState.PARTLY_ACCEPTED, "AC04")
    assert {name: (part.state, part.reason_code) for name, part in status.parts.items()} == {
        "INV-2026-1": (PaymentState.EXECUTED, None),
        "INV-2026-2": (PaymentState.EXECUTED, None),
        "INV-2026-3": (PaymentState.REFUSED, "AC04"),
    }
    rows = [row for row in server.world.booked(account_at(server, "beobank"), TODAY, TODAY) if row.end_to_end_id]
    mine = {row.end_to_end_id: row for row in rows if (row.end_to_end_id or "").startswith("INV-2026-")}
    assert {name: row.amount for name, row in mine.items()} == {
        "INV-2026-1": Decimal("-126.40"), "INV-2026-2": Decimal("-127.40"),
    }  # fmt: skip
    assert mine["INV-2026-2"].structured == "090933755493"


def test_a_payment_that_names_another_brand_is_refused(server: SimulatorServer) -> None:
    line = line_to(server, "fintro")
    line.connector.brand = "bnppf"  # type: ignore[attr-defined]
    payments = line.connector.payments()
    assert payments is not None
    with pytest.raises(RequestRefused):
        payments.start(request(account_at(server, "fintro").account_id))
    assert server.simulator.payments.listing() == []
    line.http.close()
