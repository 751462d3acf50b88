from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import coda
from coda.model import Statement
from tests.coda.builders import entry, statement


def day(opening: str, closed: date, number: int, *, opened: date | None = None, reference: str = "R") -> Statement:
    """A statement of one entry of 10.00 that closes on that day."""
    composed = coda.compose(
        coda.Account.of_iban("BE81797030970124", "EUR", holder="Voorbeeld NV", bic="GEBABEBB"),
        number=number or 1,
        old_balance=Decimal(opening),
        old_balance_date=opened or date.fromordinal(closed.toordinal() - 1),
        new_balance=Decimal(opening) + 10,
        new_balance_date=closed,
        entries=[entry(reference, amount=Decimal(10), entry_date=closed)],
    )
    return replace(composed, number=number)


def check(statements: Sequence[Statement]) -> coda.ChainReport:
    return coda.check_chain([(f"{index}.cod", coda.write([each])) for index, each in enumerate(statements, start=1)])


def codes(report: coda.ChainReport) -> list[str]:
    return [each.finding.code for each in report.findings]


FIRST = day("100", date(2026, 3, 2), 1)
SECOND = day("110", date(2026, 3, 3), 2)
THIRD = day("120", date(2026, 3, 4), 3)


def test_statements_that_follow_each_other_have_no_findings() -> None:
    report = check([FIRST, SECOND, THIRD])
    assert report.ok
    assert (codes(report), report.statements, report.accounts, report.files) == ([], 3, 1, 3)


def test_a_missing_statement_breaks_the_balances() -> None:
    report = check([FIRST, THIRD])
    assert not report.ok
    assert codes(report) == ["chain_balance", "chain_number_gap"]
    found = report.findings[0]
    assert (found.finding.found, found.finding.expected, found.file) == ("120.000", "110.000", "2.cod")
    assert found.after == "statement 001 of 2026-03-02 in 1.cod"


def test_the_order_of_the_files_is_told_and_put_right() -> None:
    report = check([SECOND, FIRST, THIRD])
    assert (report.ok, codes(report)) == (True, ["chain_order"])


def test_the_same_file_and_the_same_statement_twice_are_told_apart() -> None:
    assert codes(check([FIRST, FIRST])) == ["chain_duplicate_file"]
    assert codes(check([FIRST, FIRST.as_duplicate(), SECOND])) == ["chain_duplicate_statement"]


def test_two_different_statements_of_the_same_day_overlap() -> None:
    other = day("100", date(2026, 3, 2), 2, reference="OTHER")
    assert codes(check([FIRST, other])) == ["chain_overlap"]


@pytest.mark.parametrize(
    ("last", "number", "closed", "found"),
    [
        (7, 9, date(2026, 3, 3), ["chain_number_gap"]),
        (7, 7, date(2026, 3, 3), ["chain_number_repeated"]),
        (7, 1, date(2026, 3, 3), ["chain_number_backwards"]),
        (7, 0, date(2026, 3, 3), []),
        (0, 9, date(2026, 3, 3), []),
        (250, 1, date(2027, 1, 4), ["chain_date_gap"]),
        (250, 3, date(2027, 1, 4), ["chain_date_gap", "chain_year_start"]),
    ],
)
def test_numbers_count_by_one_and_start_again_each_year(last: int, number: int, closed: date, found: list[str]) -> None:
    assert codes(check([day("100", date(2026, 3, 2), last), day("110", closed, number)])) == found


def test_movements_dated_before_the_last_closing_are_told() -> None:
    late = replace(SECOND, movements=(replace(SECOND.movements[0], entry_date=date(2026, 2, 27)),))
    assert codes(check([FIRST, late])) == ["chain_old_entry"]


def test_account_data_that_change_are_told() -> None:
    changed = replace(SECOND, account=replace(SECOND.account, bic="GEBABEBBXXX", bank_id="001"))
    report = check([FIRST, changed])
    assert [each.finding.field for each in report.findings] == ["header.bic", "header.bank_id"]


def test_each_account_has_a_chain_of_its_own() -> None:
    foreign = statement(account=coda.Account.of_iban("NL22ABNA5891807615", "EUR"))
    report = check([FIRST, foreign, SECOND])
    assert (codes(report), report.accounts) == ([], 2)


def test_statements_of_one_day_are_put_where_their_balances_fit() -> None:
    noon = day("110", date(2026, 3, 3), 9)
    night = day("120", date(2026, 3, 3), 2, opened=date(2026, 3, 3), reference="S")
    report = check([FIRST, night, noon])
    assert "chain_balance" not in codes(report)


def test_a_file_that_cannot_be_read_is_a_finding_and_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(b"%PDF-1.7 something")
    report = coda.check_chain([path])
    assert [(each.finding.code, each.finding.found, each.file) for each in report.findings] == [
        ("chain_unreadable", "not_coda", "letter.pdf")
    ]
    assert not report.ok
