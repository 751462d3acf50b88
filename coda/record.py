"""A record of the format: a frozen value whose annotations state its layout, once.

Reading, writing, the layout table of the documentation and the check that each of the 128 columns is used exactly once
come from those annotations.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Self, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

from coda.errors import InvalidValue
from coda.fields import Codec, FieldFault

LINE_LENGTH = 128

Span = int | tuple[int, int]  # one column, or the first and the last


@dataclass(frozen=True, slots=True)
class Fault:
    """A field-level fault of one line; the reader adds the line number and the hint."""

    code: str
    field: str
    columns: tuple[int, int]
    found: str
    expected: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A span of columns of a record: a field with its codec, or text that is always the same."""

    name: str
    start: int
    end: int
    codec: Codec | None
    fixed: str = ""

    @property
    def slice(self) -> slice:
        return slice(self.start - 1, self.end)


class Record:
    """Base of all records. Lines are text of 128 characters, without their line end."""

    kind: ClassVar[str]  # the first one or two characters of the line
    subject: ClassVar[str]  # the name findings give to the record
    layout: ClassVar[tuple[Column, ...]]
    by_name: ClassVar[Mapping[str, Column]]
    _pattern: ClassVar[re.Pattern[str]]
    _built: ClassVar[Callable[..., Any]]  # record of the groups that the pattern found

    @classmethod
    def parse(cls, line: str) -> Self:
        """Record of a sound line. Raises `InvalidValue` at the first fault."""
        faults: list[Fault] = []
        record = cls.read(line, faults.append)
        for fault in faults:
            if not fault.is_warning:
                raise InvalidValue(fault.field, f"expected {fault.expected} ({fault.code})")
        return record

    @classmethod
    def read(cls, line: str, report: Callable[[Fault], None]) -> Self:
        """Record of any line, sound or not; every fault is reported, and the value nearest to the text is taken."""
        match = cls._pattern.fullmatch(line)
        if match is not None:
            try:
                return cls._built(*match.groups())  # type: ignore[no-any-return]  # compiled for this class
            except FieldFault:
                pass
        record = object.__new__(cls)
        object.__setattr__(record, "__dict__", cls._read_by_column(line, report))  # Frozen, so not by attribute.
        return record

    @classmethod
    def raw(cls, line: str, name: str) -> str:
        """Characters of the named field on the line, as they stand."""
        return line[cls.by_name[name].slice]

    @classmethod
    def place(cls, name: str) -> tuple[str, tuple[int, int]]:
        """Name of the field as findings give it, and its columns."""
        column = cls.by_name[name]
        return f"{cls.subject}.{name}", (column.start, column.end)

    def line(self) -> str:
        """The 128 characters of the record. Raises `InvalidValue`, with the field's name, when a value does not fit."""
        parts = []
        for column in self.layout:
            if column.codec is None:
                parts.append(column.fixed)
                continue
            try:
                parts.append(column.codec.encode(getattr(self, column.name)))
            except FieldFault as fault:
                raise InvalidValue(f"{self.subject}.{column.name}", f"expected {fault.expected}") from None
        return "".join(parts)

    @classmethod
    def _read_by_column(cls, line: str, report: Callable[[Fault], None]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        padded = line.ljust(LINE_LENGTH)
        for column in cls.layout:
            raw = padded[column.slice]
            field, columns = f"{cls.subject}.{column.name}", (column.start, column.end)
            if column.codec is None:
                if raw != column.fixed:
                    is_blank = not column.fixed.strip(" ")
                    code, expected = ("reserved_not_blank", "blanks") if is_blank else ("fixed_value", column.fixed)
                    report(Fault(code, field, columns, raw, expected, is_warning=is_blank))
                continue
            try:
                values[column.name] = column.codec.decode(raw)
            except FieldFault as fault:
                report(Fault(fault.code, field, columns, raw, fault.expected, is_warning=fault.warning))
                values[column.name] = fault.value
        return values


RecordType = TypeVar("RecordType", bound=Record)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(
    kind: str, *, blank: tuple[Span, ...] = (), fixed: Mapping[int, str] | None = None
) -> Callable[[type[RecordType]], type[RecordType]]:
    """Make a record of a class whose annotations name the columns.

    `kind` is what its lines start with, `blank` the reserved columns (single or first and last), `fixed` text that is
    always the same, by its first column. Raises `TypeError` unless each of the 128 columns is used exactly once.
    """

    def declare(cls: type[RecordType]) -> type[RecordType]:
        cls.kind = kind
        cls.subject = cls.__module__.rpartition(".")[2]
        cls.layout = _layout(cls, kind, blank, fixed or {})
        cls.by_name = {column.name: column for column in cls.layout}
        cls._pattern = re.compile("".join(_pattern(column) for column in cls.layout))
        made = dataclass(frozen=True, kw_only=True)(cls)
        made._built = staticmethod(_builder(made))
        return made

    return declare


def _layout(cls: type[Record], kind: str, blank: tuple[Span, ...], fixed: Mapping[int, str]) -> tuple[Column, ...]:
    columns = [Column("record", 1, len(kind), None, kind)]
    for name, hint in get_type_hints(cls, include_extras=True).items():
        codecs = [extra for extra in get_args(hint)[1:] if isinstance(extra, Codec)]
        if get_origin(hint) is Annotated and codecs:
            columns.append(Column(name, *codecs[0].columns, codecs[0]))
    for start, text in fixed.items():
        columns.append(Column("fixed", start, start + len(text) - 1, None, text))
    for span in blank:
        first, last = span if isinstance(span, tuple) else (span, span)
        columns.append(Column("reserved", first, last, None, " " * (last - first + 1)))
    columns.sort(key=lambda column: column.start)
    following = 1
    for column in columns:
        if column.start != following:
            raise TypeError(f"record {kind}: column {min(column.start, following)} is unused or used twice")
        following = column.end + 1
    if following != LINE_LENGTH + 1:
        raise TypeError(f"record {kind}: {following - 1} columns instead of {LINE_LENGTH}")
    return tuple(columns)


def _builder(cls: type[Record]) -> Callable[..., Any]:
    """Function that makes a record of the text of its columns.

    It is compiled from the layout, as dataclasses compile their `__init__`: for files of hundreds of thousands of
    lines that takes half the time of a loop over the columns.
    """
    names, values = [], []
    namespace: dict[str, Any] = {"new": partial(object.__new__, cls), "assign": object.__setattr__}
    for column in cls.layout:
        if column.codec is not None:
            namespace[f"decode_{column.name}"] = column.codec.decode
            expression = column.codec.plain.replace("decode(", f"decode_{column.name}(").replace("raw", column.name)
            names.append(column.name)
            values.append(f"'{column.name}': {expression}")
    source = (
        f"def built({', '.join(names)}):\n"
        "    record = new()\n"
        f"    assign(record, '__dict__', {{{', '.join(values)}}})\n"
        "    return record\n"
    )
    exec(source, namespace)  # noqa: S102  # made of the names of our own fields only
    return namespace["built"]  # type: ignore[no-any-return]  # the function defined above


def _pattern(column: Column) -> str:
    return f"({column.codec.pattern})" if column.codec else re.escape(column.fixed)
