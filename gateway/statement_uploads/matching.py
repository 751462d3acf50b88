"""What the statements of one account add to what is there, or why they do not fit (STA-19, law 1, law 2). Pure.

The statements must follow each other by balance, and must meet what is known on the day before and on the day after.
Entries are compared per booking day by the merge of readings (`transactions.absorb`), as counts of equal amounts: a
bank's file and its interface word the same entry differently, but book it for the same amount on the same day. On a day
whose balances and sum agree on both sides nothing is compared: file and bank may split a total otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final
from uuid import UUID

from gateway.statement_uploads.model import DocumentEntry, DocumentStatement, PartFault
from gateway.transactions.absorb import NewRow, StoredRow, Window, plan

ONE_DAY: Final = timedelta(days=1)
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A booked transaction as it is stored. `document_occurrence` is 0 for one that a bank gave."""

    id: UUID
    booking_date: date
    amount: Decimal
    document_occurrence: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What is there of the account."""

    balances: Mapping[date, Decimal]
    """Balances at the end of days, by the bank or by proof."""
    covered: Sequence[Window]
    """Days of which everything booked is known, in order, none touching another."""
    entries: Sequence[StoredEntry]


@dataclass(frozen=True, slots=True)
class Addition:
    """An entry to add."""

    entry: DocumentEntry
    occurrence: int
    is_late: bool
    """Booked before the period of its statement: its own day was over without it."""

    @property
    def fingerprint(self) -> str:
        """See `fingerprint`; without the account, of which they all are."""
        return _key(self.entry.booking_date, self.entry.amount)


@dataclass(frozen=True, slots=True)
class Match:
    """What statements of one account come to. With `faults` nothing is added."""

    window: Window
    """From the first day after the opening balance to the last closing day."""
    opening: Decimal
    closing: Decimal
    statements_count: int
    additions: tuple[Addition, ...] = ()
    known_count: int = 0
    balances: Mapping[date, Decimal] = field(default_factory=dict)
    """What the file itself states, at the end of days."""
    faults: tuple[PartFault, ...] = ()


def match(statements: Sequence[DocumentStatement], known: Known) -> Match:
    """Compare the statements of one account, given in any order and each perhaps more than once, with what is there."""
    ordered = _opened(in_order(statements), known)
    first, last = ordered[0], ordered[-1]
    window = Window(first.opening_day + ONE_DAY, last.closing_day)
    found = Match(window, first.opening, last.closing, len(ordered))
    jump = next(((one, other) for one, other in pairwise(ordered) if one.closing != other.opening), None)
    if jump is not None:
        one, other = jump
        fault = PartFault("balance_jump", f"{other.opening:.2f}", f"{one.closing:.2f}", other.closing_day)
        return replace(found, faults=(fault,))
    stated = _stated(ordered)
    faults = list(_contradictions(window, ordered, stated, known))
    if faults:
        return replace(found, balances=stated, faults=tuple(faults[:1]))
    additions, known_count, faults = _compare(window, ordered, stated, known)
    if faults:
        return replace(found, balances=stated, faults=tuple(faults[:1]))
    return replace(found, balances=stated, additions=tuple(additions), known_count=known_count)


def in_order(statements: Iterable[DocumentStatement]) -> list[DocumentStatement]:
    """By closing day, within one so that balances follow each other where they can; the same statement once."""
    once: dict[tuple[object, ...], DocumentStatement] = {}
    for one in statements:
        told = tuple((entry.booking_date, entry.amount) for entry in one.entries)
        once.setdefault((one.closing_day, one.opening, one.closing, told), one)
    days: dict[date, list[DocumentStatement]] = {}
    for one in sorted(once.values(), key=lambda one: (one.closing_day, one.opening_day, one.file, one.position)):
        days.setdefault(one.closing_day, []).append(one)
    ordered: list[DocumentStatement] = []
    for same in days.values():
        while same:
            closings = {one.closing for one in same}
            # The first of a day goes on from the day before or, at the beginning, is the one no other leads to.
            following = next(
                (one for one in same if ordered and one.opening == ordered[-1].closing),
                next((one for one in same if one.opening not in closings or one.opening == one.closing), same[0]),
            )
            same.remove(following)
            ordered.append(following)
    return ordered


def _opened(ordered: Sequence[DocumentStatement], known: Known) -> list[DocumentStatement]:
    """With the opening day decided where a file may mean either of two: by the statement before, or what is known."""
    found: list[DocumentStatement] = []
    for one in ordered:
        later = one.opening_day + ONE_DAY
        before = {found[-1].closing_day: found[-1].closing} if found else known.balances
        is_later = before.get(later) == one.opening and before.get(one.opening_day) != one.opening
        found.append(replace(one, opening_day=later) if one.may_open_later and is_later else one)
    return found


def fingerprint(iban: str, currency: str, day: date, amount: Decimal) -> str:
    """SHA-256 (hex) of account, booking day and amount: what an entry of a file is known by, whatever its format."""
    told = "|".join(("document", iban, currency, _key(day, amount)))
    return hashlib.sha256(told.encode()).hexdigest()


def _key(day: date, amount: Decimal) -> str:
    return f"{day.isoformat()}|{amount:.3f}"


def _stated(ordered: Sequence[DocumentStatement]) -> dict[date, Decimal]:
    """Balances at the end of days as the statements state them: before the first, and at each closing day."""
    found = {ordered[0].opening_day: ordered[0].opening}
    found.update((one.closing_day, one.closing) for one in ordered)
    return found


def _running(
    window: Window, ordered: Sequence[DocumentStatement], stated: Mapping[date, Decimal]
) -> dict[date, Decimal]:
    """The balance at the end of every day of the window, and before it, as the statements have it."""
    sums: dict[date, Decimal] = {}
    for one in ordered:
        for entry in one.entries:
            # What is booked before its statement counts there from its first day on.
            day = max(entry.booking_date, one.opening_day + ONE_DAY)
            sums[day] = sums.get(day, ZERO) + entry.amount
    balance, day = ordered[0].opening, window.first - ONE_DAY
    found = {day: balance}
    while day < window.last:
        day += ONE_DAY
        balance = stated.get(day, balance + sums.get(day, ZERO))
        found[day] = balance
    return found


def _contradictions(
    window: Window, ordered: Sequence[DocumentStatement], stated: Mapping[date, Decimal], known: Known
) -> Iterable[PartFault]:
    """Balances that differ from what is known, and days that would still be missing on both sides."""
    if not any(days.first - ONE_DAY <= window.last and window.first <= days.last + ONE_DAY for days in known.covered):
        nearest = min(
            (day for days in known.covered for day in (days.first - ONE_DAY, days.last + ONE_DAY)),
            key=lambda day: min(abs(day - window.first), abs(day - window.last)),
            default=None,
        )
        found = f"{window.first.isoformat()} – {window.last.isoformat()}"
        yield PartFault("days_missing", found, nearest.isoformat() if nearest is not None else "–")
        return
    running = _running(window, ordered, stated)
    for day in sorted(running.keys() & known.balances.keys()):
        if running[day] != known.balances[day]:
            yield PartFault("balance_differs", f"{running[day]:.2f}", f"{known.balances[day]:.2f}", day)
            return
    before = _carried(window.first - ONE_DAY, known, is_forward=True)
    if before is not None and before != ordered[0].opening:
        day = window.first - ONE_DAY
        yield PartFault("opening_differs", f"{ordered[0].opening:.2f}", f"{before:.2f}", day)
    after = _carried(window.last, known, is_forward=False)
    if after is not None and after != ordered[-1].closing:
        yield PartFault("closing_differs", f"{ordered[-1].closing:.2f}", f"{after:.2f}", window.last)


def _carried(day: date, known: Known, *, is_forward: bool) -> Decimal | None:
    """The balance at the end of a day, from the nearest one known before it (or after it) over days that are covered.

    None where there is none, or where days between are missing.
    """
    if day in known.balances:
        return known.balances[day]
    if is_forward:
        start = max((other for other in known.balances if other < day), default=None)
        first, last = (start + ONE_DAY, day) if start is not None else (None, day)
    else:
        start = min((other for other in known.balances if other > day), default=None)
        first, last = (day + ONE_DAY, start) if start is not None else (None, day)
    if start is None or first is None or last is None:
        return None
    if not any(days.first <= first and last <= days.last for days in known.covered):
        return None
    moved = sum((entry.amount for entry in known.entries if first <= entry.booking_date <= last), ZERO)
    return known.balances[start] + (moved if is_forward else -moved)


def _compare(
    window: Window, ordered: Sequence[DocumentStatement], stated: Mapping[date, Decimal], known: Known
) -> tuple[list[Addition], int, list[PartFault]]:
    """What to add, how much is known, and the first day on which the bank gave what the file does not have."""
    settled = _settled(window, _running(window, ordered, stated), known)
    timely: list[DocumentEntry] = []
    late: list[DocumentEntry] = []
    known_count = 0
    for one in ordered:
        for entry in one.entries:
            if entry.booking_date <= one.opening_day:
                late.append(entry)
            elif entry.booking_date in settled:
                known_count += 1
            else:
                timely.append(entry)
    open_rows = [row for row in known.entries if row.booking_date in window and row.booking_date not in settled]
    additions, kept, gone = _planned(timely, open_rows, window, is_late=False)
    known_count += kept
    faults = [_entries_differ(gone, timely, open_rows)] if gone else []
    if late:
        days = Window(min(entry.booking_date for entry in late), max(entry.booking_date for entry in late))
        taken = {(addition.fingerprint, addition.occurrence) for addition in additions}
        shown = [row for row in known.entries if row.booking_date in days]
        # A day that is not of the period may hold more than the file says of it: what is not in the file stays.
        more, kept, _ = _planned(late, shown, days, is_late=True, taken=taken)
        additions += more
        known_count += kept
    return additions, known_count, faults


def _settled(window: Window, running: Mapping[date, Decimal], known: Known) -> set[date]:
    """Days that agree: known on both sides, with a sum that explains the difference."""
    sums: dict[date, Decimal] = {}
    for row in known.entries:
        sums[row.booking_date] = sums.get(row.booking_date, ZERO) + row.amount
    found = set()
    day = window.first
    while day <= window.last:
        before, after = known.balances.get(day - ONE_DAY), known.balances.get(day)
        agrees = before == running[day - ONE_DAY] and after == running[day]
        if before is not None and after is not None and agrees and after - before == sums.get(day, ZERO):
            found.add(day)
        day += ONE_DAY
    return found


def _planned(
    entries: Sequence[DocumentEntry],
    rows: Sequence[StoredEntry],
    window: Window,
    *,
    is_late: bool,
    taken: Iterable[tuple[str, int]] = (),
) -> tuple[list[Addition], int, list[UUID]]:
    """The merge of a reading, over what both sides have: booking day and amount."""
    stored = [
        StoredRow(row.id, row.booking_date, row.amount, _key(row.booking_date, row.amount), row.document_occurrence)
        for row in rows
    ]
    highest: dict[str, int] = {}
    for key, occurrence in taken:
        highest[key] = max(highest.get(key, 0), occurrence)
    decided = plan(stored, [_Compared(entry) for entry in entries], window)
    additions = [_addition(entries, new, is_late=is_late, after=highest) for new in decided.new]
    return additions, len(decided.kept), list(decided.vanished)


def _addition(entries: Sequence[DocumentEntry], new: NewRow, *, is_late: bool, after: Mapping[str, int]) -> Addition:
    entry = entries[new.index]
    return Addition(entry, new.occurrence + after.get(_key(entry.booking_date, entry.amount), 0), is_late)


def _entries_differ(gone: Sequence[UUID], entries: Sequence[DocumentEntry], rows: Sequence[StoredEntry]) -> PartFault:
    missing = set(gone)
    day = min(row.booking_date for row in rows if row.id in missing)
    file_sum = sum((entry.amount for entry in entries if entry.booking_date == day), ZERO)
    row_sum = sum((row.amount for row in rows if row.booking_date == day), ZERO)
    return PartFault("entries_differ", f"{file_sum:.2f}", f"{row_sum:.2f}", day)


@dataclass(frozen=True, slots=True)
class _Compared:
    """An entry as the merge sees it."""

    entry: DocumentEntry
    bank_transaction_id: str | None = None

    @property
    def booking_date(self) -> date:
        return self.entry.booking_date

    @property
    def amount(self) -> Decimal:
        return self.entry.amount

    @property
    def fingerprint(self) -> str:
        return _key(self.entry.booking_date, self.entry.amount)
