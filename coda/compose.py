"""Composing: entries of an account in, a statement out that importers take.

The choices the standard leaves open are made here, for every importer at once: no groups, no records 4, no value date
000000, a record 22 before each 23, one bank reference per entry, both statement numbers alike, and nothing lost: what
does not fit in its columns runs on in records 31. Source: CODA 2.6, and the importers' own checks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from coda.account_zone import is_belgian_number, is_iban
from coda.codes import exists
from coda.errors import BalanceMismatch, InvalidValue, TooManyEntries
from coda.fields import AMOUNT_MAX, ZERO
from coda.model import Account, Balance, Information, Movement, Statement
from coda.text import MOVEMENT_WIDTHS, OutputEncoding, cut_columns, fold, lay_out, split_words

ENTRIES_MAX = 9999

# Free text goes into records 31 only, 73 characters each: of records 32 and 33 a reader in wide use drops columns, and
# glues the last word of one part to the first of the next.
_FREE_WIDTH = 73


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One booked transaction, as the bank gave it.

    `reference` is the structured communication: twelve digits in any spelling (`+++123/4567/89002+++`) or an RF
    reference. One that fails its check digits is written as free text. `communication` is the free text, with or
    without a reference; `notes` is wording of the bank itself. Texts may be of any length and in any script.
    """

    amount: Decimal  # above 0: credit to the account holder
    entry_date: date
    bank_reference: str  # unique in the statement, at most 21 characters
    transaction_code: str  # eight digits; type 0, or 1 for a payment file booked as one amount
    value_date: date | None = None  # None: the entry date is written
    communication: str = ""
    reference: str = ""
    notes: Sequence[str] = ()
    counterparty_iban: str = ""  # or another account number of at most 34 characters
    counterparty_name: str = ""
    counterparty_bic: str = ""
    counterparty_street: str = ""
    counterparty_locality: str = ""  # post code and town
    counterparty_id: str = ""
    end_to_end_id: str = ""
    r_type: Literal["", "1", "2", "3", "4", "5"] = ""  # 1 reject, 2 return, 3 refund, 4 reversal, 5 cancellation
    r_reason: str = ""  # ISO 20022 reason code of four characters
    category_purpose: str = ""
    purpose: str = ""


def compose(
    account: Account,
    *,
    number: int,
    old_balance: Decimal,
    old_balance_date: date,
    new_balance: Decimal,
    new_balance_date: date,
    entries: Sequence[Entry],
    encoding: OutputEncoding = "windows-1252",
    file_reference: str = "",
) -> Statement:
    """Statement of an account from its old to its new balance, with the entries in their order.

    `number` is 1-999 and stands in both number fields; the creation date is the date of the new balance. Without
    entries the statement is an empty one, which has no new balance. Texts are folded to `encoding`; give `write` the
    same. Raises `InvalidValue` naming the field (`entries[12].bank_reference`), `BalanceMismatch`, `TooManyEntries`.
    """
    if not 1 <= number <= 999:
        raise InvalidValue("number", "must be 1-999: three digits, from 1 each calendar year")
    if len(entries) > ENTRIES_MAX:
        raise TooManyEntries("entries", f"{len(entries)}, at most {ENTRIES_MAX} in one statement")
    if new_balance_date < old_balance_date:
        raise InvalidValue("new_balance_date", "is before the date of the old balance")
    movements = tuple(_Composer(index, entry, number, encoding).movement() for index, entry in enumerate(entries))
    _refuse_doubles(movements)
    moved = sum((movement.amount for movement in movements), ZERO)
    old, new = _exact("old_balance", old_balance), _exact("new_balance", new_balance)
    if old + moved != new:
        raise BalanceMismatch("new_balance", f"differs by {new - old - moved} from the old balance with the entries")
    return Statement(
        account=_account(account, encoding),
        number=number,
        creation_date=new_balance_date,
        old_balance=Balance(amount=old, date=old_balance_date, paper_number=number),
        movements=movements,
        new_balance=Balance(amount=new, date=new_balance_date, paper_number=number) if entries else None,
        addressee=_cut(fold(account.holder, encoding), 26),
        file_reference=_fitting("file_reference", fold(file_reference, encoding), 10),
    )


class _Composer:
    """One entry on its way to a movement. Texts are folded first, so that all lengths are those on the line."""

    def __init__(self, index: int, entry: Entry, number: int, encoding: OutputEncoding) -> None:
        self.index = index
        self.entry = entry
        self.number = number
        self.encoding = encoding
        self.sequence = index + 1
        self.bank_reference = self.fitting("bank_reference", 21)
        self.transaction_code = entry.transaction_code

    def movement(self) -> Movement:
        entry = self.entry
        self.refuse_codes()
        name = self.text(entry.counterparty_name)
        end_to_end_id = self.text(entry.end_to_end_id)
        kind, communication, free_texts = self.communications()
        if len(end_to_end_id) > 35:
            free_texts.append(f"END-TO-END ID {end_to_end_id}")
        free_texts.extend(self.text(note) for note in entry.notes)
        counterparty, more = self.counterparty_information(name)
        free_texts.extend(more)
        parts = cut_columns((kind or "") + communication, MOVEMENT_WIDTHS)
        counterparty_zone, bic = self.counterparty_zone(), self.bic()
        r_reason, category_purpose, purpose = (
            self.fitting(part, 4) for part in ("r_reason", "category_purpose", "purpose")
        )
        has_counterparty = bool(counterparty_zone or name or parts[2].strip())
        # A record 22 stands before each 23, if need be an empty one, as in the files of banks.
        has_details = has_counterparty or bool(
            end_to_end_id or bic or entry.r_type or r_reason or category_purpose or purpose or parts[1].strip()
        )
        return Movement(
            sequence=self.sequence,
            bank_reference=self.bank_reference,
            amount=_exact(self.field("amount"), entry.amount),
            value_date=entry.value_date or entry.entry_date,
            entry_date=entry.entry_date,
            transaction_code=self.transaction_code,
            communication=communication,
            communication_type=kind,
            customer_reference=_cut(end_to_end_id, 35),
            counterparty_bic=bic,
            counterparty_zone=counterparty_zone,
            counterparty_name=_cut(name, 35),
            r_type=entry.r_type,
            r_reason=r_reason,
            category_purpose=category_purpose,
            purpose=purpose,
            paper_number=self.number,
            has_details=has_details,
            has_counterparty=has_counterparty,
            information=self.information(counterparty, free_texts),
        )

    def communications(self) -> tuple[str | None, str, list[str]]:
        """Type and text of the movement's own communication, and the free texts that go into information."""
        free = self.text(self.entry.communication)
        reference = self.text(self.entry.reference)
        kind, structured = structured_reference(reference)
        if kind == "101":
            return kind, structured, [free] if free else []
        if kind == "100":
            # A reader in wide use shows only twelve characters of a structured text, so the RF is repeated in words.
            return kind, structured, [structured, free] if free else [structured]
        text, rest = lay_out(" ".join(part for part in (reference, free) if part), MOVEMENT_WIDTHS)
        return None, text, [rest.strip(" ")] if rest.strip(" ") else []

    def counterparty_information(self, name: str) -> tuple[str | None, list[str]]:
        """Information 001 when it says more than record 23, and what is too long even for it."""
        fields = (
            (name, 70),
            (self.text(self.entry.counterparty_street), 35),
            (self.text(self.entry.counterparty_locality), 35),
            (self.text(self.entry.counterparty_id), 35),
        )
        if len(name) <= 35 and not any(text for text, _ in fields[1:]):
            return None, []
        laid_out = "".join(_cut(text, width).ljust(width) for text, width in fields).rstrip(" ")
        return laid_out, [text for text, width in fields if len(text) > width]

    def information(self, counterparty: str | None, free_texts: Sequence[str]) -> tuple[Information, ...]:
        every: list[tuple[str | None, str]] = []
        if counterparty is not None:
            every.append(("001", counterparty))
        for text in free_texts:
            rest = text
            while rest:
                (part,), rest = split_words(rest.lstrip(" "), (_FREE_WIDTH,))
                every.append((None, part))
        return tuple(
            Information(
                sequence=self.sequence,
                detail=detail,
                bank_reference=self.bank_reference,
                transaction_code=self.transaction_code,
                communication=text,
                communication_type=kind,
                parts=1 + (len(kind or "") + len(text) > 73) + (len(kind or "") + len(text) > 178),
            )
            for detail, (kind, text) in enumerate(every, start=1)
        )

    def refuse_codes(self) -> None:
        code = self.transaction_code
        if not re.fullmatch("[0-9]{8}", code):
            raise InvalidValue(self.field("transaction_code"), "must be eight digits")
        if code[0] not in "01":
            raise InvalidValue(self.field("transaction_code"), "must be of type 0 or 1: groups are not written")
        if code[1:3] == "00" or not exists(code[1:3], code[3:5]):
            raise InvalidValue(self.field("transaction_code"), "its family and operation are not in the standard")
        if self.entry.r_type not in ("", "1", "2", "3", "4", "5"):
            raise InvalidValue(self.field("r_type"), "must be 1-5 or nothing")

    def bic(self) -> str:
        bic = "".join(self.text(self.entry.counterparty_bic).split()).upper()
        if len(bic) not in (0, 8, 11):
            raise InvalidValue(self.field("counterparty_bic"), "must be of 8 or 11 characters, or nothing")
        return bic

    def counterparty_zone(self) -> str:
        # Readers take the currency in 45-47 for a part of the account, so it stays blank.
        account = self.text(self.entry.counterparty_iban).replace(" ", "")
        if len(account) > 34:
            raise InvalidValue(self.field("counterparty_iban"), "must be of at most 34 characters")
        return account

    def fitting(self, name: str, length: int) -> str:
        return _fitting(self.field(name), self.text(getattr(self.entry, name)), length)

    def text(self, text: str) -> str:
        """The text folded, on one line, with single blanks."""
        return " ".join(fold(text, self.encoding).split())

    def field(self, name: str) -> str:
        return f"entries[{self.index}].{name}"


def structured_reference(text: str) -> tuple[Literal["101", "100"] | None, str]:
    """Communication type and data of a reference whose check digits are right; `None` and "" otherwise.

    101 is the Belgian structured communication (twelve digits, in any of its spellings), 100 an RF reference of
    ISO 11649, whose check is that of an IBAN.
    """
    digits = re.sub(r"[+*/ .-]", "", text)
    if is_belgian_number(digits):
        return "101", digits
    compact = "".join(text.split()).upper()
    if re.fullmatch(r"RF[0-9]{2}[0-9A-Z]{1,21}", compact):
        rest = compact[4:] + compact[:4]
        if int("".join(str(int(character, 36)) for character in rest)) % 97 == 1:
            return "100", compact
    return None, ""


def _account(account: Account, encoding: OutputEncoding) -> Account:
    """The account as its lines will say it. Raises `InvalidValue`."""
    if account.structure in ("2", "3") and not is_iban(account.number):
        raise InvalidValue("account.number", "not an IBAN: its check digits or its characters are wrong")
    if not re.fullmatch("[A-Z]{3}", account.currency):
        raise InvalidValue("account.currency", "not a currency code of three capitals")
    if len(account.bic) not in (0, 8, 11):
        raise InvalidValue("account.bic", "must be of 8 or 11 characters, or nothing")
    if not account.zone:
        raise InvalidValue("account.number", "is missing")
    return replace(
        account,
        holder=_cut(fold(account.holder, encoding), 26),
        description=_cut(fold(account.description, encoding), 35),
    )


def _refuse_doubles(movements: Sequence[Movement]) -> None:
    # After folding: two references may differ in an accent only.
    seen: dict[str, int] = {}
    for index, movement in enumerate(movements):
        reference = movement.bank_reference
        if not reference:
            raise InvalidValue(f"entries[{index}].bank_reference", "is missing; readers join information by it")
        if reference in seen:
            raise InvalidValue(f"entries[{index}].bank_reference", f"is also that of entries[{seen[reference]}]")
        seen[reference] = index


def _exact(field: str, amount: Decimal) -> Decimal:
    """The amount with three decimals. Raises `InvalidValue` when that would change it."""
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount.copy_abs() > AMOUNT_MAX:
        raise InvalidValue(field, "must be a Decimal of at most 12 digits before the decimals")
    exact = amount.quantize(ZERO)
    if exact != amount:
        raise InvalidValue(field, "has more than 3 decimals")
    return exact if exact else ZERO


def _fitting(field: str, text: str, length: int) -> str:
    if len(text) > length:
        raise InvalidValue(field, f"is of {len(text)} characters, at most {length}")
    return text


def _cut(text: str, length: int) -> str:
    return text.strip()[:length].rstrip()
