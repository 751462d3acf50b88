"""Where lines come from: a path, bytes or a binary stream, in the encoding that the content shows."""

import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Literal

from coda.errors import UnreadableFile
from coda.text import KEEP_BYTES, Encoding, EncodingDetector, repaired, unusual_bytes

Source = str | PathLike[str] | bytes | bytearray | BinaryIO
LineEnd = Literal["CRLF", "LF", "mixed", "none"]

CHUNK = 1 << 20
START = 256  # bytes by which a file is recognised
MARK_UTF8 = b"\xef\xbb\xbf"
_BEGIN = b"\n00000"  # of a record 0, after the line before it
_PLACE = re.compile(_BEGIN)
LINE_MAX = 4096  # characters; a longer "line" is no text; what follows belongs to the next


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFacts:
    """What must be known of the bytes before the first line can be read."""

    encoding: Encoding
    has_byte_order_mark: bool
    start: bytes = field(repr=False)  # first bytes, by which other formats are known; they may hold a name


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts(TextFacts):
    """What the bytes say before any line is understood."""

    name: str  # last part of the path; "" when there is none
    size: int  # bytes
    line_end: LineEnd
    has_final_line_end: bool
    lines: int


@contextmanager
def opened(source: Source) -> Iterator[tuple[BinaryIO, str]]:
    """Seekable stream of the source at its start, and the name of the file.

    A stream that cannot seek is copied to a temporary file first, since the encoding is only known at its end.
    Raises `UnreadableFile` for a path that cannot be opened.
    """
    if isinstance(source, (bytes, bytearray)):
        yield io.BytesIO(source), ""
    elif isinstance(source, (str, PathLike)):
        with _file(Path(source)) as stream:
            yield stream, Path(source).name
    elif source.seekable():
        yield source, Path(str(getattr(source, "name", ""))).name
    else:
        with tempfile.TemporaryFile() as copy:
            while chunk := source.read(CHUNK):
                copy.write(chunk)
            copy.seek(0)
            yield copy, Path(str(getattr(source, "name", ""))).name


def text_facts_of(stream: BinaryIO) -> TextFacts:
    """Read the stream from where it stands until its encoding is certain, and put it back there."""
    begin = stream.tell()
    detector = EncodingDetector()
    start = b""
    while not detector.is_decided and (chunk := stream.read(CHUNK)):
        if len(start) < START:
            start = (start + chunk)[:START]
        detector.feed(chunk)
    stream.seek(begin)
    return TextFacts(encoding=detector.encoding, has_byte_order_mark=start.startswith(MARK_UTF8), start=start)


def facts_of(stream: BinaryIO, name: str = "") -> FileFacts:
    """Read the stream from where it stands to its end, a piece at a time, and put it back there."""
    begin = stream.tell()
    detector = EncodingDetector()
    size = feeds = crlf = 0
    start = last = b""
    while chunk := stream.read(CHUNK):
        if len(start) < START:
            start = (start + chunk)[:START]
        detector.feed(chunk)
        feeds += chunk.count(b"\n")
        # A pair may be split over two pieces.
        crlf += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        size += len(chunk)
        last = chunk[-1:]
    stream.seek(begin)
    line_end: LineEnd = "none" if not feeds else "CRLF" if crlf == feeds else "LF" if not crlf else "mixed"
    return FileFacts(
        name=name,
        size=size,
        encoding=detector.encoding,
        line_end=line_end,
        has_final_line_end=last == b"\n",
        has_byte_order_mark=start.startswith(MARK_UTF8),
        lines=feeds + (size > 0 and last != b"\n"),
        start=start,
    )


def texts_of(stream: BinaryIO, facts: TextFacts) -> Iterator[tuple[str, str | None]]:
    """The file in texts that each begin with a record 0 (the first may not) and hold whole lines, line ends included.

    A text is a logical file, or, where records 0 or 9 are faulty, several or one and a part: `coda.blocks` looks.
    Beside each stands what `unusual_in` says of it, or `None` where that is not known yet.
    """
    is_first = True
    for piece in _pieces(stream):
        if is_first and facts.has_byte_order_mark:
            piece = piece.removeprefix(MARK_UTF8)  # noqa: PLW2901  # what is left of it is the piece
        is_first = False
        yield _decoded(piece, facts.encoding)


def lines_of(stream: BinaryIO, facts: TextFacts) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line, without its line end and without byte-order mark."""
    number = 0
    for text, _ in texts_of(stream, facts):
        for line in split_lines(text):
            number += 1
            yield number, line


def split_lines(text: str) -> list[str]:
    """The lines of a text, without their line ends; those of another encoding than the file are repaired."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    if len(text) >= LINE_MAX and max(map(len, lines)) >= LINE_MAX:
        lines = [line[start : start + LINE_MAX] for line in lines for start in range(0, len(line) or 1, LINE_MAX)]
    lines = [line.removesuffix("\r") for line in lines]
    return lines if text.isascii() else [line if line.isascii() else repaired(line) for line in lines]


def _file(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except IsADirectoryError:
        raise UnreadableFile("is a folder; name a file in it") from None
    except FileNotFoundError:
        raise UnreadableFile("does not exist") from None
    except OSError as error:
        raise UnreadableFile(f"cannot be opened: {error.strerror}") from None


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The stream, cut before each line that begins as a record 0 does."""
    held = b""
    # What is read grows with what is held, so that a long text is not copied over and over.
    while chunk := stream.read(max(CHUNK, len(held))):
        search = max(len(held) - len(_BEGIN), 0)
        held += chunk
        begin = 0
        for match in _PLACE.finditer(held, search):  # which is twice as fast as `bytes.find`
            yield held[begin : match.start() + 1]
            begin = match.start() + 1
        held = held[begin:]
    if held:
        yield held


def _decoded(piece: bytes, encoding: Encoding) -> tuple[str, str | None]:
    unusual = unusual_bytes(piece)
    if unusual.isascii() and (encoding != "utf-8" or piece.isascii()):
        # Latin-1 is Windows-1252 but for 32 signs, and decodes in an eighth of the time.
        return piece.decode("latin-1"), unusual.decode("ascii")
    return piece.decode("utf-8", "replace") if encoding == "utf-8" else piece.decode("cp1252", KEEP_BYTES), None
