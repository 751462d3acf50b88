import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import coda
from coda.convert import COLUMNS, FORMULA_STARTS, cell
from tests.coda.builders import entry, quick, statement

FILES = sorted((Path(__file__).parent / "golden").glob("*.cod"))


def rows(content: coda.source.Source, **options: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(coda.to_csv(content, **options)))))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_json_is_that_of_show(path: Path) -> None:
    assert json.loads("".join(coda.to_json(path))) == coda.show(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_table_has_a_row_for_each_movement_and_the_same_sum(path: Path) -> None:
    movements = [movement for each in coda.read(path) for movement in each.movements]
    table = rows(path)
    assert [Decimal(row["amount"]) for row in table] == [movement.amount for movement in movements]
    assert all(tuple(row) == COLUMNS for row in table)


def test_a_row_says_what_the_movement_says() -> None:
    (row,) = rows(coda.write([statement([entry(reference="+++505/1686/26077+++")])]), language="nl")
    assert row["reference"] == "'+++505/1686/26077+++"
    assert (row["amount"], row["entry_date"], row["counterparty_name"]) == ("12.500", "2026-03-16", "Alfa Handel BV")
    assert row["transaction"].endswith("Overschrijving te uwen gunste")


@quick
@given(st.text(max_size=60))
def test_no_text_cell_is_a_formula(text: str) -> None:
    assert not cell(text).startswith(FORMULA_STARTS)


@pytest.mark.parametrize("attack", ["=1+1", "+cmd|'/c calc'!A0", "-2+3", "@SUM(A1)", " =1+1", "\t=1"])
def test_a_payer_cannot_write_a_formula(attack: str) -> None:
    one = statement()
    movement = replace(one.movements[0], communication=attack.strip(), counterparty_name=attack.strip())
    (row,) = rows(coda.write([replace(one, movements=(movement,))]))
    assert row["communication"].startswith("'")
    assert row["counterparty_name"].startswith("'")


def test_a_file_without_movements_gives_the_heading_only() -> None:
    assert "".join(coda.to_csv(coda.write([statement([])]), delimiter=";")) == ";".join(COLUMNS) + "\r\n"


@pytest.mark.parametrize("convert", [coda.to_json, coda.to_csv])
def test_a_file_that_is_no_coda_is_refused(convert: object) -> None:
    with pytest.raises(coda.NotCoda):
        list(convert(b"<?xml version='1.0'?><Document xmlns='camt.053'/>"))  # type: ignore[operator]
