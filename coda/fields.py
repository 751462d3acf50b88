"""Codecs: one for each way in which a record holds a value.

A codec knows its columns (from 1, as the standard prints them), how its value reads and how it is written. Digits are
right-aligned and filled with zeros, text is left-aligned and filled with blanks (CODA 2.6, general notes).
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, ClassVar, Literal

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ufffd]")  # never inside a text: they end lines early or are no character
AMOUNT_MAX = Decimal("999999999999.999")
ZERO = Decimal("0.000")
EXACT = Context(prec=60)  # for arithmetic that must not depend on the precision of the caller's context
MINUS_ZERO = "1" + "0" * 15  # as a signed amount stands on the line


class FieldFault(ValueError):
    """A value that its columns cannot hold; `value` is what a tolerant reader takes instead."""

    def __init__(self, code: str, expected: str, *, value: object = None, warning: bool = False) -> None:
        super().__init__(expected)
        self.code = code
        self.expected = expected
        self.value = value
        self.warning = warning


@dataclass(frozen=True)
class Codec(ABC):
    """A value at `start`, `length` columns wide."""

    start: int
    length: int

    kind: ClassVar[Literal["N", "AN"]]

    @property
    def columns(self) -> tuple[int, int]:
        """First and last column, from 1."""
        return self.start, self.start + self.length - 1

    @property
    @abstractmethod
    def values(self) -> str:
        """What the columns may hold, for the layout table."""

    @property
    @abstractmethod
    def pattern(self) -> str:
        """Regular expression, without groups, that every plain value matches."""

    @abstractmethod
    def decode(self, raw: str) -> Any:
        """Value of the columns; raises `FieldFault` when they hold none."""

    @property
    def plain(self) -> str:
        """Expression for the value of columns, `raw`, that match `pattern`; `decode` is the codec's own."""
        return "decode(raw)"

    @abstractmethod
    def encode(self, value: Any) -> str:
        """Columns of the value, exactly `length` wide; raises `FieldFault` when it does not fit."""


@dataclass(frozen=True)
class Digits(Codec):
    """A whole number. Banks that leave it blank are read as zero, with a warning."""

    kind = "N"

    @property
    def values(self) -> str:
        return "0" * self.length + "-" + "9" * self.length

    @property
    def pattern(self) -> str:
        return f"[0-9]{{{self.length}}}"

    plain = "int(raw)"

    def decode(self, raw: str) -> int:
        if raw.isdecimal() and raw.isascii():
            return int(raw)
        if not raw.strip(" "):
            raise FieldFault("blank_number", _count(self.length), value=0, warning=True)
        digits = raw.strip(" ")
        readable = digits.isdecimal() and digits.isascii()
        raise FieldFault("not_digits", _count(self.length), value=int(digits) if readable else 0)

    def encode(self, value: int) -> str:
        text = f"{value:0{self.length}d}"
        if value < 0 or len(text) > self.length:
            raise FieldFault("number_too_large", f"a number of at most {self.length} digits, not negative")
        return text


@dataclass(frozen=True)
class Code(Codec):
    """Digits that are a code rather than a number, kept as text. `may_be_blank`: banks leave them out."""

    may_be_blank: bool = True

    kind = "N"

    @property
    def values(self) -> str:
        return _count(self.length)

    @property
    def pattern(self) -> str:
        return f"[0-9]{{{self.length}}}"

    plain = "raw"

    def decode(self, raw: str) -> str:
        if raw.isdecimal() and raw.isascii():
            return raw
        if self.may_be_blank and not raw.strip(" "):
            raise FieldFault("blank_number", _count(self.length), value="0" * self.length, warning=True)
        raise FieldFault("not_digits", _count(self.length), value=raw)

    def encode(self, value: str) -> str:
        if len(value) != self.length or not (value.isdecimal() and value.isascii()):
            raise FieldFault("not_digits", _count(self.length))
        return value


@dataclass(frozen=True)
class OneOf(Codec):
    """One character out of `characters`; blank reads as the first, with a warning."""

    characters: str = ""

    kind = "N"

    @property
    def values(self) -> str:
        return " | ".join(self.characters)

    @property
    def pattern(self) -> str:
        return f"[{self.characters}]"

    plain = "raw"

    def decode(self, raw: str) -> str:
        if raw in self.characters and raw:
            return raw
        if raw == " ":
            raise FieldFault("blank_number", self.values, value=self.characters[0], warning=True)
        raise FieldFault("unknown_value", self.values, value=raw)

    def encode(self, value: str) -> str:
        if len(value) != 1 or value not in self.characters:
            raise FieldFault("unknown_value", self.values)
        return value


@dataclass(frozen=True)
class Flag(Codec):
    """1 for yes, 0 for no; blank reads as no, with a warning."""

    length: int = 1

    kind = "N"
    values = "0 | 1"
    pattern = "[01]"

    plain = "raw == '1'"

    def decode(self, raw: str) -> bool:
        if raw in ("0", "1"):
            return raw == "1"
        if raw == " ":
            raise FieldFault("blank_number", self.values, value=False, warning=True)
        raise FieldFault("unknown_value", self.values, value=False)

    def encode(self, value: bool) -> str:
        return "1" if value else "0"


@dataclass(frozen=True)
class Mark(Codec):
    """A letter for yes, blank for no."""

    length: int = 1
    letter: str = "D"

    kind = "AN"

    @property
    def values(self) -> str:
        return f"blank | {self.letter}"

    @property
    def pattern(self) -> str:
        return f"[ {self.letter}]"

    def decode(self, raw: str) -> bool:
        if raw in (" ", self.letter):
            return raw == self.letter
        raise FieldFault("unknown_value", self.values, value=False)

    def encode(self, value: bool) -> str:
        return self.letter if value else " "


@dataclass(frozen=True)
class Text(Codec):
    """Text, read without the blanks that fill it on the right. A text that is too long is refused."""

    kind = "AN"
    values = "text"

    @property
    def pattern(self) -> str:
        return f"[^\x00-\x1f\x7f-\x9f\ufffd]{{{self.length}}}"

    plain = "raw.rstrip(' ')"

    def decode(self, raw: str) -> str:
        text = raw.rstrip(" ")
        if CONTROL.search(text):
            raise FieldFault("control_character", "printable characters", value=CONTROL.sub(" ", text).rstrip(" "))
        return text

    def encode(self, value: str) -> str:
        if len(value) > self.length:
            raise FieldFault("text_too_long", f"at most {self.length} characters, not {len(value)}")
        if CONTROL.search(value):
            raise FieldFault("control_character", "printable characters")
        return value.ljust(self.length)


@dataclass(frozen=True)
class CutText(Text):
    """Text that the standard allows to be cut: names and descriptions that stand elsewhere in full."""

    def encode(self, value: str) -> str:
        return super().encode(value[: self.length])


@dataclass(frozen=True)
class Day(Codec):
    """A date DDMMYY of this century. `may_be_absent`: 000000 stands for no date and reads as `None`."""

    length: int = 6
    may_be_absent: bool = False

    kind = "N"
    pattern = "[0-9]{6}"

    @property
    def values(self) -> str:
        return "DDMMYY | 000000" if self.may_be_absent else "DDMMYY"

    def decode(self, raw: str) -> date | None:
        day = _day(raw)
        if day is None and not (self.may_be_absent and raw == "000000"):
            blank = self.may_be_absent and not raw.strip(" ")
            raise FieldFault("blank_number" if blank else "bad_date", self.values, warning=blank)
        return day

    def encode(self, value: date | None) -> str:
        if value is None:
            if self.may_be_absent:
                return "000000"
            raise FieldFault("bad_date", "a date")
        if not 2000 <= value.year <= 2099:
            raise FieldFault("bad_date", "a date between 2000 and 2099: the century is not in the file")
        return f"{value.day:02d}{value.month:02d}{value.year % 100:02d}"


@dataclass(frozen=True)
class Amount(Codec):
    """An amount without sign: 12 digits and 3 decimals, no separator."""

    length: int = 15

    kind = "N"
    pattern = "[0-9]{15}"
    values = "12 digits + 3 decimals"

    def decode(self, raw: str) -> Decimal:
        if not (raw.isdecimal() and raw.isascii()):
            raise FieldFault("not_digits", "15 digits", value=ZERO)
        return Decimal(f"{raw[:12]}.{raw[12:]}")

    def encode(self, value: Decimal) -> str:
        if not value.is_finite() or not 0 <= value <= AMOUNT_MAX:
            raise FieldFault("amount_too_large", "an amount of at most 12 digits before the decimals")
        rounded = EXACT.quantize(value, ZERO)
        if rounded != value:
            raise FieldFault("too_many_decimals", "at most 3 decimals")
        return f"{int(EXACT.scaleb(rounded, 3)):015d}"


@dataclass(frozen=True)
class SignedAmount(Codec):
    """An amount with its sign before it: 0 credit, 1 debit. Above 0: credit to the account holder."""

    length: int = 16

    kind = "N"
    pattern = "[01][0-9]{15}"
    values = "sign 0 | 1, then 12 digits + 3 decimals"

    def decode(self, raw: str) -> Decimal:
        if raw[:1] not in ("0", "1") or not (raw.isdecimal() and raw.isascii()):
            raise FieldFault("not_digits", "sign 0 or 1 and 15 digits", value=self._guess(raw))
        return _signed(raw)

    def encode(self, value: Decimal) -> str:
        # The sign by itself: no amount that is no number can be compared with zero.
        return ("1" if value.is_signed() and value else "0") + Amount(self.start + 1).encode(value.copy_abs())

    def _guess(self, raw: str) -> Decimal:
        digits = raw[1:]
        if len(digits) != 15 or not (digits.isdecimal() and digits.isascii()):
            return ZERO
        return Amount(self.start + 1).decode(digits)


def _count(digits: int) -> str:
    return "1 digit" if digits == 1 else f"{digits} digits"


def _signed(raw: str) -> Decimal:
    amount = Decimal(f"{raw[1:13]}.{raw[13:]}")
    return amount.copy_negate() if raw[0] == "1" and amount else amount


@lru_cache(maxsize=4096)
def _day(raw: str) -> date | None:
    if not (raw.isdecimal() and raw.isascii() and len(raw) == 6):
        return None
    try:
        # The century is not in the file; CODA began in the nineties, so every file still in use is of this century.
        return date(2000 + int(raw[4:]), int(raw[2:4]), int(raw[:2]))
    except ValueError:
        return None
