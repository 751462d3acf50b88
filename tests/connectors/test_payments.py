"""Payment initiation at simulated banks: what is signed there is booked there, and nothing is sent twice (PAY-18)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx2
import pytest
import yaml
from jsonschema import Draft202012Validator

from connectors import registry
from connectors.errors import (
    CallbackRejected,
    ConsentEnded,
    ConsentRefused,
    OperatorError,
    PaymentFateUnknown,
    PaymentNotOffered,
    QuotaExhausted,
    RequestRefused,
)
from connectors.families.berlin_group_payments import body_of
from connectors.http import CallKind
from connectors.model import Redirect
from connectors.payments import (
    STATES,
    Bulk,
    CreditTransfer,
    PaymentInitiation,
    PaymentOffer,
    PaymentRequest,
    PaymentState,
    StartedPayment,
    status_of,
)
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, psu
from connectors.simulator.companies import SimulatedAccount
from connectors.simulator.faults import FaultKind
from connectors.simulator.payments import FAILURES
from tests.connectors.simulated import KEY, Line, line_to, request_for
from tests.connectors.support import PSU, FakeBank, error_answer, html_answer, json_answer
from tests.connectors.support import access as bank_access

TODAY = date(2026, 11, 23)
SUPPLIER = "BE43068999999501"
CLOSED, POOR = FAILURES
STET = frozenset({"bnppf", "fintro", "hellobank", "beobank"})
WITHOUT_CODES = STET | {"kbc"}
"""Banks whose errors name no code."""
SILENT = frozenset({"ing"})
"""Banks whose way back tells nothing of what the PSU did."""
LINES: list[Line] = []


def paying_banks() -> list[str]:
    """Every simulated bank whose connector initiates payments."""
    simulated = {bank.bank_id for bank in every_bank()}
    return [
        profile.bank_id
        for profile in registry.profiles()
        if profile.bank_id in simulated
        and FakeBank().connector(profile.bank_id).payments_with(bank_access()) is not None
    ]


BANKS = paying_banks()
FAMILIES = ("keytrade", "kbc", "argenta", "belfius", "ponto", "bnppf", "beobank", "ing")
"""One bank of each family: the faults strike all of a family alike."""
TELLING = tuple(bank_id for bank_id in FAMILIES if bank_id != "ponto")
"""Where the words of the status are known, and cancelling on the page ends the payment."""


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    config = SimulatorConfig(today=TODAY, banks=every_bank(), signature_keys={KEY.key_id: KEY.key.public_key()})
    with SimulatorServer(config) as running:
        yield running


@pytest.fixture
def simulated(server: SimulatorServer) -> Iterator[SimulatorServer]:
    server.simulator.reset()
    yield server
    while LINES:
        LINES.pop().http.close()


def line_at(simulated: SimulatorServer, bank_id: str) -> Line:
    """A line that is closed after the test; with a consent where payments go under one."""
    line = line_to(simulated, bank_id)
    LINES.append(line)
    if line.connector.payments() is None:
        begun = line.connector.start_consent(replace(request_for(bank_id), may_pay=True))
        assert isinstance(begun.step, Redirect)
        callback = dict(parse_qsl(urlsplit(psu.approve(begun.step.url)).query))
        granted = line.connector.finish_consent(begun.handle, callback, PSU)
        line.handle, line.tokens = granted.handle, granted.tokens
    return line


def transfer(number: int = 1, **changes: Any) -> CreditTransfer:
    values: dict[str, Any] = {
        "end_to_end_id": f"INV-2026-{number}",
        "amount": Decimal("125.40") + number,
        "creditor_name": "Drukkerij De Ster NV",
        "creditor_iban": SUPPLIER,
        "text": f"Factuur {number}",
    }
    return CreditTransfer(**(values | changes))


def request(debtor_iban: str = "BE71096123456769", *transfers: CreditTransfer, **changes: Any) -> PaymentRequest:
    values: dict[str, Any] = {
        "request_id": str(uuid4()),
        "transfers": transfers or (transfer(),),
        "debtor_iban": debtor_iban,
        "redirect_uri": "https://gateway.example/callback",
        "state": "state-of-this-browser",
        "code_verifier": "v" * 64,
        "psu": PSU,
    }
    return PaymentRequest(**(values | changes))


def pain_001(asked: PaymentRequest) -> bytes:
    """A file of these transfers, as short as a bank takes it."""
    orders = "".join(
        f"<CdtTrfTxInf><PmtId><EndToEndId>{one.end_to_end_id}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="EUR">{one.amount}</InstdAmt></Amt><Cdtr><Nm>{one.creditor_name}</Nm></Cdtr>'
        f"<CdtrAcct><Id><IBAN>{one.creditor_iban}</IBAN></Id></CdtrAcct><RmtInf><Ustrd>{one.text}</Ustrd></RmtInf>"
        "</CdtTrfTxInf>"
        for one in asked.transfers
    )
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"><CstmrCdtTrfInitn><PmtInf>'
        f"<BtchBookg>{str(asked.is_batch_booked).lower()}</BtchBookg><ReqdExctnDt>{TODAY}</ReqdExctnDt>"
        f"<DbtrAcct><Id><IBAN>{asked.debtor_iban}</IBAN></Id></DbtrAcct>{orders}"
        "</PmtInf></CstmrCdtTrfInitn></Document>"
    ).encode()


def account_at(simulated: SimulatorServer, bank_id: str) -> SimulatedAccount:
    return next(one for one in simulated.world.accounts if (one.bank_id, one.cash_account_type) == (bank_id, "CACC"))


def payments_of(line: Line) -> PaymentInitiation:
    found = line.connector.payments() if line.handle is None else line.connector.payments_with(line.access())
    assert found is not None
    return found


def started(simulated: SimulatorServer, bank_id: str, *transfers: CreditTransfer, **changes: Any) -> tuple[
    PaymentInitiation, StartedPayment
]:  # fmt: skip
    """A payment from the bank's first current account, handed over."""
    payments = payments_of(line_at(simulated, bank_id))
    asked = request(account_at(simulated, bank_id).account_id, *transfers, **changes)
    if asked.is_bulk:
        asked = replace(asked, file=pain_001(asked))
    return payments, payments.start(asked)


def sign(begun: StartedPayment) -> dict[str, str]:
    assert isinstance(begun.step, Redirect)
    return dict(parse_qsl(urlsplit(psu.approve(begun.step.url)).query))


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_signed_payment_is_booked_on_the_payers_account(simulated: SimulatorServer, bank_id: str) -> None:
    """PAY-18: redirect, signature, status from the bank; the return alone proves nothing."""
    payments, begun = started(simulated, bank_id)
    assert begun.status.state is PaymentState.WAITING
    assert payments.status(begun.handle, None, PSU).state is PaymentState.WAITING
    returned = payments.finish(begun.handle, sign(begun), PSU)
    is_told = payments.offer.tells_execution
    wanted = (PaymentState.EXECUTED if is_told else PaymentState.UNKNOWN, is_told)
    for status in (returned.status, payments.status(begun.handle, returned.tokens, PSU)):
        assert (status.state, status.is_final) == wanted
    (row,) = [
        row for row in simulated.world.booked(account_at(simulated, bank_id), TODAY, TODAY)
        if row.end_to_end_id == "INV-2026-1"
    ]  # fmt: skip
    assert (row.amount, row.counterparty and row.counterparty.iban, row.texts) == (
        Decimal("-126.40"), SUPPLIER, ("Factuur 1",),
    )  # fmt: skip


@pytest.mark.parametrize("bank_id", ["keytrade", "argenta", "bnppf", "beobank"])
def test_an_instant_payment_goes_to_its_own_product(simulated: SimulatorServer, bank_id: str) -> None:
    payments, begun = started(simulated, bank_id, is_instant=True)
    assert payments.finish(begun.handle, sign(begun), PSU).status.state is PaymentState.EXECUTED
    assert simulated.simulator.payments.listing()[0].is_instant


@pytest.mark.parametrize(("is_batch_booked", "rows"), [(True, 1), (False, 3)])
def test_several_payments_go_as_the_approved_file(simulated: SimulatorServer, is_batch_booked: bool, rows: int) -> None:
    """PAY-18: grouped, from the same approved file; KBC takes several payments no other way."""
    wanted = [transfer(number) for number in (1, 2, 3)]
    payments, begun = started(simulated, "kbc", *wanted, is_batch_booked=is_batch_booked)
    assert payments.finish(begun.handle, sign(begun), PSU).status.state is PaymentState.EXECUTED
    account = account_at(simulated, "kbc")
    total = sum((one.amount for one in wanted), Decimal(0))
    booked = [
        row for row in simulated.world.booked(account, TODAY, TODAY)
        if (row.end_to_end_id or "").startswith("INV-2026-") or row.amount == -total
    ]  # fmt: skip
    assert (len(booked), sum((row.amount for row in booked), Decimal(0))) == (rows, -total)


def test_a_part_that_fails_leaves_the_others_executed(simulated: SimulatorServer) -> None:
    payments, begun = started(simulated, "kbc", transfer(1), transfer(2, creditor_iban=CLOSED))
    status = payments.finish(begun.handle, sign(begun), PSU).status
    assert (status.state, status.bank_code, status.is_final) == (PaymentState.PARTLY_ACCEPTED, "PART", False)


@pytest.mark.parametrize("bank_id", TELLING)
def test_a_payment_cancelled_at_the_bank_is_refused(simulated: SimulatorServer, bank_id: str) -> None:
    payments, begun = started(simulated, bank_id)
    assert isinstance(begun.step, Redirect)
    callback = dict(parse_qsl(urlsplit(psu.cancel(begun.step.url)).query))
    if bank_id in SILENT:
        assert payments.finish(begun.handle, callback, PSU).status.state is PaymentState.REFUSED
    else:
        with pytest.raises(ConsentRefused):
            payments.finish(begun.handle, callback, PSU)
    assert payments.status(begun.handle, None, PSU).state is PaymentState.REFUSED


@pytest.mark.parametrize("bank_id", TELLING)
def test_a_refused_payment_says_why(simulated: SimulatorServer, bank_id: str) -> None:
    # STET has one word for a refusal and for missing money.
    words = {"AM04": "CUST"} if bank_id in STET else {}
    for iban, code in FAILURES.items():
        reason = words.get(code, code)
        payments, begun = started(simulated, bank_id, transfer(creditor_iban=iban))
        status = payments.finish(begun.handle, sign(begun), PSU).status
        assert (status.state, status.reason_code, status.is_final) == (PaymentState.REFUSED, reason, True)


@pytest.mark.parametrize("bank_id", TELLING)
def test_a_second_signatory_signs_at_the_bank(simulated: SimulatorServer, bank_id: str) -> None:
    simulated.faults.order(FaultKind.JOINT_SIGNATURE, bank_id=bank_id)
    payments, begun = started(simulated, bank_id)
    returned = payments.finish(begun.handle, sign(begun), PSU)
    assert (returned.status.state, returned.status.is_final) == (PaymentState.PARTLY_SIGNED, False)
    desk = f"{simulated.url}/sim/api/payments"
    (waiting,) = httpx2.get(desk, trust_env=False).json()["payments"]
    assert (waiting["status"], waiting["amount"]) == ("PATC", "126.40")
    signature = f"{desk}/{waiting['payment_id']}/signature"
    assert httpx2.post(signature, trust_env=False).json()["status"] == "ACSC"
    assert httpx2.post(signature, trust_env=False).status_code == 409
    assert payments.status(begun.handle, returned.tokens, PSU).state is PaymentState.EXECUTED


@pytest.mark.parametrize("bank_id", TELLING)
def test_a_later_day_is_waited_for(simulated: SimulatorServer, bank_id: str) -> None:
    payments, begun = started(simulated, bank_id, execution_date=TODAY + timedelta(days=2))
    returned = payments.finish(begun.handle, sign(begun), PSU)
    assert (returned.status.state, returned.status.is_final) == (PaymentState.ACCEPTED, False)
    simulated.clock.advance(days=2)
    assert payments.status(begun.handle, returned.tokens, PSU).state is PaymentState.EXECUTED


@pytest.mark.parametrize("bank_id", TELLING)
def test_what_nobody_signs_is_refused_by_the_bank(simulated: SimulatorServer, bank_id: str) -> None:
    payments, begun = started(simulated, bank_id)
    simulated.clock.advance(hours=2)
    assert payments.status(begun.handle, None, PSU).state is PaymentState.REFUSED


@pytest.mark.parametrize("bank_id", FAMILIES)
@pytest.mark.parametrize(
    ("kind", "params"),
    [(FaultKind.CUT, {}), (FaultKind.HTML, {}), (FaultKind.BROKEN_JSON, {}), (FaultKind.STATUS, {"status": 500})],
)
def test_after_a_lost_answer_nothing_is_sent_again(
    simulated: SimulatorServer, bank_id: str, kind: FaultKind, params: dict[str, Any]
) -> None:
    """PAY-18: the payment may have arrived, so the only thing left is to look."""
    simulated.faults.order(kind, bank_id=bank_id, endpoint="payment_create", times=None, params=params)
    line = line_at(simulated, bank_id)
    payments = payments_of(line)
    with pytest.raises(PaymentFateUnknown) as caught:
        payments.start(request(account_at(simulated, bank_id).account_id))
    sent = [record for record in line.records if (record.method, record.kind) == ("POST", CallKind.PAYMENT)]
    assert len(sent) == 1
    # STET gives the id beside the body; what is wrong with that does not hide it.
    is_named = bank_id in STET and kind in {FaultKind.HTML, FaultKind.BROKEN_JSON}
    assert (caught.value.handle is not None) is is_named
    if is_named:
        assert payments.status(caught.value.handle, None, PSU).state is PaymentState.WAITING
    assert len(simulated.simulator.payments.listing()) == (0 if kind is FaultKind.STATUS else 1)


def test_when_the_bank_falls_silent_after_it_gave_the_id_the_status_can_be_read(simulated: SimulatorServer) -> None:
    simulated.faults.order(
        FaultKind.STATUS, bank_id="keytrade", endpoint="metadata", times=None, params={"status": 503}
    )
    payments = payments_of(line_at(simulated, "keytrade"))
    with pytest.raises(PaymentFateUnknown) as caught:
        payments.start(request(account_at(simulated, "keytrade").account_id))
    assert payments.status(caught.value.handle, None, PSU).state is PaymentState.WAITING


@pytest.mark.parametrize("bank_id", FAMILIES)
def test_the_same_request_id_is_the_same_payment_at_the_bank(simulated: SimulatorServer, bank_id: str) -> None:
    """The guidelines want it so; a repeat by hand, after a look, is therefore safe at such a bank."""
    payments = payments_of(line_at(simulated, bank_id))
    asked = request(account_at(simulated, bank_id).account_id)
    assert payments.start(asked).handle.bank_payment_id == payments.start(asked).handle.bank_payment_id
    assert len(simulated.simulator.payments.listing()) == 1


@pytest.mark.parametrize("bank_id", FAMILIES)
def test_the_status_is_read_again_when_the_bank_stumbles(simulated: SimulatorServer, bank_id: str) -> None:
    payments, begun = started(simulated, bank_id)
    simulated.faults.order(FaultKind.STATUS, bank_id=bank_id, endpoint="payment_read", times=1, params={"status": 503})
    assert payments.status(begun.handle, None, PSU).state is PaymentState.WAITING


@pytest.mark.parametrize("bank_id", [bank_id for bank_id in TELLING if bank_id != "belfius"])
def test_an_unknown_debtor_account_or_a_past_day_is_refused(simulated: SimulatorServer, bank_id: str) -> None:
    payments = payments_of(line_at(simulated, bank_id))
    own = account_at(simulated, bank_id).account_id
    for asked, code in (
        (request(SUPPLIER), "RESOURCE_UNKNOWN"),
        (request(own, execution_date=TODAY - timedelta(days=1)), "EXECUTION_DATE_INVALID"),
    ):
        with pytest.raises(RequestRefused) as caught:
            payments.start(asked)
        assert caught.value.bank_code == (None if bank_id in WITHOUT_CODES else code)


@pytest.mark.parametrize("bank_id", FAMILIES)
def test_the_return_of_another_payment_is_refused(simulated: SimulatorServer, bank_id: str) -> None:
    payments, begun = started(simulated, bank_id)
    with pytest.raises(CallbackRejected):
        payments.finish(begun.handle, sign(begun) | {"state": "another"}, PSU)


def test_a_bank_that_wants_the_psus_address_is_not_asked_without(simulated: SimulatorServer) -> None:
    payments, begun = started(simulated, "kbc")
    with pytest.raises(ValueError, match="address"):
        payments.status(begun.handle, None, None)


# Answers of a bank in memory


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error_answer(400, "FORMAT_ERROR"), RequestRefused),
        (error_answer(401, "CERTIFICATE_EXPIRED"), OperatorError),
        (error_answer(403, "PRODUCT_INVALID"), RequestRefused),
        (httpx2.Response(429), QuotaExhausted),
        (json_answer({"transactionStatus": "RCVD"}, 201), PaymentFateUnknown),
        (json_answer({"paymentId": "p-1", "_links": {}}, 201), PaymentFateUnknown),
        (html_answer(200), PaymentFateUnknown),
        (httpx2.ReadTimeout("slow"), PaymentFateUnknown),
    ],
)
def test_each_answer_says_who_must_act(answer: Any, expected: type[Exception]) -> None:
    bank = FakeBank(answers=[answer])
    payments = bank.connector("keytrade").payments()
    assert payments is not None
    with pytest.raises(expected):
        payments.start(request())
    assert len(bank.requests) == 1


def test_a_payment_that_needs_no_signature_is_done_at_once() -> None:
    bank = FakeBank(answers=[json_answer({"transactionStatus": "ACSC", "paymentId": "p-1", "_links": {}}, 201)])
    payments = bank.connector("keytrade").payments()
    assert payments is not None
    begun = payments.start(request())
    assert (begun.step, begun.status.state) == (None, PaymentState.EXECUTED)


def test_a_token_that_is_refused_ends_the_sight_of_the_payment() -> None:
    sight = json_answer({"transactionStatus": "RCVD", "paymentId": "p-1", "_links": {"scaRedirect": f"{'/x'}"}}, 201)
    bank = FakeBank(answers=[sight, error_answer(401, "TOKEN_EXPIRED")])
    payments = bank.connector("keytrade").payments()
    assert payments is not None
    handle = payments.start(request()).handle
    with pytest.raises(ConsentEnded):
        payments.status(handle, bank_tokens(), PSU)


def bank_tokens() -> Any:
    from tests.connectors.support import Keeper  # noqa: PLC0415

    return Keeper().current()


def test_a_status_nobody_knows_stays_as_it_is() -> None:
    """PAY-19: an unknown code stays as it is; a last word of the bank is its last."""
    assert status_of(PaymentOffer(), "XYZW").bank_code == "XYZW"
    assert (status_of(PaymentOffer(), "XYZW").state, status_of(PaymentOffer(), "XYZW").is_final) == (
        PaymentState.UNKNOWN, False,
    )  # fmt: skip
    assert not status_of(PaymentOffer(), "ACSP").is_final
    assert status_of(PaymentOffer(last_words=frozenset({"ACSP"})), "ACSP").is_final
    assert {code for code, state in STATES.items() if status_of(PaymentOffer(), code).state is not state} == set()


@pytest.mark.parametrize(
    ("offer", "changes", "field"),
    [
        (PaymentOffer(), {"is_instant": True}, "is_instant"),
        (PaymentOffer(is_instant_possible=True), {"is_instant": True, "execution_date": TODAY}, "execution_date"),
        (PaymentOffer(), {"transfers": (transfer(1), transfer(2))}, "transfers"),
        (PaymentOffer(bulk=Bulk.FILE), {"transfers": (transfer(1), transfer(2))}, "file"),
        (PaymentOffer(bulk=Bulk.JSON, transfers_max=1), {"transfers": (transfer(1), transfer(2))}, "transfers"),
        (PaymentOffer(name_max=10), {}, "transfers/0/creditor_name"),
        (PaymentOffer(text_max=5), {}, "transfers/0/text"),
        (PaymentOffer(), {"transfers": ()}, "transfers"),
    ],
)
def test_what_a_bank_does_not_take_is_refused_before_the_call(
    offer: PaymentOffer, changes: dict[str, Any], field: str
) -> None:
    """PAY-18: product, date, text limits and bulk support are checked beforehand."""
    asked = request(**({"transfers": (transfer(),)} | changes))
    with pytest.raises(PaymentNotOffered) as caught:
        offer.check(asked, bank_id="bank")
    assert caught.value.field == field


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Decimal(0)}, {"amount": Decimal("1.001")}, {"amount": Decimal("-1")}, {"amount": Decimal("NaN")},
        {"end_to_end_id": ""}, {"end_to_end_id": "x" * 36}, {"creditor_name": " "},
        {"structured_reference": "090933755493"},
    ],
)  # fmt: skip
def test_what_no_bank_could_take_is_no_transfer(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"amount|end-to-end|creditor|text"):
        transfer(**changes)


def test_bodies_fit_the_official_description(shared: Path) -> None:
    """Berlin Group 1.3.11: one payment, several payments, both kinds of references."""
    path = shared / "spec/psd2/openapi/psd2-api_v1.3.11-2021-10-01v1.yaml"
    description = yaml.safe_load(path.read_text(encoding="utf-8"))

    def faults(schema: str, body: dict[str, Any]) -> list[str]:
        reference = {"$ref": f"#/components/schemas/{schema}", "components": description["components"]}
        return [error.message for error in Draft202012Validator(reference).iter_errors(json.loads(json.dumps(body)))]

    kinds = (
        transfer(),
        transfer(text=None, structured_reference="090933755493"),
        transfer(text=None, structured_reference="RF18539007547034"),
        transfer(text=None),
    )
    for one in kinds:
        assert faults("paymentInitiation_json", body_of(request(SUPPLIER, one, execution_date=TODAY))) == []
    assert faults("bulkPaymentInitiation_json", body_of(request(SUPPLIER, *kinds, is_batch_booked=True))) == []
    broken = body_of(request(SUPPLIER, kinds[0]))
    del broken["creditorName"]
    assert faults("paymentInitiation_json", broken) != []
