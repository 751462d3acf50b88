"""CODA codes: every row of both tables, every condition, and the ladder of STA-12."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from connectors import btc
from connectors.btc import Clues, transaction_code
from connectors.model import CodeBasis

TABLES = Path(btc.__file__).parent / "tables"
OWN = {"own_account": {"is_own_account": True, "counterparty_iban": "BE43068999999501"}}


def table(name: str) -> list[dict[str, str]]:
    content = (TABLES / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in content if not line.startswith("#")))


def test_the_operation_of_every_row_fits_its_sign_and_its_family_exists() -> None:
    rows = table("iso_codes.csv") + table("text_rules.csv")
    for row in rows:
        code = row["coda_code"]
        assert (int(code[3:5]) < 50) == (row["sign"] == "debit"), row
        assert code[1:3] in btc.FAMILIES
        assert code != "00000000"
    assert len(rows) == 382 + 38


def test_every_iso_row_gives_its_own_code_when_its_condition_holds() -> None:
    for row in table("iso_codes.csv"):
        if row["condition"] in ("text_first", "card_statement", "interest") or "*" in (row["domain"], row["family"]):
            continue
        subfamily = "ZZZZ" if row["subfamily"] == "*" else row["subfamily"]
        iso = f"{row['domain']}-{row['family']}-{subfamily}"
        clues = Clues(row["sign"] == "debit", iso_code=iso, **OWN.get(row["condition"], {}))  # type: ignore[arg-type]
        assert transaction_code(clues).digits == row["coda_code"], row


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("PMNT-RCDT-ESCT", "PMNT-RCDT-ESCT"),
        ("PMNT/RCDT/ESCT", "PMNT-RCDT-ESCT"),
        ("pmnt.rcdt.esct", "PMNT-RCDT-ESCT"),
        (" PMNT RCDT  ESCT ", "PMNT-RCDT-ESCT"),
        ("PMNTRCDTESCT", "PMNT-RCDT-ESCT"),
        ("PMNT-RCDT", None),
        ("PMNT-RCDT-ESCT-X", None),
        ("PMNT-RCDTX-ESC", None),
        ("", None),
        (None, None),
    ],
)
def test_an_iso_code_is_read_in_every_spelling(value: object, code: str | None) -> None:
    assert btc.iso_code(value) == code


@pytest.mark.parametrize(
    ("clues", "digits", "basis"),
    [
        (Clues(True, bank_code="00402000", iso_code="PMNT-ICDT-ESCT"), "00402000", CodeBasis.BANK),
        (Clues(True, bank_code="00000000", iso_code="PMNT-ICDT-ESCT"), "00101000", CodeBasis.ISO),
        (Clues(True, bank_code="06301000"), "03039000", CodeBasis.DEFAULT),
        (Clues(True, bank_code="1234567"), "03039000", CodeBasis.DEFAULT),
        (Clues(False, iso_code="PMNT-RCDT-BOOK"), "00150000", CodeBasis.ISO),
        (Clues(False, iso_code="PMNT-RCDT-BOOK", is_own_account=True), "00164000", CodeBasis.ISO),
        (Clues(True, iso_code="PMNT-ICDT-BOOK", is_own_account=True), "00113000", CodeBasis.ISO),
        (Clues(True, iso_code="PMNT-ICDT-ZZZZ", counterparty_iban="US00"), "04101000", CodeBasis.ISO),
        (Clues(True, iso_code="PMNT-ICDT-ZZZZ", counterparty_iban="NL00"), "00101000", CodeBasis.ISO),
        (Clues(True, iso_code="PMNT-CCRD-POSD"), "00402000", CodeBasis.ISO),
        (Clues(True, iso_code="PMNT-CCRD-POSD", original_currency="EUR"), "00402000", CodeBasis.ISO),
        (Clues(True, iso_code="PMNT-CCRD-POSD", original_currency="USD"), "00408000", CodeBasis.ISO),
        (Clues(True, iso_code="PMNT-CCRD-BOOK", wording="Uitgavenstaat oktober"), "00403000", CodeBasis.ISO),
        (Clues(True, iso_code="LDAS-MGLN-INTR"), "01311002", CodeBasis.ISO),
        (Clues(True, iso_code="PMNT-NTAV-NTAV", wording="Geldopname Gent"), "00404000", CodeBasis.TEXT),
        (Clues(True, iso_code="PMNT-NTAV-NTAV", counterparty_iban="BE43"), "00101000", CodeBasis.COUNTERPARTY),
        (Clues(False, iso_code="XTND-NTAV-NTAV"), "03089000", CodeBasis.DEFAULT),
        (Clues(False, iso_code="ZZZZ-ZZZZ-ZZZZ", wording="virement reçu"), "00150000", CodeBasis.TEXT),
        (Clues(True, wording="Domicilie\u0308ring water"), "00501000", CodeBasis.TEXT),
        (Clues(True, wording="DOMICILIATION EAU"), "00501000", CodeBasis.TEXT),
        (Clues(True, wording="Kosten oktober"), "08033000", CodeBasis.TEXT),
        (Clues(True, wording="Kosten oktober", has_counterparty=True), "03039000", CodeBasis.DEFAULT),
        (Clues(False, counterparty_iban="BE43"), "00150000", CodeBasis.COUNTERPARTY),
        (Clues(True), "03039000", CodeBasis.DEFAULT),
        (Clues(False), "03089000", CodeBasis.DEFAULT),
    ],
)
def test_the_first_step_that_knows_decides(clues: Clues, digits: str, basis: CodeBasis) -> None:
    assert transaction_code(clues).digits == digits
    assert transaction_code(clues).basis is basis


def test_one_salary_is_simple_and_a_file_of_salaries_is_a_customers_total() -> None:
    assert transaction_code(Clues(True, iso_code="PMNT-ICDT-SALA")).digits == "00105000"
    assert transaction_code(Clues(True, iso_code="PMNT-ICDT-SALA", is_batch=True)).digits == "10105000"


@pytest.mark.parametrize(
    ("clues", "kind"),
    [
        (Clues(True, iso_code="PMNT-ICDT-ESCT", is_batch=True), "1"),
        (Clues(False, iso_code="PMNT-IDDT-ESDD", is_batch=True), "1"),
        (Clues(False, iso_code="PMNT-RCDT-ESCT", is_batch=True), "0"),
        (Clues(True, iso_code="PMNT-CCRD-POSD", is_batch=True), "0"),
        (Clues(True, is_batch=True), "0"),
    ],
)
def test_only_a_file_of_the_customer_is_a_total(clues: Clues, kind: str) -> None:
    assert transaction_code(clues).digits[0] == kind


@pytest.mark.parametrize(
    ("clues", "digits"),
    [
        (Clues(True, bank_code="00150000"), "00149000"),
        (Clues(False, bank_code="00501000"), "00599000"),
    ],
)
def test_a_code_against_the_sign_becomes_a_correction_of_its_family(clues: Clues, digits: str) -> None:
    code = transaction_code(clues)
    assert code.digits == digits
    assert code.warning == "code_against_sign"


def test_no_combination_gives_an_impossible_code() -> None:
    codes = {(row["domain"], row["family"], row["subfamily"]) for row in table("iso_codes.csv")}
    for domain, family, subfamily in codes:
        for is_debit in (True, False):
            iso = "-".join(part.replace("*", "ZZZZ") for part in (domain, family, subfamily))
            digits = transaction_code(Clues(is_debit, iso_code=iso)).digits
            assert (int(digits[3:5]) < 50) == is_debit, iso
            assert digits[1:3] in btc.FAMILIES


def test_our_table_is_that_of_the_studies_and_the_one_row_on_which_they_differ_is_decided(shared: Path) -> None:
    """Decision 0010: a salary is a single payment unless the bank says it is a file."""
    ours = {key(row): row["coda_code"] for row in table("iso_codes.csv")}
    long = read(shared / "spec/psd2/iso_btc_to_coda.csv")
    short = read(shared / "spec/coda/iso20022_to_coda.csv")
    assert ours == long
    salary = ("PMNT", "ICDT", "SALA", "debit")
    different = {row for row in long.keys() & short.keys() if long[row] != short[row]}
    assert (different, ours[salary], short[salary]) == ({salary}, "00105000", "10105000")


def read(path: Path) -> dict[tuple[str, ...], str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {key(row): row["transaction_code"] for row in csv.DictReader(file)}


def key(row: dict[str, str]) -> tuple[str, ...]:
    return row["domain"], row["family"], row["subfamily"], row["sign"]
