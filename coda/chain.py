"""Checking across files: do the statements of each account follow each other, in balances, numbers and days?

Gaps and repeats of numbers are normal at some banks (a number for each day of the year, one number for a whole
period), so only the balances make a fault. Source: CODA 2.6, record 1, positions 3-5 and 126-128; what importers say
of openings that are not the last closing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import BinaryIO

from coda.descriptions import describe
from coda.errors import FaultyFile, Finding, Severity
from coda.model import Movement, Statement
from coda.reader import read
from coda.source import CHUNK, Source, opened

# Code of a finding → severity; names and hints stand in descriptions.csv.
CHAIN_RULES: dict[str, Severity] = {
    "chain_unreadable": "fault",
    "chain_balance": "fault",
    "chain_overlap": "fault",
    "chain_duplicate_file": "warning",
    "chain_duplicate_statement": "warning",
    "chain_number_gap": "warning",
    "chain_number_repeated": "warning",
    "chain_number_backwards": "warning",
    "chain_year_start": "warning",
    "chain_order": "warning",
    "chain_date_gap": "warning",
    "chain_old_entry": "warning",
    "chain_account_data": "warning",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A statement in the chain: where it comes from, and what is compared."""

    file: str
    position: int  # of the statement in its file, from 1
    account: str
    currency: str
    number: int
    paper_number: int
    opening: Decimal
    opening_date: date | None
    closing: Decimal
    closing_date: date | None
    description: str
    bic: str
    bank_id: str
    company_id: str
    first_entry: date | None
    contents: str  # digest of everything but the duplicate mark

    @property
    def name(self) -> str:
        """Number, closing day and file, for people."""
        day = self.closing_date.isoformat() if self.closing_date else "no date"
        return f"statement {self.number:03d} of {day}" + (f" in {self.file}" if self.file else "")


@dataclass(frozen=True, slots=True)
class ChainFinding:
    """A finding between two statements, or about one file; `finding` has the code, what was found and expected."""

    finding: Finding
    file: str
    account: str
    after: str  # the statement before, for people; "" when there is none


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What `check_chain` found, by account in the order of the closing days."""

    findings: tuple[ChainFinding, ...]
    accounts: int
    statements: int
    files: int

    @property
    def ok(self) -> bool:
        """Whether every opening balance is the last closing balance; there may be warnings."""
        return all(each.finding.severity != "fault" for each in self.findings)


def check_chain(sources: Iterable[Source | tuple[str, Source]]) -> ChainReport:
    """Check how the statements of many files follow each other, for each account and currency.

    A source may come with a name of its own, for findings. Raises nothing for the content of a file: one that the
    strict reader refuses is a finding and is left out. Separate applications have no balances and are left out too.
    """
    findings: list[ChainFinding] = []
    links: list[Link] = []
    digests: dict[str, str] = {}
    files = 0
    for source in sources:
        name, content = source if isinstance(source, tuple) else (_name(source), source)
        files += 1
        with opened(content) as (stream, own_name):
            name = name or own_name or f"file {files}"
            digest = _digest(stream)
            if digest in digests:
                found = _finding("chain_duplicate_file", "file", name, "another file")
                findings.append(ChainFinding(found, name, "", digests[digest]))
                continue
            digests[digest] = name
            try:
                every = [
                    link_of(name, index, each) for index, each in enumerate(read(stream), start=1) if has_balances(each)
                ]
            except FaultyFile as error:
                found = _finding("chain_unreadable", "file", error.findings[0].code, "a file without faults")
                findings.append(ChainFinding(found, name, "", ""))
                continue
            links.extend(every)
    chains: dict[tuple[str, str], list[Link]] = {}
    for link in links:
        chains.setdefault((link.account, link.currency), []).append(link)
    for key in sorted(chains):
        findings.extend(_check(chains[key]))
    return ChainReport(tuple(findings), len(chains), len(links), files)


def _check(chain: Sequence[Link]) -> Iterable[ChainFinding]:
    """Findings of one account, whose links are in the order in which they were given."""
    for before, link in pairwise(chain):
        if _moment(link) < _moment(before):
            yield _between(
                (before, link), "chain_order", "closing_date", _iso(link.closing_date), "a later closing day"
            )
    seen: dict[str, Link] = {}
    single = []
    for link in in_order(chain):
        if link.contents in seen:
            before = seen[link.contents]
            yield _between((before, link), "chain_duplicate_statement", "statement", link.name, "a new statement")
        else:
            seen[link.contents] = link
            single.append(link)
    for before, link in pairwise(single):
        yield from _pair(before, link)


def in_order(chain: Sequence[Link]) -> list[Link]:
    """The links by closing day; within one day so that balances follow each other where that is possible."""
    days: dict[date, list[Link]] = {}
    for link in sorted(chain, key=lambda link: (_moment(link), link.number)):
        days.setdefault(_moment(link), []).append(link)
    ordered: list[Link] = []
    for links in days.values():
        while links:
            last = ordered[-1].closing if ordered else None
            following = next((link for link in links if link.opening == last), links[0])
            links.remove(following)
            ordered.append(following)
    return ordered


def _pair(before: Link, link: Link) -> Iterable[ChainFinding]:
    if link.opening != before.closing:
        is_overlap = (link.opening, link.opening_date) == (before.opening, before.opening_date)
        code = "chain_overlap" if is_overlap else "chain_balance"
        yield _between((before, link), code, "old_balance.amount", f"{link.opening:.3f}", f"{before.closing:.3f}")
    elif link.opening_date != before.closing_date:
        found, expected = _iso(link.opening_date), _iso(before.closing_date)
        yield _between((before, link), "chain_date_gap", "old_balance.balance_date", found, expected)
    yield from _numbers(before, link)
    if link.first_entry and before.closing_date and link.first_entry < before.closing_date:
        expected = f"{before.closing_date.isoformat()} or later"
        yield _between((before, link), "chain_old_entry", "movement.entry_date", _iso(link.first_entry), expected)
    fields = {"old_balance.description": "description", "header.bic": "bic",
              "header.bank_id": "bank_id", "header.company_id": "company_id"}  # fmt: skip
    for field, name in fields.items():
        found, expected = getattr(link, name).strip(), getattr(before, name).strip()
        if found != expected:
            yield _between((before, link), "chain_account_data", field, found, expected)


def _numbers(before: Link, link: Link) -> Iterable[ChainFinding]:
    """Findings about the coded statement number; zeros mean that the bank does not number."""
    number, last = link.number, before.number
    if not number or not last:
        return
    found = f"{number:03d}"
    if _moment(link).year != _moment(before).year:
        if number != 1:
            yield _between((before, link), "chain_year_start", "old_balance.number", found, "001")
    elif number == last:
        yield _between((before, link), "chain_number_repeated", "old_balance.number", found, f"{last + 1:03d}")
    elif number < last:
        yield _between((before, link), "chain_number_backwards", "old_balance.number", found, f"{last + 1:03d}")
    elif number > last + 1:
        yield _between((before, link), "chain_number_gap", "old_balance.number", found, f"{last + 1:03d}")


def has_balances(statement: Statement) -> bool:
    """Whether the statement has balances that follow each other: a separate application has none."""
    return statement.separate_application == "00000"


def link_of(file: str, position: int, statement: Statement) -> Link:
    """What is compared of a statement; `position` is its place in the file, from 1."""
    account, old = statement.account, statement.old_balance
    days = [movement.entry_date for movement in statement.entries() if movement.entry_date]
    contents: list[object] = [account, old, statement.new_balance, statement.number]
    contents.extend(_said(movement) for movement in statement.movements)
    return Link(
        file=file,
        position=position,
        account=account.number,
        currency=account.currency,
        number=statement.number,
        paper_number=old.paper_number,
        opening=old.amount,
        opening_date=old.date,
        closing=statement.closing_balance,
        closing_date=statement.closing_date,
        description=account.description,
        bic=account.bic,
        bank_id=account.bank_id,
        company_id=account.company_id,
        first_entry=min(days, default=None),
        contents=hashlib.sha256(repr(contents).encode()).hexdigest(),
    )


def _said(movement: Movement) -> tuple[object, ...]:
    return (
        movement.detail,
        movement.amount,
        movement.entry_date,
        movement.bank_reference,
        movement.communication,
        movement.counterparty_zone,
    )


def _between(both: tuple[Link, Link], code: str, field: str, found: str, expected: str) -> ChainFinding:
    before, link = both
    return ChainFinding(_finding(code, field, found, expected), link.file, link.account, before.name)


def _finding(code: str, field: str, found: str, expected: str) -> Finding:
    return Finding(code, CHAIN_RULES[code], 1, None, field, found, expected, describe("hint", code))


def _moment(link: Link) -> date:
    return link.closing_date or date.min


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    stream.seek(0)
    return digest.hexdigest()


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _name(source: object) -> str:
    return str(source).rpartition("/")[2] if isinstance(source, str) else str(getattr(source, "name", "") or "")
