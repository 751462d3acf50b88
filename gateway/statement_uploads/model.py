"""A statement as a file of the bank says it, in one form for every format. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """One booked entry; `amount` is above zero for a credit to the account holder."""

    booking_date: date
    amount: Decimal
    raw: Mapping[str, Any] = field(repr=False)
    """What the file says, with the names of a Berlin Group row: one mapping for banks and files."""


@dataclass(frozen=True, slots=True)
class DocumentStatement:
    """One account from an opening to a closing balance; the entries add up to the difference."""

    file: str
    """SHA-256 of the file it stands in."""
    position: int
    """In the file, from 1."""
    iban: str
    currency: str
    opening_day: date
    """The last day before it: `opening` is the balance at its end."""
    opening: Decimal
    closing_day: date
    closing: Decimal
    entries: tuple[DocumentEntry, ...] = ()
    may_open_later: bool = False
    """`opening_day` is the day before the one that the file names: something is booked on that one. It may as well be
    an entry that came late; what is known of both days decides."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read, and its format: `coda`, `camt053` or `mt940`."""

    format: str
    statements: tuple[DocumentStatement, ...]


@dataclass(frozen=True, slots=True)
class PartFault:
    """Why the statements of one account do not fit: a stable code and both values, of a day where it is about one."""

    code: str
    found: str = ""
    expected: str = ""
    day: date | None = None

    def stored(self) -> dict[str, str]:
        """As it is kept and shown."""
        day = self.day.isoformat() if self.day is not None else ""
        return {"code": self.code, "day": day, "found": self.found, "expected": self.expected}
