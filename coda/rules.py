"""The codes of findings with their severity, and the rules about what a single movement holds."""

from collections.abc import Iterator
from functools import lru_cache

from coda.account_zone import is_belgian_number
from coda.codes import exists
from coda.descriptions import describe
from coda.errors import Finding, Severity
from coda.record import Record
from coda.records.movement import MovementMain

# Code of a finding → severity. Codes are stable: programs and translations go by them. What to do about each stands in
# descriptions.csv, as `hint`, and its name as `finding`.
RULES: dict[str, Severity] = {
    "not_coda": "fault",
    "line_length": "fault",
    "blank_line": "warning",
    "byte_order_mark": "warning",
    "utf_8": "warning",
    "mixed_encoding": "warning",
    "unknown_record": "fault",
    "not_digits": "fault",
    "blank_number": "warning",
    "negative_zero": "warning",
    "bad_date": "fault",
    "unknown_value": "fault",
    "fixed_value": "fault",
    "reserved_not_blank": "warning",
    "control_character": "fault",
    "unknown_version": "fault",
    "application_code": "warning",
    "missing_record": "fault",
    "record_order": "fault",
    "sequence_number": "warning",
    "detail_number": "warning",
    "part_number": "fault",
    "next_code": "fault",
    "link_code": "fault",
    "bank_reference": "warning",
    "account_zone": "fault",
    "account_layout": "fault",
    "account_check_digits": "warning",
    "account_currency": "warning",
    "paper_number": "warning",
    "record_count": "fault",
    "debit_total": "fault",
    "credit_total": "fault",
    "balance": "fault",
    "multiple_file_code": "warning",
    "structured_communication": "warning",
    "transaction_code": "warning",
}


def finding(
    code: str,
    place: tuple[int, tuple[int, int] | None, str],
    found: str,
    expected: str,
    severity: Severity | None = None,
) -> Finding:
    """Finding at a line, its columns and its field; the severity is that of the rule unless another is given."""
    return Finding(code, severity or RULES[code], *place, found, expected, describe("hint", code))


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
