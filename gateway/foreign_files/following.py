"""What a series of foreign statements hands over: the last number, day and balance, or why it cannot (STA-20). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from coda.chain import in_order
from gateway.foreign_files.reading import Facts, FileFault

NUMBER_MAX: Final = 999
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Following:
    """How ours go on after theirs. With `faults` nothing is handed over."""

    number_key: str
    coda_number: int | None
    paper_number: int | None
    last_number: int
    closing_date: date
    closing_balance: Decimal
    last_entry_date: date
    first_day: date
    next_number: int
    files_count: int
    last: Facts | None
    faults: tuple[FileFault, ...]


def follow_files(statements: Sequence[Facts], number_key: str, *, known: Iterable[tuple[int, int]]) -> Following:
    """What the statements of one account hand over; the order in which they are given does not count.

    `known` are year and number of statements that were handed in earlier.
    """
    ordered = _ordered(statements)
    last = ordered[-1]
    with_entries = [facts for facts in ordered if facts.entries_count]
    numbers = [(facts.closing_date.year, number_of(facts, number_key)) for facts in ordered]
    found = following(
        number_key,
        number_of(last, number_key),
        last.closing_date,
        last.closing_balance,
        last_entry_date=(with_entries[-1] if with_entries else last).closing_date,
        used=[*numbers, *known],
    )
    faults = [fault for pair in pairwise(ordered) for fault in _between(*pair, number_key)]
    return Following(
        **{
            **{name: getattr(found, name) for name in Following.__slots__},
            "coda_number": last.link.number,
            "paper_number": last.link.paper_number,
            "files_count": len({facts.link.file for facts in ordered}),
            "last": last,
            "faults": (*faults, *found.faults),
        }
    )


def following(
    number_key: str,
    last_number: int,
    closing_date: date,
    closing_balance: Decimal,
    *,
    last_entry_date: date,
    used: Iterable[tuple[int, int]],
) -> Following:
    """What follows a last number, day and balance; numbers begin anew with each calendar year."""
    first_day = closing_date + ONE_DAY
    next_number = last_number + 1 if first_day.year == closing_date.year else 1
    faults = []
    if not last_number:
        faults.append(FileFault("number_missing", found="000", expected="001–999"))
    elif next_number > NUMBER_MAX:
        faults.append(FileFault("numbers_exhausted", found=str(next_number), expected="001–999"))
    elif (first_day.year, next_number) in set(used):
        found = max(number for year, number in used if year == first_day.year)
        faults.append(FileFault("number_used", found=f"{next_number:03d}", expected=f"{found + 1:03d}"))
    return Following(
        number_key, None, None, last_number, closing_date, closing_balance, last_entry_date, first_day, next_number,
        0, None, tuple(faults),
    )  # fmt: skip


def number_of(facts: Facts, number_key: str) -> int:
    """The number by which the package knows the statement; 0 when the bank gave none."""
    return facts.link.paper_number if number_key == "paper" else facts.link.number


def _ordered(statements: Sequence[Facts]) -> list[Facts]:
    """By closing day, each statement once, whichever files it stands in."""
    once = {facts.link.contents: facts for facts in statements}
    by_link = {facts.link: facts for facts in once.values()}
    return [by_link[link] for link in in_order(list(by_link))]


def _between(before: Facts, after: Facts, number_key: str) -> Iterable[FileFault]:
    """What stands between two statements that should follow each other."""
    one, other = before.link, after.link
    if other.opening != one.closing:
        is_overlap = (other.opening, other.opening_date) == (one.opening, one.opening_date)
        code = "overlap" if is_overlap else "balance_jump"
        yield FileFault(code, other.file, f"{other.opening:.2f}", f"{one.closing:.2f}")
    number, last = number_of(after, number_key), number_of(before, number_key)
    if not number or not last:
        return
    is_same_year = before.closing_date.year == after.closing_date.year
    expected = last + 1 if is_same_year else 1
    if number != expected:
        code = "number_used" if is_same_year and number <= last else "number_jump"
        yield FileFault(code, other.file, f"{number:03d}", f"{expected:03d}")
