from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepa import (
    AddressMode,
    DateChoice,
    Party,
    PostalAddress,
    ReferenceKind,
    Severity,
    Structured,
    Unstructured,
    check_payment,
    is_blocked,
    sendable,
)
from tests.sepa.samples import GERMAN_IBAN, OGM, SWISS_IBAN, TODAY, payment

PRINTED = "+++291/4177/76370+++"
ADDRESS = PostalAddress(street="Rue de Fer", building_number="42", post_code="5000", town="Namur", country="BE")


def found(**changes: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.field) for finding in check_payment(payment(**changes), today=TODAY)]


def test_a_good_payment_has_no_findings() -> None:
    assert found() == []
    assert found(remittance=Structured(ReferenceKind.BELGIAN, PRINTED), category_purpose="SUPP", purpose="SUPP") == []
    assert found(creditor=Party("Leverancier", address=ADDRESS), creditor_bic="BBRUBEBB") == []


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"end_to_end_id": "A" * 36}, "identifier_too_long", "/end_to_end_id"),
        ({"end_to_end_id": "/A"}, "identifier_slash", "/end_to_end_id"),
        ({"end_to_end_id": ""}, "identifier_missing", "/end_to_end_id"),
        ({"end_to_end_id": "é"}, "identifier_characters", "/end_to_end_id"),
        ({"creditor_iban": ""}, "iban_missing", "/creditor_iban"),
        ({"creditor_iban": "BE12310291417793"}, "iban_checksum", "/creditor_iban"),
        ({"creditor_iban": "BE41539007547035"}, "iban_national_checksum", "/creditor_iban"),
        ({"debtor_iban": "BE333632914177"}, "iban_length", "/debtor_iban"),
        ({"creditor_iban": "TR330006100519786457841326"}, "iban_not_sepa", "/creditor_iban"),
        ({"creditor_iban": "BE33363291417746"}, "same_account", "/creditor_iban"),
        ({"creditor_bic": "BBRU"}, "bic_format", "/creditor_bic"),
        ({"currency": "USD"}, "currency_not_supported", "/currency"),
        ({"amount": Decimal(0)}, "amount_too_small", "/amount"),
        ({"amount": Decimal(-1)}, "amount_too_small", "/amount"),
        ({"amount": Decimal("1000000000.00")}, "amount_too_large", "/amount"),
        ({"amount": Decimal("1.005")}, "amount_decimals", "/amount"),
        ({"amount": Decimal("NaN")}, "amount_format", "/amount"),
        ({"creditor": Party(" ")}, "name_missing", "/creditor/name"),
        ({"creditor": Party("شركة")}, "name_empty", "/creditor/name"),
        ({"creditor": Party("A" * 71)}, "name_too_long", "/creditor/name"),
        ({"creditor": Party("A\x00")}, "control_characters", "/creditor/name"),
        ({"ultimate_debtor": "A" * 71}, "name_too_long", "/ultimate_debtor"),
        ({"ultimate_creditor": "A" * 71}, "name_too_long", "/ultimate_creditor"),
        ({"remittance": Unstructured("")}, "remittance_empty", "/remittance/text"),
        ({"remittance": Unstructured("A" * 141)}, "remittance_too_long", "/remittance/text"),
        ({"remittance": Unstructured("a\x01")}, "control_characters", "/remittance/text"),
        ({"remittance": Unstructured(f"ref {PRINTED}")}, "reference_in_text", "/remittance/text"),
        ({"remittance": Structured(ReferenceKind.BELGIAN, "12")}, "belgian_reference_format", "/remittance/reference"),
        (
            {"remittance": Structured(ReferenceKind.BELGIAN, "291417776371")},
            "belgian_reference_checksum",
            "/remittance/reference",
        ),
        (
            {"remittance": Structured(ReferenceKind.BELGIAN, "000000000097")},
            "belgian_reference_zero",
            "/remittance/reference",
        ),
        (
            {"remittance": Structured(ReferenceKind.BELGIAN, OGM), "creditor_iban": GERMAN_IBAN},
            "belgian_reference_as_text",
            "/remittance/reference",
        ),
        ({"remittance": Structured(ReferenceKind.RF, "XX12")}, "rf_reference_format", "/remittance/reference"),
        ({"remittance": Structured(ReferenceKind.RF, "RF00539")}, "rf_reference_checksum", "/remittance/reference"),
        ({"category_purpose": "ZZZZ"}, "category_purpose_unknown", "/category_purpose"),
        ({"purpose": "ZZZZ"}, "purpose_unknown", "/purpose"),
        ({"date_choice": DateChoice.FIXED}, "date_missing", "/asked_date"),
        ({"date_choice": DateChoice.FIXED, "asked_date": date(2026, 12, 1)}, "date_past", "/asked_date"),
        ({"date_choice": DateChoice.FIXED, "asked_date": TODAY + timedelta(366)}, "date_too_far", "/asked_date"),
        ({"date_choice": DateChoice.BEFORE_DUE_DATE, "asked_date": TODAY}, "days_before_range", "/days_before"),
        ({"creditor_iban": SWISS_IBAN}, "address_missing", "/creditor/address"),
        (
            {"creditor_iban": SWISS_IBAN, "creditor": Party("A", address=PostalAddress(town="Bern"))},
            "address_incomplete",
            "/creditor/address",
        ),
        ({"creditor": Party("A", address=PostalAddress(lines=("Rue 1",)))}, "address_dropped", "/creditor/address"),
        (
            {"creditor": Party("A", address=replace(ADDRESS, building_number="x" * 17))},
            "address_too_long",
            "/creditor/address/building_number",
        ),
        (
            {"creditor": Party("A", address=replace(ADDRESS, country="B1"))},
            "address_country_unknown",
            "/creditor/address/country",
        ),
        (
            {"creditor": Party("A", address=replace(ADDRESS, town="a\x02"))},
            "control_characters",
            "/creditor/address/town",
        ),
    ],
)
def test_each_fault_is_found_with_its_code_and_field(changes: dict[str, Any], code: str, field: str) -> None:
    assert (code, field) in found(**changes)


def test_all_faults_are_reported_at_once() -> None:
    findings = found(amount=Decimal(0), currency="USD", creditor=Party(""), creditor_iban="x", end_to_end_id="//")
    assert {code for code, _ in findings} == {
        "amount_too_small",
        "currency_not_supported",
        "name_missing",
        "iban_format",
        "identifier_slash",
    }


def test_limits_themselves_are_allowed() -> None:
    assert found(amount=Decimal("0.01"), end_to_end_id="A" * 35, creditor=Party("A" * 70)) == []
    assert found(amount=Decimal("999999999.99"), remittance=Unstructured("A" * 140)) == []
    assert found(amount=Decimal("1.500")) == [], "the third decimal says nothing"
    assert found(date_choice=DateChoice.FIXED, asked_date=TODAY + timedelta(365)) == []


def test_a_failing_reference_carries_a_proposal_when_exactly_one_fits() -> None:
    typed = PRINTED.replace("0", "O")
    (finding,) = check_payment(payment(remittance=Structured(ReferenceKind.BELGIAN, typed)), today=TODAY)
    assert finding.proposal == OGM
    assert finding.severity is Severity.BLOCKED


def test_lengths_count_after_conversion() -> None:
    assert ("name_too_long", "/creditor/name") in found(creditor=Party("Щ" * 30))
    assert found(creditor=Party("  " + "A" * 70 + "  ")) == []


def test_a_belgian_reference_to_a_foreign_account_leaves_as_free_text() -> None:
    sent = sendable(payment(remittance=Structured(ReferenceKind.BELGIAN, OGM), creditor_iban=GERMAN_IBAN))
    assert sent.remittance == Unstructured(PRINTED)
    assert check_payment(sent, today=TODAY) == []


def test_the_sendable_form_is_converted_compact_and_bare() -> None:
    sent = sendable(
        payment(
            creditor=Party("Café Zoë & Fils", address=PostalAddress(lines=("Rue 1",))),
            creditor_iban="be12 3102 9141 7792",
            remittance=Structured(ReferenceKind.BELGIAN, PRINTED),
        )
    )
    assert sent.creditor == Party("Cafe Zoe + Fils")
    assert sent.creditor_iban == "BE12310291417792"
    assert sent.remittance == Structured(ReferenceKind.BELGIAN, OGM)


@pytest.mark.parametrize(
    ("mode", "kept"),
    [
        (AddressMode.NONE, None),
        (AddressMode.MINIMAL, PostalAddress(town="Namur", country="BE")),
        (AddressMode.STRUCTURED, ADDRESS),
        (AddressMode.HYBRID, replace(ADDRESS, lines=("bus 3",))),
    ],
)
def test_the_address_leaves_in_the_form_its_bank_accepts(mode: AddressMode, kept: PostalAddress | None) -> None:
    typed = replace(ADDRESS, country="be", lines=("5000 Namur", "bus 3", ""))
    assert sendable(payment(creditor=Party("A", address=typed)), address_mode=mode).creditor.address == kept


def test_a_finding_keeps_content_out_of_its_repr() -> None:
    (finding,) = check_payment(payment(creditor_iban="BE12310291417793"), today=TODAY)
    assert "BE12" not in repr(finding)
    assert finding.found == "BE12310291417793"
    assert finding.hint
    assert finding.text


texts = st.text(max_size=80)


@given(texts, texts, texts, st.decimals(allow_nan=True), st.sampled_from(list(ReferenceKind)), texts)
def test_any_input_gives_findings_and_never_an_error(
    name: str, iban: str, identifier: str, amount: Decimal, kind: ReferenceKind, reference: str
) -> None:
    entered = payment(
        creditor=Party(name, address=PostalAddress(town=reference, lines=(name,))),
        creditor_iban=iban,
        end_to_end_id=identifier,
        amount=amount,
        remittance=Structured(kind, reference),
    )
    findings = check_payment(entered, today=TODAY)
    if not is_blocked(findings):
        sent = sendable(entered)
        assert sendable(sent) == sent
        assert not is_blocked(check_payment(sent, today=TODAY))


@given(texts, texts)
def test_the_sendable_form_of_a_payment_that_may_leave_may_leave(name: str, text: str) -> None:
    entered = payment(creditor=Party(name), remittance=Unstructured(text))
    if not is_blocked(check_payment(entered, today=TODAY)):
        sent = sendable(entered)
        assert sendable(sent) == sent
        assert not is_blocked(check_payment(sent, today=TODAY))
