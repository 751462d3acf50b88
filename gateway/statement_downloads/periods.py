"""A month, quarter or year as people name it: `2026-11`, `2026-Q4`, `2026` (STA-22). Pure."""

from __future__ import annotations

import calendar
import re
from dataclasses import replace
from datetime import date
from typing import Final

from gateway.statements.service import StatementFilter

PATTERN: Final = r"^2[0-9]{3}(-Q[1-4]|-(0[1-9]|1[0-2]))?$"


def days_of(period: str) -> tuple[date, date] | None:
    """First and last day of it, both included; None when it is no period."""
    if not re.match(PATTERN, period):
        return None
    year, part = int(period[:4]), period[5:]
    if not part:
        return date(year, 1, 1), date(year, 12, 31)
    if part.startswith("Q"):
        last_month = int(part[1:]) * 3
        return date(year, last_month - 2, 1), date(year, last_month, _length(year, last_month))
    return date(year, int(part), 1), date(year, int(part), _length(year, int(part)))


def within(wanted: StatementFilter, period: str | None) -> StatementFilter:
    """The filter inside a period too; as it is without one."""
    days = days_of(period) if period is not None else None
    if days is None:
        return wanted
    first, last = days
    return replace(
        wanted,
        date_from=max(first, wanted.date_from or first),
        date_until=min(last, wanted.date_until or last),
    )


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
