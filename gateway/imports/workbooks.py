"""Reading an Excel workbook (.xlsx) that may be hostile (OFF-12).

The archive is judged by its directory before anything is unpacked, then every part is unpacked once and counted: a
directory may lie. Document types, entities, other encodings, macros and links to other files are refused, and so is a
number of elements that no list of 5,000 clients has. Only then openpyxl reads the first sheet, without its
formulas' values. Source: ECMA-376 part 2 (packages), part 1 §18 (SpreadsheetML).
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from gateway.errors import GatewayError
from gateway.imports.errors import (
    DangerousXml,
    FileEmpty,
    FileOfOtherKind,
    FileRefused,
    ImportTooLarge,
    LinksRefused,
    MacrosRefused,
    OtherSpreadsheet,
)
from gateway.imports.tables import BLANK, COLUMNS_MAX, Cell, HeadersOf, Table, checked, table_of

UNPACKED_BYTES_MAX: Final = 100 * 1024 * 1024
PARTS_MAX: Final = 2_000
ELEMENTS_MAX: Final = 3_000_000
"""5,000 rows of 100 formatted cells are half of it."""
ROW_NUMBER_MAX: Final = 1_048_576
"""The last row Excel has."""
PIECE_BYTES: Final = 256 * 1024

_PACKED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_XML_NAMES: Final = (".xml", ".rels", ".vml")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_ENCODINGS: Final = frozenset({b"utf-8", b"us-ascii", b"ascii"})
_DECLARATIONS: Final = (b"<!DOCTYPE", b"<!ENTITY")
_OVERLAP: Final = max(len(mark) for mark in _DECLARATIONS) - 1


def read_workbook(content: bytes, headers_of: HeadersOf | None = None) -> Table:
    """The first visible sheet. Raises subclasses of `FileRefused` and `ImportTooLarge`."""
    try:
        _inspect(content)
        return _read(content, headers_of)
    except GatewayError:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part makes it stumble over
        raise FileRefused from error


def _inspect(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        names = [part.filename for part in parts]
        if len(parts) > PARTS_MAX or sum(part.file_size for part in parts) > UNPACKED_BYTES_MAX:
            raise ImportTooLarge
        if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names:
            raise _other_kind(names)
        if len(set(names)) != len(names) or any(
            part.flag_bits & 1 or part.compress_type not in _PACKED for part in parts
        ):
            raise DangerousXml
        lower = [name.lower() for name in names]
        if any("vbaproject" in name or name.startswith(("xl/macrosheets/", "xl/dialogsheets/")) for name in lower):
            raise MacrosRefused
        if any(name.startswith("xl/externallinks/") for name in lower):
            raise LinksRefused
        unpacked, elements = 0, 0
        for part in parts:
            is_xml = part.filename.lower().endswith(_XML_NAMES)
            kept = b""
            with archive.open(part) as stream:
                is_first = True
                while piece := stream.read(PIECE_BYTES):
                    unpacked += len(piece)
                    if unpacked > UNPACKED_BYTES_MAX:
                        raise ImportTooLarge
                    if is_xml:
                        _require_plain_xml(kept + piece, is_first=is_first)
                        elements += piece.count(b"<")
                        if elements > ELEMENTS_MAX:
                            raise ImportTooLarge
                        kept = piece[-_OVERLAP:]
                    is_first = False


def _require_plain_xml(piece: bytes, *, is_first: bool) -> None:
    if any(mark in piece for mark in _DECLARATIONS):
        raise DangerousXml
    if not is_first:
        return
    # Another encoding could hide a declaration from the search above.
    if piece.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00", b"+/v")) or b"\x00" in piece[:100]:
        raise DangerousXml
    declared = _ENCODING.search(piece[:200]) if piece.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml") else None
    if declared is not None and declared[1].lower() not in _ENCODINGS:
        raise DangerousXml


def _other_kind(names: list[str]) -> FileRefused:
    if "xl/workbook.bin" in names or "content.xml" in names:
        return OtherSpreadsheet()
    if "word/document.xml" in names:
        return FileOfOtherKind(kind="Word")
    return FileOfOtherKind(kind="ZIP")


def _read(content: bytes, headers_of: HeadersOf | None) -> Table:
    with warnings.catch_warnings():
        # openpyxl warns of styles and extensions that it passes over; they are of no use here.
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        try:
            sheets = [
                sheet
                for sheet in book.worksheets
                if isinstance(sheet, ReadOnlyWorksheet) and sheet.sheet_state == "visible"
            ]
            if not sheets:
                raise FileEmpty
            return table_of("xlsx", _lines(sheets[0]), headers_of)
        finally:
            book.close()


def _lines(sheet: Any) -> Iterator[tuple[int, Mapping[int, Cell]]]:
    # The declared extent of a sheet may be wrong or hostile; each row is taken as it comes.
    sheet.reset_dimensions()
    blank: Any = None
    for number, row in enumerate(sheet.iter_rows(max_col=COLUMNS_MAX, max_row=ROW_NUMBER_MAX), start=1):
        if row is blank:
            # A gap of a million rows is one and the same empty row again and again.
            continue
        cells = {
            index: cell
            for index, found in enumerate(row)
            if found.value is not None and (cell := _cell(found)) != BLANK
        }
        if cells:
            yield number, cells
        else:
            blank = row


def _cell(found: Any) -> Cell:
    value = found.value
    if found.data_type == "f":
        return Cell(fault="formula_refused")
    if found.data_type == "e":
        return Cell(fault="cell_error")
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, str):
        return checked(value)
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date | time):
        return Cell(value.isoformat())
    number = str(value) if isinstance(value, int) else plain_number(Decimal(repr(value)))
    return checked(number, is_number=True)


def plain_number(value: Decimal) -> str:
    """A number as people write it: no exponent, no zeros at the end."""
    if not value.is_finite() or abs(value.adjusted()) > 30:
        return str(value)
    if value == value.to_integral_value():
        return format(value.quantize(Decimal(1)), "f")
    return format(value.normalize(), "f")
