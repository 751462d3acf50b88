"""The rules that a file must keep, and the report of where it does not.

Each check looks at the records of one logical file and gives findings; `check` runs them all over a file.
Source: CODA 2.6, and what importers are seen to refuse.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from coda.account_zone import ZONE_LENGTH, is_belgian_number, is_iban, split_zone
from coda.blocks import Block, Line, blocks_in
from coda.errors import Finding, Severity
from coda.fields import EXACT, MINUS_ZERO, ZERO
from coda.record import LINE_LENGTH, Record
from coda.records.header import Header
from coda.records.information import InformationMain, InformationPart2, InformationPart3
from coda.records.movement import (
    MovementCounterparty,
    MovementCounterpartyVersion1,
    MovementDetails,
    MovementDetailsVersion1,
    MovementMain,
)
from coda.records.new_balance import NewBalance
from coda.records.old_balance import OldBalance
from coda.records.trailer import Trailer
from coda.rules import content_findings, finding, finding_at
from coda.source import FileFacts, Source, TextFacts, facts_of, opened, texts_of

_RANKS = {"0": 0, "1": 1, "2": 2, "3": 2, "8": 3, "4": 4, "9": 5}
_AFTER = {"22": ("21",), "23": ("21", "22"), "32": ("31",), "33": ("32",)}  # what a later part may stand after
_CONTINUED_BY = {"21": ("22", "23"), "22": ("23",), "31": ("32",), "32": ("33",)}
_ACCOUNTS = {"0": r"[^ ]{12} ", "1": r"[^ ]", "2": r"[A-Z]{2}[^ ]{14}", "3": r"[A-Z]{2}"}  # how its zone begins


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found: all findings in the order of the lines, and what the file holds."""

    facts: FileFacts
    findings: tuple[Finding, ...]
    statements: int
    movements: int  # with details

    @property
    def ok(self) -> bool:
        """Whether the strict reader takes the file; it may still have warnings."""
        return not self.faults

    @property
    def faults(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "fault")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")


@dataclass(frozen=True, slots=True)
class Totals:
    """What record 9 should say, counted from the records; the totals are without sign."""

    record_count: int
    debit: Decimal
    credit: Decimal


def check(source: Source) -> Report:
    """All findings of a file; raises nothing for its content. One logical file is in memory at a time."""
    findings: list[Finding] = []
    statements = movements = 0
    with opened(source) as (stream, name):
        facts = facts_of(stream, name)
        stranger = identify(facts)
        if stranger is not None:
            return Report(facts, (stranger,), 0, 0)
        findings.extend(check_facts(facts))
        for block in blocks_in(texts_of(stream, facts)):
            findings.extend(check_block(block))
            statements += 1
            movements += block.movement_count
    return Report(facts, tuple(findings), statements, movements)


def check_block(block: Block) -> list[Finding]:
    """All findings of one logical file, in the order of the lines."""
    findings = [*_line_findings(block)]
    for rule in _BLOCK_RULES:
        findings.extend(rule(block))
    findings.sort(key=lambda finding: finding.line)
    return findings


def check_facts(facts: TextFacts) -> Iterator[Finding]:
    """Findings about the file as a whole."""
    if facts.has_byte_order_mark:
        yield finding("byte_order_mark", (1, (1, 1), "file"), "EF BB BF", "no mark")
    elif facts.encoding == "utf-8":
        yield finding("utf_8", (1, None, "file"), "UTF-8", "Windows-1252")


def identify(facts: TextFacts) -> Finding | None:
    """The one finding for a file that is no CODA at all, or `None`."""
    start = facts.start.removeprefix(b"\xef\xbb\xbf").lstrip()
    first = start.split(b"\n", 1)[0].rstrip(b"\r")
    if start.startswith(b"0000") or (len(first) == LINE_LENGTH and first[:1].isdigit()):
        return None
    return finding("not_coda", (1, None, "file"), _looks_like(facts.start), "a CODA file")


def totals_of(block: Block) -> Totals:
    """Count and totals of the records of one logical file."""
    count, debit, credit = 0, ZERO, ZERO
    if block.plain is not None:
        count, debit, credit = block.plain.record_count, block.plain.debit, block.plain.credit
    for line in block.lines:
        count += line.kind[0] in "1238"
        record = line.record
        if isinstance(record, MovementMain) and record.detail == 0:
            if record.amount < 0:
                debit = EXACT.subtract(debit, record.amount)
            else:
                credit = EXACT.add(credit, record.amount)
    return Totals(count, debit, credit)


_STRANGERS: tuple[tuple[bytes, str], ...] = (
    (rb"\xff\xfe|\xfe\xff|.{0,63}\x00", "text in UTF-16, or a binary file"),
    (rb"%PDF", "a PDF document"),
    (rb"PK\x03\x04", "a ZIP or Office file"),
    (rb"\x1f\x8b", "a compressed file"),
    (rb"\xd0\xcf\x11\xe0", "an old Office file"),
    (rb"\{1:", "a SWIFT message (MT940)"),
    (rb"(.*\n)?:2[05]:", "an MT940 statement"),
    (rb"<.*camt\.", "an XML statement (camt)"),
    (rb"<.*pain\.", "an XML payment file (pain)"),
    (rb"<(!doctype )?html", "an HTML page"),
    (rb"<", "an XML file"),
    (rb"[{\[]", "JSON"),
    (rb"$", "an empty file"),
)


def _looks_like(raw: bytes) -> str:
    start = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    matching = (name for pattern, name in _STRANGERS if re.match(pattern, start, re.DOTALL | re.IGNORECASE))
    return next(matching, "text in another format")


def _line_findings(block: Block) -> Iterator[Finding]:
    for number, length in block.lengths:
        code = "line_length" if length else "blank_line"
        yield finding(code, (number, None, "line"), f"{length} characters", f"{LINE_LENGTH} characters")
    for number in block.repaired:
        yield finding("mixed_encoding", (number, None, "line"), "UTF-8", "Windows-1252")
    for number, text in block.unknown:
        yield finding("unknown_record", (number, (1, len(text)), "line"), text, "0, 1, 21-23, 31-33, 4, 8 or 9")
    for number, fault in block.faults:
        severity: Severity | None = "warning" if fault.is_warning else None
        yield finding(fault.code, (number, fault.columns, fault.field), fault.found, fault.expected, severity)


def _order(block: Block) -> Iterator[Finding]:
    kinds = [line.kind for line in block.lines]
    required: dict[str, type[Record]] = {"0": Header, "1": OldBalance, "9": Trailer}
    if block.movement_count or any(kind[0] in "234" for kind in kinds):
        required["8"] = NewBalance
    last = block.lines[-1].number if block.lines else block.first_line
    for kind, record in required.items():
        if kind not in kinds:
            place = last if kind in "89" else block.first_line
            yield finding("missing_record", (place, None, record.subject), "nothing", f"a record {kind}")
    for before, line in pairwise(block.lines):
        rank_before, rank = _RANKS[before.kind[0]], _RANKS[line.kind[0]]
        is_single = line.kind in ("0", "1", "8", "9")
        allowed = _AFTER.get(line.kind)
        if line.kind == "31" and before.kind[0] not in "23":
            allowed = ("a record 2",)
        if rank < rank_before or (is_single and rank == rank_before):
            expected = f"no record {line.kind} after a record {before.kind}"
        elif allowed and before.kind not in allowed:
            expected = f"a record {' or '.join(allowed)} before it"
        else:
            continue
        yield finding("record_order", (line.number, (1, len(line.kind)), line.record.subject), line.kind, expected)


def _header(block: Block) -> Iterator[Finding]:
    line = block.first(Header)
    if line is None or not isinstance(line.record, Header):
        return
    if line.record.version not in (1, 2):
        yield _at(line, "unknown_version", "version", str(line.record.version), "2")
    if line.record.application != "05":
        yield _at(line, "application_code", "application", line.record.application, "05")


def _numbers(block: Block) -> Iterator[Finding]:
    sequence = detail = 0
    for line in block.lines:
        record = line.record
        match record:
            case MovementMain(detail=0):
                expected = sequence % 9999 + 1 if sequence != 9999 else 0
                if record.sequence not in (expected, 1 if sequence == 9999 else expected):
                    yield _at(line, "sequence_number", "sequence", f"{record.sequence:04d}", f"{expected:04d}")
                sequence, detail = record.sequence, 0
            case MovementMain() | InformationMain():
                if record.sequence != sequence:
                    yield _at(line, "sequence_number", "sequence", f"{record.sequence:04d}", f"{sequence:04d}")
                    sequence = record.sequence
                elif record.detail != (detail + 1) % 10000:
                    yield _at(line, "detail_number", "detail", f"{record.detail:04d}", f"{(detail + 1) % 10000:04d}")
                detail = record.detail
            case (
                MovementDetails()
                | MovementCounterparty()
                | MovementDetailsVersion1()
                | MovementCounterpartyVersion1()
                | InformationPart2()
                | InformationPart3()
            ) if (record.sequence, record.detail) != (sequence, detail):
                found, expected_text = f"{record.sequence:04d}{record.detail:04d}", f"{sequence:04d}{detail:04d}"
                yield finding("part_number", (line.number, (3, 10), f"{record.subject}.sequence"), found, expected_text)


def _flags(block: Block) -> Iterator[Finding]:
    kinds = [line.kind for line in block.lines]
    for line, following in zip(block.lines, [*kinds, ""][1:], strict=True):
        kind = line.kind
        is_continued = following in _CONTINUED_BY.get(kind, ())
        if kind[0] in "23" and line.record.next_code != is_continued:  # type: ignore[attr-defined]  # 2 and 3 have it
            yield _at(line, "next_code", "next_code", _digit(not is_continued), _digit(is_continued))
        if kind[0] in "2348" and not is_continued:
            # Banks set the link code on the last part only; the standard's wording allows it on each. The last counts.
            is_linked = following == ("31" if kind[0] in "23" else "4")
            if line.record.link_code != is_linked:  # type: ignore[attr-defined]  # 2, 3, 4 and 8 have it
                yield _at(line, "link_code", "link_code", _digit(not is_linked), _digit(is_linked))


def _references(block: Block) -> Iterator[Finding]:
    reference = None
    for line in block.lines:
        record = line.record
        if isinstance(record, MovementMain):
            reference = record.bank_reference
        elif isinstance(record, InformationMain) and reference is not None and record.bank_reference != reference:
            yield _at(line, "bank_reference", "bank_reference", record.bank_reference, f"'{reference}'")


def _account(block: Block) -> Iterator[Finding]:
    old, new = block.first(OldBalance), block.first(NewBalance)
    if old is None or not isinstance(old.record, OldBalance):
        return
    structure = old.record.structure
    zone = old.record.account_zone.ljust(ZONE_LENGTH)
    number = split_zone(structure, zone)["number"]
    if structure in _ACCOUNTS and not re.match(_ACCOUNTS[structure], zone):
        yield _at(old, "account_layout", "account_zone", zone[:34], f"an account of structure {structure}")
    elif (structure == "0" and not is_belgian_number(number)) or (structure in "23" and not is_iban(number)):
        yield _at(old, "account_check_digits", "account_zone", number, "valid check digits")
    currency = zone[13:16] if structure == "0" else zone[34:37]
    if not (currency.isascii() and currency.isalpha() and currency.isupper()):
        yield _at(old, "account_currency", "account_zone", currency, "a currency of three capitals")
    if new is None or not isinstance(new.record, NewBalance):
        return
    if new.record.account_zone != old.record.account_zone:
        yield _at(new, "account_zone", "account_zone", new.record.account_zone, f"'{old.record.account_zone}'")
    if new.record.paper_number != old.record.paper_number:
        found, expected = f"{new.record.paper_number:03d}", f"{old.record.paper_number:03d}"
        yield _at(new, "paper_number", "paper_number", found, expected)


def _totals(block: Block) -> Iterator[Finding]:
    totals = totals_of(block)
    line = block.first(Trailer)
    if line is not None and isinstance(line.record, Trailer):
        trailer = line.record
        if trailer.record_count != totals.record_count:
            found, expected = f"{trailer.record_count:06d}", f"{totals.record_count:06d}"
            yield _at(line, "record_count", "record_count", found, expected)
        if trailer.debit_total != totals.debit:
            yield _at(line, "debit_total", "debit_total", f"{trailer.debit_total:.3f}", f"{totals.debit:.3f}")
        if trailer.credit_total != totals.credit:
            yield _at(line, "credit_total", "credit_total", f"{trailer.credit_total:.3f}", f"{totals.credit:.3f}")
        if trailer.multiple_file_code == "2" and not block.is_last:
            yield _at(line, "multiple_file_code", "multiple_file_code", "2", "1")
    old, new_line = block.record(OldBalance), block.first(NewBalance)
    if old is None or new_line is None or not isinstance(new_line.record, NewBalance):
        return
    new, header = new_line.record, block.record(Header)
    if header is not None and header.separate_application != "00000" and not old.amount and not new.amount:
        return  # A separate application has no balances.
    closing = EXACT.subtract(EXACT.add(old.amount, totals.credit), totals.debit)
    if new.amount != closing:
        yield _at(new_line, "balance", "amount", f"{new.amount:.3f}", f"{closing:.3f}")


def _zeros(block: Block) -> Iterator[Finding]:
    for line in block.lines:
        if isinstance(line.record, (MovementMain, OldBalance, NewBalance)):
            raw = line.record.raw(line.text, "amount")
            if raw == MINUS_ZERO:
                yield _at(line, "negative_zero", "amount", raw, "sign 0 for an amount of zero")


def _contents(block: Block) -> Iterator[Finding]:
    if block.plain is not None:
        yield from block.plain.findings
    for line in block.lines:
        record = line.record
        if isinstance(record, MovementMain):
            structured = record.communication if record.is_structured else None
            yield from content_findings(line.number, record.transaction_code, structured)


_BLOCK_RULES: tuple[Callable[[Block], Iterator[Finding]], ...] = (
    _order,
    _header,
    _account,
    _numbers,
    _flags,
    _references,
    _zeros,
    _contents,
    _totals,
)


def _at(line: Line, code: str, name: str, found: str, expected: str) -> Finding:
    return finding_at(line.number, type(line.record), name, code, found, expected)


def _digit(flag: bool) -> str:
    return "1" if flag else "0"
