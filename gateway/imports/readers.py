"""Telling what kind of file was sent, by its content and not by its name; reading CSV and JSON (OFF-12)."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.imports.errors import (
    EncodingRefused,
    FileEmpty,
    FileOfOtherKind,
    FileRefused,
    ImportTooLarge,
    OldSpreadsheet,
)
from gateway.imports.tables import COLUMNS_MAX, HALF_A_PAIR, Cell, HeadersOf, Table, checked, named_table, table_of
from gateway.imports.workbooks import plain_number, read_workbook

BYTES_MAX: Final = 10 * 1024 * 1024

_KINDS: Final = (
    (b"%PDF", "PDF"),
    (b"{\\rtf", "RTF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "GZIP"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"PK\x05\x06", "ZIP"),
    (b"PK\x07\x08", "ZIP"),
    (b"<", "HTML/XML"),
)


def read_table(content: bytes, headers_of: HeadersOf | None = None) -> Table:
    """The table in a file of any kind we take; `headers_of` as for `table_of`.

    Raises `ImportTooLarge` and subclasses of `FileRefused`.
    """
    if len(content) > BYTES_MAX:
        raise ImportTooLarge
    start = content[:1024].removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        raise FileEmpty
    if content.startswith(b"PK\x03\x04"):
        return read_workbook(content, headers_of)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise OldSpreadsheet
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise EncodingRefused
    for mark, kind in _KINDS:
        if start.startswith(mark):
            raise FileOfOtherKind(kind=kind)
    text = _text(content)
    try:
        return read_json(text) if start.startswith((b"{", b"[")) else read_csv(text, headers_of)
    except GatewayError:
        raise
    except (csv.Error, ValueError, RecursionError, ArithmeticError) as error:
        raise FileRefused from error


def _text(content: bytes) -> str:
    if b"\x00" in content:
        raise FileRefused
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EncodingRefused from error


def read_csv(text: str, headers_of: HeadersOf | None = None) -> Table:
    """Comma or semicolon, whichever the first filled line uses; fields may be quoted."""
    return table_of("csv", _csv_lines(text), headers_of)


def _csv_lines(text: str) -> Iterator[tuple[int, Mapping[int, Cell]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    for number, record in enumerate(reader, start=1):
        yield number, {index: checked(value) for index, value in enumerate(record[:COLUMNS_MAX]) if value}


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip(' \t;,"')), "")
    outside = "".join(part for index, part in enumerate(first.split('"')) if index % 2 == 0)
    return ";" if outside.count(";") >= outside.count(",") else ","


def read_json(text: str) -> Table:
    """A list of objects, or an object whose `clients` is one; values are texts, numbers or lists of texts."""
    document = json.loads(
        text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number, object_pairs_hook=_once
    )
    rows = document.get("clients") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise FileRefused
    return named_table(
        "json", [(number, {name: _json_cell(row[name]) for name in row}) for number, row in enumerate(rows, start=1)]
    )


def _json_cell(value: Any) -> Cell:
    match value:
        case None:
            return Cell()
        case bool():
            return Cell("yes" if value else "no")
        case str():
            return checked(value)
        case Decimal():
            return checked(plain_number(value), is_number=True)
        case list() if all(isinstance(item, str) for item in value):
            return checked("; ".join(value))
        case _:
            return Cell(fault="not_a_text")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in one object")
    if HALF_A_PAIR.search("".join(made)):
        raise ValueError("a name holds half a surrogate pair")
    return made


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")
