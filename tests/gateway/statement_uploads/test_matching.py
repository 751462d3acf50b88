"""STA-19, law 1, law 2: statements of files meet what is known, and add what is not, as counts per day and amount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from gateway.accounts.models import AccountGap
from gateway.clock import real_now
from gateway.ids import new_id
from gateway.statement_uploads.matching import Known, Match, StoredEntry, fingerprint, match
from gateway.statement_uploads.model import DocumentEntry, DocumentStatement
from gateway.statement_uploads.standing import without
from gateway.transactions.absorb import Plan, StoredRow, Window, plan
from gateway.transactions.documents import told_again

D = date(2026, 3, 2)
DAY = timedelta(days=1)


def amount(text: str) -> Decimal:
    return Decimal(text)


def statement(
    opening_day: date, opening: str, closing_day: date, *entries: tuple[date, str], file: str = "a"
) -> DocumentStatement:
    made = tuple(DocumentEntry(day, amount(text), {}) for day, text in entries)
    closing = amount(opening) + sum((entry.amount for entry in made), Decimal(0))
    return DocumentStatement(
        file, 1, "BE68539007547034", "EUR", opening_day, amount(opening), closing_day, closing, made
    )


def row(day: date, text: str) -> StoredEntry:
    return StoredEntry(new_id(), day, amount(text))


def known(balances: dict[date, str], covered: Sequence[tuple[date, date]], *entries: StoredEntry) -> Known:
    return Known({day: amount(text) for day, text in balances.items()}, [Window(*days) for days in covered], entries)


def faults(found: Match) -> list[str]:
    return [fault.code for fault in found.faults]


def test_twins_in_a_file_stay_two_and_one_that_is_known_is_not_doubled() -> None:
    there = known({D - DAY: "100"}, [(D - 9 * DAY, D)], row(D, "-5"))
    found = match([statement(D - DAY, "100", D, (D, "-5"), (D, "-5"), (D, "7"))], there)
    assert not found.faults
    assert found.known_count == 1
    assert sorted((one.entry.amount, one.occurrence) for one in found.additions) == [
        (amount("-5"), 1), (amount("7"), 1),
    ]  # fmt: skip
    assert found.balances == {D - DAY: amount("100"), D: amount("97")}


def test_what_files_gave_before_is_known_and_numbered_on() -> None:
    there = known({D - DAY: "100"}, [(D - 9 * DAY, D)], StoredEntry(new_id(), D, amount("-5"), 1))
    found = match([statement(D - DAY, "100", D, (D, "-5"), (D, "-5"))], there)
    assert [(one.entry.amount, one.occurrence) for one in found.additions] == [(amount("-5"), 2)]


def test_the_same_statement_in_two_files_counts_once_and_the_order_does_not_matter() -> None:
    there = known({D - DAY: "100"}, [(D - 9 * DAY, D - DAY)])
    one = statement(D - DAY, "100", D, (D, "-5"))
    same = statement(D - DAY, "100", D, (D, "-5"), file="b")
    two = statement(D, "95", D, (D, "20"), file="c")
    next_day = statement(D, "115", D + DAY, (D + DAY, "1"), file="d")
    for order in ([one, same, two, next_day], [next_day, two, same, one]):
        found = match(order, there)
        assert not found.faults
        assert (found.statements_count, found.closing) == (3, amount("116"))
        assert len(found.additions) == 3


@pytest.mark.parametrize(
    ("balances", "code", "found", "expected"),
    [
        ({D - DAY: "101"}, "balance_differs", "100.00", "101.00"),
        ({D - DAY: "100", D: "96"}, "balance_differs", "95.00", "96.00"),
        ({D - 3 * DAY: "90"}, "opening_differs", "100.00", "92.00"),
        ({D + 2 * DAY: "90"}, "closing_differs", "95.00", "87.00"),
    ],
)
def test_balances_that_do_not_meet_are_refused_with_both_values(
    balances: dict[date, str], code: str, found: str, expected: str
) -> None:
    there = known(balances, [(D - 9 * DAY, D + 9 * DAY)], row(D - 2 * DAY, "2"), row(D + DAY, "3"), row(D, "-5"))
    refused = match([statement(D - DAY, "100", D, (D, "-5"))], there)
    (fault,) = refused.faults
    assert (fault.code, fault.found, fault.expected) == (code, found, expected)
    assert not refused.additions


def test_statements_that_do_not_follow_each_other_are_refused() -> None:
    there = known({D - DAY: "100"}, [(D - 9 * DAY, D - DAY)])
    files = [statement(D - DAY, "100", D, (D, "-5")), statement(D + DAY, "96", D + 2 * DAY, (D + 2 * DAY, "1"))]
    (fault,) = match(files, there).faults
    assert (fault.code, fault.found, fault.expected) == ("balance_jump", "96.00", "95.00")


def test_statements_must_reach_the_days_that_are_known_on_one_side_at_least() -> None:
    there = known({D: "100"}, [(D - 9 * DAY, D), (D + 20 * DAY, D + 30 * DAY)])
    far = statement(D + 5 * DAY, "100", D + 6 * DAY, (D + 6 * DAY, "1"))
    assert faults(match([far], there)) == ["days_missing"]
    near = statement(D, "100", D + 6 * DAY, (D + 6 * DAY, "1"))
    assert not match([near], there).faults
    other = statement(D + 5 * DAY, "50", D + 19 * DAY, (D + 19 * DAY, "1"))
    assert not match([other], there).faults, "what lies between is still missing, and stays named"


def test_what_the_bank_gave_and_the_file_does_not_have_is_refused_not_removed() -> None:
    there = known({D - DAY: "100"}, [(D - 9 * DAY, D)], row(D, "-5"), row(D, "4"))
    (fault,) = match([statement(D - DAY, "100", D, (D, "-5"))], there).faults
    assert (fault.code, fault.found, fault.expected, fault.day) == ("entries_differ", "-5.00", "-1.00", D)


def test_a_day_that_agrees_on_both_sides_is_not_compared_entry_by_entry() -> None:
    """The interface gives one total for a payment file, the bank's CODA every payment."""
    there = known({D - DAY: "100", D: "70"}, [(D - 9 * DAY, D)], row(D, "-30"))
    found = match([statement(D - DAY, "100", D, (D, "-10"), (D, "-20"))], there)
    assert (found.faults, found.additions, found.known_count) == ((), (), 2)


def test_a_held_day_gets_the_row_that_the_interface_left_out() -> None:
    there = known({D - DAY: "100", D: "70"}, [(D - 9 * DAY, D)], row(D, "-10"))
    found = match([statement(D - DAY, "100", D, (D, "-10"), (D, "-20"))], there)
    assert not found.faults
    assert [one.entry.amount for one in found.additions] == [amount("-20")]


def test_an_entry_of_an_earlier_day_is_late_and_known_when_it_is_there() -> None:
    old = D - 5 * DAY
    there = known({D - DAY: "100"}, [(D - 9 * DAY, D)], row(old, "3"), row(old, "8"))
    found = match([statement(D - DAY, "100", D, (D, "1"), (old, "3"), (old, "3"))], there)
    assert not found.faults
    assert [(one.entry.amount, one.is_late) for one in found.additions] == [(amount("1"), False), (amount("3"), True)]
    assert found.known_count == 1


def test_what_is_known_decides_which_day_an_opening_balance_is_of() -> None:
    one = replace(statement(D - DAY, "100", D + DAY, (D, "3"), (D + DAY, "1")), may_open_later=True)
    first = match([one], known({D - DAY: "100"}, [(D - 9 * DAY, D - DAY)]))
    assert (first.faults, first.window.first) == ((), D)
    late = match([one], known({D - DAY: "80", D: "100"}, [(D - 9 * DAY, D)]))
    assert (late.faults, late.window.first) == ((), D + DAY)
    assert [addition.is_late for addition in late.additions] == [False, True]
    after = match([statement(D - DAY, "90", D, (D, "10"), file="z"), one], known({D - DAY: "90"}, [(D - DAY, D - DAY)]))
    assert not after.faults


def test_days_without_the_missing_ones_are_what_is_covered() -> None:
    def gap(first: date, last: date) -> AccountGap:
        return AccountGap(
            id=new_id(), office_id=new_id(), account_id=new_id(), first_day=first, last_day=last, cause="x",
            found_at=real_now(),
        )  # fmt: skip

    gaps = [gap(D + 5 * DAY, D + 6 * DAY), gap(D + DAY, D + 2 * DAY)]
    assert without(D, D + 9 * DAY, gaps) == [
        Window(D, D), Window(D + 3 * DAY, D + 4 * DAY), Window(D + 7 * DAY, D + 9 * DAY),
    ]  # fmt: skip
    assert without(D, D + 2 * DAY, [gap(D, D + 2 * DAY)]) == []


class Told:
    """A row as a bank tells it."""

    bank_transaction_id = None

    def __init__(self, day: date, text: str, print_: str) -> None:
        self.booking_date, self.amount, self.fingerprint = day, amount(text), print_


def test_a_row_of_a_file_that_the_bank_tells_later_is_the_same_row() -> None:
    window = Window(D, D)
    document = StoredRow(new_id(), D, amount("-5"), fingerprint("BE1", "EUR", D, amount("-5")), 1)
    twin = StoredRow(new_id(), D, amount("-5"), document.fingerprint, 2, is_issued=True)
    fetched = [Told(D, "-5", "one"), Told(D, "9", "two"), Told(D, "-5", "three"), Told(D, "-5", "four")]
    decided = told_again(plan([], fetched, window), fetched, [document, twin])
    assert {(edit.id, fetched[edit.row.index].amount) for edit in decided.edited} == {
        (document.id, amount("-5")), (twin.id, amount("-5")),
    }  # fmt: skip
    assert sorted(fetched[new.index].amount for new in decided.new) == [amount("-5"), amount("9")]
    assert told_again(Plan(), [], [document]) == Plan(), "one that the bank does not tell stays as it is"


def test_an_undecided_row_is_decided_where_a_file_told_it() -> None:
    window = Window(D, D)
    gone = [StoredRow(UUID(int=n), D, amount("-5"), f"old{n}", 1) for n in (1, 2)]
    fetched = [Told(D, "-5", "one"), Told(D, "-5", "two")]
    decided = plan(gone, fetched, window)
    assert len(decided.undecided) == 2
    documents = [StoredRow(UUID(int=n), D, amount("-5"), "doc", n) for n in (7, 8)]
    assert not told_again(decided, fetched, documents).undecided
