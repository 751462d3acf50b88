"""From a file to statements: its format told by its content, its sums checked, nothing guessed (STA-19). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import coda
from coda.chain import has_balances
from connectors.text import is_iban
from gateway.foreign_files.reading import FileFault, FileUnusable, SentFile, facts_of, iban_of
from gateway.statement_uploads import raw
from gateway.statement_uploads.model import Document, DocumentEntry, DocumentStatement
from gateway.statement_uploads.mt940 import Mt940Refused, is_mt940
from gateway.statement_uploads.mt940 import read as read_mt940
from sepa import camt053
from sepa.errors import XmlRefused

ONE_DAY: Final = timedelta(days=1)
ENTRIES_MAX: Final = 100_000
STATEMENTS_MAX: Final = 2_000
PERIOD_MAX: Final = timedelta(days=3_660)
"""Of one file, or of one statement in it."""
AccountKey = tuple[str, str]
"""IBAN and currency."""
_BOM: Final = b"\xef\xbb\xbf"


def read(file: SentFile) -> Document:
    """The statements of a file; raises `FileUnusable` with what was found and what was expected."""
    name = file.name or ""
    content = file.content.removeprefix(_BOM)
    if content.lstrip()[:1] == b"<":
        kind, statements = "camt053", list(_of_camt(file, content))
    elif (text := _text(content)) is not None and is_mt940(text):
        kind, statements = "mt940", list(_of_mt940(file, text))
    else:
        kind, statements = "coda", list(_of_coda(file))
    if not statements:
        raise FileUnusable(FileFault("no_statement", name))
    if len(statements) > STATEMENTS_MAX or sum(len(one.entries) for one in statements) > ENTRIES_MAX:
        raise FileUnusable(FileFault("too_many_entries", name, expected=f"{STATEMENTS_MAX}, {ENTRIES_MAX}"))
    for one in statements:
        _check(name, one)
    return Document(kind, tuple(statements))


def read_all(files: Iterable[SentFile]) -> tuple[list[tuple[SentFile, Document]], list[FileFault]]:
    """Every file that can be read, and why the others cannot."""
    found: list[tuple[SentFile, Document]] = []
    faults: list[FileFault] = []
    for file in files:
        try:
            found.append((file, read(file)))
        except FileUnusable as error:
            faults.append(error.fault)
    return found, faults


def by_account(documents: Iterable[Document]) -> dict[AccountKey, list[DocumentStatement]]:
    """The statements of each account, whichever files they stand in."""
    found: dict[AccountKey, list[DocumentStatement]] = {}
    for document in documents:
        for one in document.statements:
            found.setdefault((one.iban, one.currency), []).append(one)
    return found


def _check(name: str, one: DocumentStatement) -> None:
    """The entries explain the balances, and no day lies after the closing one."""
    total = one.opening + sum((entry.amount for entry in one.entries), Decimal(0))
    if total != one.closing:
        raise FileUnusable(FileFault("sum_differs", name, f"{one.closing:.2f}", f"{total:.2f}"))
    if one.closing_day - one.opening_day > PERIOD_MAX:
        found = f"{one.opening_day.isoformat()} – {one.closing_day.isoformat()}"
        raise FileUnusable(FileFault("period_too_long", name, found))
    last = max((entry.booking_date for entry in one.entries), default=one.closing_day)
    if last > one.closing_day:
        raise FileUnusable(FileFault("entry_after_closing", name, last.isoformat(), one.closing_day.isoformat()))


def _of_coda(file: SentFile) -> Iterator[DocumentStatement]:
    name, digest = file.name or "", file.sha256
    try:
        for position, statement in enumerate(coda.read(file.content), start=1):
            if not has_balances(statement):
                continue
            facts = facts_of(name, position, statement)
            closing_day, currency = facts.closing_date, facts.link.currency
            entries = tuple(
                DocumentEntry(
                    day := movement.entry_date or closing_day,
                    movement.amount,
                    raw.of_coda(movement, day.isoformat(), currency),
                )
                for movement in statement.entries()
            )
            yield DocumentStatement(
                digest, position, facts.iban, currency,
                # In CODA it is the day of the statement before; the same day where a day has two.
                _opening_day(facts.link.opening_date, closing_day, ()), facts.link.opening,
                closing_day, facts.closing_balance, entries,
            )  # fmt: skip
    except coda.NotCoda as error:
        raise FileUnusable(FileFault("not_a_statement", name, expected="CODA, camt.053, MT940")) from error
    except coda.FaultyFile as error:
        first = next(finding for finding in error.findings if finding.severity == "fault")
        raise FileUnusable(FileFault("file_faulty", name, found=f"{first.code}, {first.place}")) from error


def _of_camt(file: SentFile, content: bytes) -> Iterator[DocumentStatement]:
    name, digest = file.name or "", file.sha256
    try:
        statements = camt053.read(content)
    except XmlRefused as error:
        raise FileUnusable(FileFault("xml_refused", name, found=error.reason)) from error
    except camt053.CamtRefused as error:
        if error.reason == "not_camt053":
            raise FileUnusable(FileFault("not_a_statement", name, expected="CODA, camt.053, MT940")) from error
        raise FileUnusable(FileFault("statement_unreadable", name, found=f"{error.reason}, {error.place}")) from error
    for position, one in enumerate(statements, start=1):
        entries = tuple(DocumentEntry(entry.booking_date, entry.amount, raw.of_camt(entry)) for entry in one.entries)
        stated = one.from_date - ONE_DAY if one.from_date is not None else one.opening_date
        opening_day = _opening_day(stated, one.closing_date, entries if one.from_date is None else ())
        yield DocumentStatement(
            digest, position, _iban(name, one.account, one.currency), one.currency,
            opening_day, one.opening, one.closing_date, one.closing, entries,
            may_open_later=opening_day < stated < one.closing_date,
        )  # fmt: skip


def _of_mt940(file: SentFile, text: str) -> Iterator[DocumentStatement]:
    name, digest = file.name or "", file.sha256
    try:
        statements = read_mt940(text)
    except Mt940Refused as error:
        raise FileUnusable(FileFault("statement_unreadable", name, found=f":{error.tag}:, {error.line}")) from error
    for position, one in enumerate(statements, start=1):
        entries = tuple(
            DocumentEntry(entry.booking_date, entry.amount, raw.of_mt940(entry, one.currency)) for entry in one.entries
        )
        opening_day = _opening_day(one.opening_date, one.closing_date, entries)
        yield DocumentStatement(
            digest, position, _iban(name, one.account, one.currency), one.currency,
            opening_day, one.opening, one.closing_date, one.closing, entries,
            may_open_later=opening_day < one.opening_date < one.closing_date,
        )  # fmt: skip


def _opening_day(stated: date | None, closing_day: date, entries: Iterable[DocumentEntry]) -> date:
    """The last day before a statement. Banks date an opening balance on that day, or on the first one of the statement.

    It is the first one where something is booked on it, and where it is the closing day too.
    """
    if stated is None:
        return closing_day - ONE_DAY
    if stated >= closing_day or any(entry.booking_date == stated for entry in entries):
        return min(stated, closing_day) - ONE_DAY
    return stated


def _iban(name: str, account: str, currency: str) -> str:
    """The IBAN among what stands for the account: with the currency behind it, or the bank before it."""
    for part in re.split(r"[/ ]", account.upper()):
        for candidate in (part.removesuffix(currency), part):
            if is_iban(candidate):
                return candidate
            number = iban_of(candidate) if candidate.isdecimal() else None
            if number is not None:
                return number
    raise FileUnusable(FileFault("account_missing", name))


def _text(content: bytes) -> str | None:
    """The characters of a file of text; None when it cannot be one."""
    if b"\x00" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
