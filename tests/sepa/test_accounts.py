import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from stdnum.be import vat

from sepa import accounts
from sepa.errors import AccountInvalid
from tests.sepa.samples import belgian_iban, rows


def is_valid_by_registry(iban: str) -> bool:
    try:
        IBAN(iban, validate_bban=True)
    except SchwiftyException:
        return False
    return True


@given(st.integers(0, 9_999_999_999))
def test_a_belgian_iban_with_good_check_digits_is_accepted_here_and_by_the_registry(number: int) -> None:
    iban = belgian_iban(number)
    assert accounts.iban_fault(iban) is None
    assert is_valid_by_registry(iban)


@given(st.from_regex(r"BE[0-9]{14}", fullmatch=True))
def test_the_short_belgian_check_agrees_with_the_registry(iban: str) -> None:
    assert (accounts.iban_fault(iban) is None) == is_valid_by_registry(iban)


@pytest.mark.parametrize(
    ("iban", "fault"),
    [
        ("BE41539007547035", "iban_national_checksum"),
        ("BE54310100270000", "iban_national_checksum"),
        ("BE6853900754703", "iban_length"),
        ("BE68 5390 0754 7034", "iban_format"),
        ("be68539007547034", "iban_format"),
        ("BE６８539007547034", "iban_format"),
        ("ZZ68539007547034", "iban_country_unknown"),
        ("DE99370400440532013000", "iban_checksum"),
        ("", "iban_format"),
        ("XK051212012345678906", None),
        ("NL91ABNA0417164300", None),
    ],
)
def test_an_iban_has_the_fault_that_a_person_can_act_on(iban: str, fault: str | None) -> None:
    assert accounts.iban_fault(iban) == fault


@given(st.text(max_size=36))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        accounts.iban_fault(text)
        accounts.bic_fault(text)
        accounts.enterprise_number_fault(text)


def test_a_typed_iban_is_compacted_and_printed_in_fours() -> None:
    assert accounts.require_iban(" be68 5390 0754 7034 ") == "BE68539007547034"
    assert accounts.print_iban("BE68539007547034") == "BE68 5390 0754 7034"
    with pytest.raises(AccountInvalid):
        accounts.require_iban("BE41539007547035")


def test_the_sepa_list_knows_the_newest_members_and_the_eea() -> None:
    assert all(accounts.is_sepa(country) for country in ("BE", "AL", "MD", "ME", "MK", "RS", "CH", "GB", "VA"))
    assert not any(accounts.is_sepa(country) for country in ("US", "XK", "TR", "FO", ""))
    assert accounts.is_eea("NO")
    assert not accounts.is_eea("CH")


def test_bics_are_checked_by_form_and_country() -> None:
    assert accounts.bic_fault("BBRUBEBB") is None
    assert accounts.bic_fault("BBRUBEBBXXX") is None
    assert all(accounts.bic_fault(bic) == "bic_format" for bic in ("BBRUBE", "bbrubebb", "BBRUQQBB", "BBRUBEBBXX"))


def test_the_bic_of_a_belgian_account_comes_from_the_registry() -> None:
    assert accounts.bic_of("BE03731018664084") == "KREDBEBB"
    assert accounts.bic_of("nonsense") is None


@pytest.mark.parametrize(
    ("typed", "digits"),
    [("BE 0801.587.313", "0801587313"), ("403019261", "0403019261"), ("0477472701", "0477472701")],
)
def test_an_enterprise_number_is_read_as_typed(typed: str, digits: str) -> None:
    assert accounts.require_enterprise_number(typed) == digits


@given(st.from_regex(r"[01][0-9]{9}", fullmatch=True))
def test_enterprise_numbers_are_judged_as_stdnum_does(digits: str) -> None:
    # stdnum takes 00 as well as 97 for remainder 0; the register gives 97 only.
    if int(digits[:8]) and not digits.endswith("00"):
        assert (accounts.enterprise_number_fault(digits) is None) == vat.is_valid(digits)


def test_remainder_zero_is_written_97_in_an_enterprise_number() -> None:
    assert accounts.enterprise_number_fault("1111571597") is None
    assert accounts.enterprise_number_fault("1111571500") == "enterprise_number_checksum"


def test_the_shared_list_of_enterprise_numbers_is_judged_as_expected() -> None:
    for row in rows("samples/sepa/lists/kbo.csv"):
        if row["valid"] == "yes":
            assert accounts.require_enterprise_number(row["input"]) == row["digits"]
        else:
            with pytest.raises(AccountInvalid):
                accounts.require_enterprise_number(row["input"])


def test_the_shared_list_of_ibans_is_judged_as_expected() -> None:
    for row in rows("samples/sepa/lists/iban.csv"):
        iban = accounts.compact_iban(row["input"])
        assert (accounts.iban_fault(iban) is None) == (row["valid"] == "yes"), row
        if row["zone"]:
            assert accounts.is_sepa(iban[:2]) == (row["zone"] != "outside SEPA"), row
        # The list is older than the merger that moved the accounts of PCHQBEBB to GEBABEBB.
        if row["reason"].startswith("BIC ") and "PCHQ" not in row["reason"]:
            assert accounts.bic_of(iban) == row["reason"].removeprefix("BIC "), row
