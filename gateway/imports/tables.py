"""A file of clients as a table of texts, whatever its format; nothing is judged here but what a cell is made of.

A cell that must not be looked at (a formula, an error value, a national register number) arrives without its text and
with the code of its fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.imports.columns import field_of
from gateway.imports.errors import ColumnTwice, FileEmpty, HeaderMissing, ImportTooLarge
from gateway.imports.national_numbers import holds_national_number

ROWS_MAX: Final = 5_000
COLUMNS_MAX: Final = 128
CELL_LENGTH_MAX: Final = 2_000
HEADER_ROWS_MAX: Final = 10
"""A title or a blank line may stand above the headers."""
HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")
"""What an escape in JSON can write and no encoding can hold."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one cell; with a fault, its text is not kept."""

    text: str = ""
    fault: str | None = None


BLANK: Final = Cell()


@dataclass(frozen=True, slots=True)
class Header:
    """One column of the file."""

    index: int
    letter: str | None
    """Its letter in a spreadsheet; None in JSON."""
    text: str
    field: str | None
    """What it stands for here; None for a column that is passed over."""


HeadersOf = Callable[[Mapping[int, Cell]], tuple[Header, ...]]
"""The headers in a line; empty for a title."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` is the one the spreadsheet shows, in JSON the position from 1 on."""

    number: int
    cells: Mapping[int, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """A whole file."""

    format: str
    headers: tuple[Header, ...]
    rows: tuple[Row, ...]


def letter_of(index: int) -> str:
    """Column letters of a spreadsheet: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def checked(text: str, *, is_number: bool = False) -> Cell:
    """A cell of this text, unless the text must not be kept. `is_number`: a spreadsheet dropped leading zeros."""
    text = text.strip()
    if not text:
        return BLANK
    if text.startswith("="):
        return Cell(fault="formula_refused")
    if HALF_A_PAIR.search(text):
        return Cell(fault="not_a_text")
    if len(text) > CELL_LENGTH_MAX:
        return Cell(fault="too_long")
    if holds_national_number(text) or (is_number and len(text) == 10 and text[0] not in "01" and _is_short(text)):
        return Cell(fault="national_number_refused")
    return Cell(text)


def _is_short(text: str) -> bool:
    return text.isascii() and text.isdigit() and holds_national_number(text.zfill(11))


def table_of(
    format_name: str, lines: Iterator[tuple[int, Mapping[int, Cell]]], headers_of: HeadersOf | None = None
) -> Table:
    """Headers and rows of a sheet given line by line; blank lines are passed over.

    `headers_of` tells headers from a title, where the list is not one of clients.
    Raises `FileEmpty`, `HeaderMissing`, `ColumnTwice`, `ImportTooLarge`.
    """
    headers: tuple[Header, ...] = ()
    rows: list[Row] = []
    tried = 0
    for number, cells in lines:
        filled = {index: cell for index, cell in cells.items() if cell != BLANK and index < COLUMNS_MAX}
        if not filled:
            continue
        if not headers:
            headers = (headers_of or _headers)(filled)
            tried += 1
            if not headers and tried >= HEADER_ROWS_MAX:
                raise HeaderMissing
            continue
        if len(rows) >= ROWS_MAX:
            raise ImportTooLarge
        rows.append(Row(number, filled))
    if not headers:
        raise HeaderMissing if tried else FileEmpty
    if not rows:
        raise FileEmpty
    return Table(format_name, headers, tuple(rows))


def named_table(format_name: str, rows: list[tuple[int, Mapping[str, Cell]]]) -> Table:
    """The same for rows that name each value, as JSON does."""
    if len(rows) > ROWS_MAX:
        raise ImportTooLarge
    names: dict[str, int] = {}
    for _number, named in rows:
        for name in named:
            names.setdefault(name, len(names))
            if len(names) > COLUMNS_MAX:
                raise ImportTooLarge
    if not rows:
        raise FileEmpty
    headers = tuple(Header(index, None, name, field_of(name)) for name, index in names.items())
    _require_columns(headers)
    return Table(
        format_name,
        headers,
        tuple(
            Row(number, {names[name]: cell for name, cell in named.items() if cell != BLANK}) for number, named in rows
        ),
    )


def _headers(cells: Mapping[int, Cell]) -> tuple[Header, ...]:
    """The headers, when at least a name or a key is among them; otherwise this line is a title."""
    headers = tuple(
        Header(index, letter_of(index), cell.text[:70], field_of(cell.text)) for index, cell in sorted(cells.items())
    )
    if not any(header.field in ("enterprise_number", "external_id", "name") for header in headers):
        return ()
    _require_columns(headers)
    return headers


def _require_columns(headers: tuple[Header, ...]) -> None:
    if not any(header.field for header in headers):
        raise HeaderMissing
    seen: dict[str, Header] = {}
    for header in headers:
        if header.field is None:
            continue
        first = seen.setdefault(header.field, header)
        if first is not header:
            raise ColumnTwice(
                first=first.letter or first.field, second=header.letter or header.field, field=header.field
            )
