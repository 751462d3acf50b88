"""Structured communications: what their columns hold, as named values, and back.

The table is `structured_communications.csv` beside this file: Febelfin, CODA 2.6, and three types of older editions
(104, 112, 120, and 003 of records 31) whose layout no public source confirms; those keep their text as one value.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from coda.account_zone import is_belgian_number
from coda.descriptions import describe
from coda.errors import InvalidValue

Value = Decimal | date | time | str | None
PartKind = Literal["number", "digits", "date", "date8", "time", "text"]

NO_END = date.max  # 999999 in a date: a guarantee without fixed term


@dataclass(frozen=True, slots=True)
class Part:
    """A named span of a structured communication; `start` counts from 1, after the three digits of the type."""

    name: str
    start: int
    length: int  # 0: all that follows
    kind: PartKind
    decimals: int
    codes: tuple[str, ...] = ()  # when only these values exist; `value_label` tells what they mean

    def raw(self, text: str) -> str:
        """Its characters, as they stand; blanks where the text has ended."""
        if not self.length:
            return text[self.start - 1 :]
        return text[self.start - 1 : self.start - 1 + self.length].ljust(self.length)

    def decode(self, raw: str) -> Value:
        """Its value; `None` when blank, for a date of zeros, and for what cannot be read as its kind."""
        text = raw.rstrip(" ")
        if self.kind == "text":
            return text or None
        if not (text.isascii() and text.isdecimal()):
            return None
        match self.kind:
            case "number":
                return Decimal(text).scaleb(-self.decimals)
            case "digits":
                return text
            case "time":
                return _hour(text)
            case _:
                return _day(text)

    def encode(self, value: Value) -> str:
        """Its columns, `length` wide. Raises `ValueError` when the value does not fit."""
        if value is None:
            text = "0" * self.length if self.kind in ("date", "date8") else ""
        elif isinstance(value, date):
            text = "999999" if value == NO_END else value.strftime("%d%m%Y" if self.kind == "date8" else "%d%m%y")
        elif isinstance(value, time):
            text = value.strftime("%H%M")
        elif isinstance(value, Decimal):
            scaled = value.scaleb(self.decimals)
            if value < 0 or not value.is_finite() or scaled != scaled.to_integral_value():
                raise ValueError(f"needs a number of at most {self.decimals} decimals, not below zero")
            text = f"{int(scaled):0{self.length}d}"
        else:
            text = value
        if self.length and len(text) > self.length:
            raise ValueError(f"is of {len(text)} characters, at most {self.length}")
        return text.ljust(self.length)


@dataclass(frozen=True, slots=True)
class Structured:
    """A structured communication: its type and its values by name, in the order of the standard.

    Amounts, rates and percentages are `Decimal`, days are `date` (`NO_END` for 999999), an hour is `time`; numbers
    that are codes keep their zeros as text. `None` stands for what is blank, zero in a date, or unreadable.
    """

    code: str
    values: Mapping[str, Value]
    text: str  # as it stands, without the type

    def label(self, language: str = "en") -> str:
        """What the type is, in words."""
        return describe("type", self.code, language)

    @property
    def reference(self) -> str:
        """The payer's reference: `+++123/4567/89002+++` for 101 and 102, compact RF for 100; "" for other types."""
        if self.code in ("101", "102"):
            digits = self.text[:12]
            return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++" if is_belgian_number(digits) else ""
        return self.text[:25].strip(" ") if self.code == "100" else ""


def decode(code: str, text: str) -> Structured | None:
    """Values of a structured communication of records 21-23 (100 and up) or 31-33 (001 and up); `None` if unknown.

    `text` begins after the three digits of the type, and its parts run on at their full width, as in
    `Movement.communication` and `Information.communication`.
    """
    parts = parts_of(code)
    if not parts:
        return None
    return Structured(code, {part.name: part.decode(part.raw(text)) for part in parts}, text)


def encode(code: str, values: Mapping[str, Value]) -> str:
    """The text of a structured communication, without its type and the blanks at its end; the reverse of `decode`.

    Raises `InvalidValue` naming the part. Values that are left out become blanks, dates zeros.
    """
    parts = parts_of(code)
    if not parts:
        raise InvalidValue("communication_type", "is not in the table of structured communications")
    unknown = set(values) - {part.name for part in parts}
    if unknown:
        raise InvalidValue(f"communication.{min(unknown)}", f"is no part of type {code}")
    text = ""
    for part in parts:
        try:
            text = text.ljust(part.start - 1) + part.encode(values.get(part.name))
        except ValueError as error:
            raise InvalidValue(f"communication.{part.name}", str(error)) from None
    return text.rstrip(" ")


def parts_of(code: str) -> tuple[Part, ...]:
    """The parts of a type, in the order of their columns; empty when the type is unknown."""
    return _table().get(code, ())


def types() -> tuple[str, ...]:
    """Every type of the table, in its order: 100-127 of movements, then 001-011 of information."""
    return tuple(_table())


def value_label(code: str, name: str, raw: str, language: str = "en") -> str:
    """What a coded value means, such as "Maestro" for card scheme 2; "" when it is no code of the table."""
    text = raw.strip(" ")
    return describe("value", f"{code}.{name}.{text}", language) or describe("value", f"{name}.{text}", language)


@lru_cache(maxsize=1)
def _table() -> Mapping[str, tuple[Part, ...]]:
    found: dict[str, list[Part]] = {}
    text = files("coda").joinpath("structured_communications.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        kind: PartKind = row["type"]  # type: ignore[assignment]  # the test of the table names every kind
        # Such as "1 core; 2 B2B"; other notes hold no list.
        codes = tuple(re.findall(r"(?:^|; )(\w{1,2}) ", row["values"])) if "; " in row["values"] else ()
        part = Part(row["field"], int(row["start"]), int(row["length"]), kind, int(row["decimals"] or 0), codes)
        found.setdefault(row["code"], []).append(part)
    return {code: tuple(parts) for code, parts in found.items()}


def _day(text: str) -> date | None:
    if text == "999999":
        return NO_END
    try:
        return date(int(text[4:]) if len(text) == 8 else 2000 + int(text[4:]), int(text[2:4]), int(text[:2]))
    except ValueError:
        return None


def _hour(text: str) -> time | None:
    try:
        return time(int(text[:2]), int(text[2:]))
    except ValueError:
        return None
