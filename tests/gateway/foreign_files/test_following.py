"""STA-20: what a series of foreign files hands over, and what is refused with both values; pure rules."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

import pytest

from gateway.foreign_files.errors import ForeignFilesEmpty, ForeignFilesTooLarge
from gateway.foreign_files.following import Following, follow_files
from gateway.foreign_files.reading import (
    FILES_MAX,
    SENT_BYTES_MAX,
    Facts,
    FileUnusable,
    SentFile,
    facts_in,
    iban_of,
    unpacked,
)
from tests.gateway.foreign_files.files import OTHER_IBAN, bank_file, zipped

FIRST = date(2026, 11, 2)
AMOUNTS = [Decimal("10.00"), Decimal("-2.50"), Decimal("7.25"), Decimal("-1.00")]


def series(
    *, first: date = FIRST, number: int = 40, paper: int | None = None, without: int | None = None, step: int = 1
) -> list[Facts]:
    """Four days in a row, perhaps without one of them."""
    balances = list(accumulate(AMOUNTS, initial=Decimal("100.00")))
    found: list[Facts] = []
    for index, amount in enumerate(AMOUNTS):
        if index == without:
            continue
        content = bank_file(
            OTHER_IBAN, first + timedelta(days=index), number=number + index * step, opening=balances[index],
            amounts=[amount], paper=paper + index if paper is not None else None,
        )  # fmt: skip
        found += facts_in(SentFile(f"{index}.cod", content))
    return found


def faults(found: Following) -> list[tuple[str, str, str]]:
    return [(fault.code, fault.found, fault.expected) for fault in found.faults]


def test_the_last_file_says_number_day_and_balance_whatever_the_order_and_the_copies() -> None:
    files = [*series(paper=301), *series(paper=301)[:2]]
    random.Random(7).shuffle(files)
    found = follow_files(files, "coda", known=())
    assert faults(found) == []
    assert (found.coda_number, found.paper_number, found.next_number) == (43, 304, 44)
    assert (found.closing_date, found.first_day) == (date(2026, 11, 5), date(2026, 11, 6))
    assert found.closing_balance == Decimal("113.75")
    assert follow_files(files, "paper", known=()).next_number == 305


def test_numbers_begin_anew_after_the_last_day_of_the_year() -> None:
    files = series(first=date(2026, 12, 28))
    found = follow_files(files, "coda", known=())
    assert (found.closing_date, found.next_number, faults(found)) == (date(2026, 12, 31), 1, [])


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (series(without=2), [("balance_jump", "114.75", "107.50"), ("number_jump", "043", "042")]),
        (series(step=2), [("number_jump", "042", "041"), ("number_jump", "044", "043"), ("number_jump", "046", "045")]),
        (series(number=996), [("numbers_exhausted", "1000", "001–999")]),
    ],
)  # fmt: skip
def test_a_jump_is_refused_with_both_values(files: list[Facts], wanted: list[tuple[str, str, str]]) -> None:
    assert faults(follow_files(files, "coda", known=())) == wanted


def test_two_files_of_one_period_overlap() -> None:
    again = bank_file(
        OTHER_IBAN, FIRST + timedelta(days=4), number=44, opening=Decimal("114.75"), amounts=[Decimal("5.00")],
        opening_date=FIRST + timedelta(days=2),
    )  # fmt: skip
    found = follow_files([*series(), *facts_in(SentFile("again.cod", again))], "coda", known=())
    assert faults(found) == [("overlap", "114.75", "113.75")]


def test_a_number_of_this_calendar_year_is_not_used_twice() -> None:
    assert faults(follow_files(series(), "coda", known=[(2026, 44)])) == [("number_used", "044", "045")]
    assert faults(follow_files(series(), "coda", known=[(2025, 44)])) == []
    backwards = bank_file(
        OTHER_IBAN, FIRST + timedelta(days=5), number=3, opening=Decimal("113.75"), amounts=[Decimal("1.00")]
    )
    found = follow_files([*series(), *facts_in(SentFile("back.cod", backwards))], "coda", known=())
    assert faults(found) == [("number_used", "003", "044")]


def test_a_bank_that_does_not_number_needs_the_other_number_or_a_person() -> None:
    files = series(paper=0)[:1]
    assert faults(follow_files(files, "paper", known=())) == [("number_missing", "000", "001–999")]
    assert faults(follow_files(files, "coda", known=())) == []


def test_files_are_counted_and_weighed_before_they_are_read() -> None:
    one = SentFile("a.cod", b"x" * 1000)
    with pytest.raises(ForeignFilesTooLarge):
        unpacked([SentFile(None, b"x" * (SENT_BYTES_MAX + 1))])
    with pytest.raises(ForeignFilesTooLarge):
        unpacked(SentFile(f"{number}.cod", str(number).encode()) for number in range(FILES_MAX + 1))
    with pytest.raises(ForeignFilesTooLarge):
        # 160 MB of blanks are 160 kB in an archive.
        unpacked([zipped([SentFile("bomb.cod", b" " * (160 * 1024 * 1024))])])
    for empty in ([], [SentFile("empty.cod", b"")], [zipped([])], [SentFile("blank.cod", b"\r\n")]):
        with pytest.raises(ForeignFilesEmpty):
            unpacked(empty)
    assert [file.name for file in unpacked([zipped([one]), one])[0]] == ["a.cod"]


def test_what_is_no_coda_is_named() -> None:
    files, faults = unpacked([SentFile("folder/x\x07y.pdf", b"%PDF-1.7"), SentFile("a.zip", b"PK\x03\x04broken")])
    assert [(fault.code, fault.file) for fault in faults] == [("archive_damaged", "a.zip")]
    with pytest.raises(FileUnusable) as refused:
        facts_in(files[0])
    assert (refused.value.fault.code, refused.value.fault.file) == ("not_coda", "xy.pdf")


def test_a_faulty_file_is_refused_with_its_first_fault() -> None:
    content = bank_file(OTHER_IBAN, FIRST, number=1, opening=Decimal("1.00"), amounts=[Decimal("2.00")])
    damaged = content.replace(b"0000000000003000", b"0000000000003010")
    with pytest.raises(FileUnusable) as refused:
        facts_in(SentFile("damaged.cod", damaged))
    assert refused.value.fault.code == "file_faulty"
    assert "line" in refused.value.fault.found


def test_an_old_belgian_number_is_the_iban_it_became() -> None:
    assert iban_of("310291417792") == OTHER_IBAN
    assert iban_of("310291417793") is None
