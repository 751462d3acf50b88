"""Which days prove: pure arithmetic on entries and bank balances (law 2, STA-02, STA-05).

A chain begins at an opening balance and adds each day's entries. Where the bank's balance of a day equals the chain,
that day is *matched*. A matched day directly after a matched one (or after a closed day) is proven; unmatched days
before a matched one are proven by span; what lies after the last match is held. When no opening was handed over it is
derived backwards from a balance of a reading that showed everything the balance counts: that balance proves nothing by
itself, so everything waits for the first later bank balance that agrees. It need not where each row has the balance
after it and these lead from the opening to that balance, or where the office chose not to wait. No balance is ever
invented; where the office allows it for an account whose chain has begun, days for which the bank names none are
released as computed, and say so until a later balance proves them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from gateway.statements.states import Proof

ONE_DAY: Final = timedelta(days=1)
ANCHORS_MAX: Final = 10
"""So many of the first, and of the last, balances are tried as the beginning of a chain."""
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Closing:
    """What the bank says the balance was at the end of a day."""

    day: date
    amount: Decimal
    read_at: datetime
    basis: str
    """`bank`, or `computed` from a balance read during the next day."""
    is_of_whole: bool = True
    """It came with all rows there are, not with those of some last days only."""


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A transaction on no issued statement yet. `gone_at`: when it was found to have vanished at the bank."""

    id: UUID
    booking_date: date
    amount: Decimal
    seen_at: datetime
    gone_at: datetime | None = None
    not_before: date | None = None
    """It comes again after an offset: no earlier than that."""
    balance_after: Decimal | None = None
    """Booked balance after this row, where the bank gives it."""


@dataclass(frozen=True, slots=True)
class Offset:
    """An issued entry that the statement of `day` reverses. `amount` is the reversal's own."""

    day: date
    entry_id: UUID
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a chain stands: everything up to `closed_until` is final."""

    first_date: date
    closed_until: date
    balance: Decimal
    anchor_date: date | None = None
    """Days up to this one are `derived`; None when the opening was handed over."""
    anchor_read_at: datetime | None = None
    computed_from: date | None = None
    """First closed day that no balance of the bank has proven yet; None when all are proven."""


@dataclass(frozen=True, slots=True)
class DayResult:
    """One complete day. `proof` None is held, with its `hold_code`."""

    day: date
    opening: Decimal
    closing: Decimal
    rows: tuple[UUID, ...]
    proof: Proof | None
    hold_code: str | None = None
    difference: Decimal | None = None
    bank: Closing | None = None
    span: tuple[date, date] | None = None
    """For `proven_by_span`: the two days whose bank balances it lies between."""
    late: frozenset[UUID] = frozenset()
    causes: tuple[str, ...] = ()
    offsets: tuple[UUID, ...] = ()
    """Issued entries that its statement reverses."""

    @property
    def has_entries(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.rows or self.offsets)


@dataclass(frozen=True, slots=True)
class Judgement:
    """All complete days after the closed ones. `opening` is None when there is nothing to start from yet."""

    opening: Opening | None
    days: tuple[DayResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known of an account."""

    rows: Sequence[OpenRow]
    closings: Sequence[Closing]
    pending: tuple[Decimal, ...] = ()
    issued_gone: tuple[Decimal, ...] = ()
    """Amounts of issued entries that vanished or changed at the bank since."""
    after: tuple[Decimal, ...] = ()
    """Amounts booked after the last complete day."""
    offsets: tuple[Offset, ...] = ()
    """Reversals that are tried."""
    may_compute: bool = False
    """Days for which the bank names no balance are released without (STA-04)."""
    may_derive: bool = False
    """A chain begins at a derived opening that nothing has confirmed yet (STA-05)."""


def judge(ledger: Ledger, *, first_date: date, last_date: date, opening: Opening | None) -> Judgement:
    """Decide every day from the first open one to `last_date`, the last complete one.

    `opening` is the chain as it stands; None while it has not begun, and then it is derived, from `first_date` on.
    """
    closings = last_words(ledger.closings, last_date)
    if opening is not None:
        days, matched = _tried(opening, ledger, closings, last_date)
        return Judgement(opening, tuple(_decided(days, matched, opening, ledger, is_derived=False)))
    judged: Judgement | None = None
    anchors = _anchors(ledger.closings, first_date, last_date)
    for anchor in anchors:
        if any(
            row.booking_date < first_date and anchor.read_at < row.seen_at <= anchors[-1].read_at for row in ledger.rows
        ):
            # Nothing is issued yet, so what a later one of them found before the first day belongs in the opening.
            continue
        start = _derived(ledger.rows, anchor, first_date)
        days, matched = _tried(start, ledger, closings, last_date)
        if matched and matched[-1] > anchor.day:
            return Judgement(start, tuple(_decided(days, matched, start, ledger, is_derived=True)))
        if _has_running_balances(days, anchor.day, ledger.rows):
            # The rows confirm the opening themselves: no day is merely derived.
            proven = [result.day for result in days if result.day <= anchor.day]
            confirmed = replace(start, anchor_date=start.closed_until)
            return Judgement(confirmed, tuple(_decided(days, proven, confirmed, ledger, is_derived=True)))
        # One bank balance alone agrees with anything derived from it. What differs from the latest one is named, so
        # that each difference leads to a reading of everything, and that to an opening which the next balance confirms.
        known = [anchor.day] if ledger.may_derive else []
        judged = Judgement(start, tuple(_decided(days, known, start, ledger, is_derived=True)))
    return judged or Judgement(None)


def _anchors(closings: Iterable[Closing], first_date: date, last_date: date) -> list[Closing]:
    """The balances from which an opening may be derived, in the order they were read: one per reading, its earliest.

    A reading of some last days shows a balance that can count what no reading showed, such as a booking dated further
    back; an opening derived from it would hide that row for good. So only readings of everything serve; where none of
    them came with a balance, any.
    """
    usable = [closing for closing in closings if first_date - ONE_DAY <= closing.day <= last_date]
    whole = [closing for closing in usable if closing.is_of_whole]
    earliest: dict[datetime, Closing] = {}
    for closing in sorted(whole or usable, key=lambda item: (item.read_at, item.day, item.basis != "bank")):
        earliest.setdefault(closing.read_at, closing)
    found = list(earliest.values())
    return found if len(found) <= 2 * ANCHORS_MAX else found[:ANCHORS_MAX] + found[-ANCHORS_MAX:]


def _tried(
    start: Opening, ledger: Ledger, closings: Mapping[date, Closing], last_date: date
) -> tuple[list[DayResult], list[date]]:
    """The open days from this opening on, and those that end where the bank says, in order."""
    days = _walk(start, _placed(ledger.rows, start), closings, ledger.offsets, last_date)
    return days, [result.day for result in days if result.bank is not None and result.bank.amount == result.closing]


def last_words(closings: Iterable[Closing], last_date: date) -> dict[date, Closing]:
    """The last word of the bank per day; what it stated itself goes before what was computed from it."""
    found: dict[date, Closing] = {}
    for closing in sorted(closings, key=lambda item: (item.read_at, item.basis == "bank")):
        if closing.day <= last_date:
            found[closing.day] = closing
    return found


def _has_running_balances(days: Sequence[DayResult], until: date, rows: Iterable[OpenRow]) -> bool:
    """Whether the balances after the rows of each day lead from its opening to its closing, in whatever order."""
    by_id = {row.id: row for row in rows}
    count = 0
    for result in days:
        if result.day > until:
            break
        befores, afters = Counter([result.closing]), Counter([result.opening])
        for row in (by_id[row_id] for row_id in result.rows):
            if row.balance_after is None or row.id in result.late:
                return False
            befores[row.balance_after - row.amount] += 1
            afters[row.balance_after] += 1
        if befores != afters:
            return False
        count += len(result.rows)
    return count > 0


def _derived(rows: Sequence[OpenRow], anchor: Closing, first_date: date) -> Opening:
    """The opening before `first_date`: this bank balance less what was booked since, as known at its reading."""
    booked = sum(
        (
            row.amount
            for row in rows
            if first_date <= row.booking_date <= anchor.day
            and row.seen_at <= anchor.read_at
            and (row.gone_at is None or row.gone_at > anchor.read_at)
        ),
        ZERO,
    )
    return Opening(first_date, first_date - ONE_DAY, anchor.amount - booked, anchor.day, anchor.read_at)


def _placed(rows: Iterable[OpenRow], start: Opening) -> tuple[dict[date, list[OpenRow]], frozenset[UUID]]:
    """Rows by the day whose file they go into, and which of them are late: their own day is closed (STA-06).

    A row dated before the chain counts only when it was first seen after the balance the chain began at.
    """
    by_day: dict[date, list[OpenRow]] = defaultdict(list)
    late: set[UUID] = set()
    first_open = start.closed_until + ONE_DAY
    for row in rows:
        if row.gone_at is not None:
            continue
        if row.booking_date < start.first_date:
            if start.anchor_read_at is None or row.seen_at <= start.anchor_read_at:
                continue
            assert start.anchor_date is not None, "an anchor has a day and a moment"
            day = max(first_open, start.anchor_date + ONE_DAY)
        else:
            day = max(first_open, row.booking_date)
        day = max(day, row.not_before or day)
        by_day[day].append(row)
        if day != row.booking_date:
            late.add(row.id)
    return by_day, frozenset(late)


def _walk(
    start: Opening,
    placed: tuple[Mapping[date, list[OpenRow]], frozenset[UUID]],
    closings: Mapping[date, Closing],
    offsets: Sequence[Offset],
    last_date: date,
) -> list[DayResult]:
    """Every open day with its balances, nothing decided yet."""
    days: list[DayResult] = []
    by_day, late = placed
    day, balance = start.closed_until + ONE_DAY, start.balance
    while day <= last_date:
        rows = by_day.get(day, ())
        reversals = [offset for offset in offsets if offset.day == day]
        closing = balance + sum((item.amount for item in (*rows, *reversals)), ZERO)
        ids = tuple(row.id for row in rows)
        result = DayResult(day, balance, closing, ids, None, bank=closings.get(day), late=late.intersection(ids))
        days.append(replace(result, offsets=tuple(offset.entry_id for offset in reversals)))
        day, balance = day + ONE_DAY, closing
    return days


def _decided(
    days: Sequence[DayResult], matched: Sequence[date], start: Opening, ledger: Ledger, *, is_derived: bool
) -> Iterable[DayResult]:
    last_match = max(matched, default=None)
    known = set(matched)
    if start.anchor_date is None or start.closed_until >= start.anchor_date:
        # The closing balance of the days already closed was proven when they were, or those after it are computed.
        known.add(start.closed_until if start.computed_from is None else start.computed_from - ONE_DAY)
    ordered = sorted(known)
    is_blocked = False
    may_compute = (
        ledger.may_compute
        and not is_derived
        and not any(
            result.bank is not None and result.bank.amount != result.closing
            for result in days
            if last_match is None or result.day > last_match
        )
    )
    for result in days:
        if last_match is not None and result.day <= last_match:
            yield _proven(result, known, ordered, start)
            continue
        if may_compute and result.bank is None:
            yield replace(result, proof=Proof.COMPUTED)
            continue
        held = _held(result, ledger, anchor=start.anchor_date, is_blocked=is_blocked)
        is_blocked = is_blocked or held.difference is not None
        yield held


def _proven(result: DayResult, known: set[date], ordered: Sequence[date], start: Opening) -> DayResult:
    if start.anchor_date is not None and result.day <= start.anchor_date:
        return replace(result, proof=Proof.DERIVED)
    if result.day in known and result.day - ONE_DAY in known:
        return replace(result, proof=Proof.PROVEN)
    before = [day for day in ordered if day < result.day]
    after = next(day for day in ordered if day >= result.day)
    return replace(result, proof=Proof.PROVEN_BY_SPAN, span=(before[-1] if before else start.closed_until, after))


def _held(result: DayResult, ledger: Ledger, *, anchor: date | None, is_blocked: bool) -> DayResult:
    if is_blocked:
        return replace(result, hold_code="waits_for_earlier")
    is_overtaken = anchor is not None and result.day <= anchor
    if result.bank is None or result.bank.amount == result.closing or is_overtaken:
        # No balance of the bank for this day, or none that says more than the one behind a derived opening.
        return replace(result, hold_code="awaiting_bank_balance")
    difference = result.bank.amount - result.closing
    causes = likely_causes(difference, result, ledger)
    return replace(result, hold_code="difference", difference=difference, causes=causes)


def likely_causes(difference: Decimal, result: DayResult, ledger: Ledger) -> tuple[str, ...]:
    """Stable codes of what may explain a difference, the likeliest first; a help for people, never a decision.

    The difference is the bank's balance less ours.
    """
    of_day = [row.amount for row in ledger.rows if row.id in result.rows]
    gone = [row.amount for row in ledger.rows if row.gone_at is not None] + list(ledger.issued_gone)
    causes = []
    if -difference in of_day and of_day.count(-difference) > 1:
        causes.append("twin")
    if difference in gone or -difference in gone:
        causes.append("changed_row")
    if difference in ledger.pending or difference in ledger.after:
        causes.append("late_entry")
    if not causes:
        causes.append(
            "missing_page" if abs(difference) > sum((abs(amount) for amount in of_day), ZERO) else "late_entry"
        )
    return tuple(causes)
