import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coda.text import (
    INFORMATION_WIDTHS,
    MOVEMENT_WIDTHS,
    EncodingDetector,
    cut_columns,
    fold,
    fold_in_place,
    lay_out,
    split_words,
)
from tests.coda.builders import quick

ENCODINGS = ("windows-1252", "ascii")
CODECS = {"windows-1252": "cp1252", "ascii": "ascii"}


@pytest.mark.parametrize(
    ("text", "windows", "ascii_only"),
    [
        ("Café Château", "Café Château", "Cafe Chateau"),
        ("e\u0301te\u0301", "été", "ete"),
        ("Łódź – “x” … €5", "Lódz – “x” … €5", 'Lodz - "x" ... EUR5'),
        ("Straße Œuvre æ", "Straße Œuvre æ", "Strasse OEuvre ae"),
        ("a\tb\r\nc\u00a0d", "a b  c d", "a b  c d"),
        ("Привет Αθήνα", "Privet Athina", "Privet Athina"),
        ("漢字 😀", ".. .", ".. ."),
        ("\u200bx\u00ady", "xy", "xy"),
        ("ﬁ ²½", "fi ²½", "fi 21/2"),
    ],
)
def test_characters_become_their_nearest_equal(text: str, windows: str, ascii_only: str) -> None:
    assert fold(text) == windows
    assert fold(text, "ascii") == ascii_only


@pytest.mark.parametrize("encoding", ENCODINGS)
@quick
@given(text=st.text())
@example(text="\x00\x7f\x81\u0085\u2028\ufffd")
def test_folded_text_is_on_one_line_in_its_encoding_and_has_no_new_question_mark(text: str, encoding: str) -> None:
    for folded in (fold(text, encoding), fold_in_place(text, encoding)):  # type: ignore[arg-type]
        folded.encode(CODECS[encoding])
        assert all(character >= " " and not "\x7f" <= character <= "\x9f" for character in folded)
        if "?" not in unicodedata.normalize("NFKD", text):
            assert "?" not in folded
    assert len(fold_in_place(text, encoding)) == len(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ENCODINGS)
@quick
@given(text=st.text())
def test_folding_twice_changes_nothing(text: str, encoding: str) -> None:
    once = fold(text, encoding)  # type: ignore[arg-type]
    assert fold(once, encoding) == once  # type: ignore[arg-type]


def test_a_part_ends_with_the_last_letter_of_a_word_and_the_next_begins_with_the_blank() -> None:
    assert split_words("aaa bbb ccc", (7, 8)) == (("aaa bbb", " ccc"), "")
    assert split_words("aaa bbb ccc", (8, 8)) == (("aaa bbb", " ccc"), "")
    assert split_words("aaa bbb ccc", (9, 8)) == (("aaa bbb", " ccc"), "")
    assert split_words("aaa   bbb", (5, 8)) == (("aaa", "   bbb"), "")


def test_a_word_wider_than_a_part_is_cut() -> None:
    assert split_words("abcdefghij", (4, 4)) == (("abcd", "efgh"), "ij")
    assert split_words("ab cdefghij", (4, 4)) == (("ab", " cde"), "fghij")


@pytest.mark.parametrize("widths", [MOVEMENT_WIDTHS, INFORMATION_WIDTHS, (7, 5, 3)])
@quick
@given(words=st.lists(st.text("abc", min_size=1, max_size=30), max_size=40))
def test_no_letter_is_lost_by_splitting(widths: tuple[int, ...], words: list[str]) -> None:
    text = " ".join(words)
    parts, rest = split_words(text, widths)
    assert "".join(parts) + rest == text
    assert all(len(part) <= width for part, width in zip(parts, widths, strict=True))
    assert not any(part.endswith(" ") for part in parts)


@quick
@given(words=st.lists(st.text("abc", min_size=1, max_size=30), max_size=8))
def test_words_that_are_laid_out_read_alike_stripped_or_raw(words: list[str]) -> None:
    laid_out, rest = lay_out(" ".join(words), MOVEMENT_WIDTHS)
    raw = laid_out.split()
    parts = cut_columns(laid_out, MOVEMENT_WIDTHS)
    stripped_right = "".join(part.rstrip() for part in parts).split()
    stripped_both = " ".join(part.strip() for part in parts).split()
    assert raw == stripped_right == stripped_both
    assert raw + rest.split() == words


def test_columns_are_cut_exactly_and_a_longer_text_is_refused() -> None:
    assert cut_columns("abcdef", (2, 3, 2)) == ("ab", "cde", "f")
    with pytest.raises(ValueError, match="at most 7"):
        cut_columns("abcdefgh", (2, 3, 2))


@pytest.mark.parametrize(
    ("chunks", "encoding"),
    [
        ([b"abc"], "ascii"),
        ([b"abc", "é".encode()], "utf-8"),
        ([b"abc\xc3", b"\xa9"], "utf-8"),
        ([b"abc\xe9 x"], "windows-1252"),
        ([b"abc\xc3"], "windows-1252"),
        (["é".encode(), b"\xe9 "], "windows-1252"),
        (["é".encode().ljust(129), b"\r\n"], "utf-8"),
        (["Ã«".encode("cp1252").ljust(128), b"\r\n"], "windows-1252"),
        ([b"x" * 100 + b"\n" + "Ã".encode("cp1252"), "«".encode("cp1252").ljust(127)], "windows-1252"),
        (["\ufeffé".encode().ljust(132)], "utf-8"),
    ],
)
def test_the_encoding_is_the_first_in_which_all_bytes_decode(chunks: list[bytes], encoding: str) -> None:
    detector = EncodingDetector()
    for chunk in chunks:
        detector.feed(chunk)
    assert detector.encoding == encoding
