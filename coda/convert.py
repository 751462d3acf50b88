"""Converting a file for other programs: JSON, and a table of its movements. One statement is in memory at a time."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date

from coda.checks import identify
from coda.codes import label
from coda.errors import NotCoda
from coda.model import Information, Movement, Statement
from coda.reader import read
from coda.show import Oddities, shown_statements
from coda.source import Source, facts_of, opened
from coda.structured import decode

COLUMNS = (
    "account",
    "currency",
    "statement_number",
    "closing_date",
    "sequence",
    "detail",
    "entry_date",
    "value_date",
    "amount",
    "transaction_code",
    "transaction",
    "counterparty_name",
    "counterparty_account",
    "counterparty_bic",
    "reference",
    "communication",
    "information",
    "customer_reference",
    "bank_reference",
    "r_type",
    "r_reason",
)
# A spreadsheet takes a cell that begins so for a formula, which a payer could write into his communication.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_json(source: Source) -> Iterator[str]:
    """The file as JSON, a piece at a time: the object of `show`, its lists of odd lines behind the statements.

    Raises `NotCoda` for a file that is no CODA.
    """
    with opened(source) as (stream, name):
        facts = facts_of(stream, name)
        stranger = identify(facts)
        if stranger is not None:
            raise NotCoda([stranger])
        head = {
            "file": facts.name,
            "bytes": facts.size,
            "encoding": facts.encoding,
            "line_end": facts.line_end,
            "final_line_end": facts.has_final_line_end,
            "lines": facts.lines,
        }
        yield _json(head)[:-1] + ', "statements": ['
        oddities = Oddities()
        separator = "\n"
        for statement in shown_statements(stream, facts, oddities):
            yield separator + _json(statement)
            separator = ",\n"
        tail = {
            "bad_length_lines": oddities.lengths,
            "next_code_mismatch_lines": oddities.next_code,
            "link_code_mismatch_lines": oddities.link_code,
        }
        yield "\n], " + _json(tail)[1:] + "\n"


def to_csv(source: Source, language: str = "en", *, delimiter: str = ",", header: bool = True) -> Iterator[str]:
    """The movements and details of a file as a table, a row for each; the text is for UTF-8.

    Amounts have a point and three decimals, a minus for debit; days are ISO. A text that a spreadsheet would take for
    a formula gets an apostrophe before it, so `+++505/1686/26077+++` becomes `'+++505/1686/26077+++`; amounts are
    numbers and get none. A file with faults is read as `read(tolerant=True)`. Raises `NotCoda`.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    if header:
        writer.writerow(COLUMNS)
    for statement in read(source, tolerant=True):
        for movement in statement.movements:
            writer.writerow(_row(statement, movement, language))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if buffer.tell():
        yield buffer.getvalue()


def cell(text: str) -> str:
    """A text as the cell of a table: on one line, and never a formula."""
    single = " ".join(text.split())
    return f"'{single}" if single.startswith(FORMULA_STARTS) else single


def _row(statement: Statement, movement: Movement, language: str) -> tuple[str, ...]:
    decoded = decode(movement.communication_type, movement.communication) if movement.communication_type else None
    return (
        cell(statement.account.number),
        cell(statement.account.currency),
        f"{statement.number:03d}",
        _day(statement.closing_date),
        f"{movement.sequence:04d}",
        f"{movement.detail:04d}",
        _day(movement.entry_date),
        _day(movement.value_date),
        f"{movement.amount:.3f}",
        cell(movement.transaction_code),
        cell(label(movement.transaction_code, language)),
        cell(movement.counterparty_name),
        cell(movement.counterparty_account),
        cell(movement.counterparty_bic),
        cell(decoded.reference if decoded else ""),
        cell(_said(movement)),
        cell(" | ".join(_said(information) for information in movement.information)),
        cell(movement.customer_reference),
        cell(movement.bank_reference),
        cell(movement.r_type),
        cell(movement.r_reason),
    )


def _said(item: Movement | Information) -> str:
    return f"{item.communication_type or ''} {item.communication}".strip()


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
