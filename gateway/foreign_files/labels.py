"""What is wrong with a file or a hand-over, in words; `{found}` and `{expected}` are both values (STA-20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.i18n import _

FAULTS: Final[Mapping[str, str]] = {
    "archive_damaged": _("The archive {file} cannot be unpacked."),
    "not_coda": _("{file} is not a CODA file."),
    "file_faulty": _("{file} breaks the CODA standard: {found}."),
    "no_statement": _("{file} holds no statement with balances."),
    "account_missing": _("{file} names no account that can be recognised."),
    "closing_date_missing": _("{file} has a statement without closing day."),
    "wrong_account": _("{file} is of account {found}; this client has {expected}."),
    "overlap": _("{file} covers a period that another file covers too: it opens at {found}, after {expected}."),
    "balance_jump": _("{file} opens at {found}, but the file before it closed at {expected}: one is missing."),
    "number_jump": _("{file} has number {found} where {expected} should follow: one is missing."),
    "number_used": _("Number {found} was used this calendar year already; {expected} would be the next one."),
    "number_missing": _("The last file has number {found}; a number from {expected} is needed."),
    "numbers_exhausted": _("Number {found} is beyond {expected}."),
    "closing_date_later": _("The last file closes on {found}, after today, {expected}."),
    "balance_differs": _("The last file closes at {found}, but the bank says {expected} for that day."),
    "history_begins_later": _("Statements would begin on {found}, but the bank's history begins on {expected}."),
    "statements_started": _("The file closes on {found}; statements of this account are issued from {expected} on."),
}
"""By code; every code of `FileFault` stands here."""

HINTS: Final[Mapping[str, str]] = {
    "archive_damaged": _("Fetch the archive again, or send the files one by one."),
    "not_coda": _("Send the files as the bank or CodaBox gives them."),
    "file_faulty": _("Fetch the file again; if it stays so, type number, day and balance."),
    "wrong_account": _("Send it to the client it belongs to, or add the account number to this client first."),
    "balance_jump": _("Send the missing file too."),
    "number_jump": _("Send the missing file too; where the bank skips numbers, type number, day and balance."),
    "number_used": _("Look up the last number in the package, and type number, day and balance."),
    "number_missing": _("Choose the other number, or type number, day and balance."),
    "history_begins_later": _("Send newer files: the last one must end where the bank's history begins, or later."),
    "balance_differs": _("Send the newest file, or check the balance that was typed."),
}
"""What to do, where there is something to do."""
