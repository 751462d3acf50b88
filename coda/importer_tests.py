"""The tests that the rules of `importers.toml` name: what in a statement an importer stumbles over.

Each takes the case and gives the places where its rule is broken. A test that needs what the file does
not hold (how the importer is set up) raises `NotInFile` when it was not given.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from coda.account_zone import counterparty_account
from coda.blocks import Block
from coda.codes import table
from coda.errors import Finding
from coda.joining import parts
from coda.model import Account, Information, Movement, Statement
from coda.source import FileFacts
from coda.structured import parts_of

Rule = Mapping[str, Any]
_HEADER = re.compile(r"00000\d{9}05[ D] {7}", re.ASCII)


class NotInFile(Exception):
    """The rule looks at something outside the file that was not given."""


class Place(NamedTuple):
    """Where a rule is broken, as in `Finding`."""

    line: int
    field: str
    found: str
    expected: str


@dataclass(slots=True)
class History:
    """What the statements before this one leave behind, by account and currency."""

    closings: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    numbers: set[tuple[str, str, int, int]] = field(default_factory=set)  # account, currency, year, number
    paper_numbers: set[tuple[str, str, int, int]] = field(default_factory=set)
    contents: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Case:
    """One statement on its way into an importer. `setup` is the account as the importer knows it, if given."""

    facts: FileFacts
    block: Block
    statement: Statement
    findings: tuple[Finding, ...]  # of `coda.check`
    history: History
    setup: Account | None
    rule: Rule = field(default_factory=dict)  # the one that is being applied

    @property
    def movements(self) -> Iterator[tuple[int, Movement]]:
        """Each movement with the number of its line."""
        lines = (line.number for line in self.block.lines if line.kind == "21")
        return zip(lines, self.statement.movements, strict=True)

    @property
    def structured(self) -> Iterator[tuple[int, str, str]]:
        """Line, subject and type of each structured communication."""
        for line, movement in self.movements:
            if movement.communication_type is not None:
                yield line, "movement", movement.communication_type
            for each in movement.information:
                if each.communication_type is not None:
                    yield line, "information", each.communication_type

    @property
    def line(self) -> int:
        """Line of the old balance."""
        return next((line.number for line in self.block.lines if line.kind == "1"), self.block.first_line)

    @property
    def account(self) -> tuple[str, str]:
        return self.statement.account.number, self.statement.account.currency

    @property
    def year(self) -> int:
        return (self.statement.closing_date or date.min).year


Test = Callable[[Case], Iterable[Place]]


def _finding(case: Case) -> Iterator[Place]:
    for each in case.findings:
        if each.code in case.rule["codes"]:
            yield Place(each.line, each.field, each.found, each.expected)


def _stated(_case: Case) -> Iterable[Place]:
    raise NotInFile


def _of_setup(name: str, place: str) -> Test:
    def test(case: Case) -> Iterator[Place]:
        if case.setup is None:
            raise NotInFile
        found, expected = getattr(case.statement.account, name).strip(), getattr(case.setup, name).strip()
        is_optional = name in ("bic", "company_id")
        if found != expected and not (is_optional and not found.strip("0")):
            line = case.block.first_line if place.startswith("header") else case.line
            yield Place(line, place, found, expected)

    return test


def _structure(case: Case) -> Iterator[Place]:
    structure = case.statement.account.structure
    if structure in case.rule["values"]:
        yield Place(case.line, "old_balance.structure", structure, "2")


def _version_is_not_2(case: Case) -> Iterator[Place]:
    if case.statement.version != 2:
        yield Place(case.block.first_line, "header.version", str(case.statement.version), "2")


def _header_pattern(case: Case) -> Iterator[Place]:
    header = next((line.text[:24] for line in case.block.lines if line.kind == "0"), "")
    if not _HEADER.fullmatch(header):
        yield Place(case.block.first_line, "header", header, "00000, nine digits, 05, blank or D, seven blanks")


def _free_communications(case: Case) -> Iterator[Place]:
    line = next((line.number for line in case.block.lines if line.kind == "4"), None)
    if line is not None:
        yield Place(line, "free_communication", "a record 4", "none")


def _repeated(name: str, place: str) -> Test:
    def test(case: Case) -> Iterator[Place]:
        statement = case.statement
        number = statement.number if name == "numbers" else statement.old_balance.paper_number
        if (*case.account, case.year, number) in getattr(case.history, name):
            yield Place(case.line, place, f"{number:03d}", "a number of its own")

    return test


def _undefined_code(case: Case) -> Iterator[Place]:
    for line, movement in case.movements:
        if movement.transaction_code == "00000000":
            yield Place(line, "movement.transaction_code", "00000000", "a code of the standard")


def _type_or_family_unknown(case: Case) -> Iterator[Place]:
    codes = table()
    for line, movement in case.movements:
        code = movement.transaction_code
        if code[:1] not in codes.types or code[1:3] not in codes.families:
            yield Place(line, "movement.transaction_code", code, "a type and family of the tables")


def _code_blank(case: Case) -> Iterator[Place]:
    for line, movement in case.movements:
        if not movement.transaction_code[:5].strip().isdecimal():
            yield Place(line, "movement.transaction_code", movement.transaction_code, "digits")


def _structured_type_unknown(case: Case) -> Iterator[Place]:
    for line, subject, kind in case.structured:
        if not parts_of(kind):
            yield Place(line, f"{subject}.communication", kind, "a type of the standard")


def _structured_type(case: Case) -> Iterator[Place]:
    for line, subject, kind in case.structured:
        if kind in case.rule["values"]:
            yield Place(line, f"{subject}.communication", kind, "another type, or free text")


def _structured_type_not_101(case: Case) -> Iterator[Place]:
    for line, subject, kind in case.structured:
        if subject == "movement" and kind not in ("101", "102"):
            yield Place(line, "movement.communication", kind, "101, 102, or free text")


def _details_over_9999(case: Case) -> Iterator[Place]:
    details = Counter(movement.sequence for movement in case.statement.movements if movement.is_detail)
    for line, movement in case.movements:
        if not movement.is_detail and details[movement.sequence] > 9999:
            yield Place(line, "movement.detail", str(details[movement.sequence]), "at most 9999")


def _has_details(case: Case) -> Iterator[Place]:
    for line, movement in case.movements:
        if movement.is_detail:
            yield Place(line, "movement.detail", f"{movement.detail:04d}", "0000")


def _type_unlike_detail(case: Case) -> Iterator[Place]:
    for line, movement in case.movements:
        if (movement.transaction_code[:1] in "0123") == movement.is_detail:
            expected = "5-9" if movement.is_detail else "0-3"
            yield Place(line, "movement.transaction_code", movement.transaction_code, f"type {expected}")


def _type_9(case: Case) -> Iterator[Place]:
    for line, movement in case.movements:
        if movement.transaction_code[:1] == "9":
            yield Place(line, "movement.transaction_code", movement.transaction_code, "no type 9")


def _value_date_missing(case: Case) -> Iterator[Place]:
    for line, movement in case.movements:
        if movement.value_date is None:
            yield Place(line, "movement.value_date", "000000", "a date")


def _utf8(case: Case) -> Iterator[Place]:
    if case.facts.encoding == "utf-8":
        line = next((line.number for line in case.block.lines if not line.text.isascii()), None)
        if line is not None:
            yield Place(line, "file", "UTF-8", "Windows-1252 or ASCII")


def _reference_shared(case: Case) -> Iterator[Place]:
    informed = {movement.bank_reference for movement in case.statement.movements if movement.information}
    count = Counter(movement.bank_reference for movement in case.statement.movements if not movement.is_detail)
    for line, movement in case.movements:
        reference = movement.bank_reference
        if not movement.is_detail and reference in informed and count[reference] > 1:
            yield Place(line, "movement.bank_reference", reference, "a reference of its own")


def _record_32_beyond_100(case: Case) -> Iterator[Place]:
    for line in case.block.lines:
        if line.kind == "32" and line.text[100:115].strip():
            yield Place(line.number, "information.communication", line.text[100:115], "blanks in columns 101-115")


def _blank_at_seam(case: Case) -> Iterator[Place]:
    for line, movement in case.movements:
        items: tuple[Movement | Information, ...] = (movement, *movement.information)
        for item in items:
            if item.communication_type is not None:
                continue
            seams = pairwise(part for part in parts(item) if part.strip())
            if any(before.endswith(" ") and not after.startswith(" ") for before, after in seams):
                subject = "movement" if isinstance(item, Movement) else "information"
                yield Place(line, f"{subject}.communication", "a blank at the end of a part", "a letter there")


def _counterparty_currency(case: Case) -> Iterator[Place]:
    for line, movement in case.movements:
        currency = counterparty_account(movement.counterparty_zone)[1]
        if currency:
            yield Place(line, "movement.counterparty_zone", currency, "blanks in columns 45-47")


def _opening_is_not_closing(case: Case) -> Iterator[Place]:
    closing = case.history.closings.get(case.account)
    if closing is None:
        raise NotInFile
    opening = case.statement.old_balance.amount
    if opening != closing:
        yield Place(case.line, "old_balance.amount", f"{opening:.3f}", f"{closing:.3f}")


def _statement_twice(case: Case) -> Iterator[Place]:
    if hash(case.statement) in case.history.contents:
        yield Place(case.block.first_line, "header", "the same statement again", "a new statement")


def _no_new_balance(case: Case) -> Iterator[Place]:
    if case.statement.new_balance is None:
        yield Place(case.line, "new_balance", "no record 8", "a record 8")


def _duplicate_mark(case: Case) -> Iterator[Place]:
    if case.statement.is_duplicate:
        yield Place(case.block.first_line, "header.is_duplicate", "D", "blank")


def _created_after_closing(case: Case) -> Iterator[Place]:
    created, closed = case.statement.creation_date, case.statement.closing_date
    if created and closed and created != closed:
        yield Place(case.block.first_line, "header.creation_date", created.isoformat(), closed.isoformat())


def _entry_before_opening(case: Case) -> Iterator[Place]:
    opened = case.statement.old_balance.date
    for line, movement in case.movements:
        if opened and movement.entry_date and movement.entry_date < opened:
            yield Place(line, "movement.entry_date", movement.entry_date.isoformat(), f"{opened.isoformat()} or later")


TESTS: Mapping[str, Test] = {
    "finding": _finding,
    "stated": _stated,
    "company_of_setup": _of_setup("company_id", "header.company_id"),
    "bank_id_of_setup": _of_setup("bank_id", "header.bank_id"),
    "bic_of_setup": _of_setup("bic", "header.bic"),
    "account_of_setup": _of_setup("number", "old_balance.account_zone"),
    "structure": _structure,
    "version_is_not_2": _version_is_not_2,
    "header_pattern": _header_pattern,
    "free_communications": _free_communications,
    "number_repeated": _repeated("numbers", "old_balance.number"),
    "paper_number_repeated": _repeated("paper_numbers", "old_balance.paper_number"),
    "undefined_code": _undefined_code,
    "type_or_family_unknown": _type_or_family_unknown,
    "code_blank": _code_blank,
    "structured_type_unknown": _structured_type_unknown,
    "structured_type": _structured_type,
    "structured_type_not_101": _structured_type_not_101,
    "details_over_9999": _details_over_9999,
    "has_details": _has_details,
    "type_unlike_detail": _type_unlike_detail,
    "type_9": _type_9,
    "value_date_missing": _value_date_missing,
    "utf8": _utf8,
    "reference_shared": _reference_shared,
    "record_32_beyond_100": _record_32_beyond_100,
    "blank_at_seam": _blank_at_seam,
    "counterparty_currency": _counterparty_currency,
    "opening_is_not_closing": _opening_is_not_closing,
    "statement_twice": _statement_twice,
    "no_new_balance": _no_new_balance,
    "duplicate_mark": _duplicate_mark,
    "created_after_closing": _created_after_closing,
    "entry_before_opening": _entry_before_opening,
}
