"""Lines become records, records become logical files: record 0 up to record 9."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from coda.plain import PlainMovements, movements_of
from coda.record import LINE_LENGTH, Fault, Record
from coda.records import VERSION_1, VERSION_2
from coda.records.header import Header
from coda.source import split_lines
from coda.text import RepairedLine, unusual_in

_EDGES = re.compile("01(84*)?9")  # the records of a logical file, but for movements

RecordType = TypeVar("RecordType", bound=Record)


@dataclass(slots=True)
class Line:
    """A line that holds a record: its number in the file, from 1, its text and what the text says."""

    number: int
    text: str
    record: Record
    kind: str  # of the record: 0, 1, 21, 22, 23, 31, 32, 33, 4, 8 or 9


@dataclass(slots=True)
class Block:
    """A logical file, sound or not: its records and the faults that were seen while reading each line by itself."""

    first_line: int
    lines: list[Line] = field(default_factory=list)
    faults: list[tuple[int, Fault]] = field(default_factory=list)
    lengths: list[tuple[int, int]] = field(default_factory=list)  # lines that are not 128 long: number, length
    unknown: list[tuple[int, str]] = field(default_factory=list)  # lines of no known record: number, first characters
    repaired: list[int] = field(default_factory=list)  # lines in another encoding than the file
    is_last: bool = True
    records: Mapping[str, type[Record]] = field(default_factory=lambda: VERSION_2)  # by the version of its header
    plain: PlainMovements | None = None  # when there, `lines` holds the other records only

    @property
    def movement_count(self) -> int:
        """Number of movements, with details."""
        return len(self.plain.movements) if self.plain else sum(line.kind == "21" for line in self.lines)

    def note(self, number: int, fault: Fault) -> None:
        """Keep a fault of the line with that number."""
        self.faults.append((number, fault))

    def first(self, record: type[RecordType]) -> Line | None:
        """The first line with that record, if any."""
        return next((line for line in self.lines if isinstance(line.record, record)), None)

    def record(self, record: type[RecordType]) -> RecordType | None:
        """The first record of that type, if any."""
        return next((line.record for line in self.lines if isinstance(line.record, record)), None)


def blocks_in(texts: Iterable[tuple[str, str | None]]) -> Iterator[Block]:
    """The logical files of texts as `coda.source.texts_of` gives them, with plain movements read already.

    The blocks are those of `blocks_of`, but for the lines of movements that break no rule: their place is in `plain`.
    """
    following = iter(texts)
    piece = next(following, None)
    number = 1
    while piece is not None:
        piece_after = next(following, None)
        text, unusual = piece
        block = _plain_block(text, unusual, number, is_last=piece_after is None)
        if block is not None:
            yield block
            number = block.lines[-1].number + 1
        else:
            lines = split_lines(text)
            for block in blocks_of(enumerate(lines, number)):
                block.is_last = block.is_last and piece_after is None
                yield block
            number += len(lines)
        piece = piece_after


def blocks_of(lines: Iterable[tuple[int, str]]) -> Iterator[Block]:
    """The logical files of numbered lines, one in memory at a time (and the first line of the next).

    A logical file ends before each record 0 and after each record 9. Blank lines belong to no record.
    """
    block: Block | None = None
    is_closed = False
    for number, text in lines:
        if not text.strip():
            # Blank lines at the end of a file come from editors; they are no reason to begin a logical file.
            if block is not None:
                block.lengths.append((number, len(text)))
            continue
        begins = text[0] == "0" and (len(text) == LINE_LENGTH or text.startswith("00000"))
        if block is None or begins or is_closed:
            if block is not None:
                block.is_last = False
                yield block
            block = Block(first_line=number)
        is_closed = text.startswith("9 ")  # and not "9000 Gent", the rest of a line that was broken in two
        if isinstance(text, RepairedLine):
            block.repaired.append(number)
        _add(block, number, text)
    if block is not None:
        yield block


def _plain_block(text: str, unusual: str | None, first_line: int, *, is_last: bool) -> Block | None:
    """The logical file that the text is, if each of its lines is sound and no rule for movements is broken."""
    ends = unusual_in(text) if unusual is None else unusual
    if not text.endswith("\n"):
        last_end = "\r\n" if text.count("\r\n", 0, 2 * LINE_LENGTH) else "\n"
        text, ends = text + last_end, ends + last_end
    line_end = "\r\n" if ends.startswith("\r") else "\n"
    count, width = len(ends) // len(line_end), LINE_LENGTH + len(line_end)
    if count < 3 or len(text) != count * width or ends != line_end * count:
        return None
    # Records 9 and 4 and the 8 before them: what comes between those and the records 0 and 1 are movements.
    after = count - 1
    while after > 2 and text[(after - 1) * width] == "4":
        after -= 1
    if text[(after - 1) * width] == "8":
        after -= 1
    block = Block(first_line, is_last=is_last)
    for index in (0, 1, *range(after, count)):
        _add(block, first_line + index, text[index * width : index * width + LINE_LENGTH])
    kinds = "".join(line.kind for line in block.lines)
    if block.unknown or block.records is not VERSION_2 or not _EDGES.fullmatch(kinds):
        return None
    block.plain = movements_of(text, 2 * width, after * width, width, first_line + 2)
    return block if block.plain else None


def _add(block: Block, number: int, text: str) -> None:
    if len(text) != LINE_LENGTH:
        block.lengths.append((number, len(text)))
    record = block.records.get(text[:2] if text[0] in "23" else text[0])
    if record is None:
        block.unknown.append((number, text[:2]))
        return
    # A longer line is read by position, up to where a line should end.
    value = record.read(text[:LINE_LENGTH], partial(block.note, number))
    if isinstance(value, Header) and value.version == 1:
        block.records = VERSION_1
    block.lines.append(Line(number, text, value, record.kind))
