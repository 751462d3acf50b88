"""Texts and identifiers in the SEPA character set.

Banks silently change or refuse other characters, and schemas do not notice them. We convert when a payment is entered,
so that what people approve is what the bank gets. Account numbers, amounts and references are refused, never converted.
Source: EPC217-08 (character set, conversion table, best practices) and EPC230-15 (slashes in identifiers).
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from sepa.errors import TextForbidden

IDENTIFIER_LENGTH_MAX = 35

_ALLOWED = re.compile(r"[a-zA-Z0-9/\-?:().,'+ ]*")
_WORD = re.compile(r"[a-zA-Z0-9]")
_SIGNS = re.compile(r"[^A-Z0-9]+")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# The official table would make a full stop of these: "L’Oréal" became "L.Oreal" and failed the bank's name check.
_FOLDS = {"‘": "'", "’": "'", "ʼ": "'", "–": "-", "—": "-", "−": "-", "…": "..."}


def convert(text: str) -> str:
    """The text in the SEPA character set: NFC, single blanks, trimmed, converted by the EPC table.

    One way and idempotent. Lengths count after conversion, since one letter may become three.
    Raises `TextForbidden` on control characters. Source: EPC217-08, conversion table.
    """
    if _ALLOWED.fullmatch(text):
        return text if "  " not in text and text == text.strip() else " ".join(text.split())
    if has_forbidden(text):
        raise TextForbidden("the text holds a control character")
    plain = unicodedata.normalize("NFC", text).translate(_table())
    return " ".join(plain.split())


def is_allowed(text: str) -> bool:
    """Whether every character is in the SEPA set; says nothing about length or blanks at the ends."""
    return _ALLOWED.fullmatch(text) is not None


def characters_outside(text: str) -> str:
    """The characters outside the SEPA set, each once, in order of appearance."""
    if is_allowed(text):
        return ""
    return "".join(dict.fromkeys(character for character in text if not _ALLOWED.fullmatch(character)))


def has_forbidden(text: str) -> bool:
    """Whether the text holds a control character or one XML 1.0 forbids; tab, line feed and return are fine."""
    return _FORBIDDEN.search(text) is not None


def is_blank_name(name: str) -> bool:
    """Whether a converted name says nothing: empty, or only signs (a name in Arabic script becomes full stops)."""
    return _WORD.search(name) is None


def identifier_faults(identifier: str) -> Iterator[str]:
    """Codes of what is wrong with a message id, payment information id, instruction id or end-to-end id.

    At most 35 characters of the SEPA set, no slash at either end, no double slash. Source: EPC230-15.
    """
    if not identifier.strip():
        yield "identifier_missing"
    if len(identifier) > IDENTIFIER_LENGTH_MAX:
        yield "identifier_too_long"
    if not is_allowed(identifier):
        yield "identifier_characters"
    if identifier.startswith("/") or identifier.endswith("/") or "//" in identifier:
        yield "identifier_slash"


def identifier_from(own_id: str) -> str:
    """One of our typed ids as an identifier for the file: capitals, digits and hyphens (`pay_01h…` → `PAY-01H…`).

    Distinct ids stay distinct as long as they differ in more than case and sign. Raises `TextForbidden` when nothing
    usable is left or it is longer than 35 characters.
    """
    identifier = _SIGNS.sub("-", own_id.upper()).strip("-")
    if not identifier or len(identifier) > IDENTIFIER_LENGTH_MAX:
        raise TextForbidden("no identifier of 1 to 35 characters can be made of this id", own_id=own_id)
    return identifier


class _Table(dict[int, str]):
    def __missing__(self, code_point: int) -> str:
        self[code_point] = " " if chr(code_point).isspace() else "."
        return self[code_point]


@cache
def _table() -> _Table:
    text = files("sepa").joinpath("data/epc217_08.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("# "))
    table = _Table({int(row["code_point"], 16): row["becomes"] for row in rows})
    table.update({ord(sign): plain for sign, plain in _FOLDS.items()})
    # A no-break space is in the official table too; every blank is a blank for us.
    table.update({code_point: " " for code_point in (*table, 0xA0, 0x85) if chr(code_point).isspace()})
    return table
