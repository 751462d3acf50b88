"""Reading text fields: absence, dates, references and names."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from connectors import text


@pytest.mark.parametrize("value", [None, "", "  ", "NOTPROVIDED", "Not Provided", {}, [], True, 1.5, "\x00"])
def test_what_banks_send_instead_of_nothing_is_absent(value: object) -> None:
    assert text.present(value) is None


def test_a_number_of_thousands_of_digits_is_absent() -> None:
    assert text.present(10**5000) is None


def test_a_zero_is_absent_as_an_id_only() -> None:
    assert text.present("0") == "0"
    assert text.present_id("0") is None
    assert text.present(7) == "7"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("2026-11-20T23:30:00", date(2026, 11, 20)),
        ("2026-11-20T24:00:00", date(2026, 11, 20)),
        ("2026-11-20T00:00:00Z", date(2026, 11, 20)),
        ("2026-11-19T23:00:00Z", date(2026, 11, 20)),
        ("2026-07-19T22:00:00.000Z", date(2026, 7, 20)),
        ("2026-11-20T00:30:00+01:00", date(2026, 11, 20)),
        ("2026-11-20T00:30:00+0500", date(2026, 11, 19)),
        ("20-11-2026", None),
        ("2026-02-30", None),
        ("2026-11-20Tnever+01:00", None),
        ("9999-12-31T23:59:00Z", None),
        ("9999-12-31", date(9999, 12, 31)),
        ("２０２６-11-20", None),
        (20261120, None),
        (None, None),
    ],
)
def test_a_date_is_taken_as_written_and_an_instant_becomes_its_brussels_day(
    value: object, expected: date | None
) -> None:
    assert text.day(value) == expected


def test_a_moment_without_offset_is_brussels_time() -> None:
    assert text.moment("2026-11-20T18:30:00") == datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
    assert text.moment("2026-07-20T18:30:00+00:00") == datetime(2026, 7, 20, 18, 30, tzinfo=UTC)
    assert text.moment("soon") is None
    assert text.moment("0001-01-01T00:00:00") is None


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        ("+++090/9337/55493+++", "090933755493"),
        ("***090/9337/55493***", "090933755493"),
        ("+++ 090933755493 +++", "090933755493"),
        ("090933755493", "090933755493"),
        ("090/9337/55493", "090933755493"),
        ("Factuur 090933755493", None),
        ("0909337554931", None),
        ("++090/9337/55493++", None),
    ],
)
def test_a_structured_communication_is_the_whole_text(value: str, digits: str | None) -> None:
    assert text.belgian_reference(value) == digits


def test_check_digits_are_modulo_97_and_zero_counts_as_97() -> None:
    assert text.is_belgian_reference("090933755493")
    assert text.is_belgian_reference("000000009797")
    assert not text.is_belgian_reference("000000009700")
    assert not text.is_belgian_reference("090933755494")
    assert not text.is_belgian_reference("０９０９３３７５５４９３")
    assert not text.is_belgian_reference("+090933755493")


def test_an_rf_reference_is_checked() -> None:
    assert text.rf_reference("rf18 5390 0754 7034") == "RF18539007547034"
    assert text.is_rf_reference("RF18539007547034")
    assert not text.is_rf_reference("RF19539007547034")
    assert text.rf_reference("RF18 5390 0754 7034, betaald") is None
    assert text.rf_reference("ＲＦ18539007547034") is None


def test_names_are_the_same_but_for_order_case_and_accents() -> None:
    assert text.same_name("Voorbeeld, André", "ANDRE VOORBEELD")
    assert not text.same_name("Voorbeeld An", "Voorbeeld André")
    assert not text.same_name("--", "..")
    assert not text.same_name(None, None)


def test_breaks_become_lines_and_blanks_collapse() -> None:
    assert text.lines(" Naam:  Jan<br>IBAN\r\n<BR />  x\t y ") == ["Naam: Jan", "IBAN", "x y"]


def test_an_iban_has_the_form_of_its_country() -> None:
    assert text.is_iban("BE43068999999501")
    assert not text.is_iban("BE44068999999501")
    assert not text.is_iban("BE4306899999950")
    assert not text.is_iban("ZZ43068999999501")
    assert not text.is_iban("BE４３068999999501")
