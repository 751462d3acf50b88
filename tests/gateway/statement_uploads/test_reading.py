"""STA-19: CODA, camt.053 and MT940 read into one form; hostile and damaged files are refused, and nothing guessed."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.model import Transaction
from connectors.normalise import normalise_berlin_group
from gateway.foreign_files.reading import FileUnusable, SentFile
from gateway.statement_uploads.labels import FAULTS
from gateway.statement_uploads.model import Document
from gateway.statement_uploads.reading import read
from gateway.statement_uploads.service import _CODES_OF_CODA
from tests.gateway.statement_uploads.files import ONE_DAY, Stated, as_camt, as_coda, as_mt940, camt_statement

IBAN = "BE68539007547034"
D = date(2026, 3, 3)
ONE = Stated(IBAN, D - ONE_DAY, Decimal("1000.00"), D, [(D, Decimal("-150.25")), (D, Decimal("20.00"))])


def of(content: bytes) -> Document:
    return read(SentFile("file", content))


def refused(content: bytes) -> tuple[str, str, str]:
    with pytest.raises(FileUnusable) as error:
        of(content)
    fault = error.value.fault
    assert fault.code in FAULTS
    return fault.code, fault.found, fault.expected


def form(raw: Any) -> Transaction:
    found = normalise_berlin_group(raw, account_iban=IBAN, account_holder=None, today=date.max, dialect=_CODES_OF_CODA)
    assert isinstance(found, Transaction)
    return found


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("coda", as_coda(ONE)),
        ("camt053", as_camt(camt_statement(ONE))),
        ("camt053", b"\xef\xbb\xbf" + as_camt(camt_statement(ONE), version="08")),
        ("mt940", as_mt940(ONE)),
        ("mt940", as_mt940(ONE).replace(b"\r\n", b"\n")),
    ],
)
def test_each_format_says_the_same(kind: str, content: bytes) -> None:
    document = of(content)
    assert document.format == kind
    (one,) = document.statements
    assert (one.iban, one.currency, one.opening_day, one.opening) == (IBAN, "EUR", D - ONE_DAY, Decimal("1000.00"))
    assert (one.closing_day, one.closing) == (D, Decimal("869.75"))
    assert [(entry.booking_date, entry.amount) for entry in one.entries] == ONE.entries
    forms = [form(entry.raw) for entry in one.entries]
    assert [row.amount for row in forms] == [Decimal("-150.25"), Decimal("20.00")]
    assert all(row.remittance_information and len(row.coda_code) == 8 for row in forms)


def test_a_camt_entry_keeps_party_code_reference_and_original_amount() -> None:
    entry = (
        "<Ntry><Amt Ccy='EUR'>92.10</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><DtTm>{D}T23:30:00Z</DtTm></BookgDt><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd>"
        "<SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><AmtDtls><InstdAmt>"
        "<Amt Ccy='USD'>100.00</Amt><CcyXchg><XchgRate>1.0858</XchgRate></CcyXchg></InstdAmt></AmtDtls>"
        "<RltdPties><Cdtr><Pty><Nm>Acme &lt;Ltd&gt;</Nm></Pty></Cdtr></RltdPties><RltdAgts><CdtrAgt><FinInstnId>"
        "<BICFI>GKCCBEBB</BICFI></FinInstnId></CdtrAgt></RltdAgts><RmtInf><Strd><CdtrRefInf>"
        "<Ref>+++085/1927/54115+++</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )
    next_day = D + ONE_DAY
    stated = Stated(IBAN, D, Decimal("1000.00"), next_day, [(next_day, Decimal("-92.10"))])
    content = as_camt(camt_statement(stated).partition("<Ntry>")[0] + entry + "</Stmt>", version="08")
    (one,) = of(content).statements
    (read_entry,) = one.entries
    assert read_entry.booking_date == next_day, "an instant is the day in Brussels"
    row = form(read_entry.raw)
    assert (row.counterparty_name, row.iso_code) == ("Acme <Ltd>", "PMNT-ICDT-ESCT")
    assert (row.original_amount, row.original_currency) == (Decimal("-100.00"), "USD")
    assert row.structured_reference == "085192754115"


def test_a_reversal_has_the_sign_of_what_it_does_and_the_party_of_what_it_takes_back() -> None:
    back = Stated(IBAN, D - ONE_DAY, Decimal("0.00"), D, [(D, Decimal("30.00"))])
    content = as_camt(camt_statement(back).replace("<Sts>", "<RvslInd>true</RvslInd><Sts>"))
    (entry,) = of(content).statements[0].entries
    assert (entry.amount, form(entry.raw).counterparty_name) == (Decimal("30.00"), "Garage Voorbeeld")
    text = as_mt940(Stated(IBAN, D - ONE_DAY, Decimal("100.00"), D, [(D, Decimal("-30.00"))])).decode()
    for mark, amount, closing in (("RC", "-30.00", "70,00"), ("RD", "30.00", "130,00")):
        changed = text.replace("0303D30", f"0303{mark}30").replace("EUR70,00", f"EUR{closing}")
        (entry,) = of(changed.encode()).statements[0].entries
        assert entry.amount == Decimal(amount)


def test_pending_entries_and_another_currency_are_no_entries() -> None:
    pending = camt_statement(ONE).replace("<Sts>BOOK</Sts>", "<Sts>PDNG</Sts>", 1)
    assert refused(as_camt(pending))[0] == "sum_differs"
    other = camt_statement(ONE).replace("<Amt Ccy='EUR'>150.25", "<Amt Ccy='USD'>150.25")
    assert refused(as_camt(other)) == ("statement_unreadable", "currency_differs, Ntry/Amt", "")


def test_several_statements_and_accounts_in_one_file_are_each_read() -> None:
    usd = Stated("BE71096123456769", D - ONE_DAY, Decimal("5.00"), D, [(D, Decimal("1.00"))], currency="USD")
    for content in (as_camt(camt_statement(ONE), camt_statement(usd)), as_mt940(ONE, usd)):
        found = of(content).statements
        assert [(one.iban, one.currency, one.position) for one in found] == [
            (IBAN, "EUR", 1), ("BE71096123456769", "USD", 2),
        ]  # fmt: skip


def test_structured_information_of_mt940_is_taken_apart() -> None:
    german = "166?00GUTSCHRIFT?20EREF+E2E-77?21SVWZ+Rechnung 12?22 rest?30GKCCBEBB?31BE71096123456769?32Jan?33sen"
    content = as_mt940(ONE).replace(
        b"/BENM//NAME/Garage Voorbeeld/IBAN/BE71096123456769/REMI/Factuur 7", german.encode(), 1
    )
    row = form(of(content).statements[0].entries[0].raw)
    assert (row.counterparty_name, row.counterparty_iban, row.counterparty_bic, row.end_to_end_id) == (
        "Jansen", "BE71096123456769", "GKCCBEBB", "E2E-77",
    )  # fmt: skip
    assert row.remittance_information == "Rechnung 12 rest"
    plain = as_mt940(ONE).replace(b"/BENM//NAME/Garage Voorbeeld/IBAN/BE71096123456769/REMI/Factuur 7", b"A\r\nB:C", 1)
    assert form(of(plain).statements[0].entries[0].raw).remittance_information == "A\nB:C"


def test_an_entry_date_around_the_new_year_is_of_the_nearest_year() -> None:
    first = date(2027, 1, 2)
    content = as_mt940(Stated(IBAN, date(2026, 12, 31), Decimal("1.00"), first, [(first, Decimal("1.00"))]))
    changed = content.replace(b":61:2701020102", b":61:2612310102")
    assert of(changed).statements[0].entries[0].booking_date == first


BOMB = (
    b"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
    b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'>&b;</Document>"
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"hello", "not_a_statement"),
        (b"<html></html>", "not_a_statement"),
        (b"\x00\x01\x02:20:\n:60F:", "not_a_statement"),
        ("<Document/>".encode("utf-16"), "not_a_statement"),
        (BOMB, "xml_refused"),
        (as_camt(camt_statement(ONE))[:-40], "xml_refused"),
        (as_camt(camt_statement(ONE)).replace(b"UTF-8", b"UTF-16"), "xml_refused"),
        (as_camt(camt_statement(ONE)).replace(b"Garage", b"Gar\xe9ge"), "xml_refused"),
        (as_camt(), "statement_unreadable"),
        (as_camt(camt_statement(ONE).replace("CLBD", "ITBD")), "statement_unreadable"),
        (as_camt(camt_statement(ONE).replace("DBIT", "BOTH")), "statement_unreadable"),
        (as_camt(camt_statement(ONE).replace(">150.25<", ">1e9<")), "statement_unreadable"),
        (
            as_camt(camt_statement(ONE).replace(f"{D}</Dt></BookgDt>", "0001-01-01</Dt></BookgDt>")),
            "statement_unreadable",
        ),
        (as_camt(camt_statement(ONE).replace(IBAN, "BE68539007547035")), "account_missing"),
        (as_camt(camt_statement(ONE).replace(">20.00<", ">20.01<")), "sum_differs"),
        (as_mt940(ONE)[:120], "statement_unreadable"),
        (as_mt940(ONE).replace(b"D150,25", b"D1x0,25"), "statement_unreadable"),
        (as_mt940(ONE).replace(b":61:260303", b":61:269903"), "statement_unreadable"),
        (as_mt940(ONE).replace(b":62F:", b":62X:"), "statement_unreadable"),
        (as_mt940(ONE).replace(b"EUR869,75", b"USD869,75"), "statement_unreadable"),
        (as_mt940(ONE).replace(b":60F:C260302", b":60F:C000302"), "period_too_long"),
        (as_mt940(ONE).replace(b":62F:C260303", b":62F:C260302"), "entry_after_closing"),
        (as_coda(ONE)[:-130], "file_faulty"),
        (as_coda(ONE)[: 128 * 2], "file_faulty"),
    ],
)
def test_a_hostile_or_damaged_file_is_refused(content: bytes, code: str) -> None:
    assert refused(content)[0] == code


def test_a_long_hostile_text_is_refused_at_once() -> None:
    began = time.monotonic()
    assert refused(b":20:A\n:60F:C260302EUR1,00\n:86:" + b"x\n" * 400_000)[0] == "statement_unreadable"
    assert refused(as_mt940(*[ONE] * 2_001))[0] == "too_many_entries"
    assert time.monotonic() - began < 10
