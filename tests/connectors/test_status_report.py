"""pain.002 as the answer to a status: every version by local names, and nothing but a report (PAY-19)."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from connectors.errors import BankAnswerInvalid
from connectors.payments import PaymentHandle, PaymentInitiation, PaymentOffer, PaymentState
from connectors.status_report import read_report
from tests.connectors.support import PSU, FakeBank, json_answer

FILE = PaymentHandle("p-1", {"path": "/bulk-payments/pain.001-sepa-credit-transfers"})
SINGLE = PaymentHandle("p-1", {"path": "/payments/sepa-credit-transfers"})


def report(*levels: str, version: str = "03") -> bytes:
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>R-1</MsgId></GrpHdr>{''.join(levels)}</CstmrPmtStsRpt></Document>"
    ).encode()


def group(code: str = "", reason: str = "") -> str:
    status = f"<GrpSts>{code}</GrpSts>" if code else ""
    return f"<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId>{status}{because(reason)}</OrgnlGrpInfAndSts>"


def block(*payments: str, code: str = "", reason: str = "") -> str:
    status = f"<PmtInfSts>{code}</PmtInfSts>" if code else ""
    return f"<OrgnlPmtInfAndSts>{status}{because(reason)}{''.join(payments)}</OrgnlPmtInfAndSts>"


def payment(number: int, code: str = "", reason: str = "") -> str:
    status = f"<TxSts>{code}</TxSts>" if code else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>INV-{number}</OrgnlEndToEndId>{status}{because(reason)}</TxInfAndSts>"


def because(reason: str, name: str = "Cd") -> str:
    return f"<StsRsnInf><Rsn><{name}>{reason}</{name}></Rsn></StsRsnInf>" if reason else ""


@pytest.mark.parametrize("version", ["03", "10", "14"])
def test_the_block_speaks_for_the_whole_and_each_payment_for_itself(version: str) -> None:
    parts = (payment(1, "ACSC"), payment(2, "RJCT", "AC04"), payment(3))
    status = read_report(report(group("ACTC"), block(*parts, code="PART"), version=version), PaymentOffer())
    assert (status.state, status.bank_code, status.reason_code) == (PaymentState.PARTLY_ACCEPTED, "PART", None)
    assert {name: (part.bank_code, part.reason_code) for name, part in status.parts.items()} == {
        "INV-1": ("ACSC", None), "INV-2": ("RJCT", "AC04"), "INV-3": ("PART", None),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (report(group("RJCT", "FF01")), "RJCT", "FF01"),
        (report(group(), block(code="RJCT", reason="AM04")), "RJCT", "AM04"),
        (report(group("ACTC", "XX01"), block()), "ACTC", "XX01"),
        (report(group("ACTC"), block(code="ACSC"), block(code="RJCT")), "ACTC", None),
        (report(group(), block(payment(1, "RJCT", "AC01"))), "RJCT", "AC01"),
        (report(f"<OrgnlGrpInfAndSts><GrpSts> RJCT </GrpSts>{because('OWN1', 'Prtry')}</OrgnlGrpInfAndSts>"),
         "RJCT", "OWN1"),
        (report(group("RVCM")), "RVCM", None),
    ],
)  # fmt: skip
def test_a_level_that_is_not_there_takes_the_status_of_the_one_above(
    body: bytes, code: str, reason: str | None
) -> None:
    status = read_report(body, PaymentOffer())
    assert (status.bank_code, status.reason_code) == (code, reason)
    assert (status.state is PaymentState.UNKNOWN) is (code == "RVCM"), "a word nobody listed stays as it is"


def test_a_payment_without_an_id_of_its_own_is_not_told_apart() -> None:
    nameless = "<TxInfAndSts><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>"
    assert read_report(report(group("PART"), block(nameless)), PaymentOffer()).parts == {}


ENTITY = (
    b'<!DOCTYPE Document [<!ENTITY a "RJCT">]><Document><CstmrPmtStsRpt><OrgnlGrpInfAndSts><GrpSts>&a;</GrpSts>'
    b"</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html><p>Onderhoud</p></html>", b"{}", report(group("RJCT"))[:-20], report(group(), block()), ENTITY,
        ENTITY.decode().encode("utf-16"), report(group(), block(payment(1, "ACSC"), payment(2, "RJCT"))),
    ],
)  # fmt: skip
def test_what_is_no_report_or_tells_nothing_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"no pain|no XML|no status|document type"):
        read_report(body, PaymentOffer())


def at_kbc(*answers: httpx2.Response) -> tuple[FakeBank, PaymentInitiation]:
    bank = FakeBank(answers=list(answers))
    payments = bank.connector("kbc").payments()
    assert payments is not None
    return bank, payments


def xml(body: bytes, kind: str = "application/xml") -> httpx2.Response:
    return httpx2.Response(200, content=body, headers={"Content-Type": kind})


@pytest.mark.parametrize("kind", ["application/xml", "text/xml; charset=utf-8"])
def test_a_bank_may_answer_a_file_with_a_report(kind: str) -> None:
    bank, payments = at_kbc(xml(report(group("ACSP"), block(payment(1, "RJCT", "AC04"))), kind))
    status = payments.status(FILE, None, PSU)
    assert (status.state, status.parts["INV-1"].state) == (PaymentState.EXECUTING, PaymentState.REFUSED)
    assert bank.requests[0].headers["Accept"] == "application/json, application/xml;q=0.9"


@pytest.mark.parametrize("answer", [xml(b"<a>BE43 0689 9999 9501</a>"), xml(report(group()))])
def test_a_report_that_cannot_be_read_says_nothing_of_what_it_holds(answer: Any) -> None:
    _, payments = at_kbc(answer)
    with pytest.raises(BankAnswerInvalid) as caught:
        payments.status(FILE, None, PSU)
    assert caught.value.__cause__ is None
    assert "BE43" not in str(caught.value)


def test_one_payment_is_asked_for_as_json() -> None:
    bank, payments = at_kbc(json_answer({"transactionStatus": "ACSC"}))
    assert payments.status(SINGLE, None, PSU).state is PaymentState.EXECUTED
    assert bank.requests[0].headers["Accept"] == "application/json"
