"""Reading MT940: statements in the tags of SWIFT, as banks write them to files (STA-19). Pure.

Strict where money is concerned: a balance, an amount or a day that cannot be read refuses the file. What stands between
the tags of a statement continues the tag before it. Source: SWIFT user handbook, MT940 customer statement message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

_TAG: Final = re.compile(r":([0-9]{2}[A-Z]?):(.*)")
_START: Final = re.compile(r"(?m)^(?:\{4:)?:20:")
_BALANCE: Final = re.compile(r"([DC])([0-9]{6})([A-Z]{3})([0-9]{1,15},[0-9]{0,3})")
_LINE: Final = re.compile(
    r"(?P<value>[0-9]{6})(?P<entry>[0-9]{4})?(?P<mark>R?[DC])(?P<funds>[A-Z])?(?P<amount>[0-9]{1,13},[0-9]{0,3})"
    r"(?P<type>[A-Z][A-Z0-9]{3})(?P<reference>.*?)(?://(?P<bank>.*))?"
)
_CODE: Final = re.compile(r"/(BENM|ORDP|NAME|IBAN|BIC|REMI|EREF|MARF|CSID|PURP|TRTP|ISDT|CNTP|ULTB|ULTD)/")
_FIELD: Final = re.compile(r"\?([0-9]{2})")
_SEPA: Final = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
LINES_MAX: Final = 500_000
TAG_MAX: Final = 20_000
"""Characters of one tag; the standard has 390."""


class Mt940Refused(Exception):
    """What cannot be read: the tag, and the line it stands on (1-based)."""

    def __init__(self, tag: str, line: int = 0) -> None:
        super().__init__(tag)
        self.tag = tag
        self.line = line


@dataclass(frozen=True, slots=True)
class Mt940Entry:
    """One entry; `amount` is above zero for a credit to the account holder, so a reversal of a credit is below."""

    amount: Decimal
    booking_date: date
    value_date: date
    is_reversal: bool
    type_code: str
    reference: str
    bank_reference: str
    information: str = ""
    """What tag 86 says, its lines joined as the bank broke them."""


@dataclass(frozen=True, slots=True)
class Mt940Statement:
    """One account from an opening to a closing balance, a page of it where the bank makes pages."""

    account: str
    currency: str
    opening: Decimal
    opening_date: date
    closing: Decimal
    closing_date: date
    entries: tuple[Mt940Entry, ...]


def is_mt940(text: str) -> bool:
    """Whether a text looks like it: a statement begins somewhere, and has an opening balance."""
    return _START.search(text) is not None and re.search(r"(?m)^:60[FM]?:", text) is not None


def read(text: str) -> list[Mt940Statement]:
    """The statements of a text, in its order; raises `Mt940Refused`."""
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        raise Mt940Refused("size")
    found = [_statement(block) for block in _blocks(lines)]
    if not found:
        raise Mt940Refused("20")
    return found


Block = list[tuple[str, str, int]]


def _blocks(lines: list[str]) -> Iterator[Block]:
    """The tags of each statement with their text and first line."""
    block: Block = []
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip()
        if line.startswith("{"):
            # Envelope of the message; the text may begin on the same line.
            line = line.rpartition("{4:")[2] if "{4:" in line else ""
        match = _TAG.fullmatch(line)
        if match is not None:
            if match[1] == "20" and block:
                yield block
                block = []
            if match[1] == "20" or block:
                block.append((match[1], match[2], number))
        elif line in ("-", "-}") and block:
            yield block
            block = []
        elif line and block:
            tag, known, first = block[-1]
            if len(known) > TAG_MAX:
                raise Mt940Refused(tag, number)
            block[-1] = (tag, f"{known}\n{line}", first)
    if block:
        yield block


def _statement(block: Block) -> Mt940Statement:
    account: str | None = None
    opening: tuple[Decimal, date, str] | None = None
    closing: tuple[Decimal, date, str] | None = None
    entries: list[Mt940Entry] = []
    is_told = True
    for tag, text, line in block:
        match tag:
            case "25" | "25P":
                account = text.split("\n", maxsplit=1)[0].replace(" ", "")
            case "60F" | "60M" | "60":
                opening = _balance(tag, text, line)
            case "62F" | "62M" | "62":
                closing = _balance(tag, text, line)
            case "61":
                entries.append(_entry(text, line))
                is_told = False
            case "86" if not is_told:
                entries[-1] = replace(entries[-1], information=text)
                is_told = True
            case _:
                pass
    if account is None or opening is None or closing is None:
        raise Mt940Refused("25" if account is None else "60F" if opening is None else "62F", block[0][2])
    if opening[2] != closing[2]:
        raise Mt940Refused("62F", block[-1][2])
    return Mt940Statement(account, opening[2], opening[0], opening[1], closing[0], closing[1], tuple(entries))


def _balance(tag: str, text: str, line: int) -> tuple[Decimal, date, str]:
    match = _BALANCE.fullmatch(text.strip())
    if match is None:
        raise Mt940Refused(tag, line)
    amount = _amount(match[4])
    return (amount if match[1] == "C" else -amount), _day(match[2], tag, line), match[3]


def _entry(text: str, line: int) -> Mt940Entry:
    first, _, supplement = text.partition("\n")
    match = _LINE.fullmatch(first)
    if match is None:
        raise Mt940Refused("61", line)
    amount = _amount(match["amount"])
    value_date = _day(match["value"], "61", line)
    mark = match["mark"]
    return Mt940Entry(
        amount=amount if mark in ("C", "RD") else -amount,
        booking_date=_booked(match["entry"], value_date, line),
        value_date=value_date,
        is_reversal=mark.startswith("R"),
        type_code=match["type"],
        reference=match["reference"].strip(),
        bank_reference=(match["bank"] or "").strip(),
        information=supplement,
    )


def _booked(month_day: str | None, value_date: date, line: int) -> date:
    """The entry date has no year: it is the one nearest to the value date."""
    if month_day is None:
        return value_date
    found = []
    for year in (value_date.year - 1, value_date.year, value_date.year + 1):
        try:
            found.append(date(year, int(month_day[:2]), int(month_day[2:])))
        except ValueError:
            continue
    if not found:
        raise Mt940Refused("61", line)
    return min(found, key=lambda day: abs(day - value_date))


def _amount(text: str) -> Decimal:
    return Decimal(text.replace(",", ".") + ("0" if text.endswith(",") else ""))


def _day(text: str, tag: str, line: int) -> date:
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        raise Mt940Refused(tag, line) from None


def details_of(information: str) -> Mapping[str, str]:
    """What tag 86 says by name, as far as it has one of the usual structures.

    `name`, `account`, `bic`, `text`, `end_to_end_id`, `mandate_id`, `creditor_id`; without a structure `text` alone.
    """
    joined = information.replace("\n", "")
    if _CODE.search(joined):
        return _slashed(joined)
    if re.match(r"[0-9]{3}\?", joined):
        return _numbered(joined)
    return {"text": "\n".join(line.strip() for line in information.split("\n") if line.strip())}


def _slashed(joined: str) -> Mapping[str, str]:
    names = {
        "NAME": "name", "IBAN": "account", "BIC": "bic", "REMI": "text", "EREF": "end_to_end_id",
        "MARF": "mandate_id", "CSID": "creditor_id",
    }  # fmt: skip
    parts = _CODE.split(joined)
    found = {"text": parts[0].strip()} if parts[0].strip() else {}
    for code, value in zip(parts[1::2], parts[2::2], strict=True):
        plain = value.strip("/ ").removeprefix("USTD//").removeprefix("STRD/CUR/")
        if code == "CNTP":
            # Account, bank, name and place, one after the other.
            found |= {
                name: part
                for name, part in zip(("account", "bic", "name"), value.split("/"), strict=False)
                if part.strip()
            }
        elif code in names and plain:
            found.setdefault(names[code], plain)
    return found


def _numbered(joined: str) -> Mapping[str, str]:
    parts = _FIELD.split(joined)
    fields: dict[str, str] = {}
    for number, value in zip(parts[1::2], parts[2::2], strict=True):
        fields[number] = fields.get(number, "") + value
    text = "".join(fields.get(f"{number:02d}", "") for number in (*range(20, 30), *range(60, 64)))
    found = {
        "name": (fields.get("32", "") + fields.get("33", "")).strip(),
        "account": fields.get("31", "").strip(),
        "bic": fields.get("30", "").strip(),
        "text": text.strip(),
    }
    pieces = _SEPA.split(text)
    if len(pieces) > 1:
        named = dict(zip(pieces[1::2], pieces[2::2], strict=True))
        found |= {
            "text": named.get("SVWZ", pieces[0]).strip(),
            "end_to_end_id": named.get("EREF", "").strip(),
            "mandate_id": named.get("MREF", "").strip(),
            "creditor_id": named.get("CRED", "").strip(),
        }
    return {name: value for name, value in found.items() if value}
