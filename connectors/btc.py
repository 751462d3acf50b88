"""The CODA transaction code of a bank's row, and which step decided it (STA-12).

Steps: the bank's own eight digits; the ISO 20022 code (`tables/iso_codes.csv`); clues in the bank's wording
(`tables/text_rules.csv`); a counterparty account; 03039000 / 03089000. Both tables are our own proposal, made from the
ISO 20022 external code sets and the code list of CODA 2.6. The sign of the amount always wins; 00000000 never results.

Conditions of the ISO table: `own_account` the other account is one of the holder's, else an ordinary transfer; `sepa`
the other IBAN lies in SEPA, else family 41; `euro` the original currency is the euro, else operation 08;
`card_statement` the wording names a credit card statement, else the next wider row; `interest` category 002;
`text_first` the wording is asked before the row counts.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from connectors.model import CodeBasis

FAMILIES = frozenset(
    ("00", "01", "02", "03", "04", "05", "07", "09", "11", "13", "30", "35", "41", "43", "47", "49", "80")
)
"""Families of CODA 2.6."""

_SEPA = """
    AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT
    RO RS SE SI SK SM VA
"""
SEPA_COUNTRIES = frozenset(_SEPA.split())
"""Countries of the SEPA schemes by the first two letters of an IBAN; territories that use FR, FI, PT or ES included."""

_SEPARATORS = re.compile(r"[-/. ]+")
_PARTS = re.compile(r"[A-Z0-9]{4}")
_CARD_STATEMENT = re.compile(
    r"\b(kredietkaart(en)?|uitgavenstaat|cartes? de cr[eé]dit|[eé]tat de d[eé]penses|credit card)\b", re.IGNORECASE
)
_TEXT_FIRST = "text_first"


@dataclass(frozen=True, slots=True)
class Clues:
    """What is known of a row. `wording` is the bank's own text, newest knowledge first; None when there is none."""

    is_debit: bool
    bank_code: str | None = None
    """Eight digits the bank itself names as the CODA code."""
    iso_code: str | None = None
    """`PMNT-RCDT-ESCT`, as `iso_code` returns it."""
    wording: str | None = None
    counterparty_iban: str | None = None
    has_counterparty: bool = False
    is_own_account: bool = False
    original_currency: str | None = None
    is_batch: bool = False
    """The row stands for a customer's whole file."""


@dataclass(frozen=True, slots=True)
class Code:
    """Eight digits (type, family, operation, category), the step that gave them, and a warning code or None."""

    digits: str
    basis: CodeBasis
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class _IsoRow:
    digits: str
    condition: str


@dataclass(frozen=True, slots=True)
class _TextRule:
    is_debit: bool
    pattern: re.Pattern[str]
    digits: str
    needs_no_counterparty: bool


def iso_code(value: object) -> str | None:
    """A bank transaction code as `DOMN-FAMI-SUBF`; None when it is not three parts of four.

    Accepts the separators `-`, `/`, `.` and blanks, twelve characters in a row, and any case.
    """
    if not isinstance(value, str):
        return None
    plain = value.strip().upper()
    parts = [plain[0:4], plain[4:8], plain[8:12]] if len(plain) == 12 else _SEPARATORS.split(plain)
    if len(parts) != 3 or not all(_PARTS.fullmatch(part) for part in parts):
        return None
    return "-".join(parts)


def transaction_code(clues: Clues) -> Code:
    """The CODA code for a row; never raises and never returns 00000000."""
    code = _from_bank(clues) or _from_iso(clues) or _from_text(clues) or _from_counterparty(clues) or _default(clues)
    return replace(code, digits="1" + code.digits[1:]) if _is_customer_file(clues, code.digits) else code


def _from_bank(clues: Clues) -> Code | None:
    digits = clues.bank_code
    if digits is None or not re.fullmatch(r"[0-3][0-9]{7}", digits) or digits[1:3] not in FAMILIES:
        return None
    if digits == "0" * 8 or digits[3:5] == "00":
        return None
    return _signed(Code(digits, CodeBasis.BANK), clues.is_debit)


def _from_iso(clues: Clues) -> Code | None:
    if clues.iso_code is None:
        return None
    table, (domain, family, subfamily) = _iso_table(), clues.iso_code.split("-")
    for key in ((domain, family, subfamily), (domain, family, "*"), (domain, "*", "*")):
        row = table.get((*key, clues.is_debit))
        if row is not None and row.condition == _TEXT_FIRST:
            return None
        code = _fitted(row, clues) if row is not None else None
        if code is not None:
            return code
        other = table.get((*key, not clues.is_debit))
        if row is None and other is not None and other.condition != _TEXT_FIRST and not _has_wider(key, clues):
            return _signed(Code(other.digits, CodeBasis.ISO), clues.is_debit)
    return None


def _has_wider(key: tuple[str, str, str], clues: Clues) -> bool:
    """Whether a row of the right sign stands for the whole family, which says more than a correction would."""
    return key[2] != "*" and (key[0], key[1], "*", clues.is_debit) in _iso_table()


def _fitted(row: _IsoRow, clues: Clues) -> Code | None:
    """The row's code after its condition; None when the condition sends us to the next wider row."""
    digits = row.digits
    match row.condition:
        case "own_account" if not clues.is_own_account:
            digits = digits[:3] + ("01" if clues.is_debit else "50") + digits[5:]
        case "sepa" if clues.counterparty_iban is not None and clues.counterparty_iban[:2] not in SEPA_COUNTRIES:
            digits = digits[0] + "41" + digits[3:]
        case "euro" if clues.original_currency not in (None, "EUR"):
            digits = digits[:3] + "08" + digits[5:]
        case "interest":
            digits = digits[:5] + "002"
        case "card_statement" if clues.wording is None or not _CARD_STATEMENT.search(clues.wording):
            return None
    return Code(digits, CodeBasis.ISO)


def _from_text(clues: Clues) -> Code | None:
    if clues.wording is None:
        return None
    wording = unicodedata.normalize("NFC", clues.wording)
    for rule in _text_rules():
        if rule.is_debit != clues.is_debit or (rule.needs_no_counterparty and clues.has_counterparty):
            continue
        if rule.pattern.search(wording):
            return Code(rule.digits, CodeBasis.TEXT)
    return None


def _from_counterparty(clues: Clues) -> Code | None:
    if clues.counterparty_iban is None:
        return None
    return Code("00101000" if clues.is_debit else "00150000", CodeBasis.COUNTERPARTY)


def _default(clues: Clues) -> Code:
    return Code("03039000" if clues.is_debit else "03089000", CodeBasis.DEFAULT)


def _signed(code: Code, is_debit: bool) -> Code:
    """The same family with operation 49 or 99 when the operation belongs to the other sign."""
    if (int(code.digits[3:5]) < 50) == is_debit:
        return code
    digits = code.digits[:3] + ("49" if is_debit else "99") + "000"
    return Code(digits, code.basis, "code_against_sign")


def _is_customer_file(clues: Clues, digits: str) -> bool:
    """Transfers paid and direct debits collected come in files of the customer; other rows never do (STA-11)."""
    family, operation = digits[1:3], digits[3:5]
    if not clues.is_batch or operation in ("49", "99"):
        return False
    return family in ("01", "02", "41") if clues.is_debit else family == "05"


@cache
def _iso_table() -> dict[tuple[str, str, str, bool], _IsoRow]:
    return {
        (row["domain"], row["family"], row["subfamily"], row["sign"] == "debit"): _IsoRow(
            row["coda_code"], row["condition"]
        )
        for row in _table("iso_codes.csv")
    }


@cache
def _text_rules() -> tuple[_TextRule, ...]:
    rows = sorted(_table("text_rules.csv"), key=lambda row: int(row["order"]))
    return tuple(
        _TextRule(
            row["sign"] == "debit",
            re.compile(unicodedata.normalize("NFC", row["pattern"]), re.IGNORECASE),
            row["coda_code"],
            row["needs_no_counterparty"] == "yes",
        )
        for row in rows
    )


def _table(name: str) -> list[dict[str, str]]:
    text = files("connectors").joinpath("tables", name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
