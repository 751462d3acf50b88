from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given

import coda
from coda.compose import structured_reference
from coda.text import fold
from tests.coda.builders import ACCOUNT, CLOSED, OPENED, entry, entry_lists, quick, statement


def test_an_entry_becomes_a_movement_with_a_record_for_each_part() -> None:
    (movement,) = statement([entry()]).movements
    assert (movement.sequence, movement.detail, movement.bank_reference) == (1, 0, "BANK-1")
    assert (movement.amount, movement.entry_date, movement.value_date) == (Decimal("12.50"), CLOSED, CLOSED)
    assert (movement.counterparty_account, movement.counterparty_name) == ("BE14636960615783", "Alfa Handel BV")
    assert (movement.counterparty_bic, movement.customer_reference) == ("GKCCBEBB", "E2E-1")
    assert (movement.communication_type, movement.communication) == (None, "Factuur 2026-17")
    assert (movement.paper_number, movement.globalisation, movement.information) == (7, 0, ())


def test_both_numbers_and_the_creation_date_follow_the_statement() -> None:
    composed = statement(number=7)
    assert (composed.number, composed.old_balance.paper_number) == (7, 7)
    assert composed.new_balance is not None
    assert composed.new_balance.paper_number == 7
    assert composed.creation_date == composed.new_balance.date == CLOSED
    assert composed.addressee == ACCOUNT.holder


def test_a_value_date_of_the_bank_is_kept_and_a_missing_one_is_the_entry_date() -> None:
    given_date, missing = statement([entry("A", value_date=OPENED), entry("B")]).movements
    assert (given_date.value_date, missing.value_date) == (OPENED, CLOSED)


def test_a_belgian_account_is_of_structure_2_and_a_foreign_one_of_structure_3() -> None:
    belgian = coda.Account.of_iban("be81 7970 3097 0124", "EUR", company_number="BE 0400.000.086")
    foreign = coda.Account.of_iban("NL22ABNA5891807615", "GBP", bank_id="123")
    assert (belgian.structure, belgian.number, belgian.bank_id) == ("2", "BE81797030970124", "797")
    assert belgian.company_id == "00400000086"
    assert (foreign.structure, foreign.bank_id, foreign.company_id) == ("3", "123", "00000000000")
    assert replace(foreign, bank_id="000") == coda.Account.of_iban("NL22ABNA5891807615", "GBP")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"iban": "BE82797030970124"}, "account.iban"),
        ({"iban": "797030970124"}, "account.iban"),
        ({"currency": "eur"}, "account.currency"),
        ({"bank_id": "12"}, "account.bank_id"),
        ({"company_number": "BE0400x"}, "account.company_number"),
        ({"company_number": "123456789012"}, "account.company_number"),
    ],
)
def test_an_account_with_a_wrong_value_is_refused(arguments: dict[str, str], field: str) -> None:
    with pytest.raises(coda.InvalidValue) as caught:
        coda.Account.of_iban(**({"iban": "BE81797030970124", "currency": "EUR"} | arguments))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("reference", "kind", "data"),
    [
        ("505168626077", "101", "505168626077"),
        ("+++505/1686/26077+++", "101", "505168626077"),
        ("***505/1686/26077***", "101", "505168626077"),
        ("000000000097", "101", "000000000097"),
        ("505168626078", None, ""),
        ("RF34SYN826003", "100", "RF34SYN826003"),
        ("rf34 syn8 2600 3", "100", "RF34SYN826003"),
        ("RF35SYN826003", None, ""),
        ("", None, ""),
        ("INVOICE 12", None, ""),
    ],
)
def test_a_reference_is_structured_only_with_valid_check_digits(reference: str, kind: str | None, data: str) -> None:
    assert structured_reference(reference) == (kind, data)


def test_a_structured_communication_leaves_the_free_text_to_information() -> None:
    (movement,) = statement([entry(reference="+++505/1686/26077+++", communication="met dank")]).movements
    assert (movement.communication_type, movement.communication) == ("101", "505168626077")
    assert [information.communication for information in movement.information] == ["met dank"]


def test_an_rf_reference_is_repeated_in_words() -> None:
    (movement,) = statement([entry(reference="RF34SYN826003", communication="")]).movements
    assert (movement.communication_type, movement.communication) == ("100", "RF34SYN826003")
    assert [information.communication for information in movement.information] == ["RF34SYN826003"]


def test_a_reference_that_fails_its_check_stays_text_before_the_rest() -> None:
    (movement,) = statement([entry(reference="505168626078", communication="factuur 9")]).movements
    assert (movement.communication_type, movement.communication) == (None, "505168626078 factuur 9")


def test_a_long_name_and_an_address_stand_in_information_001() -> None:
    name = "Vereniging zonder winstoogmerk voor lange namen te Gent"
    (movement,) = statement(
        [
            entry(
                counterparty_name=name,
                counterparty_street="Grote Markt 1",
                counterparty_locality="9000 Gent",
                counterparty_id="0400000086",
            )
        ]
    ).movements
    (information,) = movement.information
    assert movement.counterparty_name == name[:35].rstrip()
    assert (information.communication_type, information.detail, information.parts) == ("001", 1, 2)
    assert information.bank_reference == movement.bank_reference
    assert information.communication == (
        name.ljust(70) + "Grote Markt 1".ljust(35) + "9000 Gent".ljust(35) + "0400000086"
    )


@quick
@given(entries=entry_lists())
def test_no_word_of_an_entry_is_lost(entries: list[coda.Entry]) -> None:
    """Every word, folded, stands in the movement or its information; only words wider than a part are cut in two."""
    for given_entry, movement in zip(entries, statement(entries).movements, strict=True):
        free = [each.communication for each in movement.information if each.communication_type is None]
        counterparty = [each.communication for each in movement.information if each.communication_type == "001"]
        places = [movement.communication + "".join(free), *counterparty]
        places += [movement.counterparty_name, movement.customer_reference]
        written = ["".join(place.split()) for place in places]
        texts = [given_entry.communication, given_entry.counterparty_name, given_entry.counterparty_street]
        texts += [given_entry.counterparty_locality, given_entry.end_to_end_id, *given_entry.notes]
        for text in texts:
            assert any("".join(fold(text).split()) in place for place in written)


def test_an_empty_statement_has_no_new_balance_and_keeps_its_date() -> None:
    composed = statement([])
    assert composed.new_balance is None
    assert (composed.closing_balance, composed.closing_date) == (Decimal("100.00"), CLOSED)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bank_reference": ""}, "bank_reference"),
        ({"bank_reference": " \t"}, "bank_reference"),
        ({"bank_reference": "x" * 22}, "bank_reference"),
        ({"transaction_code": "0150000"}, "transaction_code"),
        ({"transaction_code": "20150000"}, "transaction_code"),
        ({"transaction_code": "00000000"}, "transaction_code"),
        ({"transaction_code": "00666000"}, "transaction_code"),
        ({"amount": Decimal("0.0001")}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"counterparty_bic": "GKCC"}, "counterparty_bic"),
        ({"counterparty_iban": "x" * 35}, "counterparty_iban"),
        ({"r_type": "9"}, "r_type"),
        ({"r_reason": "TOOLONG"}, "r_reason"),
        ({"purpose": "TOOLONG"}, "purpose"),
    ],
)
def test_an_entry_with_a_wrong_value_is_refused_with_its_place(changes: dict[str, object], field: str) -> None:
    with pytest.raises(coda.InvalidValue) as caught:
        coda.compose(
            ACCOUNT,
            number=1,
            old_balance=Decimal(0),
            old_balance_date=OPENED,
            new_balance=Decimal(0),
            new_balance_date=CLOSED,
            entries=[entry("FIRST"), entry(**({"bank_reference": "SECOND"} | changes))],
        )
    assert caught.value.field == f"entries[1].{field}"


def test_two_entries_with_one_reference_are_refused() -> None:
    with pytest.raises(coda.InvalidValue, match=r"entries\[1\]\.bank_reference: is also that of entries\[0\]"):
        statement([entry("SAME"), entry(" SAME ")])


@pytest.mark.parametrize("number", [0, -1, 1000])
def test_a_number_outside_1_to_999_is_refused(number: int) -> None:
    with pytest.raises(coda.InvalidValue, match="number"):
        statement(number=number)


def test_balances_that_do_not_fit_are_refused_with_the_difference() -> None:
    with pytest.raises(coda.BalanceMismatch, match=r"differs by 0\.010") as caught:
        coda.compose(
            ACCOUNT,
            number=1,
            old_balance=Decimal("100"),
            old_balance_date=OPENED,
            new_balance=Decimal("112.51"),
            new_balance_date=CLOSED,
            entries=[entry()],
        )
    assert caught.value.code == "coda_balance_mismatch"


def test_a_closing_date_before_the_opening_is_refused() -> None:
    with pytest.raises(coda.InvalidValue, match="new_balance_date"):
        coda.compose(
            ACCOUNT,
            number=1,
            old_balance=Decimal(0),
            old_balance_date=CLOSED,
            new_balance=Decimal(0),
            new_balance_date=date(2026, 1, 1),
            entries=[],
        )


def test_more_than_9999_entries_are_refused() -> None:
    entries = [entry(f"REF {number}") for number in range(10_000)]
    with pytest.raises(coda.TooManyEntries, match="10000, at most 9999"):
        statement(entries)
