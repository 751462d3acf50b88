from datetime import date
from decimal import Decimal

import pytest

from coda.fields import Amount, Code, Codec, CutText, Day, Digits, FieldFault, Flag, Mark, OneOf, SignedAmount, Text


@pytest.mark.parametrize(
    ("codec", "raw", "value"),
    [
        (Digits(1, 4), "0017", 17),
        (Code(1, 3), "007", "007"),
        (OneOf(1, 1, "12"), "2", "2"),
        (Flag(1), "1", True),
        (Mark(1), "D", True),
        (Mark(1), " ", False),
        (Text(1, 6), " ab   ", " ab"),
        (Day(1), "290228", date(2028, 2, 29)),
        (Day(1, may_be_absent=True), "000000", None),
        (Amount(1), "000000000001500", Decimal("1.500")),
        (SignedAmount(1), "1000000000001500", Decimal("-1.500")),
        (SignedAmount(1), "0999999999999999", Decimal("999999999999.999")),
    ],
)
def test_a_value_reads_from_its_columns_and_is_written_to_them(codec: Codec, raw: str, value: object) -> None:
    assert codec.decode(raw) == value
    assert codec.encode(value) == raw


@pytest.mark.parametrize(
    ("codec", "raw", "code", "instead"),
    [
        (Digits(1, 4), "    ", "blank_number", 0),
        (Digits(1, 4), "  17", "not_digits", 17),
        (Digits(1, 4), "1x17", "not_digits", 0),
        (Digits(1, 4), "٠٠٠٧", "not_digits", 0),
        (Code(1, 3), "   ", "blank_number", "000"),
        (Code(1, 3, may_be_blank=False), "   ", "not_digits", "   "),
        (OneOf(1, 1, "0123"), " ", "blank_number", "0"),
        (OneOf(1, 1, "0123"), "7", "unknown_value", "7"),
        (Flag(1), " ", "blank_number", False),
        (Flag(1), "x", "unknown_value", False),
        (Mark(1), "X", "unknown_value", False),
        (Text(1, 4), "a\tb ", "control_character", "a b"),
        (Day(1), "310226", "bad_date", None),
        (Day(1), "000000", "bad_date", None),
        (Day(1, may_be_absent=True), "      ", "blank_number", None),
        (Amount(1), "            150", "not_digits", Decimal(0)),
        (SignedAmount(1), "2000000000001500", "not_digits", Decimal("1.500")),
    ],
)
def test_columns_without_a_value_are_told_with_what_is_taken_instead(
    codec: Codec, raw: str, code: str, instead: object
) -> None:
    with pytest.raises(FieldFault) as caught:
        codec.decode(raw)
    assert (caught.value.code, caught.value.value) == (code, instead)
    assert caught.value.warning == (code == "blank_number")


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (Digits(1, 2), 100),
        (Digits(1, 2), -1),
        (Code(1, 3), "12"),
        (Code(1, 3), "12x"),
        (OneOf(1, 1, "12"), "3"),
        (OneOf(1, 1, "12"), "12"),
        (Text(1, 3), "abcd"),
        (Text(1, 3), "a\n"),
        (Text(1, 3), "\x81"),
        (Day(1), None),
        (Day(1), date(1999, 12, 31)),
        (Day(1), date(2100, 1, 1)),
        (Amount(1), Decimal(-1)),
        (Amount(1), Decimal("0.0001")),
        (Amount(1), Decimal("1.0000000000000000000000000000000000001")),
        (Amount(1), Decimal("NaN")),
        (SignedAmount(1), Decimal("1000000000000")),
    ],
)
def test_a_value_that_does_not_fit_is_refused(codec: Codec, value: object) -> None:
    with pytest.raises(FieldFault):
        codec.encode(value)


def test_only_a_text_that_may_be_cut_is_cut() -> None:
    assert CutText(1, 3).encode("abcd") == "abc"


def test_a_zero_amount_has_no_sign() -> None:
    zero = SignedAmount(1).decode("1" + "0" * 15)
    assert not zero.is_signed()
    assert SignedAmount(1).encode(Decimal("-0.000")) == "0" * 16
