"""Merging what a bank shows now into what is stored: nothing lost, nothing twice (law 1).

Whole booking days are compared as multisets of fingerprints: `new = fetched - stored`, `gone = stored - fetched`. Two
real equal payments stay two, a row read again adds none, and ids that change add none. This module decides only; it
reads and writes nothing. Source: transaction mapping, section 5.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol
from uuid import UUID


class Fetched(Protocol):
    """What is asked of a booked row from the bank; `connectors.model.Transaction` has it."""

    @property
    def booking_date(self) -> date | None: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def bank_transaction_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A stored transaction, vanished ones included. All have the fingerprint version of the rows fetched."""

    id: UUID
    booking_date: date
    amount: Decimal
    fingerprint: str
    occurrence: int
    is_vanished: bool = False
    is_issued: bool = False
    """It stands on an issued statement."""
    bank_transaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Whole booking days, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class NewRow:
    """A transaction to add, or the new form of one that changed."""

    index: int
    """Position in the rows fetched."""
    occurrence: int


@dataclass(frozen=True, slots=True)
class Edit:
    """The bank changed a row: it keeps our id and takes a new form."""

    id: UUID
    row: NewRow


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do so that the stored rows of the window are those fetched."""

    new: tuple[NewRow, ...] = ()
    kept: tuple[UUID, ...] = ()
    edited: tuple[Edit, ...] = ()
    vanished: tuple[UUID, ...] = ()
    revived: tuple[UUID, ...] = ()
    undecided: Mapping[int, tuple[UUID, ...]] = field(default_factory=dict)
    """New rows (positions) that may be changed forms of vanished ones (ids): added, and shown for review."""

    @property
    def is_quiet(self) -> bool:
        """True when nothing changes."""
        return not (self.new or self.edited or self.vanished or self.revived)


def plan(
    stored: Iterable[StoredRow], fetched: Sequence[Fetched], window: Window, *, are_ids_trusted: bool = False
) -> Plan:
    """Compare stored rows with the booked rows fetched for `window`; rows outside it are left alone.

    `stored` holds every row of the window and every other row that shares a fingerprint with one fetched: those only
    say which occurrences are taken. Without trusted ids a row given twice in one reading counts twice: the balance
    tells. With them, the same id and fingerprint in one reading is one row.
    """
    occurrences: dict[str, int] = {}
    present: dict[tuple[date, str], list[StoredRow]] = defaultdict(list)
    for row in stored:
        occurrences[row.fingerprint] = max(occurrences.get(row.fingerprint, 0), row.occurrence)
        if row.booking_date in window:
            present[row.booking_date, row.fingerprint].append(row)
    shown = _shown(fetched, window, are_ids_trusted=are_ids_trusted)

    kept: list[UUID] = []
    revived: list[UUID] = []
    gone: list[StoredRow] = []
    fresh: list[int] = []
    for key in sorted({*present, *shown}):
        rows = sorted(present.get(key, ()), key=_keep_first)
        positions = shown.get(key, [])
        for row in rows[: len(positions)]:
            (revived if row.is_vanished else kept).append(row.id)
        gone += [row for row in rows[len(positions) :] if not row.is_vanished]
        fresh += positions[len(rows) :]

    pairs, undecided = _edits(gone, fresh, fetched, are_ids_trusted=are_ids_trusted)

    def numbered(index: int) -> NewRow:
        fingerprint = fetched[index].fingerprint
        occurrences[fingerprint] = occurrences.get(fingerprint, 0) + 1
        return NewRow(index, occurrences[fingerprint])

    changed = {index: row for row, index in pairs}
    placed = {index: numbered(index) for index in fresh}
    return Plan(
        new=tuple(placed[index] for index in fresh if index not in changed),
        kept=tuple(kept),
        edited=tuple(Edit(row.id, placed[index]) for index, row in changed.items()),
        vanished=tuple(row.id for row in gone if row not in changed.values()),
        revived=tuple(revived),
        undecided=undecided,
    )


def _shown(fetched: Sequence[Fetched], window: Window, *, are_ids_trusted: bool) -> dict[tuple[date, str], list[int]]:
    """Positions of the rows fetched, by day and fingerprint."""
    shown: dict[tuple[date, str], list[int]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for index, row in enumerate(fetched):
        day = row.booking_date
        if day is None or day not in window:
            continue
        if are_ids_trusted and row.bank_transaction_id is not None:
            identity = (row.bank_transaction_id, row.fingerprint)
            if identity in seen:
                continue
            seen.add(identity)
        shown[day, row.fingerprint].append(index)
    return shown


def _keep_first(row: StoredRow) -> tuple[bool, bool, int]:
    """Of twins the one that stays: not vanished before vanished, issued before not issued, the first before later."""
    return row.is_vanished, not row.is_issued, row.occurrence


def _edits(
    gone: Sequence[StoredRow], fresh: Sequence[int], fetched: Sequence[Fetched], *, are_ids_trusted: bool
) -> tuple[list[tuple[StoredRow, int]], dict[int, tuple[UUID, ...]]]:
    """Pairs of a gone row and its new form, and the positions that may be one of several.

    A trusted id decides; else a pair that is alone on its day with its amount.
    """
    pairs: list[tuple[StoredRow, int]] = []
    if are_ids_trusted:
        by_id = {row.bank_transaction_id: row for row in gone if row.bank_transaction_id is not None}
        for index in fresh:
            row = by_id.pop(fetched[index].bank_transaction_id or "", None)
            if row is not None:
                pairs.append((row, index))
    taken_rows, taken = {row.id for row, _ in pairs}, {index for _, index in pairs}

    def place(day: date | None, amount: Decimal) -> tuple[date | None, Decimal]:
        return day, amount

    gone_at: dict[tuple[date | None, Decimal], list[StoredRow]] = defaultdict(list)
    for row in gone:
        if row.id not in taken_rows:
            gone_at[place(row.booking_date, row.amount)].append(row)
    fresh_at: dict[tuple[date | None, Decimal], list[int]] = defaultdict(list)
    for index in fresh:
        if index not in taken:
            fresh_at[place(fetched[index].booking_date, fetched[index].amount)].append(index)
    undecided: dict[int, tuple[UUID, ...]] = {}
    for key, rows in gone_at.items():
        candidates = fresh_at.get(key, [])
        if len(rows) == 1 and len(candidates) == 1:
            pairs.append((rows[0], candidates[0]))
        else:
            undecided |= dict.fromkeys(candidates, tuple(row.id for row in rows))
    return pairs, undecided


def counts(rows: Iterable[tuple[date, str]]) -> Counter[tuple[date, str]]:
    """Multiset of (booking day, fingerprint), for checks."""
    return Counter(rows)
