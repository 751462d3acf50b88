import csv
from importlib.resources import files

import pytest

from coda.codes import LANGUAGES, exists, label, table, type_label


@pytest.mark.parametrize(
    ("code", "language", "expected"),
    [
        (
            "00150000",
            "nl",
            "Binnenlandse/lokale overschrijvingen - SEPA credit transfers: Overschrijving te uwen gunste",
        ),
        ("00101000", "en", "Domestic or local SEPA credit transfers: Individual transfer order"),
        ("80137013", "fr", "Virements nationaux/locaux – SEPA credit transfers: Frais: Commission de paiement"),
        ("00101000", "de", "Inlands- und SEPA-Überweisungen: Einzelüberweisung"),
        ("00101000", "it", "Domestic or local SEPA credit transfers: Individual transfer order"),
        ("06666000", "en", ""),
        ("", "en", ""),
    ],
)
def test_a_code_has_a_label_in_each_language_and_english_stands_in(code: str, language: str, expected: str) -> None:
    assert label(code, language) == expected


def test_a_code_exists_by_family_and_operation() -> None:
    assert exists("01", "50")
    assert not exists("01", "77")
    assert not exists("66", "50")
    assert not exists("", "")


def test_operations_of_one_bank_exist_in_every_family() -> None:
    assert exists("01", "43")
    assert exists("13", "98")
    assert not exists("66", "43")


def test_the_codes_for_items_of_unknown_kind_exist() -> None:
    assert exists("30", "39")
    assert exists("30", "89")


def test_every_part_of_the_table_is_labelled_in_four_languages() -> None:
    codes = table()
    for part in (codes.types, codes.families, codes.operations, codes.categories):
        assert part
        for labels in part.values():
            assert set(labels) == set(LANGUAGES)
            assert all(labels.values())


def test_the_table_says_which_labels_are_ours() -> None:
    text = files("coda").joinpath("transaction_codes.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["ours"] for row in rows} == {"de", "fr de"}
    assert {row["part"] for row in rows if "fr" in row["ours"]} == {"type"}


def test_the_type_says_single_total_or_detail() -> None:
    assert type_label("50107000") == "Detail of type 1"
    assert type_label("40107000") == ""
