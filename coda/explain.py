"""Explaining a file field by field: what stands where, what it says, and what is wrong with it.

Fields come from the declared layout of the records; what is laid out within a field (transaction codes, account
zones, structured communications) is taken apart further.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from coda.account_zone import ZONES, counterparty_account
from coda.blocks import Block, Line, blocks_of
from coda.checks import check_block, check_facts, identify
from coda.codes import LANGUAGES
from coda.descriptions import describe, r_reason
from coda.errors import Finding, InvalidValue, NotCoda
from coda.fields import Amount, Day, FieldFault, SignedAmount, Text
from coda.meaning import TransactionCode
from coda.record import LINE_LENGTH, Column, Record
from coda.source import Source, facts_of, lines_of, opened
from coda.structured import NO_END, Part, Value, parts_of, value_label

Role = Literal["money", "date", "party", "text", "code", "blank"]
Texts = Mapping[str, str]  # by language

_NONE: Texts = dict.fromkeys(LANGUAGES, "")
_PARTY = ("holder", "counterparty", "account", "bic", "addressee", "company_id", "bank_id")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A field of a line. Texts are by language: nl, fr, en and de."""

    line: int
    columns: tuple[int, int]
    record: str  # 0, 1, 21, 22, 23, 31, 32, 33, 4, 8, 9, or "" for a line of no record
    field: str  # record.field, as in docs/coda/layout.md and in findings; a part of a field has its own name behind it
    raw: str
    value: str  # ISO dates, amounts with a point and a minus for debit; "" when blank
    role: Role
    record_meaning: Texts
    field_meaning: Texts
    value_meaning: Texts  # "" where the value speaks for itself
    findings: tuple[Finding, ...]
    language: str = "en"

    @property
    def meaning(self) -> str:
        """Field and value in words, in the language asked for."""
        said = self.value_meaning[self.language]
        return f"{self.field_meaning[self.language]}. {said}" if said else self.field_meaning[self.language]


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """A line with its fields in order of their columns, and the findings about the line as a whole."""

    number: int
    text: str
    record: str
    record_meaning: Texts
    fields: tuple[Explanation, ...]
    findings: tuple[Finding, ...]


class _Span(NamedTuple):
    """A field or a part of one, before its findings are known."""

    start: int
    end: int
    name: str
    value: str
    role: Role
    field_meaning: Texts
    value_meaning: Texts


def explain(source: Source, line: int, column: int, language: str = "en") -> Explanation:
    """The field at a line and column, both from 1. Languages are nl, fr, en and de.

    Raises `InvalidValue` when the file has no such line or column, `NotCoda` for a file that is no CODA.
    """
    if language not in LANGUAGES:
        raise InvalidValue("language", f"must be one of {', '.join(LANGUAGES)}")
    for explained in xray(source, first_line=line, last_line=line, language=language):
        for field in explained.fields:
            if field.columns[0] <= column <= field.columns[1]:
                return field
        raise InvalidValue("column", f"line {line} has no column {column}")
    raise InvalidValue("line", f"the file has no line {line}")


def xray(
    source: Source, *, first_line: int = 1, last_line: int | None = None, language: str = "en"
) -> Iterator[ExplainedLine]:
    """Every line with all its fields, damaged lines too; one logical file is in memory at a time."""
    with opened(source) as (stream, name):
        facts = facts_of(stream, name)
        stranger = identify(facts)
        if stranger is not None:
            raise NotCoda([stranger])
        about_file = tuple(check_facts(facts))
        for block, texts in _blocks_with_lines(lines_of(stream, facts)):
            if texts[-1][0] < first_line:
                continue
            findings = [*check_block(block), *(about_file if block.first_line == 1 else ())]
            wanted = [each for each in texts if first_line <= each[0] <= (last_line or each[0])]
            yield from _explained(block, wanted, findings, language)
            if last_line is not None and texts[-1][0] >= last_line:
                return


def _blocks_with_lines(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[Block, list[tuple[int, str]]]]:
    """Each logical file with all its numbered lines, those of no record too."""
    seen: list[tuple[int, str]] = []

    def remembered() -> Iterator[tuple[int, str]]:
        for line in lines:
            seen.append(line)
            yield line

    before: Block | None = None
    for block in blocks_of(remembered()):
        if before is not None:
            yield before, _taken(seen, block.first_line)
        before = block
    if before is not None:
        yield before, _taken(seen, seen[-1][0] + 1)


def _taken(seen: list[tuple[int, str]], end: int) -> list[tuple[int, str]]:
    """The lines before the one numbered `end`, taken out of those seen."""
    count = sum(number < end for number, _ in seen)
    taken, seen[:] = seen[:count], seen[count:]
    return taken


def _explained(
    block: Block, texts: Sequence[tuple[int, str]], findings: Sequence[Finding], language: str
) -> Iterator[ExplainedLine]:
    records = {line.number: line for line in block.lines}
    structured = _structured_parts(block.lines)
    structure = next((line.text[1:2] for line in block.lines if line.kind == "1"), "2")
    by_line: dict[int, list[Finding]] = {}
    for finding in findings:
        by_line.setdefault(finding.line, []).append(finding)
    for number, text in texts:
        line = records.get(number)
        about = by_line.get(number, [])
        kind, subject = (line.kind, line.record.subject) if line else ("", "unknown")
        spans = _spans(line, structure, structured.get(number)) if line else _unknown(text)
        padded = text.ljust(spans[-1].end if spans else 0)
        meaning = _texts("record", subject)
        fields = tuple(
            Explanation(
                line=number,
                columns=(span.start, span.end),
                record=kind,
                field=f"{subject}.{span.name}",
                raw=padded[span.start - 1 : span.end],
                value=span.value,
                role=span.role,
                record_meaning=meaning,
                field_meaning=span.field_meaning,
                value_meaning=span.value_meaning,
                findings=tuple(each for each in about if _touches(each, span)),
                language=language,
            )
            for span in spans
        )
        yield ExplainedLine(number, text, kind, meaning, fields, tuple(each for each in about if not each.columns))


def _touches(finding: Finding, span: _Span) -> bool:
    return finding.columns is not None and finding.columns[0] <= span.end and span.start <= finding.columns[1]


def _unknown(text: str) -> list[_Span]:
    if not text:
        return []
    return [_Span(1, len(text), "text", text.strip(), "text", _texts("field", "unknown.text"), _NONE)]


def _spans(line: Line, structure: str, communication: "_Communication | None") -> list[_Span]:
    """The fields of a line, in order, each with the parts it is laid out in."""
    spans: list[_Span] = []
    text = line.text.ljust(LINE_LENGTH)
    for column in line.record.layout:
        raw = text[column.slice]
        if column.name == "transaction_code":
            spans.extend(_code_spans(column, raw))
        elif column.name == "account_zone":
            spans.extend(_zone_spans(column, raw, structure))
        elif column.name == "communication" and communication is not None:
            spans.extend(_communication_spans(column, communication))
        else:
            spans.append(_field_span(column, raw, line.record))
    if len(line.text) > LINE_LENGTH:
        rest = line.text[LINE_LENGTH:]
        spans.append(
            _Span(LINE_LENGTH + 1, len(line.text), "text", rest, "text", _texts("field", "unknown.text"), _NONE)
        )
    return spans


def _field_span(column: Column, raw: str, record: Record) -> _Span:
    if column.codec is None:
        role: Role = "code" if column.fixed.strip() else "blank"
        return _Span(column.start, column.end, column.name, raw.strip(), role, _texts("field", column.name), _NONE)
    try:
        value = column.codec.decode(raw)
    except FieldFault as fault:
        value = fault.value
    meaning = _NONE
    if isinstance(column.codec, SignedAmount) and value is not None:
        meaning = _texts("value", "sign.1" if value < 0 else "sign.0")
    elif column.name == "r_type" and raw.strip():
        meaning = _texts("r_type", raw.strip())
    elif column.name == "r_reason" and raw.strip():
        meaning = {language: r_reason(raw, language) for language in LANGUAGES}
    elif isinstance(value, bool):
        value = raw.strip()  # 1, 0 or D, as the descriptions say
    elif column.name == "counterparty_zone":
        value = " ".join(part for part in counterparty_account(raw) if part)
    name = f"{record.subject}.{column.name}"
    return _Span(column.start, column.end, column.name, _text(value), _role(column), _texts("field", name), meaning)


def _role(column: Column) -> Role:
    match column.codec:
        case SignedAmount() | Amount():
            return "money"
        case Day():
            return "date"
        case Text() if column.name.startswith(_PARTY):
            return "party"
        case Text() if column.name in ("communication", "text"):
            return "text"
        case _:
            return "code"


def _code_spans(column: Column, raw: str) -> Iterator[_Span]:
    code = TransactionCode.of(raw)
    labels = {language: code.labels(language) for language in LANGUAGES}
    start = column.start
    for index, name in enumerate(("type", "family", "operation", "category")):
        value: str = getattr(code, name)
        meaning = {language: labels[language][index] for language in LANGUAGES}
        field = _texts("field", f"transaction_code.{name}")
        yield _Span(start, start + len(value) - 1, f"transaction_code.{name}", value.strip(), "code", field, meaning)
        start += len(value)


def _zone_spans(column: Column, raw: str, structure: str) -> Iterator[_Span]:
    """The parts of an account zone, and the blanks between them."""
    following = 1
    for name, start, length in ZONES.get(structure, ZONES["0"]):
        if start > following:
            yield _blanks(column, raw, following, start - 1)
        value = raw[start - 1 : start - 1 + length].strip()
        first = column.start + start - 1
        field = _texts("field", f"account.{name}")
        yield _Span(first, first + length - 1, f"account_zone.{name}", value, "party", field, _NONE)
        following = start + length
    if following <= len(raw):
        yield _blanks(column, raw, following, len(raw))


def _blanks(column: Column, raw: str, first: int, last: int) -> _Span:
    value = raw[first - 1 : last].strip()
    start, end = column.start + first - 1, column.start + last - 1
    return _Span(start, end, "reserved", value, "blank", _texts("field", "reserved"), _NONE)


@dataclass(frozen=True, slots=True)
class _Communication:
    """The share of one line in a structured communication that runs on over several."""

    code: str
    text: str  # all of it, without the type
    offset: int  # how many characters of it the lines before hold
    has_type: bool  # whether this line begins with the three digits of the type


def _structured_parts(lines: Sequence[Line]) -> dict[int, _Communication]:
    """For each line that holds a part of a structured communication, which part."""
    found: dict[int, _Communication] = {}
    for index, line in enumerate(lines):
        if line.kind not in ("21", "31") or not getattr(line.record, "is_structured", False):
            continue
        share = [line]
        for later in lines[index + 1 : index + 3]:
            if later.kind[0] != line.kind[0] or later.kind[1] <= share[-1].kind[1]:
                break
            share.append(later)
        whole, offsets = "", []
        for each in share:
            offsets.append(len(whole))
            column = each.record.by_name.get("communication")
            whole += each.text.ljust(LINE_LENGTH)[column.slice] if column else ""
        for each, offset in zip(share, offsets, strict=True):
            found[each.number] = _Communication(whole[:3], whole[3:], max(0, offset - 3), offset == 0)
    return found


def _communication_spans(column: Column, communication: _Communication) -> Iterator[_Span]:
    start, code, text = column.start, communication.code, communication.text
    if communication.has_type:
        label = _texts("type", code)
        yield _Span(start, start + 2, "communication.type", code, "code", _texts("field", "communication.type"), label)
        start += 3
    first = communication.offset + 1  # column of the communication that stands at `start`
    last = first + column.end - start
    following = first
    for part in parts_of(code):
        part_end = part.start + part.length - 1 if part.length else last
        if part_end < first or part.start > last:
            continue
        begin, end = max(part.start, first), min(part_end, last)
        yield _part_span(code, part, text, (start + begin - first, start + end - first))
        following = end + 1
    if following <= last:
        rest = text[following - 1 : last]
        name = "communication" if rest.strip() else "reserved"
        meaning = _texts("field", "movement.communication" if rest.strip() else "reserved")
        role: Role = "text" if rest.strip() else "blank"
        yield _Span(start + following - first, column.end, name, rest.strip(), role, meaning, _NONE)


def _part_span(code: str, part: Part, text: str, columns: tuple[int, int]) -> _Span:
    raw = part.raw(text)
    value = part.decode(raw)
    roles: dict[str, Role] = {"number": "money", "date": "date", "date8": "date", "text": "text"}
    meaning = {language: value_label(code, part.name, raw, language) for language in LANGUAGES}
    if part.name == "reason":
        meaning = {language: r_reason(raw, language) for language in LANGUAGES}
    shown = raw.strip() if value is None else _text(value)
    name = f"communication.{part.name}"
    return _Span(*columns, name, shown, roles.get(part.kind, "code"), _texts("part", part.name), meaning)


@lru_cache(maxsize=4096)
def _texts(kind: str, name: str) -> Texts:
    return {language: describe(kind, name, language) for language in LANGUAGES}


def _text(value: Value | int) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case date():
            return "999999" if value == NO_END else value.isoformat()
        case _:
            return str(value).strip()
