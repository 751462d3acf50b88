"""From transactions to the bytes of a CODA file, read back by the strict reader before anybody gets them.

Requirements STA-06, STA-09…15. What does not fit a column runs on into information records; nothing is cut away.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

import coda
from gateway.accounts.models import Account
from gateway.offices.models import Client
from gateway.statements.reversals import REFERENCE_LENGTH, Line, Reversal
from gateway.transactions.models import BankTransaction

BIC_LENGTHS: Final = (8, 11)

_LATE: Final = {
    "nl": "Boekingsdatum bank {day}",
    "fr": "Date comptable banque {day}",
    "en": "Booking date at bank {day}",
    "de": "Buchungstag Bank {day}",
}
"""Note on an entry that came after its day was closed; part of the file, so not in the catalogues of the screens."""

RType = Literal["", "1", "2", "3", "4", "5"]
_R_TYPES: Final[dict[str, RType]] = {"RRTN": "2", "UPDD": "2", "PRDD": "4", "RPCR": "5"}
"""ISO 20022 sub-family to CODA record 22 position 113: return, reversal, cancellation."""


@dataclass(frozen=True, slots=True)
class Period:
    """What a file says besides its entries."""

    number: int
    day: date
    old_balance: Decimal
    old_balance_date: date
    new_balance: Decimal


class FileRefused(Exception):
    """A value the format cannot carry; `place` names it without its content."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


def write_file(
    account: Account,
    client: Client,
    period: Period,
    lines: Sequence[Line],
    *,
    language: str,
    references: Mapping[UUID, str] | None = None,
    entry_dates: Mapping[UUID, date] | None = None,
) -> bytes:
    """The file's bytes: Windows-1252, CRLF, 128 characters a line. Raises `FileRefused`.

    `references` and `entry_dates` name by transaction what differs from the usual: a reference of its own, where an
    entry of it was reversed before, and another date than the file's.
    """
    try:
        statement = coda.compose(
            account_of(account, client),
            number=period.number,
            old_balance=period.old_balance,
            old_balance_date=period.old_balance_date,
            new_balance=period.new_balance,
            new_balance_date=period.day,
            entries=[
                reversal_of(line, period.day, language=language)
                if isinstance(line, Reversal)
                else entry_of(
                    line,
                    period.day,
                    language=language,
                    reference=(references or {}).get(line.id),
                    entry_date=(entry_dates or {}).get(line.id),
                )
                for line in lines
            ],
        )
        content = coda.write([statement])
        _read_back(content, period, lines)
    except (coda.InvalidValue, coda.BalanceMismatch, coda.TooManyEntries) as error:
        raise FileRefused(error.field) from error
    except coda.CodaError as error:
        raise FileRefused(type(error).__name__) from error
    return content


def _read_back(content: bytes, period: Period, lines: Sequence[Line]) -> None:
    """The strict reader must find what was meant (STA-15)."""
    statements = list(coda.read(content))
    found = [
        (item.number, item.old_balance.amount, item.closing_balance, item.closing_date, item.creation_date)
        for item in statements
    ]
    wanted = (period.number, period.old_balance, period.new_balance, period.day, period.day)
    if found != [wanted]:
        raise FileRefused("read_back")
    if [entry.amount for entry in statements[0].entries()] != [line.amount for line in lines]:
        raise FileRefused("read_back.entries")


def account_of(account: Account, client: Client) -> coda.Account:
    """Identification in records 0 and 1: the same in every file of the account, since importers compare it."""
    return coda.Account.of_iban(
        account.iban,
        account.currency,
        holder=account.holder_name or client.name,
        bic=account.bic,
        company_number=client.enterprise_number or "",
    )


def entry_of(
    row: BankTransaction,
    day: date,
    *,
    language: str,
    reference: str | None = None,
    entry_date: date | None = None,
) -> coda.Entry:
    """One transaction as an entry of the file of `day`; a late one takes the file's date and says its own."""
    notes = [row.additional_information] if row.additional_information else []
    bic = row.counterparty_bic or ""
    if len(bic) not in BIC_LENGTHS:
        notes += [f"BIC {bic}"] if bic else []
        bic = ""
    number = row.counterparty_iban or row.counterparty_bban or ""
    if len(number) > 34:
        notes.append(number)
        number = ""
    purpose = row.purpose_code or ""
    if row.booking_date != (entry_date or day):
        notes.append(_LATE.get(language, _LATE["en"]).format(day=row.booking_date.strftime("%d.%m.%Y")))
    return coda.Entry(
        amount=row.amount,
        entry_date=entry_date or day,
        bank_reference=reference or reference_of(row),
        transaction_code=row.coda_code,
        value_date=row.value_date,
        communication=row.remittance_information or "",
        reference=row.structured_reference or "",
        notes=notes,
        counterparty_iban=number,
        counterparty_name=row.counterparty_name or "",
        counterparty_bic=bic,
        end_to_end_id=row.end_to_end_id or "",
        r_type=_R_TYPES.get((row.iso_code or "").rpartition("-")[2], ""),
        purpose=purpose if len(purpose) <= 4 else "",
    )


def reversal_of(reversal: Reversal, day: date, *, language: str) -> coda.Entry:
    """The entry that offsets one issued before: its counterparty, so that people find it, and no reference to match."""
    row = reversal.row
    number = row.counterparty_iban or row.counterparty_bban or ""
    references = [row.structured_reference] if row.structured_reference else []
    return coda.Entry(
        amount=reversal.amount,
        entry_date=day,
        bank_reference=reversal.bank_reference,
        transaction_code=reversal.coda_code,
        value_date=row.value_date,
        communication=reversal.text(language),
        notes=[*references, *([row.remittance_information] if row.remittance_information else [])],
        counterparty_iban=number if len(number) <= 34 else "",
        counterparty_name=row.counterparty_name or "",
    )


def reference_of(row: BankTransaction, form: int = 0) -> str:
    """Our bank reference: stable, unique in the account, 21 letters and digits.

    Made from the row's key and not from the bank's id, which is not trusted to be unique or to stay. `form` counts
    its entries that were reversed before this one.
    """
    key = f"{row.fingerprint}|{row.fingerprint_version}|{row.occurrence}{f'|{form}' if form else ''}"
    return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:REFERENCE_LENGTH]


def file_name(account: Account, year: int, number: int, *, revision: int = 0) -> str:
    """`IBAN_CURRENCY_YYYY_NNN.cod`; `…_NNN_R1.cod` where it was issued anew (STA-23)."""
    ending = f"_R{revision}" if revision else ""
    return f"{account.iban}_{account.currency}_{year}_{number:03d}{ending}.cod"
