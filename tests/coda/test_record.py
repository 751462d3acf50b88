import csv
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coda.errors import InvalidValue
from coda.fields import Amount, Code, Codec, Day, Digits, Flag, Mark, OneOf, SignedAmount, Text
from coda.record import Record, record
from coda.records import VERSION_1, VERSION_2
from coda.records.movement import MovementMain
from tests.coda.builders import dates, quick

EVERY = sorted({*VERSION_1.values(), *VERSION_2.values()}, key=lambda each: each.__name__)
AMOUNTS = st.decimals(0, 999999999999, places=3)
LETTERS = st.characters(min_codepoint=33, max_codepoint=126)


def values_of(codec: Codec) -> st.SearchStrategy[object]:
    """Values that the codec can hold."""
    match codec:
        case SignedAmount():
            return st.one_of(AMOUNTS, AMOUNTS.map(lambda amount: -amount if amount else amount))
        case Amount():
            return AMOUNTS
        case Digits():
            return st.integers(0, 10**codec.length - 1)
        case Code():
            return st.text("0123456789", min_size=codec.length, max_size=codec.length)
        case OneOf():
            return st.sampled_from(codec.characters)
        case Flag() | Mark():
            return st.booleans()
        case Day():
            return dates | st.none() if codec.may_be_absent else dates
        case Text():
            return st.text(LETTERS | st.just(" "), max_size=codec.length).map(lambda text: text.rstrip(" "))
    raise AssertionError(codec)


@pytest.mark.parametrize("declared", EVERY, ids=lambda each: each.__name__)
def test_every_record_uses_each_of_the_128_columns_once(declared: type[Record]) -> None:
    used = [column for each in declared.layout for column in range(each.start, each.end + 1)]
    assert used == list(range(1, 129))


@pytest.mark.parametrize("declared", EVERY, ids=lambda each: each.__name__)
@quick
@given(data=st.data())
def test_a_written_record_reads_back_unchanged(declared: type[Record], data: st.DataObject) -> None:
    coded = {column.name: column.codec for column in declared.layout if column.codec is not None}
    value = declared(**{name: data.draw(values_of(codec), label=name) for name, codec in coded.items()})
    line = value.line()
    assert len(line) == 128
    assert declared.parse(line) == value
    assert declared.parse(line).line() == line


@pytest.mark.parametrize("declared", EVERY, ids=lambda each: each.__name__)
@quick
@given(line=st.text(st.characters(codec="cp1252"), max_size=140))
def test_any_line_can_be_read_and_its_faults_have_a_place(declared: type[Record], line: str) -> None:
    faults: list[object] = []
    declared.read(line, faults.append)
    for fault in faults:
        first, last = fault.columns  # type: ignore[attr-defined]
        assert 1 <= first <= last <= 128


def test_the_declared_layouts_are_those_of_the_standard() -> None:
    """Each position of the standard is held by a column of ours with the same type; only a sign joins its amount."""
    path = Path(__file__).parent / "layout_facts.csv"
    rows = csv.DictReader(line for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
    seen: dict[str, int] = {}
    for row in rows:
        declared, start, length = VERSION_2[row["record"]], int(row["start"]), int(row["length"])
        column = next(each for each in declared.layout if each.start <= start <= each.end)
        place = f"record {row['record']}, column {start}"
        seen[row["record"]] = start + length - 1
        is_part_of_kind = column.end <= len(declared.kind)
        if isinstance(column.codec, SignedAmount):
            assert (start, length) in ((column.start, 1), (column.start + 1, 15)), place
        elif not is_part_of_kind:
            assert (start, length) == (column.start, column.end - column.start + 1), place
        if row["content"] == "blank":
            assert column.codec is None, place
            assert not column.fixed.strip(), place
        elif column.codec is None:
            assert column.fixed == row["content"].removeprefix("fixed ") or is_part_of_kind, place
        else:
            assert column.codec.kind == row["type"].replace("A", "AN").replace("ANN", "AN"), place
    assert seen == dict.fromkeys(VERSION_2, 128)


def test_a_column_that_is_unused_or_used_twice_is_refused_when_the_record_is_declared() -> None:
    with pytest.raises(TypeError, match="column 4 is unused or used twice"):

        @record("X", blank=((5, 128),))
        class Gap(Record):
            first: Annotated[int, Digits(2, 2)]

    with pytest.raises(TypeError, match="column 3 is unused or used twice"):

        @record("X", blank=((3, 128),))
        class Overlap(Record):
            first: Annotated[int, Digits(2, 2)]

    with pytest.raises(TypeError, match="127 columns instead of 128"):

        @record("X", blank=((2, 127),))
        class Short(Record):
            pass


def test_a_record_is_frozen() -> None:
    line = "2100010000REF                  0000000000012500160326001500000TEXT".ljust(115) + "16032600700 0"
    movement = MovementMain.parse(line)
    assert movement.line() == line
    with pytest.raises(FrozenInstanceError):
        movement.sequence = 2  # type: ignore[misc]


def test_parsing_a_faulty_line_names_the_field() -> None:
    line = "2100010000REF                  0000000000012500160326001500000TEXT".ljust(115) + "31022600700 0"
    with pytest.raises(InvalidValue, match="bad_date") as caught:
        MovementMain.parse(line)
    assert caught.value.field == "movement.entry_date"
