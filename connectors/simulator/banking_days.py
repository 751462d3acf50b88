"""Days on which banks book: Monday to Friday outside the closing days of TARGET (T2)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

ONE_DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (Meeus/Jones/Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=4096)
def is_banking_day(day: date) -> bool:
    """Whether TARGET is open; its closing days are New Year, Good Friday, Easter Monday, 1 May, 25 and 26 December."""
    if day.weekday() >= 5 or (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 26)}:
        return False
    sunday = easter(day.year)
    return day not in {sunday - 2 * ONE_DAY, sunday + ONE_DAY}


def next_banking_day(day: date) -> date:
    """The first banking day after `day`."""
    day += ONE_DAY
    while not is_banking_day(day):
        day += ONE_DAY
    return day


def on_or_after(day: date) -> date:
    """`day` when banks book on it, otherwise the next banking day."""
    return day if is_banking_day(day) else next_banking_day(day)


def previous_banking_day(day: date) -> date:
    """The last banking day before `day`."""
    day -= ONE_DAY
    while not is_banking_day(day):
        day -= ONE_DAY
    return day


def on_or_before(day: date) -> date:
    """`day` when banks book on it, otherwise the banking day before."""
    return day if is_banking_day(day) else previous_banking_day(day)
