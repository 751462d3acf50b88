"""From JSON to a transaction: each rule, and what holds for any JSON at all."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dialect import Dialect
from connectors.model import (
    CodeBasis,
    PartySource,
    ReferenceKind,
    RejectedRow,
    Transaction,
    TransactionStatus,
)
from connectors.normalise import fingerprint, normalise_berlin_group
from tests.connectors.support import IBAN, TODAY, amount, row

HOLDER = "Studio Noordlicht BV"
OTHER_OWN = "BE43068999999501"


def read(raw: Any, **changes: Any) -> Transaction | RejectedRow:
    values: dict[str, Any] = {"account_iban": IBAN, "account_holder": HOLDER, "today": TODAY}
    return normalise_berlin_group(raw, **(values | changes))


def good(raw: Any = None, /, **changes: Any) -> Transaction:
    found = read(row(**changes) if raw is None else raw)
    assert isinstance(found, Transaction), found
    return found


# Amount and sign


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-125.40", "-125.40"),
        ("+12", "12.00"),
        (" 12.3 ", "12.30"),
        (Decimal("-256.61"), "-256.61"),
        (Decimal("1E+2"), "100.00"),
        (7, "7.00"),
        ("0.125", "0.125"),
        ("5.00000", "5.00"),
        (12.3, "12.30"),
        ("-0.00", "0.00"),
    ],
)
def test_an_amount_is_exact_in_every_form(value: Any, expected: str) -> None:
    assert str(good(transactionAmount=amount(value)).amount) == expected


@pytest.mark.parametrize(
    ("money", "reason"),
    [
        (None, "amount_missing"),
        ("12", "amount_missing"),
        (amount(None), "amount_missing"),
        (amount(" "), "amount_missing"),
        (amount(True), "amount_missing"),
        (amount("12,50"), "amount_unreadable"),
        (amount("1 250.00"), "amount_unreadable"),
        (amount("１２"), "amount_unreadable"),
        (amount("NaN"), "amount_unreadable"),
        (amount([1]), "amount_unreadable"),
        (amount("1e3"), "amount_unreadable"),
        (amount("0.0001"), "amount_too_precise"),
        (amount(Decimal("1E-999999")), "amount_too_precise"),
        (amount("1000000000000"), "amount_out_of_range"),
        (amount(Decimal("1E+999999")), "amount_out_of_range"),
        (amount("1", None), "currency_missing"),
        (amount("1", "EURO"), "currency_missing"),
    ],
)
def test_an_amount_that_needs_guessing_goes_to_review(money: Any, reason: str) -> None:
    raw = row() | {"transactionAmount": money}
    assert read(raw) == RejectedRow(reason, raw)


def test_a_number_of_thousands_of_digits_goes_to_review() -> None:
    assert isinstance(read(row(transactionAmount=amount(10**5000))), RejectedRow)


def test_an_indicator_wins_over_the_sign() -> None:
    assert good(creditDebitIndicator="DBIT", transactionAmount=amount("12.00")).amount == Decimal("-12.00")
    assert good(creditDebitIndicator="crdt", transactionAmount=amount("-12.00")).amount == Decimal("12.00")
    assert "sign_indicator_unknown" in good(creditDebitIndicator="X").warnings


@pytest.mark.parametrize(
    ("parties", "expected"),
    [
        ({"creditorName": "A"}, Decimal("-5.00")),
        ({"debtorAccount": {"iban": OTHER_OWN}}, Decimal("5.00")),
        ({}, None),
        ({"creditorName": "A", "debtorName": "B"}, None),
        ({"creditorAccount": {}, "debtorName": "B"}, Decimal("5.00")),
    ],
)
def test_an_unsigned_amount_takes_the_sign_of_the_side_or_goes_to_review(
    parties: dict[str, Any], expected: Decimal | None
) -> None:
    raw = {"bookingDate": "2026-11-18", "transactionAmount": amount("5.00"), **parties}
    found = read(raw, dialect=Dialect(is_unsigned=True))
    if expected is None:
        assert found == RejectedRow("sign_undecided", raw)
    else:
        assert isinstance(found, Transaction)
        assert found.amount == expected


# Days and status


def test_a_missing_value_date_takes_the_booking_date_and_says_so() -> None:
    found = good(valueDate=None)
    assert (found.value_date, found.is_value_date_assumed) == (date(2026, 11, 18), True)
    assert "value_date" in found.missing_fields


def test_a_booked_row_without_booking_date_falls_back_or_goes_to_review() -> None:
    found = good(bookingDate=None)
    assert (found.booking_date, found.is_value_date_assumed) == (date(2026, 11, 18), False)
    assert "booking_date_assumed" in found.warnings
    assert "booking_date" in found.missing_fields
    assert good(bookingDate=None, valueDate=None, transactionDate="2026-11-17").booking_date == date(2026, 11, 17)
    assert isinstance(read(row(bookingDate=None, valueDate=None)), RejectedRow)


def test_a_booking_date_in_the_future_is_pending() -> None:
    assert good(bookingDate="2026-11-22").status is TransactionStatus.PENDING
    assert good(bookingDate="2026-11-21").status is TransactionStatus.BOOKED


def test_a_pending_row_needs_no_date() -> None:
    found = read(row(bookingDate=None, valueDate=None), status=TransactionStatus.PENDING)
    assert isinstance(found, Transaction)
    assert (found.booking_date, found.value_date, found.is_value_date_assumed) == (None, None, False)


def test_brussels_midnight_written_in_utc_is_the_next_day() -> None:
    found = good(bookingDate="2026-11-17T23:00:00Z", valueDate="2026-11-18T00:00:00Z")
    assert (found.booking_date, found.value_date) == (date(2026, 11, 18), date(2026, 11, 18))


# Parties


def test_the_counterparty_of_a_debit_is_the_creditor_and_of_a_credit_the_debtor() -> None:
    both = {"debtorName": "Klant", "debtorAccount": {"iban": "BE68539007547034"}, "debtorAgent": "GKCCBEBB"}
    paid, received = good(**both), good(transactionAmount=amount("9.00"), **both)
    assert (paid.counterparty_name, paid.counterparty_iban) == ("Drukkerij Voorbeeld", "BE43068999999501")
    assert (received.counterparty_name, received.counterparty_iban) == ("Klant", "BE68539007547034")
    assert received.counterparty_bic == "GKCCBEBB"
    assert received.counterparty_source is PartySource.FIELD


def test_the_ultimate_party_stands_in_and_the_far_side_does_not() -> None:
    found = good(creditorName=None, creditorAccount=None, ultimateCreditor="Eindbegunstigde")
    assert found.counterparty_name == "Eindbegunstigde"
    found = good(creditorName=None, creditorAccount=None, debtorName="Iemand")
    assert found.counterparty_name is None
    assert "counterparty_name" in found.missing_fields


def test_the_holders_own_name_on_a_receipt_is_not_the_counterparty() -> None:
    raw = row(
        transactionAmount=amount("9.00"),
        debtorName="BV STUDIO NOORDLICHT",
        creditorName="Klant Verzonnen",
        creditorAccount={"iban": "BE68539007547034"},
    )
    found = good(raw)
    assert (found.counterparty_name, found.counterparty_iban) == ("Klant Verzonnen", "BE68539007547034")
    alone = good(row(transactionAmount=amount("9.00"), debtorName=HOLDER, creditorName=None, creditorAccount=None))
    assert alone.counterparty_name is None
    assert alone.counterparty_source is None


def test_the_accounts_own_iban_is_not_the_counterparty_and_another_own_one_is() -> None:
    assert good(creditorName=None, creditorAccount={"iban": IBAN}).counterparty_iban is None
    raw = row(creditorName=HOLDER, creditorAccount={"iban": OTHER_OWN}, bankTransactionCode="PMNT-ICDT-BOOK")
    found = read(raw, own_ibans=frozenset({IBAN, OTHER_OWN}))
    assert isinstance(found, Transaction)
    assert (found.counterparty_name, found.counterparty_iban) == (HOLDER, OTHER_OWN)
    assert found.coda_code == "00113000"


def test_a_party_in_the_text_is_taken_last_and_its_iban_only_with_right_check_digits() -> None:
    dialect = Dialect(party_patterns=(re.compile(r"Naam: (?P<name>[^;\n]+);? IBAN: (?P<iban>\S+)"),))
    bare = row(creditorName=None, creditorAccount=None)
    right = bare | {"remittanceInformationUnstructured": "Naam: Jan Test; IBAN: BE43068999999501"}
    wrong = bare | {"remittanceInformationUnstructured": "Naam: Jan Test; IBAN: BE43068999999502"}
    found, other = read(right, dialect=dialect), read(wrong, dialect=dialect)
    assert isinstance(found, Transaction)
    assert isinstance(other, Transaction)
    assert (found.counterparty_name, found.counterparty_iban) == ("Jan Test", "BE43068999999501")
    assert found.counterparty_source is PartySource.TEXT
    assert (other.counterparty_name, other.counterparty_iban) == ("Jan Test", None)


def test_an_account_that_is_no_iban_is_kept_beside() -> None:
    found = good(creditorAccount={"bban": "123456"})
    assert (found.counterparty_iban, found.counterparty_bban, found.warnings) == (None, "123456", ())
    found = good(creditorAccount={"iban": "be43 0689 9999 9502"})
    assert (found.counterparty_iban, found.counterparty_bban) == (None, "BE43068999999502")
    assert "counterparty_iban_failed" in found.warnings


# Remittance information and references


def test_texts_are_joined_cleaned_and_never_cut() -> None:
    found = good(
        remittanceInformationUnstructured=None,
        remittanceInformationUnstructuredArray=["Factuur 12<br/>Drukkerij  Voorbeeld", "x" * 300, " ", None],
    )
    assert found.remittance_information == "Factuur 12\nDrukkerij Voorbeeld " + "x" * 300
    found = good(remittanceInformationUnstructured="Factuur<br>DRUKKERIJ VOORBEELD<br>BE43 0689 9999 9501")
    assert found.remittance_information == "Factuur"


OGM = "+++090/9337/55493+++"


@pytest.mark.parametrize(
    ("fields", "kind", "reference", "remaining"),
    [
        ({"structured": {"reference": "090933755493"}}, "belgian", "090933755493", None),
        ({"structured": "090933755493"}, "belgian", "090933755493", None),
        ({"structured": OGM}, "belgian", "090933755493", None),
        ({"structured": {"reference": "RF18539007547034"}}, "rf", "RF18539007547034", None),
        ({"structured": OGM, "free": "nota bene"}, "belgian", "090933755493", "nota bene"),
        ({"structured": OGM, "free": OGM}, "belgian", "090933755493", None),
        ({"free": OGM}, "belgian", "090933755493", OGM),
        ({"free": "***090/9337/55493***"}, "belgian", "090933755493", "***090/9337/55493***"),
        ({"free": "090933755493"}, "belgian", "090933755493", "090933755493"),
        ({"free": "RF18 5390 0754 7034"}, "rf", "RF18539007547034", "RF18 5390 0754 7034"),
        ({"free": f"Betaling {OGM} dank"}, "belgian", "090933755493", f"Betaling {OGM} dank"),
        ({"free": f"{OGM} en +++010/8068/17183+++"}, None, None, f"{OGM} en +++010/8068/17183+++"),
        ({"free": "Klant 090933755493"}, None, None, "Klant 090933755493"),
        ({"structured": "INV-77", "free": "dank"}, None, None, "INV-77\ndank"),
        ({}, None, None, None),
    ],
)
def test_a_structured_reference_is_found_where_it_is_meant(
    fields: dict[str, Any], kind: str | None, reference: str | None, remaining: str | None
) -> None:
    found = good(
        remittanceInformationStructured=fields.get("structured"),
        remittanceInformationUnstructured=fields.get("free"),
    )
    assert found.structured_reference_kind == (ReferenceKind(kind) if kind else None)
    assert found.structured_reference == reference
    if fields.get("free") is None or fields["free"] != remaining:
        assert found.remittance_information == remaining
    assert "structured_reference_failed" not in found.warnings


@pytest.mark.parametrize("value", ["+++090/9337/55494+++", "090933755494", "RF19539007547034"])
def test_a_reference_that_fails_its_check_is_free_text_with_a_warning(value: str) -> None:
    for name in ("remittanceInformationStructured", "remittanceInformationUnstructured"):
        found = good(row(remittanceInformationUnstructured=None) | {name: value})
        assert found.structured_reference is None
        assert found.remittance_information == value
        assert "structured_reference_failed" in found.warnings


# Codes and details


def test_a_clue_written_by_the_payer_does_not_make_a_transfer_something_else() -> None:
    assert good(remittanceInformationUnstructured="huur via domiciliëring").coda_code == "00101000"
    bank_wording = good(additionalInformation="Bestendige opdracht", remittanceInformationUnstructured="huur")
    assert (bank_wording.coda_code, bank_wording.coda_code_basis) == ("00103000", CodeBasis.TEXT)
    assert bank_wording.additional_information == "Bestendige opdracht"


def test_a_code_that_cannot_be_read_is_warned_of() -> None:
    found = good(bankTransactionCode="4711")
    assert found.iso_code is None
    assert "iso_code_unreadable" in found.warnings


def test_foreign_currency_is_read_where_the_bank_gives_it() -> None:
    found = good(
        currencyExchange=[{"sourceCurrency": "USD", "targetCurrency": "EUR", "exchangeRate": "1.0842"}],
        originalAmount=amount("12.00", "USD"),
    )
    assert (found.original_amount, found.original_currency) == (Decimal("-12.00"), "USD")
    assert found.exchange_rate == Decimal("1.0842")
    bare = good(currencyExchange={"sourceCurrency": "USD", "exchangeRate": "0"})
    assert (bare.original_amount, bare.original_currency, bare.exchange_rate) == (None, "USD", None)


def test_batches_fees_and_running_balances_are_read() -> None:
    found = good(
        batchNumberOfTransactions=12,
        bankTransactionCode="PMNT-ICDT-ESCT",
        charges=amount("-0.50"),
        balanceAfterTransaction={"balanceAmount": amount("100.00")},
    )
    assert (found.batch_count, found.coda_code) == (12, "10101000")
    assert (found.fee, found.balance_after) == (Decimal("-0.50"), Decimal("100.00"))
    assert good(entryDetails=[{}, {}, {}]).batch_count == 3


def test_the_bank_id_and_the_field_it_came_from_are_told() -> None:
    found = good(transactionId=" ", entryReference="E-1")
    assert (found.bank_transaction_id, found.bank_transaction_id_source) == ("E-1", "entryReference")
    none = good(transactionId="0", entryReference="0")
    assert (none.bank_transaction_id, none.bank_transaction_id_source) == (None, None)
    assert "bank_transaction_id" in none.missing_fields


def test_fillers_are_absent_and_listed() -> None:
    found = good(endToEndId="NOTPROVIDED", mandateId="")
    assert {"end_to_end_id", "mandate_id", "iso_code", "fee"} <= set(found.missing_fields)
    assert "counterparty_iban" not in found.missing_fields


# Fingerprint


def test_the_fingerprint_of_version_1_is_fixed() -> None:
    """A change here needs a new version: stored rows are recognised by it."""
    assert good().fingerprint == EXPECTED_FINGERPRINT
    assert good().fingerprint_version == 1


EXPECTED_FINGERPRINT = "b20bea6416fdaa3de630d9fd29252bfd993fbf0112a0461ebf1c31dc5f1c2ff3"


def test_the_fingerprint_ignores_what_banks_change_and_sees_what_makes_a_payment() -> None:
    base = good().fingerprint
    same: list[dict[str, Any]] = [
        {"transactionId": "other"},
        {"entryReference": "E-9"},
        {"creditorName": "Other spelling"},
        {"remittanceInformationUnstructured": " FACTUUR   1 "},
        {"transactionAmount": amount(Decimal("-1.25"))},
        {"valueDate": None},
        {"balanceAfterTransaction": {"balanceAmount": amount("3")}},
        {"bookingDate": "2026-11-18T00:00:00"},
    ]
    other: list[dict[str, Any]] = [
        {"transactionAmount": amount("-1.26")},
        {"transactionAmount": amount("1.25")},
        {"bookingDate": "2026-11-17"},
        {"creditorAccount": {"iban": "BE68539007547034"}},
        {"remittanceInformationUnstructured": "Factuur 2"},
        {"endToEndId": "X"},
        {"bankTransactionCode": "PMNT-ICDT-ESCT"},
        {"transactionAmount": amount("-1.25", "USD")},
    ]
    assert [good(**changes).fingerprint == base for changes in same] == [True] * len(same)
    assert [good(**changes).fingerprint != base for changes in other] == [True] * len(other)
    elsewhere = read(row(), account_iban="BE68539007547034")
    assert isinstance(elsewhere, Transaction)
    assert elsewhere.fingerprint != base


def test_better_knowledge_of_the_holder_moves_no_fingerprint() -> None:
    raw = row(creditorName=HOLDER, creditorAccount=None)
    known, unknown = read(raw), read(raw, account_holder=None)
    assert isinstance(known, Transaction)
    assert isinstance(unknown, Transaction)
    assert known.fingerprint == unknown.fingerprint
    assert known.counterparty_name != unknown.counterparty_name


# What holds for any JSON


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=True) | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    *row(),
    "debtorName",
    "debtorAccount",
    "debtorAgent",
    "ultimateCreditor",
    "remittanceInformationStructured",
    "remittanceInformationUnstructuredArray",
    "additionalInformation",
    "bankTransactionCode",
    "proprietaryBankTransactionCode",
    "currencyExchange",
    "exchangeRate",
    "charges",
    "balanceAfterTransaction",
    "entryDetails",
    "batchNumberOfTransactions",
    "endToEndId",
    "creditDebitIndicator",
]
odd_amounts = st.fixed_dictionaries({"amount": json_values, "currency": st.just("EUR") | json_values})
odd_rows = st.dictionaries(st.sampled_from(FIELDS), json_values | odd_amounts)
plain_texts = st.text("abcdefghijklmnopqrstuvwxyz0123456789 +/*.-àéèëïôûçñ", max_size=60)
cents = st.integers(-(10**13), 10**13)


@given(json_values | odd_rows | odd_rows.map(lambda odd: row() | odd))
def test_no_json_makes_it_raise_and_the_raw_form_is_kept(raw: Any) -> None:
    before = deepcopy(raw)
    for status in TransactionStatus:
        found = read(raw, status=status)
        kept = found.raw if isinstance(raw, dict) else found.raw["value"]
        assert kept is raw
        assert repr(raw) == repr(before)
        if isinstance(found, Transaction):
            assert found.coda_code != "00000000"
            assert len(found.coda_code) == 8
            assert found.booking_date is not None or found.status is TransactionStatus.PENDING


@given(cents, st.sampled_from([None, "DBIT", "CRDT"]))
def test_the_sign_is_above_zero_for_a_credit_and_the_code_never_contradicts_it(
    value: int, indicator: str | None
) -> None:
    number = Decimal(value).scaleb(-2)
    found = good(transactionAmount=amount(str(number)), creditDebitIndicator=indicator)
    assert abs(found.amount) == abs(number)
    if number:
        is_debit = number < 0 if indicator is None else indicator == "DBIT"
        assert (found.amount < 0) == is_debit
        assert (int(found.coda_code[3:5]) < 50) == is_debit


@given(st.text(max_size=20), plain_texts, plain_texts, st.permutations(list(row())), cents)
def test_the_fingerprint_is_unmoved_by_id_order_and_case(
    bank_id: str, name: str, remittance: str, order: list[str], value: int
) -> None:
    changes = {
        "creditorName": name,
        "remittanceInformationUnstructured": remittance,
        "transactionAmount": amount(str(Decimal(value).scaleb(-2))),
    }
    raw = row() | changes
    other = {key: raw[key] for key in order} | {"transactionId": bank_id}
    other |= {"creditorName": name.upper(), "remittanceInformationUnstructured": remittance.upper()}
    first, second = good(raw), good(other)
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint == fingerprint(raw, account_iban=IBAN, amount=first.amount, currency="EUR")
    assert replace(first, raw={}).raw == {}
