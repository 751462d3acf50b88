import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649
from stdnum.be import ogm_vcs

from sepa import references
from sepa.errors import ReferenceInvalid
from tests.sepa.samples import rows

bases = st.integers(0, 9_999_999_999)


@pytest.mark.parametrize(
    ("base", "printed"),
    [
        ("0909337554", "+++090/9337/55493+++"),
        (1234567890, "+++123/4567/89002+++"),
        (97, "+++000/0000/09797+++"),
        (0, "+++000/0000/00097+++"),
        ("9999999999", "+++999/9999/99948+++"),
    ],
)
def test_worked_examples_are_made_as_published(base: int | str, printed: str) -> None:
    assert references.print_belgian(references.make_belgian(base)) == printed


@given(bases)
def test_a_belgian_reference_made_here_is_accepted_here_and_by_stdnum(base: int) -> None:
    digits = references.make_belgian(base)
    assert references.belgian_fault(digits) is None
    assert ogm_vcs.is_valid(digits)
    printed = references.print_belgian(digits)
    assert references.parse_belgian(printed) == digits
    assert references.parse_belgian(printed.replace("+", "*")) == digits
    assert references.find_belgian(f"Factuur 17, mededeling {printed} dank") == digits


@given(bases, st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(base: int, position: int, shift: int) -> None:
    digits = references.make_belgian(base)
    wrong = digits[:position] + str((int(digits[position]) + shift) % 10) + digits[position + 1 :]
    assert not references.is_belgian(wrong)


@given(bases, st.integers(0, 11), st.integers(1, 9))
def test_a_repair_is_the_only_reference_that_fits(base: int, position: int, shift: int) -> None:
    digits = references.make_belgian(base)
    wrong = digits[:position] + str((int(digits[position]) + shift) % 10) + digits[position + 1 :]
    assert references.repair_belgian(wrong) in (digits, None)


def test_letters_from_a_scanner_are_proposed_as_digits() -> None:
    assert references.repair_belgian("+++O9O/9337/SS493+++") == "090933755493"
    assert references.repair_belgian("090933755493") is None, "what is right needs no repair"
    assert references.repair_belgian("no reference at all") is None


def test_an_ambiguous_free_text_gives_no_reference() -> None:
    first, second = references.make_belgian(1), references.make_belgian(2)
    assert references.find_belgian(f"{first} en {second}") is None
    assert references.find_belgian(f"{references.print_belgian(first)} {references.print_belgian(second)}") is None
    assert references.find_belgian(f"order 123456789012 ref {references.print_belgian(first)}") == first
    assert references.find_belgian("BE12310291417792") is None, "part of an IBAN is no reference"


@pytest.mark.parametrize("number", ["", "12345678901", "-1", "1.5", "１２"])
def test_no_belgian_reference_is_made_of_anything_but_one_to_ten_digits(number: str) -> None:
    with pytest.raises(ReferenceInvalid):
        references.make_belgian(number)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=21))
def test_a_creditor_reference_made_here_is_accepted_here_and_by_stdnum(own: str) -> None:
    made = references.make_rf(own)
    assert references.rf_fault(made) is None
    assert iso11649.is_valid(made)
    assert references.parse_rf(references.print_rf(made).lower()) == made


def test_a_belgian_reference_can_be_wrapped_for_a_payer_abroad() -> None:
    assert references.make_rf("090933755493") == "RF48090933755493"
    assert references.make_rf("2026INV0042") == "RF032026INV0042"


@given(st.text(max_size=30))
def test_reading_any_text_gives_a_valid_reference_or_a_refusal(text: str) -> None:
    if references.is_belgian(text):
        assert references.belgian_fault(references.parse_belgian(text)) is None
    if references.is_rf(text):
        assert references.rf_fault(references.parse_rf(text)) is None
    references.repair_belgian(text)
    references.find_belgian(text)


def test_the_shared_list_of_belgian_references_is_judged_as_expected() -> None:
    for row in rows("samples/sepa/lists/ogm.csv"):
        expected = row["valid"] == "yes"
        assert references.is_belgian(row["input"]) is expected, row
        if expected:
            assert references.parse_belgian(row["input"]) == row["digits"]


def test_the_shared_list_of_creditor_references_is_judged_as_expected() -> None:
    for row in rows("samples/sepa/lists/rf.csv"):
        expected = row["valid"] == "yes"
        assert references.is_rf(row["input"]) is expected, row
        if expected:
            assert references.parse_rf(row["input"]) == row["normalised"]
