"""Payments through Ponto by both doors: what is checked before, what is sent, and what is known afterwards (PAY-18)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen
from uuid import uuid4

import httpx2
import pytest

from connectors.errors import (
    CallbackRejected,
    ConnectorError,
    OperatorError,
    PaymentFateUnknown,
    PaymentNotOffered,
    RequestRefused,
    TokenRejected,
)
from connectors.families.ponto_payments import content_of
from connectors.model import PsuContext, Redirect
from connectors.payments import CreditTransfer, PaymentInitiation, PaymentRequest, PaymentState
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, psu
from connectors.simulator.faults import FaultKind
from connectors.simulator.ponto_calls import organisation_of
from tests.connectors.ponto_stubs import DOORS, StubPonto, connector_at, error_answer
from tests.connectors.simulated import KEY, PERSON, Line, line_to, request_for
from tests.connectors.support import PSU, TODAY, FakeBank, Keeper, access, html_answer, json_answer

BACK = "https://gateway.example/callback?payment=7"
DEBTOR = "DE02100100100006820101"
"""The first account of the stubs; the second has the same number in dollars."""
CREDITOR = "BE43068999999501"
MADE = {
    "data": {
        "type": "payment", "id": "pay-1", "attributes": {"status": "unsigned"},
        "links": {"redirect": "https://authorize.bank.example/pay-1"},
    }
}  # fmt: skip


def transfer(number: int = 1, **changes: Any) -> CreditTransfer:
    values: dict[str, Any] = {
        "end_to_end_id": f"INV-2026-{number}",
        "amount": Decimal("125.40") + number,
        "creditor_name": "Drukkerij De Ster NV",
        "creditor_iban": CREDITOR,
        "text": f"Factuur {number}",
    }
    return CreditTransfer(**(values | changes))


def request(*transfers: CreditTransfer, **changes: Any) -> PaymentRequest:
    values: dict[str, Any] = {
        "request_id": str(uuid4()),
        "transfers": transfers or (transfer(),),
        "debtor_iban": DEBTOR,
        "redirect_uri": BACK,
        "state": "state-of-this-browser",
        "code_verifier": "v" * 64,
        "psu": PSU,
    }
    return PaymentRequest(**(values | changes))


class Stubs(StubPonto):
    """An organisation with payments switched on, at a bank that takes them; `bank` changes what the bank takes."""

    def __init__(self, path: str = "", *answers: httpx2.Response | Exception, **bank: Any) -> None:
        super().__init__(path, *answers)
        takes = {"paymentsEnabled": True, "bulkPaymentsEnabled": True, "futureDatedPaymentsAllowed": True, **bank}
        self.changed["userinfo.json"] = lambda body: {**body, "paymentsActivated": True}
        self.changed["institution.json"] = lambda body: {
            "data": {**body["data"], "attributes": {**body["data"]["attributes"], **takes}}
        }

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        own = request.url.path.rpartition("/res-1/")[2]
        if own in ("payments", "bulk-payments") and not self.answers:
            return json_answer(MADE, 201)
        return super().__call__(request)


def payments_at(bank: FakeBank, bank_id: str = "ponto", keeper: Keeper | None = None) -> PaymentInitiation:
    found = connector_at(bank, bank_id).payments_with(access(keeper))
    assert found is not None
    return found


def sent(bank: FakeBank) -> list[httpx2.Request]:
    return [one for one in bank.requests if one.method == "POST"]


# Against invented answers


@pytest.mark.parametrize("bank_id", DOORS)
def test_one_payment_is_sent_once_in_pontos_own_words(bank_id: str) -> None:
    bank = FakeBank(handler=Stubs())
    asked = request()
    begun = payments_at(bank, bank_id).start(asked)
    (post,) = sent(bank)
    assert post.url.path.endswith("/accounts/res-1/payments")
    assert post.headers["ibanity-idempotency-key"] == asked.request_id
    assert b'"amount":126.40,' in post.content
    assert json.loads(post.content) == {"data": {"type": "payment", "attributes": {
        "redirectUri": f"{BACK}&state=state-of-this-browser",
        "currency": "EUR",
        "amount": 126.4,
        "creditorName": "Drukkerij De Ster NV",
        "creditorAccountReference": CREDITOR,
        "creditorAccountReferenceType": "IBAN",
        "remittanceInformation": "Factuur 1",
        "remittanceInformationType": "unstructured",
        "endToEndId": "INV-2026-1",
    }}}  # fmt: skip
    assert begun.step == Redirect("https://authorize.bank.example/pay-1")
    assert (begun.handle.bank_payment_id, begun.status.state) == ("pay-1", PaymentState.WAITING)
    assert sum(record.is_attended for record in bank.records) == len(bank.records), "the payer is there"


def test_several_payments_go_as_one_and_a_belgian_reference_is_structured() -> None:
    asked = request(
        transfer(1, text=None, structured_reference="090933755493"), transfer(2), is_batch_booked=True,
        execution_date=TODAY,
    )  # fmt: skip
    attributes = json.loads(content_of(asked))["data"]["attributes"]
    assert (attributes["reference"], attributes["batchBookingPreferred"], attributes["requestedExecutionDate"]) == (
        asked.request_id, True, TODAY.isoformat()
    )  # fmt: skip
    first, second = attributes["payments"]
    assert (first["remittanceInformation"], first["remittanceInformationType"]) == ("090933755493", "structured")
    assert second["amount"] == 127.4
    assert "redirectUri" not in first


def test_a_text_that_looks_like_an_amount_stays_a_text() -> None:
    odd = transfer(1, text='x","amount":"1.00')
    assert json.loads(content_of(request(odd)))["data"]["attributes"]["remittanceInformation"] == 'x","amount":"1.00'


@pytest.mark.parametrize(
    ("changes", "bank", "field"),
    [
        ({"transfers": (transfer(1, creditor_name="n" * 61),)}, {}, "transfers/0/creditor_name"),
        ({"transfers": (transfer(1, text="t" * 141),)}, {}, "transfers/0/text"),
        ({"transfers": (transfer(1), transfer(2, text="Café"))}, {}, "transfers/1/text"),
        ({"transfers": (transfer(1, creditor_name="A & B"),)}, {}, "transfers/0/creditor_name"),
        (
            {"transfers": (transfer(1, text=None, structured_reference="RF18539007547034"),)}, {},
            "transfers/0/structured_reference",
        ),
        ({"is_instant": True}, {}, "is_instant"),
        ({"debtor_iban": CREDITOR}, {}, "debtor_iban"),
        ({}, {"paymentsEnabled": False}, "debtor_iban"),
        ({}, {"paymentsEnabled": None}, "debtor_iban"),
        ({"transfers": (transfer(1), transfer(2))}, {"bulkPaymentsEnabled": False}, "transfers"),
        ({"transfers": (transfer(1), transfer(2))}, {"bulkPaymentInstructionsLimit": 1}, "transfers"),
        ({"execution_date": TODAY}, {"futureDatedPaymentsAllowed": False}, "execution_date"),
    ],
)  # fmt: skip
def test_what_ponto_or_the_accounts_bank_does_not_take_is_not_sent(
    changes: dict[str, Any], bank: dict[str, Any], field: str
) -> None:
    """PAY-18: product, date, text limits (name 60, text 140) and bulk support are checked beforehand."""
    ponto = FakeBank(handler=Stubs(**bank))
    with pytest.raises(PaymentNotOffered) as caught:
        payments_at(ponto).start(request(**changes))
    assert caught.value.field == field
    assert sent(ponto) == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error_answer(400, "invalidAttribute"), RequestRefused),
        (error_answer(409, "idempotencyConflict"), RequestRefused),
        (error_answer(401, "invalidAccessToken"), TokenRejected),
        (error_answer(401, "digestInvalid"), OperatorError),
        (html_answer(), PaymentFateUnknown),
        (httpx2.Response(502), PaymentFateUnknown),
        (httpx2.ReadTimeout("slow"), PaymentFateUnknown),
        (json_answer({"data": {"type": "payment", "attributes": {"status": "unsigned"}}}, 201), PaymentFateUnknown),
    ],
)
def test_whatever_the_answer_the_payment_is_not_sent_again(answer: Any, kind: type[ConnectorError]) -> None:
    bank, keeper = FakeBank(handler=Stubs("/payments", answer)), Keeper()
    with pytest.raises(kind):
        payments_at(bank, keeper=keeper).start(request())
    assert len(sent(bank)) == 1
    assert keeper.renewed == 0


def test_an_answer_with_an_id_and_no_status_leaves_a_handle_to_look_with() -> None:
    bank = FakeBank(handler=Stubs("/payments", json_answer({"data": {"id": "pay-1", "attributes": {}}}, 201)))
    with pytest.raises(PaymentFateUnknown) as caught:
        payments_at(bank).start(request())
    assert getattr(caught.value.handle, "bank_payment_id", None) == "pay-1"


def test_a_payment_without_a_page_waits_in_the_dashboard_and_a_page_that_is_none_is_not_opened() -> None:
    plain = {"data": {**MADE["data"], "links": None}}
    begun = payments_at(FakeBank(handler=Stubs("/payments", json_answer(plain, 201)))).start(request())
    assert not isinstance(begun.step, Redirect)
    assert begun.step is not None
    odd = {"data": {**MADE["data"], "links": {"redirect": "javascript:alert(1)"}}}
    with pytest.raises(PaymentFateUnknown) as caught:
        payments_at(FakeBank(handler=Stubs("/payments", json_answer(odd, 201)))).start(request())
    assert caught.value.handle is not None


def test_a_token_that_ran_out_is_renewed_before_the_payment_is_sent() -> None:
    bank, keeper = FakeBank(handler=Stubs("/accounts", error_answer(401, "invalidAccessToken"))), Keeper()
    payments_at(bank, keeper=keeper).start(request())
    assert keeper.renewed == 1
    assert [one.headers["Authorization"] for one in sent(bank)] == ["Bearer token-2"]


def test_a_word_nobody_knows_stays_as_it_is_and_is_never_the_last() -> None:
    read = {"data": {"type": "payment", "id": "pay-1", "attributes": {"status": "somethingNew"}}}
    bank = FakeBank(handler=Stubs())
    payments = payments_at(bank)
    handle = payments.start(request()).handle
    bank.handler = lambda _: json_answer(read)
    status = payments.status(handle, None, None)
    assert (status.state, status.bank_code, status.is_final) == (PaymentState.UNKNOWN, "somethingNew", False)
    assert bank.requests[-1].url.path.endswith("/accounts/res-1/payments/pay-1")
    assert not bank.records[-1].is_attended


def test_the_return_of_another_payment_is_refused() -> None:
    payments = payments_at(FakeBank(handler=Stubs()))
    handle = payments.start(request()).handle
    with pytest.raises(CallbackRejected):
        payments.finish(handle, {"state": "another"}, PSU)


def test_payments_that_are_off_are_not_sent_and_the_page_to_switch_them_on_is_given() -> None:
    stubs = Stubs()
    stubs.changed["userinfo.json"] = lambda body: body
    bank = FakeBank(handler=stubs)
    with pytest.raises(PaymentNotOffered) as caught:
        payments_at(bank).start(request())
    assert caught.value.field == "activation"
    assert sent(bank) == []
    link = {"data": {"type": "paymentActivationRequest", "id": "a", "links": MADE["data"]["links"]}}
    stubs.path, stubs.answers = "/payment-activation-requests", [json_answer(link, 201)]
    assert payments_at(bank).activation(BACK, PSU) == Redirect("https://authorize.bank.example/pay-1")
    assert payments_at(FakeBank(handler=Stubs())).activation(BACK, PSU) is None


# Published answers


@pytest.mark.parametrize(
    "name",
    [
        "recorded-v2/createPayment.response.201", "recorded-v2/createBulkPayment.response.201",
        "client-fixtures/ponto-connect/payment_create", "client-fixtures/ponto-connect/bulk_payment_create",
        "recorded-v2/getPayment.response.200", "recorded-v2/getBulkPayment.response.200",
        "client-fixtures/ponto-connect/payment", "client-fixtures/ponto-connect/bulk_payment",
    ],
)  # fmt: skip
def test_a_payment_is_read_as_published(shared: Path, name: str) -> None:
    body = json.loads((shared / "samples/ponto" / f"{name}.json").read_text(encoding="utf-8"))
    transfers = (transfer(1), transfer(2)) if body["data"]["type"] == "bulkPayment" else (transfer(),)
    bank = FakeBank(handler=Stubs("payments", json_answer(body, 201), json_answer(body)))
    payments = payments_at(bank)
    begun = payments.start(request(*transfers))
    for status in (begun.status, payments.status(replace(begun.handle, bank_payment_id="payments"), None, None)):
        assert status.bank_code == body["data"]["attributes"]["status"]
        assert status.state is (PaymentState.WAITING if status.bank_code == "unsigned" else PaymentState.UNKNOWN)
    url = body["data"].get("links", {}).get("redirect")
    assert (begun.step == Redirect(url)) is (url is not None)


# At the simulated Ponto


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    (partner,) = [bank for bank in every_bank() if bank.bank_id == "ponto"]
    own = replace(partner, bank_id="pontocustom", api_path="", signature=None, iban_serial="41500")
    config = SimulatorConfig(today=TODAY, banks=(partner, own), signature_keys={KEY.key_id: KEY.key.public_key()})
    with SimulatorServer(config) as running:
        yield running


@pytest.fixture
def simulated(server: SimulatorServer) -> SimulatorServer:
    server.simulator.reset()
    return server


def consented(simulated: SimulatorServer, bank_id: str = "ponto", *, may_pay: bool = True) -> Line:
    line = line_to(simulated, bank_id)
    started = line.connector.start_consent(replace(request_for(bank_id), may_pay=may_pay))
    callback: dict[str, str] = {}
    if isinstance(started.step, Redirect):
        callback = dict(parse_qsl(urlsplit(psu.approve(started.step.url)).query))
    granted = line.connector.finish_consent(started.handle, callback, PERSON)
    line.handle, line.tokens = granted.handle, granted.tokens
    return line


@pytest.fixture
def line(simulated: SimulatorServer) -> Iterator[Line]:
    found = consented(simulated)
    yield found
    found.http.close()


def payments_of(line: Line) -> tuple[PaymentInitiation, str]:
    found = line.connector.payments_with(line.access())
    assert found is not None
    return found, line.current_account().iban or ""


def approve(step: Any) -> dict[str, str]:
    assert isinstance(step, Redirect)
    return dict(parse_qsl(urlsplit(psu.approve(step.url)).query))


@pytest.mark.parametrize("bank_id", DOORS)
def test_by_both_doors_what_is_signed_is_booked(simulated: SimulatorServer, bank_id: str) -> None:
    line = consented(simulated, bank_id)
    payments, iban = payments_of(line)
    begun = payments.start(request(debtor_iban=iban))
    callback = approve(begun.step)
    assert callback == {"payment": "7", "state": "state-of-this-browser"}
    status = payments.finish(begun.handle, callback, PSU).status
    assert (status.state, status.bank_code, status.is_final) == (PaymentState.UNKNOWN, "pending", False)
    (row,) = [row for row in line.rows(line.current_account()) if row.end_to_end_id == "INV-2026-1"]
    assert (row.amount, row.counterparty_iban) == (Decimal("-126.40"), CREDITOR)
    line.http.close()


@pytest.mark.parametrize(("is_batch_booked", "rows"), [(True, 1), (False, 3)])
def test_several_payments_are_signed_at_once(
    simulated: SimulatorServer, line: Line, is_batch_booked: bool, rows: int
) -> None:
    payments, iban = payments_of(line)
    wanted = [transfer(number) for number in (1, 2, 3)]
    before = simulated.world.balance(simulated.world.account(iban))
    known = len(simulated.world.booked(simulated.world.account(iban)))
    begun = payments.start(request(*wanted, debtor_iban=iban, is_batch_booked=is_batch_booked))
    payments.finish(begun.handle, approve(begun.step), PSU)
    account = simulated.world.account(iban)
    assert len(simulated.world.booked(account)) == known + rows
    assert before - simulated.world.balance(account) == sum((one.amount for one in wanted), Decimal(0))


def test_a_payment_cancelled_on_the_page_goes_on_waiting_and_can_be_signed_later(
    simulated: SimulatorServer, line: Line
) -> None:
    payments, iban = payments_of(line)
    begun = payments.start(request(debtor_iban=iban))
    assert isinstance(begun.step, Redirect)
    callback = dict(parse_qsl(urlsplit(psu.cancel(begun.step.url)).query))
    assert payments.finish(begun.handle, callback, PSU).status.state is PaymentState.WAITING
    assert payments.finish(begun.handle, approve(begun.step), PSU).status.bank_code == "pending"


def test_after_a_cut_connection_the_same_key_is_the_same_payment_at_ponto(
    simulated: SimulatorServer, line: Line
) -> None:
    """Nothing repeats it by itself; a person who looked and repeats by hand pays once."""
    payments, iban = payments_of(line)
    simulated.faults.order(FaultKind.CUT, bank_id="ponto", endpoint="payment_create", times=1)
    asked = request(debtor_iban=iban)
    with pytest.raises(PaymentFateUnknown):
        payments.start(asked)
    payments.start(asked)
    assert len(simulated.simulator.payments.listing()) == 1
    with pytest.raises(RequestRefused):
        payments.start(replace(asked, transfers=(transfer(2),)))


def test_a_consent_that_was_not_asked_for_payments_pays_nothing(simulated: SimulatorServer) -> None:
    line = consented(simulated, may_pay=False)
    payments, iban = payments_of(line)
    with pytest.raises(RequestRefused):
        payments.start(request(debtor_iban=iban))
    assert simulated.simulator.payments.listing() == []
    line.http.close()


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        return None


def test_payments_are_switched_on_at_ponto_before_the_first_one(simulated: SimulatorServer, line: Line) -> None:
    (consent,) = simulated.simulator.consents.listing()
    simulated.simulator.ponto.switch_off(organisation_of(simulated.simulator, consent))
    payments, iban = payments_of(line)
    with pytest.raises(PaymentNotOffered, match="switched on"):
        payments.start(request(debtor_iban=iban))
    way = payments.activation(BACK, PsuContext("192.0.2.7"))
    assert way is not None
    with urlopen(way.url) as page:
        assert b"Switch payments on" in page.read()
    with pytest.raises(HTTPError) as redirect:
        build_opener(_Stay).open(Request(way.url, b"", method="POST"))
    with redirect.value as answer:
        assert (answer.code, answer.headers["Location"]) == (303, BACK)
    assert payments.activation(BACK, PsuContext("192.0.2.7")) is None
    assert payments.start(request(debtor_iban=iban)).status.state is PaymentState.WAITING
