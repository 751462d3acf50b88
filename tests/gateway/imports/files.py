"""Import files for tests: invented clients with valid check digits, as CSV, JSON or a real workbook."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook

PERSON = "85.07.30-033.28"
"""A number with the check digits of the national register; nobody's."""


def enterprise_number(index: int) -> str:
    """The index-th invented enterprise number."""
    base = 6_000_000 + index * 137
    return f"{base:08d}{97 - base % 97:02d}"


def iban(index: int, *, bank: int = 539) -> str:
    """The index-th invented Belgian account number."""
    base = f"{bank:03d}{index:07d}"
    bban = f"{base}{int(base) % 97 or 97:02d}"
    return f"BE{98 - int(bban + '111400') % 97:02d}{bban}"


def csv_of(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, divider: str = ";") -> bytes:
    """A CSV file."""
    lines = [headers, *rows]
    return "\r\n".join(
        divider.join('"' + str(cell).replace('"', '""') + '"' for cell in line) for line in lines
    ).encode()


def xlsx_of(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A workbook with one sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Clients")
    sheet.append(list(headers))
    for row in rows:
        sheet.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def clients(count: int, *, start: int = 1) -> list[list[Any]]:
    """Rows of name, enterprise number, IBAN, contact e-mail."""
    return [
        [f"Bakkerij {index} BV", enterprise_number(index), iban(index), f"contact{index}@example.test"]
        for index in range(start, start + count)
    ]


HEADERS = ("Naam", "Ondernemingsnummer", "IBAN 1", "E-mail contact")
