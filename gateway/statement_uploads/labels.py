"""What is wrong with a file or with an account's statements, in words; `{found}` and `{expected}` are both values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.foreign_files.labels import FAULTS as FILE_FAULTS
from gateway.i18n import _, translate

_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
FORMATS: Final[Mapping[str, str]] = {"coda": "CODA", "camt053": "camt.053", "mt940": "MT940"}

FAULTS: Final[Mapping[str, str]] = {
    **{
        code: FILE_FAULTS[code]
        for code in (
            "archive_damaged", "file_faulty", "no_statement", "account_missing", "closing_date_missing",
            "wrong_account",
        )
    },
    "not_a_statement": _("{file} is no statement in one of these formats: {expected}."),
    "xml_refused": _("{file} is not read, because its XML could do harm or is damaged: {found}."),
    "statement_unreadable": _("{file} has a place that cannot be read: {found}."),
    "sum_differs": _("{file} closes at {found}, but its entries come to {expected}: something is missing in it."),
    "entry_after_closing": _("{file} has an entry of {found}, after its closing day {expected}."),
    "period_too_long": _("{file} has a statement of more than ten years: {found}."),
    "too_many_entries": _("{file} holds too many statements or entries; at most {expected}."),
    "taken_in_before": _("{file} was taken in before, on {found}."),
    "balance_jump": _("The statement of {day} opens at {found}, but the one before it closed at {expected}."),
    "days_missing": _("The statements cover {found}; they do not reach the days that are known, up to {expected}."),
    "balance_differs": _("At the end of {day} the file has {found}, but {expected} is known."),
    "opening_differs": _("The file opens after {day} at {found}, but the account stood at {expected}."),
    "closing_differs": _("The file closes on {day} at {found}, but what is known after it needs {expected}."),
    "entries_differ": _("On {day} the entries of the file come to {found}, those of the bank to {expected}."),
    "day_not_over": _("The file closes on {day}; statements are taken up to {expected}."),
    "bank_made_source": _("The statements of this account come as bank-made files already; none is mixed with them."),
    "not_read_yet": _("The account has not been read at its bank yet; there is no balance to compare with."),
    "account_moved": _("The account moved to another office, or is on its way."),
}  # fmt: skip
"""By code; every code that reading and comparing give stands here."""


def in_words(stored: Mapping[str, str], language: str) -> str:
    """A stored fault as a sentence; days as people write them."""
    values = {name: _ISO_DAY.sub(r"\3/\2/\1", stored.get(name) or "–") for name in ("file", "found", "expected", "day")}
    return translate(language, FAULTS[stored["code"]]).format_map(values | {"file": stored.get("file") or "–"})
