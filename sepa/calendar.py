"""Settlement days of T2 (TARGET) and the execution date that is used for the one that was asked.

Closed on Saturdays, Sundays, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December; a closing day in a
weekend is not moved. Belgian public holidays are not closing days. Source: ECB, long-term calendar for TARGET closing
days (in force since 2002).
"""

from datetime import date, timedelta
from enum import StrEnum
from functools import cache

DAYS_BEFORE_MAX = 10

_SALARY_CATEGORIES = frozenset({"SALA"})


class DateChoice(StrEnum):
    """How the execution date of a payment was asked."""

    TODAY = "today"
    FIXED = "fixed"
    DUE_DATE = "due_date"
    BEFORE_DUE_DATE = "before_due_date"


class ClosedDay(StrEnum):
    """Where a payment asked for a closed day goes."""

    NEXT = "next"
    PREVIOUS = "previous"


@cache
def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar, by the Meeus/Jones/Butcher rule."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    f = (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day_before = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day_before + 1)


@cache
def closing_days(year: int) -> dict[date, str]:
    """The closing days of a year with their English names, in order, weekends left out of account."""
    sunday = easter(year)
    return {
        date(year, 1, 1): "New Year",
        sunday - timedelta(days=2): "Good Friday",
        sunday + timedelta(days=1): "Easter Monday",
        date(year, 5, 1): "Labour Day",
        date(year, 12, 25): "Christmas Day",
        date(year, 12, 26): "Christmas Holiday",
    }


def is_business_day(day: date) -> bool:
    """Whether SEPA credit transfers settle on that day."""
    return day.weekday() < 5 and day not in closing_days(day.year)


def next_business_day(day: date, *, count: int = 1) -> date:
    """The `count`-th business day after `day`; `day` itself never counts."""
    return _walk(day, timedelta(days=1), count)


def previous_business_day(day: date, *, count: int = 1) -> date:
    """The `count`-th business day before `day`; `day` itself never counts."""
    return _walk(day, timedelta(days=-1), count)


def closed_day_default(category: str | None) -> ClosedDay:
    """Salaries go to the business day before a closed day, everything else to the one after it."""
    return ClosedDay.PREVIOUS if category in _SALARY_CATEGORIES else ClosedDay.NEXT


def execution_date(
    asked: date | None,
    choice: DateChoice,
    category: str | None,
    today: date,
    *,
    days_before: int = 0,
    closed_day: ClosedDay | None = None,
    is_instant: bool = False,
) -> date:
    """The date that goes into the file for the date that was asked; the caller keeps both.

    `asked` is the fixed or due date and is ignored for `today`. `days_before` (1 to 10 business days) belongs to
    `before_due_date`. A past date becomes today; a closed day the next business day, for salaries the one before
    unless that is past. Instant payments settle on every day. `closed_day` None: the default of the category.
    Raises `ValueError` when the choice lacks its date or its number of days.
    """
    if choice is DateChoice.TODAY:
        day = today
    elif asked is None:
        raise ValueError(f"the choice {choice.value} needs a date")
    elif choice is DateChoice.BEFORE_DUE_DATE:
        if not 1 <= days_before <= DAYS_BEFORE_MAX:
            raise ValueError(f"days_before is 1 to {DAYS_BEFORE_MAX} business days")
        day = previous_business_day(asked, count=days_before) if asked > today else today
    else:
        day = asked
    day = max(day, today)
    if is_instant or is_business_day(day):
        return day
    if (closed_day or closed_day_default(category)) is ClosedDay.PREVIOUS:
        before = previous_business_day(day)
        if before >= today:
            return before
    return next_business_day(day)


def _walk(day: date, step: timedelta, count: int) -> date:
    if count < 1:
        raise ValueError("count starts at 1")
    while count:
        day += step
        count -= is_business_day(day)
    return day
