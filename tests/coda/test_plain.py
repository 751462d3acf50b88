"""Reading and writing a movement in one step, beside reading and writing it record by record: never a difference."""

import random
from dataclasses import FrozenInstanceError, replace
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import coda
import coda.writer
from coda.blocks import blocks_of
from coda.checks import check_block
from coda.reader import statement_of
from coda.source import facts_of, lines_of, opened
from tests.coda.builders import entry, quick, statement, statements
from tests.coda.fuzz import corrupted, examine, is_plain

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.cod"))
DAMAGED = sorted((GOLDEN.parent / "damaged").glob("*.cod"))


def by_record(content: bytes) -> tuple[list[coda.Statement], list[coda.Finding]]:
    """Statements and findings as they are read record by record."""
    with opened(content) as (stream, name):
        blocks = list(blocks_of(lines_of(stream, facts_of(stream, name))))
    return [statement_of(block) for block in blocks], [finding for block in blocks for finding in check_block(block)]


def written_by_record(statement: coda.Statement, monkeypatch: pytest.MonkeyPatch) -> bytes:
    with monkeypatch.context() as context:
        context.setattr(coda.writer, "lines_of", lambda movements: None)
        return coda.write([statement])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_golden_files_are_read_in_one_step_and_alike(path: Path) -> None:
    assert is_plain(path.read_bytes())
    assert (list(coda.read(path)), list(coda.check(path).findings)) == by_record(path.read_bytes())


@pytest.mark.parametrize("path", [*FILES, *DAMAGED], ids=lambda path: path.stem)
def test_any_file_is_read_alike_in_both_ways(path: Path) -> None:
    examine(path.read_bytes())
    examine(path.read_bytes().replace(b"\r\n", b"\n"))
    examine(path.read_bytes().removesuffix(b"\r\n"))


@quick
@given(statement=statements())
def test_a_composed_statement_is_read_and_written_alike_in_both_ways(statement: coda.Statement) -> None:
    content = coda.write([statement])
    assert by_record(content) == ([statement], [])
    with pytest.MonkeyPatch.context() as patch:
        assert written_by_record(statement, patch) == content


@quick
@given(seed=st.integers(0, 2**32))
def test_a_damaged_file_is_read_alike_in_both_ways(seed: int) -> None:
    chance = random.Random(seed)
    examine(corrupted(chance.choice(FILES).read_bytes(), chance))


@pytest.mark.parametrize(
    "changes",
    [
        {"counterparty_name": "Nbsp\u00a0BV"},
        {"counterparty_name": "Łódź €"},
        {"counterparty_name": "soft\u00adhyphen"},
        {"counterparty_name": "x" * 40},
        {"amount": Decimal("12.5"), "bank_reference": ""},
        {"amount": Decimal("1.25E+1")},
        {"amount": Decimal("12.5000")},
        {"communication_type": "101", "communication": "505168626077"},
        {"communication": "word " * 29},
        {"paper_number": 999, "globalisation": 9},
        {"r_type": "2", "r_reason": "MS03", "category_purpose": "SALA", "purpose": "RENT"},
        {"has_details": False, "customer_reference": "", "counterparty_bic": ""},
        {"transaction_code": "00999000"},
    ],
)
def test_what_is_written_does_not_depend_on_the_way(
    changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = statement([entry(), entry("BANK-2", amount=Decimal("-12.50"))])
    first, second = written.movements
    changed = replace(written, movements=(replace(first, **changes), second))
    content = coda.write([changed])
    assert content == written_by_record(changed, monkeypatch)
    examine(content)


@pytest.mark.parametrize("name", ["bank_reference", "customer_reference", "counterparty_name", "purpose"])
def test_a_value_that_is_no_text_is_never_written(name: str) -> None:
    written = statement()
    changed = replace(written, movements=(replace(written.movements[0], **{name: None}),))
    with pytest.raises((TypeError, AttributeError)):
        coda.write([changed])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": Decimal("1234567890123.000")}, "movement.amount"),
        ({"amount": Decimal("-1234567890123.000")}, "movement.amount"),
        ({"amount": Decimal("0.0001")}, "movement.amount"),
        ({"amount": Decimal("NaN")}, "movement.amount"),
        ({"bank_reference": "x" * 22}, "movement.bank_reference"),
        ({"counterparty_name": "two\nlines"}, "movement.counterparty_name"),
        ({"communication": "x" * 150}, "movement.communication"),
        ({"communication_type": "1a1"}, "movement.communication_type"),
        ({"transaction_code": "0015000"}, "movement.transaction_code"),
        ({"entry_date": None}, "movement.entry_date"),
        ({"entry_date": date(1999, 12, 31)}, "movement.entry_date"),
        ({"paper_number": 1000}, "movement.paper_number"),
        ({"globalisation": 10}, "movement.globalisation"),
        ({"sequence": 2}, "movement.sequence"),
        ({"has_counterparty": False}, "movement.counterparty_zone"),
        ({"has_details": False}, "movement.customer_reference"),
        ({"counterparty_street": "Kerkstraat 1"}, "movement.counterparty_street"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(changes: dict[str, object], field: str) -> None:
    written = statement([entry(end_to_end_id="E2E")])
    changed = replace(written, movements=(replace(written.movements[0], **changes),))
    with pytest.raises(coda.InvalidValue) as caught:
        coda.write([changed])
    assert caught.value.field == field


@pytest.mark.parametrize("amount", ["999999999999.999", "-999999999999.999", "0.001", "-0.010", "7", "-7.5"])
def test_an_amount_reads_back_as_it_was_written(amount: str) -> None:
    written = statement([entry(amount=Decimal(amount))], old_balance=Decimal(0))
    (read,) = coda.read(coda.write([written]))
    assert read.movements[0].amount == Decimal(amount)


def test_a_counterparty_right_after_the_main_record_is_read_and_written_in_one_step() -> None:
    written = statement()
    alone = {"has_details": False, "customer_reference": "", "counterparty_bic": "", "communication": "x" * 53}
    changed = replace(written, movements=(replace(written.movements[0], **alone),))
    content = coda.write([changed])
    assert is_plain(content)
    assert list(coda.read(content)) == [changed]


def test_a_statement_that_is_read_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    written = statement([entry(f"BANK-{index}", notes=["x"] * (index % 4)) for index in range(200)])
    content = coda.write([written])
    for size in (1, 500, 4096):
        monkeypatch.setattr("coda.plain._PIECE", size)
        assert is_plain(content)
        assert list(coda.read(content)) == [written]


def test_a_movement_that_was_read_is_frozen_and_like_one_that_was_made() -> None:
    made = statement([entry(notes=["x"])])
    (read,) = coda.read(coda.write([made]))
    assert read == made
    assert type(read.movements[0]) is coda.Movement
    assert type(read.movements[0].information[0]) is coda.Information
    assert hash(read.movements[0]) == hash(made.movements[0])
    with pytest.raises(FrozenInstanceError):
        read.movements[0].amount = Decimal(0)  # type: ignore[misc]


def test_amounts_are_exact_whatever_the_precision_of_the_caller() -> None:
    entries = [entry("A", amount=Decimal("999999999.999")), entry("B", amount=Decimal("-123456789.12"))]
    written = statement(entries)
    with localcontext() as context:
        context.prec = 3
        content = coda.write([written])
        (read,) = coda.read(content)
    assert read == written


def test_details_and_information_are_numbered_in_one_count_of_four_digits() -> None:
    content = coda.write([statement([entry(notes=["x"])])])
    assert is_plain(content)
    skipped = content.replace(b"3100010001", b"3100010002").replace(b"3200010001", b"3200010002")
    assert not is_plain(skipped)
    assert {finding.code for finding in coda.check(skipped).findings} == {"detail_number"}


def test_a_day_is_read_and_written_alike_the_second_time() -> None:
    for day in (date(2000, 1, 1), date(2099, 12, 31), date(2000, 1, 1)):
        (read,) = coda.read(coda.write([statement([entry(entry_date=day)])]))
        assert read.movements[0].entry_date == day
