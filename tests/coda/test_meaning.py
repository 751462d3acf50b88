from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

import coda
from coda.account_zone import counterparty_account
from coda.meaning import BelgianNumber, ForeignIban, Group, TransactionCode, account_number
from tests.coda.builders import ACCOUNT, statement

GOLDEN = Path(__file__).parent / "golden"


def shape(group: Group) -> object:
    return [group.movement.transaction_code[0], *(shape(detail) for detail in group.details)]


def test_details_stand_below_the_total_that_their_type_names() -> None:
    (statement,) = coda.read(GOLDEN / "syn_globalisation.cod")
    groups = coda.tree(statement)
    assert [shape(group) for group in groups] == [
        ["1", ["5"], ["5"], ["5"], ["5"]],
        ["1"],
        ["2", ["6"], ["6"], ["6"]],
        ["3", ["8"], ["8"], ["8"]],
        ["2", ["7", ["9"], ["9"]], ["6"]],
    ]
    assert {group.remainder for group in groups} == {None, Decimal("0.000")}


def test_the_roots_are_the_entries_and_the_leaves_what_is_lowest() -> None:
    (statement,) = coda.read(GOLDEN / "syn_globalisation.cod")
    groups = coda.tree(statement)
    assert [group.movement for group in groups] == list(statement.entries())
    assert [leaf.detail for leaf in groups[4].leaves()] == [2, 3, 4]


def test_a_group_of_types_that_say_nothing_follows_the_globalisation_code(shared: Path) -> None:
    statements = list(coda.read(shared / "samples/coda/bnp_globalisation_duplicate.cod", tolerant=True))
    shapes = [shape(group) for statement in statements for group in coda.tree(statement)]
    assert ["3", ["8"]] in shapes


def test_a_code_is_taken_apart_and_labelled_in_four_languages() -> None:
    code = TransactionCode.of("80137013")
    assert (code.type, code.family, code.operation, code.category) == ("8", "01", "37", "013")
    assert code.labels("de") == (
        "Einzelheit zu Typ 3",
        "Inlands- und SEPA-Überweisungen",
        "Kosten",
        "Zahlungsprovision",
    )
    assert code.label("de") == "Inlands- und SEPA-Überweisungen: Kosten: Zahlungsprovision"
    assert (code.usual_sign, code.exists, code.is_correction, code.is_of_the_bank) == (-1, True, False, False)


@pytest.mark.parametrize(("code", "sign"), [("00150000", 1), ("00000000", 0), ("", 0), ("00199000", 1)])
def test_the_operation_says_the_usual_sign(code: str, sign: int) -> None:
    assert TransactionCode.of(code).usual_sign == sign


def test_an_account_is_given_by_its_kind() -> None:
    assert account_number(ACCOUNT) == coda.meaning.BelgianIban("BE81797030970124", "EUR")
    foreign = coda.Account.of_iban("NL22ABNA5891807615", "GBP")
    assert account_number(foreign) == ForeignIban("NL22ABNA5891807615", "GBP")
    old = coda.Account(number="797030970124", currency="EUR", structure="0")
    number = account_number(old)
    assert isinstance(number, BelgianNumber)
    assert number.iban == "BE81797030970124"
    assert BelgianNumber("797030970125", "EUR").iban == ""
    assert account_number(coda.Account(number="X1", currency="", structure="1")) == coda.meaning.ForeignNumber("X1", "")


def test_a_reason_of_return_is_in_words() -> None:
    assert coda.r_reason("MS03", "nl") == "Bank weigert, geen reden opgegeven"
    assert coda.r_type("3", "de").startswith("Erstattung")
    assert coda.r_reason("ZZ99") == ""


@pytest.mark.parametrize(
    "zone", ["", "BE14636960615783", "BE14636960615783 ", f"{'NL91ABNA0417164300':34}EUR", "636960615783 EUR", "0" * 12]
)
def test_a_movement_gives_the_account_of_its_zone(zone: str) -> None:
    (movement,) = statement().movements
    assert replace(movement, counterparty_zone=zone).counterparty_account == counterparty_account(zone)[0]
