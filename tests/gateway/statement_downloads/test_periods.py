"""STA-22: a month, quarter or year as people name it."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.statement_downloads.periods import days_of, within
from gateway.statements.service import StatementFilter


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("2026", (date(2026, 1, 1), date(2026, 12, 31))),
        ("2026-Q1", (date(2026, 1, 1), date(2026, 3, 31))),
        ("2026-Q4", (date(2026, 10, 1), date(2026, 12, 31))),
        ("2028-02", (date(2028, 2, 1), date(2028, 2, 29))),
        ("2026-11", (date(2026, 11, 1), date(2026, 11, 30))),
        *((wrong, None) for wrong in ("", "2026-13", "2026-Q5", "2026-q1", "1999", "2026-1", "2026-Q11", "vorig jaar")),
    ],
)
def test_a_period_is_its_first_and_last_day(period: str, days: tuple[date, date] | None) -> None:
    assert days_of(period) == days


def test_a_filter_is_narrowed_by_a_period_and_never_widened() -> None:
    wanted = StatementFilter(date_from=date(2026, 11, 5))
    found = within(wanted, "2026-11")
    assert (found.date_from, found.date_until) == (date(2026, 11, 5), date(2026, 11, 30))
    assert within(wanted, None) is wanted
