"""The codes of findings, with severity and hint, and the rules about what a single movement holds."""

from collections.abc import Iterator
from functools import lru_cache

from coda.account_zone import is_belgian_number
from coda.codes import exists
from coda.errors import Finding, Severity
from coda.record import Record
from coda.records.movement import MovementMain

# Code of a finding → severity and hint. Codes are stable: programs and translations go by them.
RULES: dict[str, tuple[Severity, str]] = {
    "not_coda": ("fault", "Choose the CODA file itself; it starts with five zeros and has lines of 128 characters."),
    "line_length": ("fault", "Ask the sender for the original file; an editor or a mail program may have changed it."),
    "blank_line": ("warning", "Remove the blank lines; some importers stop at them."),
    "byte_order_mark": ("warning", "Save the file without byte-order mark; importers test the first characters."),
    "utf_8": ("warning", "Importers take one byte for one character; each accent here shifts the columns after it."),
    "mixed_encoding": (
        "warning",
        "The line is too long unless it is read as UTF-8; ask for the original file.",
    ),
    "unknown_record": ("fault", "The line starts with no known record number; the line before may be broken in two."),
    "not_digits": ("fault", "Only digits may stand here, filled with zeros on the left."),
    "blank_number": ("warning", "Read as zero; the bank should fill the columns with zeros."),
    "negative_zero": ("warning", "Read as zero; nothing depends on the sign, but it is not the one banks write."),
    "bad_date": ("fault", "No such day; dates are written day, month, year in two digits each."),
    "unknown_value": ("fault", "The standard knows no such value here."),
    "fixed_value": ("fault", "These columns are always the same; the line may be shifted."),
    "reserved_not_blank": ("warning", "Reserved columns are not read; the line may be shifted or of another version."),
    "control_character": ("fault", "Remove the control character; it ends or shifts lines in other programs."),
    "unknown_version": ("fault", "Only versions 1 and 2 exist; ask the bank for CODA version 2."),
    "application_code": ("warning", "Importers that recognise CODA by its first 24 characters refuse this file."),
    "missing_record": ("fault", "The file is incomplete; fetch it again."),
    "record_order": ("fault", "Records follow each other as 0, 1, 2 and 3, 8, 4, 9; lines are lost or moved."),
    "sequence_number": ("warning", "Movements count from 0001 by one; a movement is missing or doubled."),
    "detail_number": ("warning", "Details and information count from the movement by one; a line is missing or moved."),
    "part_number": ("fault", "All parts of a movement repeat its numbers; lines of two movements are mixed."),
    "next_code": ("fault", "The code says whether another part follows; a part is missing, or the code is wrong."),
    "link_code": ("fault", "The code says whether information or a message follows; a record is missing or added."),
    "bank_reference": ("warning", "Some importers refuse information whose reference is not that of its movement."),
    "account_zone": ("fault", "Records 1 and 8 must give the same account, in the same 37 characters."),
    "account_layout": (
        "fault",
        "The account zone is not laid out as its structure says; the number is not sure.",
    ),
    "account_check_digits": ("warning", "The check digits are wrong; the file may be altered to hide its account."),
    "account_currency": ("warning", "Importers find the account by number and currency; ask the bank to fill it in."),
    "paper_number": ("warning", "Records 1 and 8 give different numbers; importers may name the statement twice."),
    "record_count": ("fault", "Lines are missing or doubled, or the file was edited; fetch it again."),
    "debit_total": ("fault", "A movement is missing, doubled or changed; fetch the file again."),
    "credit_total": ("fault", "A movement is missing, doubled or changed; fetch the file again."),
    "balance": ("fault", "Old balance and movements do not give the new balance; fetch the file again."),
    "multiple_file_code": ("warning", "The file says it ends here, but another statement follows; some readers stop."),
    "structured_communication": ("warning", "The check digits are wrong; read it as text and ask the payer."),
    "transaction_code": ("warning", "The code is in no table; the entry needs a posting by hand."),
}


def finding(
    code: str,
    place: tuple[int, tuple[int, int] | None, str],
    found: str,
    expected: str,
    severity: Severity | None = None,
) -> Finding:
    """Finding at a line, its columns and its field; the severity is that of the rule unless another is given."""
    usual, hint = RULES[code]
    return Finding(code, severity or usual, *place, found, expected, hint)


def finding_at(number: int, record: type[Record], name: str, code: str, found: str, expected: str) -> Finding:  # noqa: PLR0917  # as `finding`
    """Finding at the named field of the record on the line with that number."""
    field, columns = record.place(name)
    return finding(code, (number, columns, field), found, expected)


@lru_cache(maxsize=4096)
def is_of_the_standard(transaction_code: str) -> bool:
    """Whether eight digits have a known family and operation; type 4 does not exist."""
    return transaction_code[0] != "4" and exists(transaction_code[1:3], transaction_code[3:5])


def content_findings(number: int, transaction_code: str, structured: str | None) -> Iterator[Finding]:
    """Findings about what a record 21 says; `structured` is its part of a structured communication, type included."""
    # A code that is no number has its finding already.
    if transaction_code.isdecimal() and not is_of_the_standard(transaction_code):
        yield finding_at(
            number, MovementMain, "transaction_code", "transaction_code", transaction_code, "a code of the standard"
        )
    if structured is not None:
        kind, reference = structured[:3], structured[3:15]
        if kind in ("101", "102") and not is_belgian_number(reference):
            expected = "10 digits and their modulo 97"
            yield finding_at(number, MovementMain, "communication", "structured_communication", reference, expected)
