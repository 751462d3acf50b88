import io
import tracemalloc
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import coda
from coda.account_zone import counterparty_account
from tests.coda.builders import entry, quick, statement

GOLDEN = Path(__file__).parent / "golden"
INFORMATION = GOLDEN / "syn_information_records.cod"


class Pipe(io.RawIOBase):
    """A stream that cannot seek, such as a pipe or an upload."""

    def __init__(self, content: bytes) -> None:
        self._stream = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        return self._stream.readinto(cast(bytearray, buffer))


def test_a_path_bytes_and_any_binary_stream_read_alike() -> None:
    content = INFORMATION.read_bytes()
    expected = list(coda.read(INFORMATION))
    assert list(coda.read(str(INFORMATION))) == expected
    assert list(coda.read(content)) == expected
    assert list(coda.read(io.BytesIO(content))) == expected
    assert list(coda.read(cast(BinaryIO, Pipe(content)))) == expected


def test_line_ends_and_encodings_do_not_matter() -> None:
    text = INFORMATION.read_bytes().decode("cp1252")
    expected = list(coda.read(INFORMATION))
    for content in (
        text.replace("\r\n", "\n").encode("cp1252"),
        text.removesuffix("\r\n").encode("cp1252"),
        text.encode("utf-8"),
        b"\xef\xbb\xbf" + text.encode("utf-8"),
    ):
        assert list(coda.read(content)) == expected


def test_the_values_are_typed_and_signed() -> None:
    (read,) = coda.read(INFORMATION)
    assert read.account == coda.Account(
        number="BE81797030970124",
        currency="EUR",
        structure="2",
        holder="SYNTHETIC BV",
        description="CURRENT ACCOUNT",
        bic="GEBABEBB",
        bank_id="300",
        company_id="00400000086",
    )
    assert (read.number, read.old_balance.paper_number) == (44, 75)
    assert read.old_balance.amount == Decimal("6229.120")
    assert (read.closing_balance, read.closing_date) == (Decimal("3540.140"), date(2026, 3, 16))
    first, second, *_, last = read.movements
    assert (first.amount, first.entry_date) == (Decimal("8665.330"), date(2026, 3, 16))
    assert (first.counterparty_account, first.counterparty_name) == ("BE14636960615783", "Café Château")
    assert [information.communication_type for information in first.information] == ["001", None, "008", "009"]
    assert first.information[1].communication.startswith("FREE INFORMATION FREE INFORMATION")
    assert second.amount == Decimal("-4423.440")
    assert last.value_date is None


def test_details_follow_their_movement_and_do_not_change_the_balance() -> None:
    (read,) = coda.read(GOLDEN / "syn_globalisation.cod")
    assert len(read.movements) == 19
    entries = list(read.entries())
    assert [movement.sequence for movement in entries] == [1, 2, 3, 4, 5]
    assert read.old_balance.amount + sum(movement.amount for movement in entries) == read.closing_balance


def test_a_statement_without_record_8_ends_where_it_began() -> None:
    (read,) = coda.read(GOLDEN / "syn_empty.cod")
    assert read.new_balance is None
    assert (read.closing_balance, read.closing_date) == (read.old_balance.amount, date(2026, 3, 16))


@pytest.mark.parametrize(
    ("zone", "account", "currency"),
    [
        ("BE14636960615783", "BE14636960615783", ""),
        ("BE14636960615783".ljust(34) + "EUR", "BE14636960615783", "EUR"),
        ("775496350025 EUR", "775496350025", "EUR"),
        ("000000000000", "", ""),
        ("", "", ""),
    ],
)
def test_the_account_of_the_counterparty_is_told_by_its_form(zone: str, account: str, currency: str) -> None:
    assert counterparty_account(zone) == (account, currency)


def test_the_sound_statements_before_a_fault_are_given_and_none_after_it() -> None:
    sound = coda.write([statement(number=number) for number in (1, 2, 3)])
    lines = sound.split(b"\r\n")
    lines[9] = lines[9].replace(b"Factuur", b"F\tctuur")  # in the second statement
    taken: list[int] = []
    with pytest.raises(coda.FaultyFile) as caught:
        taken.extend(read.number for read in coda.read(b"\r\n".join(lines)))
    assert taken == [1]
    assert [finding.line for finding in caught.value.findings] == [10]
    assert [read.number for read in coda.read(b"\r\n".join(lines), tolerant=True)] == [1, 2, 3]


def test_the_tolerant_reader_takes_nothing_for_what_it_cannot_read() -> None:
    content = b"0000016032630005".ljust(127) + b"2\r\n" + b"3".ljust(128) + b"\r\n9".ljust(20)
    (read,) = coda.read(content, tolerant=True)
    assert (read.account.number, read.old_balance.date, read.movements) == ("", None, ())


def test_one_statement_is_in_memory_at_a_time() -> None:
    entries = [entry(f"REF {number}") for number in range(300)]
    once = statement(entries)

    def peak(count: int) -> int:
        content = coda.write([once] * count)
        tracemalloc.start()
        for _ in coda.read(content):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(6) < 2 * peak(2)


VERSION_1 = (
    "0000016031079705".ljust(34) + "HOLDER".ljust(37) + "0" * 11 + " 00000".ljust(45) + "1",
    "1 001" + "797030970124 EUR".ljust(37) + "0000000000100000150310" + "HOLDER".ljust(61) + "001",
    "2100010000REF".ljust(31) + "0000000000012500160310001500000TEXT".ljust(84) + "16031000101 0",
    "2200010000MORE".ljust(63) + "REFERENCE".ljust(26) + "USD000000000012500".ljust(36) + "1 0",
    "2300010000785505120212".ljust(47) + "NAME".ljust(26) + "STREET 1".ljust(26) + "1000 GENT".ljust(26) + "0 0",
    "8001797030970124 EUR".ljust(41) + "0000000000112500160310".ljust(86) + "0",
    "9".ljust(16) + "000005" + "0" * 15 + "000000000012500".ljust(90) + "2",
)


def test_version_1_is_read_with_its_own_layout_and_not_written() -> None:
    content = "\r\n".join(VERSION_1).encode()
    assert coda.check(content).faults == ()
    (read,) = coda.read(content)
    (movement,) = read.movements
    assert read.version == 1
    assert (read.account.number, read.account.currency, read.account.structure) == ("797030970124", "EUR", "0")
    assert (movement.counterparty_name, movement.counterparty_locality) == ("NAME", "1000 GENT")
    assert (movement.customer_reference, movement.communication.split()) == ("REFERENCE", ["TEXT", "MORE"])
    with pytest.raises(coda.InvalidValue, match="version 2"):
        coda.write([read])


@quick
@given(content=st.binary(max_size=600) | st.text("0123489 \n", max_size=600).map(str.encode))
def test_no_content_makes_the_readers_fail_otherwise_than_by_their_own_errors(content: bytes) -> None:
    report = coda.check(content)
    for tolerant in (False, True):
        try:
            list(coda.read(content, tolerant=tolerant))
        except coda.FaultyFile:
            assert not report.ok
    try:
        coda.show(content)
        coda.render(content)
    except coda.NotCoda:
        assert report.findings[0].code == "not_coda"


@quick
@given(data=st.data())
def test_a_golden_file_with_any_byte_changed_is_still_shown(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(sorted(GOLDEN.glob("*.cod")))).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(16, len(content) - 1))] = data.draw(st.integers(0, 255))
    coda.show(bytes(content))
    coda.render(bytes(content))
    if coda.check(bytes(content)).ok:
        list(coda.read(bytes(content)))
