import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepa import text
from sepa.errors import TextForbidden
from tests.sepa.samples import rows

printable = st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=60).filter(
    lambda value: not text.has_forbidden(value)
)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("Café Zoë & Fils", "Cafe Zoe + Fils"),
        ("L’Oréal", "L'Oreal"),
        ("Müller – Straße", "Muller - Strase"),
        ("  twee\tregels\r\nen\u00a0meer  ", "twee regels en meer"),
        ("100 € [netto] {a} x_y; 1|2", "100 E (netto) (a) x-y, 1/2"),
        ("Cafe\u0301", "Cafe"),
        ("wait…", "wait..."),
        ('<b> "x"', ".b. .x."),
        ("Θ Щ", "TH SHT"),
        ("شركة", "...."),
    ],
)
def test_a_text_is_converted_by_the_table_after_our_own_folds(given_text: str, expected: str) -> None:
    assert text.convert(given_text) == expected


@given(printable)
def test_conversion_yields_allowed_characters_and_is_idempotent(value: str) -> None:
    converted = text.convert(value)
    assert text.is_allowed(converted)
    assert converted == converted.strip()
    assert "  " not in converted
    assert text.convert(converted) == converted


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\x7f", "\x9f", "\ufffe", "\uffff", "\ud800"])
def test_control_characters_are_refused_not_converted(character: str) -> None:
    assert text.has_forbidden(f"a{character}b")
    with pytest.raises(TextForbidden):
        text.convert(f"a{character}b")


def test_a_name_of_signs_only_says_nothing() -> None:
    assert text.is_blank_name(text.convert("شركة"))
    assert text.is_blank_name("")
    assert not text.is_blank_name("A.")


@pytest.mark.parametrize(
    ("identifier", "faults"),
    [
        ("INV-2026/1", []),
        ("A" * 35, []),
        ("A" * 36, ["identifier_too_long"]),
        ("/A", ["identifier_slash"]),
        ("A/", ["identifier_slash"]),
        ("A//B", ["identifier_slash"]),
        ("é", ["identifier_characters"]),
        (" ", ["identifier_missing"]),
        ("", ["identifier_missing"]),
    ],
)
def test_identifiers_follow_length_characters_and_slashes(identifier: str, faults: list[str]) -> None:
    assert list(text.identifier_faults(identifier)) == faults


@given(st.from_regex(r"[a-z]{3}_[0-9a-z]{26}", fullmatch=True))
def test_our_ids_become_identifiers_a_bank_accepts(own_id: str) -> None:
    assert not list(text.identifier_faults(text.identifier_from(own_id)))


def test_an_id_without_letters_or_digits_becomes_no_identifier() -> None:
    with pytest.raises(TextForbidden):
        text.identifier_from("__")


def test_the_table_is_the_published_one() -> None:
    for row in rows("spec/sepa/epc217-08-conversion.csv"):
        if ".." in row["codepoint"]:
            continue
        character = chr(int(row["codepoint"][2:], 16))
        if text.has_forbidden(character) or character.isspace() or character in "‘’ʼ–—−…":
            continue
        if not unicodedata.is_normalized("NFC", character):
            continue  # the Greek question mark is a semicolon after normalising
        expected = character if row["action"] == "keep" else row["basic_latin"]
        assert text.convert(f"0{character}0") == f"0{expected}0", row
