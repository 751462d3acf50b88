from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given

import coda
from tests.coda.builders import entry, quick, statement, statements

GOLDEN = Path(__file__).parent / "golden"


@quick
@given(statement=statements())
def test_a_written_statement_reads_back_unchanged(statement: coda.Statement) -> None:
    content = coda.write([statement])
    assert list(coda.read(content)) == [statement]
    assert coda.check(content).findings == ()


def test_a_text_that_looks_like_utf_8_reads_back_as_it_was_written() -> None:
    written = statement([entry(counterparty_name="CafÃ© NoÃ«l", communication="Â£")])
    assert list(coda.read(coda.write([written]))) == [written]


@quick
@given(statement=statements())
def test_ascii_output_is_ascii_and_taken_by_the_strict_reader(statement: coda.Statement) -> None:
    content = coda.write([statement], encoding="ascii")
    assert content.isascii()
    assert coda.check(content).findings == ()


@quick
@given(statement=statements())
def test_every_line_is_of_128_characters_and_ends_in_crlf(statement: coda.Statement) -> None:
    lines = coda.write([statement]).split(b"\r\n")
    assert lines.pop() == b""
    assert {len(line) for line in lines} == {128}
    assert not any(byte < 32 for line in lines for byte in line)


def test_counts_and_totals_come_from_what_is_written() -> None:
    written = statement([entry("A"), entry("B", amount=Decimal("-2.5"), counterparty_street="Straat 1")])
    trailer = coda.write([written]).split(b"\r\n")[-2].decode()
    assert trailer == "9".ljust(16) + "000010" + "000000000002500" + "000000000012500" + "2".rjust(76)


def test_several_statements_in_one_file_have_code_1_but_for_the_last() -> None:
    content = coda.write(statement(number=number) for number in (1, 2, 3))
    assert [line[-1:] for line in content.split(b"\r\n") if line.startswith(b"9")] == [b"1", b"1", b"2"]
    assert [read.number for read in coda.read(content)] == [1, 2, 3]


def test_record_8_repeats_the_account_of_record_1() -> None:
    lines = coda.write([statement()]).split(b"\r\n")
    assert lines[1][5:42] == lines[-3][4:41]


def test_next_and_link_codes_are_those_of_banks() -> None:
    entries = [
        entry("A", counterparty_locality="9000 Gent", notes=["x"]),
        coda.Entry(amount=Decimal(1), entry_date=date(2026, 3, 16), bank_reference="B", transaction_code="00150000"),
    ]
    lines = coda.write([statement(entries)]).decode("cp1252").split("\r\n")[2:-3]
    codes = [(line[:2], line[125], line[127]) for line in lines]
    assert codes == [
        ("21", "1", "0"),
        ("22", "1", "0"),
        ("23", "0", "1"),
        ("31", "1", "0"),
        ("32", "0", "1"),
        ("31", "0", "0"),
        ("21", "0", "0"),
    ]


def test_a_copy_sent_again_differs_in_its_mark_only() -> None:
    original = coda.write([statement()])
    copy = coda.write([statement().as_duplicate()])
    assert [(a, b) for a, b in zip(original, copy, strict=True) if a != b] == [(ord(" "), ord("D"))]


def test_characters_outside_the_set_are_folded_where_they_stand() -> None:
    written = statement()
    foreign = replace(written, movements=(replace(written.movements[0], counterparty_name="Łódź €漢\u00a0x"),))
    (line,) = (line for line in coda.write([foreign]).split(b"\r\n") if line.startswith(b"23"))
    assert line[47:82].rstrip() == "Lódz €. x".encode("cp1252")
    (line,) = (line for line in coda.write([foreign], "ascii").split(b"\r\n") if line.startswith(b"23"))
    assert line[47:82].rstrip() == b"Lodz E. x"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bank_reference": "x" * 22}, "movement.bank_reference"),
        ({"amount": Decimal("1e12")}, "movement.amount"),
        ({"amount": Decimal("0.0001")}, "movement.amount"),
        ({"entry_date": None}, "movement.entry_date"),
        ({"entry_date": date(1999, 1, 1)}, "movement.entry_date"),
        ({"transaction_code": "0015"}, "movement.transaction_code"),
        ({"transaction_code": "        "}, "movement.transaction_code"),
        ({"communication": "x" * 150}, "movement.communication"),
        ({"communication": "a\nb"}, "movement.communication"),
        ({"communication_type": "1"}, "movement.communication_type"),
        ({"counterparty_bic": "x" * 12}, "movement.counterparty_bic"),
        ({"has_details": False}, "movement.customer_reference"),
        ({"has_counterparty": False}, "movement.counterparty_zone"),
        ({"counterparty_street": "Straat 1"}, "movement.counterparty_street"),
        ({"sequence": 2}, "movement.sequence"),
        ({"sequence": -1}, "movement.sequence"),
        ({"detail": 10000}, "movement.detail"),
        ({"globalisation": 10}, "movement.globalisation"),
    ],
)
def test_a_value_the_strict_reader_would_refuse_is_refused_with_its_field(
    changes: dict[str, object], field: str
) -> None:
    written = statement()
    changed = replace(written, movements=(replace(written.movements[0], **changes),))
    with pytest.raises(coda.InvalidValue) as caught:
        coda.write([changed])
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": 1000}, "old_balance.number"),
        ({"creation_date": None}, "header.creation_date"),
        ({"version": 1}, "statement.version"),
        ({"new_balance": None}, "new_balance"),
        ({"movements": ()}, "statement.new_balance"),
        ({"file_reference": "x" * 11}, "header.file_reference"),
        ({"separate_application": "1"}, "header.separate_application"),
        ({"multiple_file_code": "3"}, "trailer.multiple_file_code"),
    ],
)
def test_a_statement_the_strict_reader_would_refuse_is_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(coda.InvalidValue) as caught:
        coda.write([replace(statement(), **changes)])
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "BE" + "1" * 40}, "account.number"),
        ({"structure": "4"}, "account.structure"),
        ({"structure": "3", "extension": "001"}, "account.extension"),
        ({"structure": "0"}, "account.number"),
        ({"bank_id": "7"}, "header.bank_id"),
        ({"company_id": ""}, "header.company_id"),
    ],
)
def test_an_account_that_does_not_fit_is_refused(changes: dict[str, str], field: str) -> None:
    written = statement()
    with pytest.raises(coda.InvalidValue) as caught:
        coda.write([replace(written, account=replace(written.account, **changes))])
    assert caught.value.field == field


def test_information_that_needs_more_records_than_it_says_is_refused() -> None:
    written = statement([entry(notes=["x"])])
    movement = written.movements[0]
    information = replace(movement.information[0], communication="x" * 80)
    changed = replace(written, movements=(replace(movement, information=(information,)),))
    with pytest.raises(coda.InvalidValue, match=r"information\.parts"):
        coda.write([changed])


def test_a_wrong_balance_and_an_empty_list_are_refused() -> None:
    written = statement()
    balance = coda.Balance(amount=Decimal(1), date=date(2026, 3, 16))
    with pytest.raises(coda.BalanceMismatch):
        coda.write([replace(written, new_balance=balance)])
    with pytest.raises(coda.InvalidValue, match="statements"):
        coda.write([])
    with pytest.raises(coda.InvalidValue, match="encoding"):
        coda.write([written], encoding="utf-8")  # type: ignore[arg-type]
