"""Showing a file as it is, sound or not: as a dict for programs, as text for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from coda.account_zone import split_zone
from coda.blocks import Block, Line, blocks_of
from coda.checks import check_block, identify, totals_of
from coda.codes import label
from coda.errors import NotCoda
from coda.fields import ZERO
from coda.model import Movement, Statement
from coda.reader import movement_lines, movement_of, read
from coda.record import LINE_LENGTH
from coda.records.free_communication import FreeText, FreeTextVersion1
from coda.records.header import Header
from coda.records.new_balance import NewBalance
from coda.records.old_balance import OldBalance
from coda.records.trailer import Trailer
from coda.source import FileFacts, Source, facts_of, lines_of, opened


def show(source: Source) -> dict[str, Any]:
    """What the file holds, as values for JSON; it need not be sound, but must be CODA, else `NotCoda` is raised.

    Amounts are strings with three decimals, minus for debit; dates are ISO, null for 000000 and for what is no date;
    numbers stand as on the line; texts are without the blanks around them, a communication without those at its end.
    The fields of records 22 and 23 are there only with that record, `information` only with records 31,
    `communication_type` only when structured. `checks` compares what the file declares with what it holds.
    """
    oddities = Oddities()
    with opened(source) as (stream, name):
        facts = facts_of(stream, name)
        stranger = identify(facts)
        if stranger is not None:
            raise NotCoda([stranger])
        statements = list(shown_statements(stream, facts, oddities))
    return {
        "file": facts.name,
        "bytes": facts.size,
        "encoding": facts.encoding,
        "line_end": facts.line_end,
        "final_line_end": facts.has_final_line_end,
        "lines": facts.lines,
        "bad_length_lines": oddities.lengths,
        "statements": statements,
        "next_code_mismatch_lines": oddities.next_code,
        "link_code_mismatch_lines": oddities.link_code,
    }


@dataclass(slots=True)
class Oddities:
    """Lines of a file that are not as they should be: number and length of those not 128 long, wrong codes."""

    lengths: list[list[int]] = field(default_factory=list)
    next_code: list[int] = field(default_factory=list)
    link_code: list[int] = field(default_factory=list)


def shown_statements(stream: BinaryIO, facts: FileFacts, oddities: Oddities) -> Iterator[dict[str, Any]]:
    """Each statement of a CODA file as `show` gives it, one in memory at a time; `oddities` is filled on the way."""
    for block in blocks_of(lines_of(stream, facts)):
        yield _statement(block)
        oddities.lengths.extend([number, length] for number, length in block.lengths)
        for finding in check_block(block):
            if finding.code == "next_code":
                oddities.next_code.append(finding.line)
            elif finding.code == "link_code":
                oddities.link_code.append(finding.line)


def render(source: Source, language: str = "en") -> str:
    """The statements of a file as plain text, one line for each movement; sound or not, as `read(tolerant=True)`."""
    return "\n\n".join("\n".join(_rendered(statement, language)) for statement in read(source, tolerant=True))


def _statement(block: Block) -> dict[str, Any]:
    old, new, trailer = block.first(OldBalance), block.first(NewBalance), block.first(Trailer)
    header = block.first(Header)
    return {
        "line": block.first_line,
        "header": _header(header) if header else None,
        "old_balance": _old_balance(old) if old else None,
        "movements": [_movement(lines) for lines in movement_lines(block.lines)],
        "new_balance": _new_balance(new) if new else None,
        "free_communications": [
            {
                "line": line.number,
                "sequence": _raw(line, "sequence"),
                "detail": _raw(line, "detail"),
                "text": line.record.text.strip(" "),
            }
            for line in block.lines
            if isinstance(line.record, FreeText | FreeTextVersion1)
        ],
        "trailer": _trailer(trailer) if trailer else None,
        "checks": _checks(block),
    }


def _header(line: Line) -> dict[str, Any]:
    header = line.record
    assert isinstance(header, Header), "the first line of kind 0 is a header"
    return {
        "creation_date": _day(header.creation_date),
        "bank_id": _raw(line, "bank_id").strip(" "),
        "application": _raw(line, "application").strip(" "),
        "duplicate": header.is_duplicate,
        "file_reference": header.file_reference.strip(" "),
        "addressee": header.addressee.strip(" "),
        "bic": header.bic.strip(" "),
        "company_id": _raw(line, "company_id").strip(" "),
        "separate_application": _raw(line, "separate_application").strip(" "),
        "transaction_reference": header.transaction_reference.strip(" "),
        "related_reference": header.related_reference.strip(" "),
        "version": _raw(line, "version").strip(" "),
    }


def _old_balance(line: Line) -> dict[str, Any]:
    old = line.record
    assert isinstance(old, OldBalance), "the first line of kind 1 is an old balance"
    return {
        "account_structure": _raw(line, "structure"),
        "paper_sequence": _raw(line, "paper_number"),
        "account": split_zone(old.structure, old.account_zone),
        "amount": _amount(old.amount),
        "date": _day(old.balance_date),
        "holder": old.holder.strip(" "),
        "description": old.description.strip(" "),
        "coda_sequence": _raw(line, "number"),
    }


def _movement(lines: Sequence[Line]) -> dict[str, Any]:
    line, movement = lines[0], movement_of(lines)
    shown: dict[str, Any] = {
        "line": line.number,
        "sequence": _raw(line, "sequence"),
        "detail": _raw(line, "detail"),
        "bank_reference": movement.bank_reference.strip(" "),
        "amount": _amount(movement.amount),
        "value_date": _day(movement.value_date),
        "entry_date": _day(movement.entry_date),
        "code": movement.transaction_code,
        "structured": movement.communication_type is not None,
        "statement_sequence": _raw(line, "paper_number"),
        "globalisation": _raw(line, "globalisation"),
    }
    if movement.information:
        begins = [line for line in lines if line.kind == "31"]
        shown["information"] = [
            {
                "line": begin.number,
                "sequence": _raw(begin, "sequence"),
                "detail": _raw(begin, "detail"),
                "bank_reference": information.bank_reference.strip(" "),
                "code": information.transaction_code,
                "structured": information.communication_type is not None,
                **_communication(information.communication_type, information.communication),
            }
            for begin, information in zip(begins, movement.information, strict=True)
        ]
    if movement.has_details:
        for name in ("customer_reference", "counterparty_bic", "r_type", "r_reason", "category_purpose", "purpose"):
            shown[name] = getattr(movement, name).strip(" ")
    if movement.has_counterparty:
        shown["counterparty_account_zone"] = movement.counterparty_zone.strip(" ")
        shown["counterparty_name"] = movement.counterparty_name.strip(" ")
    return shown | _communication(movement.communication_type, movement.communication)


def _communication(kind: str | None, text: str) -> dict[str, str]:
    return {"communication": text} if kind is None else {"communication_type": kind, "communication": text}


def _new_balance(line: Line) -> dict[str, Any]:
    new = line.record
    assert isinstance(new, NewBalance), "the first line of kind 8 is a new balance"
    return {
        "paper_sequence": _raw(line, "paper_number"),
        "amount": _amount(new.amount),
        "date": _day(new.balance_date),
        "free_communication_follows": new.link_code,
    }


def _trailer(line: Line) -> dict[str, Any]:
    trailer = line.record
    assert isinstance(trailer, Trailer), "the first line of kind 9 is a trailer"
    return {
        "records": _raw(line, "record_count"),
        "debit": _amount(trailer.debit_total),
        "credit": _amount(trailer.credit_total),
        "multiple_file": _raw(line, "multiple_file_code"),
    }


def _checks(block: Block) -> dict[str, Any]:
    totals = totals_of(block)
    checks: dict[str, Any] = {
        "records_counted": totals.record_count,
        "debit_sum": _amount(totals.debit),
        "credit_sum": _amount(totals.credit),
    }
    trailer, old, new = block.record(Trailer), block.record(OldBalance), block.record(NewBalance)
    if trailer is not None:
        checks["records_ok"] = trailer.record_count == totals.record_count
        checks["debit_ok"] = trailer.debit_total == totals.debit
        checks["credit_ok"] = trailer.credit_total == totals.credit
    if old is not None and new is not None:
        checks["balance_ok"] = old.amount + totals.credit - totals.debit == new.amount
        checks["account_zone_same"] = old.account_zone == new.account_zone
    return checks


def _rendered(statement: Statement, language: str) -> list[str]:
    account = statement.account
    opening = statement.old_balance
    lines = [
        f"Statement {statement.number:03d}  {account.number} {account.currency}  {account.holder}".rstrip(),
        f"{_day(opening.date) or '-':10}  {'old balance':60}{opening.amount:>18,.3f}",
    ]
    lines.extend(_rendered_movement(movement, language) for movement in statement.movements)
    lines.append(f"{_day(statement.closing_date) or '-':10}  {'new balance':60}{statement.closing_balance:>18,.3f}")
    lines.extend(f"            {line.text}" for line in statement.free_communications)
    return lines


def _rendered_movement(movement: Movement, language: str) -> str:
    indent = "  " if movement.is_detail else ""
    text = " ".join(f"{movement.counterparty_name} {movement.communication}".split())
    text = text or label(movement.transaction_code, language)
    return f"{_day(movement.entry_date) or '-':10}  {indent + text:.59} ".ljust(72) + f"{movement.amount:>18,.3f}"


def _raw(line: Line, name: str) -> str:
    return line.record.raw(line.text.ljust(LINE_LENGTH), name)


def _amount(amount: Decimal) -> str:
    return f"{amount or ZERO:.3f}"


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
