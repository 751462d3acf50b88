from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepa.calendar import (
    ClosedDay,
    DateChoice,
    closing_days,
    easter,
    execution_date,
    is_business_day,
    next_business_day,
    previous_business_day,
)
from tests.sepa.samples import rows

days = st.dates(date(2024, 1, 1), date(2099, 12, 1))


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2026, 12, 24), date(2026, 12, 28)),
        (date(2027, 3, 25), date(2027, 3, 30)),
        (date(2027, 4, 30), date(2027, 5, 3)),
        (date(2026, 12, 31), date(2027, 1, 4)),
    ],
)
def test_the_next_settlement_day_skips_closing_days(day: date, following: date) -> None:
    assert next_business_day(day) == following
    assert previous_business_day(following) == day


def test_easter_is_found_by_rule() -> None:
    assert [easter(year) for year in (2026, 2027, 2028)] == [date(2026, 4, 5), date(2027, 3, 28), date(2028, 4, 16)]


def test_belgian_holidays_are_settlement_days_and_good_friday_is_not() -> None:
    assert is_business_day(date(2026, 7, 21))
    assert is_business_day(date(2026, 11, 11))
    assert not is_business_day(date(2027, 3, 26))


def test_the_shared_list_of_closing_days_is_complete() -> None:
    expected = {
        date.fromisoformat(row["date"]): row["name"] for row in rows("samples/sepa/lists/target-closing-days.csv")
    }
    years = {day.year for day in expected}
    ours = {day: name for year in years for day, name in closing_days(year).items()}
    on_weekdays = {day for day in expected if day.weekday() < 5}
    assert on_weekdays == {day for day in ours if day.weekday() < 5}


def test_each_choice_gives_the_date_it_names() -> None:
    monday, due = date(2027, 1, 4), date(2027, 1, 20)
    assert execution_date(None, DateChoice.TODAY, None, monday) == monday
    assert execution_date(due, DateChoice.FIXED, None, monday) == due
    assert execution_date(due, DateChoice.DUE_DATE, None, monday) == due
    assert execution_date(due, DateChoice.BEFORE_DUE_DATE, None, monday, days_before=3) == date(2027, 1, 15)


def test_salaries_go_before_a_closed_day_and_other_payments_after_it() -> None:
    today, saturday = date(2027, 1, 4), date(2027, 1, 30)
    assert execution_date(saturday, DateChoice.FIXED, "SALA", today) == date(2027, 1, 29)
    assert execution_date(saturday, DateChoice.FIXED, "SUPP", today) == date(2027, 2, 1)
    assert execution_date(saturday, DateChoice.FIXED, "SALA", today, closed_day=ClosedDay.NEXT) == date(2027, 2, 1)
    assert execution_date(saturday, DateChoice.FIXED, None, today, is_instant=True) == saturday


def test_a_salary_on_a_closed_today_goes_forward_not_into_the_past() -> None:
    saturday = date(2027, 1, 30)
    assert execution_date(saturday, DateChoice.FIXED, "SALA", saturday) == date(2027, 2, 1)


@given(days, days, st.sampled_from([None, "SALA", "SUPP"]), st.sampled_from(list(ClosedDay)))
def test_the_date_used_is_a_business_day_never_past_and_near_the_one_asked(
    asked: date, today: date, category: str | None, closed_day: ClosedDay
) -> None:
    used = execution_date(asked, DateChoice.FIXED, category, today, closed_day=closed_day)
    assert is_business_day(used)
    assert used >= today
    assert abs(used - max(asked, today)) <= timedelta(days=5)


@given(days, st.integers(1, 10))
def test_counting_business_days_forward_and_back_returns(day: date, count: int) -> None:
    start = next_business_day(day)
    assert previous_business_day(next_business_day(start, count=count), count=count) == start


def test_a_choice_without_what_it_needs_is_refused() -> None:
    today = date(2027, 1, 4)
    with pytest.raises(ValueError, match="needs a date"):
        execution_date(None, DateChoice.FIXED, None, today)
    with pytest.raises(ValueError, match="1 to 10"):
        execution_date(today, DateChoice.BEFORE_DUE_DATE, None, today, days_before=11)
    with pytest.raises(ValueError, match="starts at 1"):
        next_business_day(today, count=0)
