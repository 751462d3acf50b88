"""Damage of any kind: always an answer, and never a wrong amount without a word."""

import io
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coda
from tests.coda import fuzz
from tests.coda.builders import quick

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.cod"))
WITH_MOVEMENTS = [path for path in FILES if b"\r\n8" in path.read_bytes()]
INFORMATION = GOLDEN / "syn_information_records.cod"


def guarded_places(content: bytes) -> list[int]:
    """Places of the bytes of which none may change unseen: balances, amounts of movements, count and totals."""
    places: list[int] = []
    start = 0
    for line in content.split(b"\r\n"):
        spans = {b"1": (42, 58), b"8": (41, 57), b"9": (16, 52)}
        span = (31, 47) if line[:2] == b"21" and line[6:10] == b"0000" else spans.get(line[:1])
        if span is not None:
            places.extend(range(start + span[0], start + span[1]))
        start += len(line) + 2
    return places


@quick
@given(data=st.data())
def test_a_byte_changed_in_an_amount_a_balance_a_count_or_a_total_is_a_fault(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(WITH_MOVEMENTS)).read_bytes())
    place = data.draw(st.sampled_from(guarded_places(bytes(content))))
    before = content[place]
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != before))
    assert not coda.check(bytes(content)).ok
    with pytest.raises(coda.FaultyFile):
        list(coda.read(bytes(content)))


def test_any_digit_changed_in_an_amount_a_balance_a_count_or_a_total_is_a_fault() -> None:
    content = INFORMATION.read_bytes()
    for place in guarded_places(content):
        digit = b"0" if content[place : place + 1] != b"0" else b"1"
        assert not coda.check(content[:place] + digit + content[place + 1 :]).ok, place


def test_the_sign_of_a_zero_changes_nothing_and_is_a_warning() -> None:
    path = GOLDEN.parent / "damaged" / "zero_with_a_sign.cod"
    (read,) = coda.read(path)
    assert str(read.old_balance.amount) == "0.000"
    assert [finding.code for finding in coda.check(path).findings] == ["negative_zero"]


@quick
@given(data=st.data())
def test_any_byte_of_any_file_may_change_without_an_unhandled_error(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(FILES)).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    fuzz.examine(bytes(content))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), path=st.sampled_from(FILES))
def test_no_damage_makes_a_reader_fail_otherwise_than_by_its_own_errors(seed: int, path: Path) -> None:
    fuzz.examine(fuzz.corrupted(path.read_bytes(), random.Random(seed)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_that_is_cut_off_anywhere_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for end in [*range(16, len(content) - 2, 97), len(content) - 3, len(content) - 131]:
        assert not coda.check(content[:end]).ok, end
    assert coda.check(content[:-1]).ok, "all lines are there; only half of the last line end is missing"
    assert coda.check(content[:-2]).ok


def test_an_empty_file_is_no_coda() -> None:
    for content in (b"", b"\r\n", b"\xef\xbb\xbf", b"\x00" * 128):
        with pytest.raises(coda.NotCoda):
            list(coda.read(content))


def test_a_folder_and_a_missing_file_are_refused_without_their_names(tmp_path: Path) -> None:
    for path, reason in ((tmp_path, "is a folder"), (tmp_path / "Dossier Peeters.cod", "does not exist")):
        for act in (coda.check, coda.show, lambda path: list(coda.read(path))):
            with pytest.raises(coda.UnreadableFile, match=reason) as caught:
                act(path)
            assert path.name not in str(caught.value)
            assert isinstance(caught.value, OSError)


def test_a_line_in_utf_8_among_others_is_repaired_and_reported() -> None:
    lines = INFORMATION.read_bytes().split(b"\r\n")
    expected = list(coda.read(INFORMATION))
    accented = [index for index, line in enumerate(lines) if not line.isascii()]
    assert len(accented) > 1
    lines[accented[1]] = lines[accented[1]].decode("cp1252").encode("utf-8")
    content = b"\r\n".join(lines)
    assert list(coda.read(content)) == expected
    findings = [(finding.code, finding.line) for finding in coda.check(content).findings]
    assert findings == [("mixed_encoding", accented[1] + 1)]


def test_a_file_that_was_changed_to_utf_8_twice_is_repaired_and_reported() -> None:
    content = INFORMATION.read_bytes().decode("cp1252").encode("utf-8").decode("cp1252").encode("utf-8")
    assert list(coda.read(content)) == list(coda.read(INFORMATION))
    assert {finding.code for finding in coda.check(content).findings} == {"utf_8", "mixed_encoding"}


def test_a_letter_whose_bytes_windows_1252_lacks_is_repaired_too() -> None:
    lines = INFORMATION.read_bytes().split(b"\r\n")
    accented = [index for index, line in enumerate(lines) if not line.isascii()]
    line = lines[accented[0]].decode("cp1252")
    letter = next(character for character in line if not character.isascii())
    lines[accented[0]] = line.replace(letter, "Á").encode("utf-8")  # C3 81; 81 is no character in Windows-1252
    (read,) = coda.read(b"\r\n".join(lines))
    assert "Á" in "".join(f"{movement.counterparty_name}{movement.communication}" for movement in read.movements)


def test_a_long_line_without_end_is_read_in_pieces() -> None:
    content = INFORMATION.read_bytes() + b"x" * 10_000 + b"\r\n"
    report = coda.check(content)
    assert [finding.found for finding in report.faults if finding.code == "line_length"] == [
        "4096 characters",
        "4096 characters",
        "1808 characters",
    ]


def test_pieces_of_any_size_give_the_same_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    content = coda.write([next(iter(coda.read(path))) for path in FILES])
    expected = list(coda.read(content))
    for size in (1, 5, 127, 131, 4096):
        monkeypatch.setattr("coda.source.CHUNK", size)
        assert list(coda.read(io.BytesIO(content))) == expected


def test_the_fuzz_command_says_what_it_did(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["fuzz", "--count", "20", "--seed", "5"])
    fuzz.main()
    assert capsys.readouterr().out.startswith("20 damaged files in ")
