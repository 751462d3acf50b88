"""Characters and words: which may stand on a line, how others are folded, how a long text is spread over parts."""

import codecs
import re
import unicodedata
from functools import lru_cache
from typing import Literal

Encoding = Literal["ascii", "utf-8", "windows-1252"]  # found in files
OutputEncoding = Literal["windows-1252", "ascii"]  # written by us

MOVEMENT_WIDTHS = (53, 53, 43)  # records 21, 22 and 23
INFORMATION_WIDTHS = (73, 105, 90)  # records 31, 32 and 33

# Letters and signs that no decomposition takes apart, each before what it becomes. Those that Windows-1252 has are
# folded for ASCII only.
_FOLD_TABLE = """
ÆAE æae ŒOE œoe ßss ẞSS ØO øo ÞTh þth ÐD ðd ĐD đd ŁL łl ĦH ħh ıi ĸk ŊN ŋn ŦT ŧt ƒf ƏE əe ʼ' ʹ' ªa ºo µu
€EUR £GBP ¥JPY ¢c ‘' ’' ‚' ‛' ′' ´' “" ”" „" ″" «" »" ‹' ›' ‐- ‑- ‒- –- —- ―- −- …... •- ·. ×x ÷/ ©(c)
®(r) ™(tm) °o §S ¶P ¦| ¬- ±+/- ¼1/4 ½1/2 ¾3/4 ¤* †+ ‡+ ‰o/oo ⁄/
ΑA ΒB ΓG ΔD ΕE ΖZ ΗI ΙI ΚK ΛL ΜM ΝN ΞX ΟO ΠP ΡR ΣS ΤT ΥY ΩO αa βb γg δd εe ζz ηi ιi κk λl μm νn ξx οo πp
ρr σs ςs τt υy ωo ΘTh θth ΦF φf ΧCh χch ΨPs ψps
АA БB ВV ГG ДD ЕE ЗZ ИI ЙJ КK ЛL МM НN ОO ПP РR СS ТT УU ФF ЫY ЭE аa бb вv гg дd еe зz иi йj кk лl мm нn
оo пp рr сs тt уu фf ыy эe ІI іi ЖZh жzh ХKh хkh ЦTs цts ЧCh чch ШSh шsh ЩShch щshch Ъ ъ Ь ь ЮYu юyu ЯYa
яya
"""
_FOLDS = {item[0]: item[1:] for item in _FOLD_TABLE.split()} | {"\u00ad": "", "¿": " ", "¡": " "}
_USUAL = bytes([*range(0x20, 0x7F), *range(0xA1, 0x100)])  # of Latin-1
_UNUSUAL = re.compile("[\x00-\x1f\x7f-\xa0\ufffd]|(?! )\\s")
_UNKNOWN = "."  # what banks put for a character they cannot carry; never a question mark


class EncodingDetector:
    """The first of ascii, utf-8 and windows-1252 in which all bytes fed so far decode.

    One case is decided by the lines: `Ã«` in Windows-1252 is `ë` in UTF-8. Where such a line has its 128 characters in
    Windows-1252 only, that it is.
    """

    def __init__(self, line_length: int = 128) -> None:
        self._line_length = line_length
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_ascii = True
        self._is_utf8 = True
        self._rest = b""  # of the line that the last chunk began
        self._votes = 0  # of the lines that are of the right length: above 0 for UTF-8, below for Windows-1252

    def feed(self, chunk: bytes) -> None:
        if chunk.isascii() and self._rest.isascii():
            self._rest = (self._rest + chunk).rpartition(b"\n")[2][-self._line_length * 4 :]
            return
        self._is_ascii = self._is_ascii and chunk.isascii()
        if not self._is_utf8:
            return
        try:
            self._utf8.decode(chunk)
        except UnicodeDecodeError:
            self._is_utf8 = False
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._count(lines)

    @property
    def is_decided(self) -> bool:
        """Whether nothing that follows can change the encoding."""
        return not self._is_utf8

    @property
    def encoding(self) -> Encoding:
        if self._is_ascii:
            return "ascii"
        if not self._is_utf8:
            return "windows-1252"
        try:
            self._utf8.decode(b"", final=True)  # a character cut off by the end of the file
        except UnicodeDecodeError:
            return "windows-1252"
        self._count([self._rest])
        self._rest = b""
        return "utf-8" if self._votes >= 0 else "windows-1252"

    def _count(self, lines: list[bytes]) -> None:
        for line in lines:
            if line.isascii():
                continue
            text = line.removesuffix(b"\r")
            characters = len(text.decode("utf-8", "replace").removeprefix("\ufeff"))
            self._votes += (characters == self._line_length) - (len(text) == self._line_length)


def unusual_in(text: str) -> str:
    """The control characters, line ends included, and the blanks other than the space, one after another.

    U+FFFD, which stands for bytes that are no character, counts as a control.
    """
    try:
        return unusual_bytes(text.encode("latin-1")).decode("latin-1")
    except UnicodeEncodeError:
        return "".join(_UNUSUAL.findall(text))


def unusual_bytes(latin1: bytes) -> bytes:
    """As `unusual_in`, of a text in Latin-1. A translation by table takes a tenth of the time of a search for a set."""
    return latin1.translate(None, _USUAL)


class RepairedLine(str):
    """A line that was in another encoding than its file."""

    __slots__ = ()


def repaired(line: str, length: int = 128) -> str:
    """The line, or, if it is too long and of the right length in UTF-8, as it reads there: a `RepairedLine`.

    Such lines are in files that were put together from others, and in files that were changed to UTF-8 twice. A byte
    that is no character becomes U+FFFD.
    """
    if len(line) > length:
        try:
            text = line.encode("cp1252", KEEP_BYTES).decode("utf-8")
        except UnicodeError:
            text = ""
        if len(text) == length:
            return RepairedLine(text)
    return line.translate(_UNDEFINED)


def _keep_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Five bytes have no character in Windows-1252; the control character of the same number stands for each."""
    if isinstance(error, UnicodeDecodeError):
        return error.object[error.start : error.end].decode("latin-1"), error.end
    if isinstance(error, UnicodeEncodeError):
        found = error.object[error.start : error.end]
        if all("\x80" <= character <= "\x9f" for character in found):
            return found.encode("latin-1"), error.end
    raise error


_UNDEFINED = dict.fromkeys((0x81, 0x8D, 0x8F, 0x90, 0x9D), "\ufffd")
KEEP_BYTES = "coda_keep_bytes"  # for `errors` of encode and decode
codecs.register_error(KEEP_BYTES, _keep_bytes)


def fold(text: str, encoding: OutputEncoding = "windows-1252") -> str:
    """The text in characters of the encoding, on one line; what has no equal becomes its nearest letters or a dot.

    Line ends, tabs and other controls become blanks. The result may be longer than the text (€ is EUR in ASCII).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_fold_character(character, encoding) for character in unicodedata.normalize("NFC", text))


def fold_in_place(text: str, encoding: OutputEncoding = "windows-1252") -> str:
    """As `fold`, but one character for each, so that columns stay where they are."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_fold_character(character, encoding)[:1] or " " for character in text)


def split_words(text: str, widths: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The text spread over parts of the given widths, and the rest that found no place.

    A part ends with the last letter of a word and the next begins with the blank, so that readers which strip the
    parts and those which join them raw see the same words. A word wider than a part is cut.
    """
    parts = []
    rest = text.rstrip(" ")
    for width in widths:
        if len(rest) <= width:
            cut = len(rest)
        elif rest[width] == " " and rest[width - 1] != " ":
            cut = width
        else:
            # The last blank that follows a letter; the blank itself opens the next part.
            cut = rest.rfind(" ", 0, width)
            while cut > 0 and rest[cut - 1] == " ":
                cut -= 1
            if not rest[: max(cut, 0)].strip(" "):
                cut = width
        parts.append(rest[:cut])
        rest = rest[cut:].rstrip(" ")
    return tuple(parts), rest


def lay_out(text: str, widths: tuple[int, ...]) -> tuple[str, str]:
    """The text as it stands on the parts at their full width, without blanks at its end, and the rest."""
    parts, rest = split_words(text, widths)
    return "".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip(" "), rest


def cut_columns(text: str, widths: tuple[int, ...]) -> tuple[str, ...]:
    """The text cut at exactly the widths; the columns are as in the file. Raises `ValueError` when it is longer."""
    if len(text) > sum(widths):
        raise ValueError(f"at most {sum(widths)} characters, not {len(text)}")
    parts = []
    start = 0
    for width in widths:
        parts.append(text[start : start + width])
        start += width
    return tuple(parts)


@lru_cache(maxsize=4096)
def _fold_character(character: str, encoding: OutputEncoding) -> str:
    category = unicodedata.category(character)
    if character.isspace() or category == "Cc":
        return " "
    if " " <= character <= "~" or (encoding == "windows-1252" and character != "\u00ad" and _encodes(character)):
        return character
    if character in _FOLDS:
        return _FOLDS[character]
    parts = [part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)]
    if parts == [character]:
        return "" if category in ("Cf", "Me") else _UNKNOWN
    return "".join(_fold_character(part, encoding) for part in parts)


def _encodes(character: str) -> bool:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
