"""Belgian dates, amounts and account numbers, out and in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web import formats


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1250", "1.250,00"), ("-1250.4", "-1.250,40"), ("0.125", "0,125"), ("1234567.89", "1.234.567,89"), ("0", "0,00")],
)
def test_amounts_are_shown_the_belgian_way(value: str, shown: str) -> None:
    assert formats.amount(Decimal(value)) == shown


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_an_amount_shown_is_read_back(value: Decimal) -> None:
    assert formats.parse_amount(formats.money(value)) == value


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("1.250,00", "1250.00"), ("1250,5", "1250.5"), ("1250.50", "1250.50"), ("1.250", "1250"), ("€ 12", "12"),
        ("1 250,00", "1250.00"), ("12.345.678", "12345678"), ("", None), ("abc", None), ("-5", None), ("1e5", None),
        ("٣", None), ("1,2,3", None),
    ],
)  # fmt: skip
def test_amounts_are_read_as_people_type_them(typed: str, value: str | None) -> None:
    assert formats.parse_amount(typed) == (Decimal(value) if value is not None else None)


def test_days_moments_and_numbers() -> None:
    assert formats.day(date(2026, 11, 21)) == "21/11/2026"
    assert formats.day(None) == "–"
    assert formats.moment(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == "02/07/2026 00:30"
    assert formats.fours("BE71096123456769").replace(formats.NO_BREAK, " ") == "BE71 0961 2345 6769"
    assert formats.structured("123456789002") == "+++123/4567/89002+++"
    assert formats.structured("RF18539007547034") == "RF18539007547034"
    assert formats.parse_day("21/11/2026") == formats.parse_day("2026-11-21") == date(2026, 11, 21)
    assert formats.parse_day("31/02/2026") is None
