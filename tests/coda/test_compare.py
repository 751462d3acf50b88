import json
import random
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import coda
from coda.compare import Difference
from coda.model import Statement
from tests.coda.builders import CLOSED, entry, quick, statement, statements

FILES = sorted((Path(__file__).parent / "golden").glob("*.cod"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_identical_to_itself(path: Path) -> None:
    comparison = coda.compare(path, path)
    assert comparison.is_same
    assert comparison.summary.endswith("identical")
    assert not comparison.missing + comparison.extra + comparison.changed


@quick
@given(statements())
def test_a_statement_is_identical_to_itself(one: Statement) -> None:
    assert coda.compare([one], [one]).is_same


@quick
@given(statements(), st.randoms(use_true_random=False))
def test_another_order_changes_nothing_else(one: Statement, luck: random.Random) -> None:
    movements = list(one.movements)
    luck.shuffle(movements)
    renumbered = tuple(replace(each, sequence=index) for index, each in enumerate(movements, start=1))
    comparison = coda.compare([one], [replace(one, movements=renumbered)])
    assert comparison.is_same
    (day,) = comparison.days
    assert day.movements.same == len(one.movements)


@quick
@given(st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=12), st.data())
def test_removing_movements_gives_exactly_those_missing_twins_too(names: list[str], data: st.DataObject) -> None:
    entries = [entry(f"R{index}", counterparty_name=name) for index, name in enumerate(names)]
    full = statement(entries)
    twins = tuple(replace(each, bank_reference="") for each in full.movements)
    full = replace(full, movements=twins)
    gone = data.draw(st.sets(st.integers(0, len(names) - 1)))
    left = replace(full, movements=tuple(each for index, each in enumerate(twins) if index not in gone))
    comparison = coda.compare([full], [left])
    assert (comparison.missing, comparison.extra, comparison.changed) == (len(gone), 0, 0)
    assert coda.compare([left], [full]).extra == len(gone)


def test_movements_are_paired_though_references_numbers_and_order_differ() -> None:
    a = statement([entry("A1", amount=Decimal(10)), entry("A2", amount=Decimal(20)), entry("A3", amount=Decimal(10),
                   counterparty_iban="NL22ABNA5891807615", counterparty_name="Beta")])  # fmt: skip
    b = statement([entry("B1", amount=Decimal(10), counterparty_iban="NL22ABNA5891807615", counterparty_name="Beta"),
                   entry("B2", amount=Decimal(10)), entry("B3", amount=Decimal(20))], number=9)  # fmt: skip
    comparison = coda.compare([a], [b])
    (day,) = comparison.days
    assert (comparison.missing, comparison.extra, comparison.changed) == (0, 0, 3)
    assert {each.field for changed in day.movements.changed for each in changed.differences} == {"bank_reference"}
    assert [each.field for each in day.numbers] == ["number", "paper_number"]
    assert day.movements.is_reordered
    assert comparison.is_same_in_amounts
    assert comparison.summary == "1 of 1 day identical in amounts, 0 in everything; movements: 3 changed"


def test_a_changed_amount_is_found_by_its_reference() -> None:
    comparison = coda.compare([statement([entry("A")])], [statement([entry("A", amount=Decimal("12.51"))])])
    (changed,) = comparison.days[0].movements.changed
    assert changed.differences == (Difference("amount", "12.500", "12.510"),)
    assert comparison.days[0].outcome == "different"


def test_a_transfer_booked_a_day_later_is_still_the_same() -> None:
    later = entry("B", entry_date=date(2026, 3, 14))
    comparison = coda.compare([statement([entry("A")])], [statement([later])])
    (changed,) = comparison.days[0].movements.changed
    assert {each.field for each in changed.differences} == {"bank_reference", "entry_date", "value_date"}


def test_equal_amounts_of_strangers_on_other_days_are_not_paired() -> None:
    stranger = entry("B", entry_date=date(2026, 3, 14), counterparty_iban="NL22ABNA5891807615",
                     counterparty_name="Gamma", communication="Huur", end_to_end_id="E2E-2",
                     transaction_code="00501000")  # fmt: skip
    comparison = coda.compare([statement([entry("A")])], [statement([stranger])])
    assert (comparison.missing, comparison.extra, comparison.changed) == (1, 1, 0)


def test_spellings_of_the_same_are_no_difference() -> None:
    a = statement([entry(counterparty_iban="797030970124", counterparty_bic="GKCCBEBBXXX")])
    b = statement([entry(counterparty_iban="BE81797030970124", counterparty_bic="GKCCBEBB")])
    assert coda.compare([a], [b]).is_same


def test_details_that_differ_are_compared_below_their_movement() -> None:
    (one,) = coda.read(next(path for path in FILES if path.stem == "syn_globalisation"))
    other = replace(one, movements=tuple(each for each in one.movements if (each.sequence, each.detail) != (1, 2)))
    comparison = coda.compare([one], [other])
    (changed,) = comparison.days[0].movements.changed
    assert changed.differences == ()
    assert changed.details is not None
    assert [each.detail for each in changed.details.missing] == [2]
    assert comparison.days[0].outcome == "identical_in_amounts"


def test_a_day_split_over_two_statements_equals_that_day_in_one() -> None:
    first = statement([entry("A")])
    second = statement([entry("B")], number=8, old_balance=Decimal("112.50"))
    whole = statement([entry("A"), entry("B")])
    assert coda.compare([first, second], [whole]).is_same


def test_a_day_without_movements_may_be_left_out_and_one_with_movements_may_not() -> None:
    assert coda.compare([statement([])], []).is_same
    comparison = coda.compare([], [statement()])
    assert comparison.days[0].outcome == "different"
    assert (comparison.days[0].is_in_a, comparison.extra) == (False, 1)


def test_many_days_give_one_sentence() -> None:
    days = []
    for day in range(1, 32):
        closing = coda.Balance(amount=Decimal("112.5"), date=date(2026, 3, day))
        days.append(replace(statement([entry(f"R{day}")]), new_balance=closing))
    assert coda.compare(days, days).summary == "31 of 31 days identical"
    other = replace(days[0], movements=(replace(days[0].movements[0], purpose="SALA"),))
    assert coda.compare(days, [other, *days[1:]]).summary == (
        "31 of 31 days identical in amounts, 30 in everything; movement: 1 changed"
    )


def test_the_comparison_is_values_for_json() -> None:
    document = coda.compare([statement([entry("A")])], [statement([entry("B"), entry("C")])]).as_json()
    assert json.loads(json.dumps(document))["days"][0]["day"] == CLOSED.isoformat()
    assert document["extra"] == 1


def test_thousands_of_movements_of_one_amount_take_no_time_squared() -> None:
    a = statement([entry(f"A{index}", end_to_end_id="", communication=f"a {index}") for index in range(3000)])
    b = statement([entry(f"B{index}", end_to_end_id="", communication=f"b {index}") for index in range(3000)])
    began = time.perf_counter()
    comparison = coda.compare([a], [b])
    assert time.perf_counter() - began < 20
    assert (comparison.missing, comparison.extra, comparison.changed) == (0, 0, 3000)
