"""A statement as values: what a CODA file says, without lines, columns and flags.

Dates are `None` only where the file holds none, or, after a tolerant reading, none that can be read. Amounts are in the
currency of the account, with at most three decimals; above zero is a credit to the account holder.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Self

from coda.account_zone import counterparty_account, is_iban, join_zone
from coda.errors import InvalidValue


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The account of a statement, with what records 0 and 1 say of its bank and holder. Keep it constant: importers
    recognise the account by number, currency, description, bank id, BIC and company id together."""

    number: str  # IBAN without blanks; structures 0 and 1: a national number
    currency: str  # ISO 4217
    structure: str = "2"  # 0 Belgian number, 1 foreign number, 2 Belgian IBAN, 3 foreign IBAN
    extension: str = ""
    qualification: str = ""  # structure 0 only
    country: str = ""  # structure 0 only
    holder: str = ""
    description: str = ""
    bic: str = ""
    bank_id: str = "000"
    company_id: str = "00000000000"  # 0 and the ten digits of the enterprise number; zeros when unknown

    @classmethod
    def of_iban(
        cls,
        iban: str,
        currency: str,
        *,
        holder: str = "",
        description: str = "",
        bic: str = "",
        bank_id: str = "",
        company_number: str = "",
    ) -> Self:
        """Account known by its IBAN: structure 2 when Belgian, else 3.

        Without `bank_id` a Belgian account takes the first three digits of its number, a foreign one 000.
        `company_number` is an enterprise number in any spelling (0403.019.261, BE0403019261) or "".
        Raises `InvalidValue` naming the argument.
        """
        compact = "".join(iban.split()).upper()
        if not is_iban(compact):
            raise InvalidValue("account.iban", "not an IBAN: its check digits or its characters are wrong")
        if len(currency) != 3 or not (currency.isascii() and currency.isalpha() and currency.isupper()):
            raise InvalidValue("account.currency", "not a currency code of three capitals")
        is_belgian = compact.startswith("BE")
        digits = "".join(character for character in company_number.upper().removeprefix("BE") if character not in " .-")
        if digits and (not digits.isascii() or not digits.isdecimal() or len(digits) > 11):
            raise InvalidValue("account.company_number", "not an enterprise number of ten digits")
        if bank_id and (len(bank_id) != 3 or not bank_id.isascii() or not bank_id.isdecimal()):
            raise InvalidValue("account.bank_id", "not a number of three digits")
        return cls(
            number=compact,
            currency=currency,
            structure="2" if is_belgian else "3",
            holder=holder,
            description=description,
            bic="".join(bic.split()).upper(),
            bank_id=bank_id or (compact[4:7] if is_belgian else "000"),
            company_id=digits.zfill(11),
        )

    @property
    def zone(self) -> str:
        """The account zone of records 1 and 8, without the blanks at its end. Raises `InvalidValue`."""
        parts = {name: getattr(self, name) for name in ("number", "currency", "extension", "qualification", "country")}
        try:
            return join_zone(self.structure, parts)
        except (KeyError, ValueError) as error:
            field, _, reason = str(error).partition(": ")
            raise InvalidValue(field if reason else "account.structure", reason or "must be 0, 1, 2 or 3") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """A balance: above zero in favour of the account holder."""

    amount: Decimal
    date: date | None
    paper_number: int = 0  # number of the paper statement, or the day of the year, or 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Information:
    """What records 31, 32 and 33 add to a movement.

    `communication` runs on over the parts at their full width, without the blanks at its end. With a
    `communication_type` it is laid out in fields; without one it is free text.
    """

    sequence: int
    detail: int
    bank_reference: str
    transaction_code: str
    communication: str
    communication_type: str | None = None
    parts: int = 1  # number of records: 31; 31 and 32; 31, 32 and 33


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """A movement (`detail` 0) or a detail of the one before it (`detail` above 0, not counted in the balance).

    `communication` runs on over the parts at their full width, without the blanks at its end. With a
    `communication_type` (100 and up) it is laid out in fields; without one it is free text.
    """

    sequence: int
    detail: int = 0
    bank_reference: str
    amount: Decimal
    value_date: date | None
    entry_date: date | None
    transaction_code: str  # eight digits: type 1, family 2, operation 2, category 3
    communication: str = ""
    communication_type: str | None = None
    customer_reference: str = ""
    counterparty_bic: str = ""
    counterparty_zone: str = ""
    counterparty_name: str = ""
    counterparty_street: str = ""  # version 1 only; later versions have it in information 001
    counterparty_locality: str = ""  # version 1 only
    r_type: str = ""
    r_reason: str = ""
    category_purpose: str = ""
    purpose: str = ""
    paper_number: int = 0
    globalisation: int = 0
    has_details: bool = True  # a record 22 is there
    has_counterparty: bool = True  # a record 23 is there
    information: tuple[Information, ...] = ()

    @property
    def counterparty_account(self) -> str:
        """Account number of the counterparty, or "" when the bank gave none."""
        zone = self.counterparty_zone
        if not zone or (len(zone) <= 34 and zone[0].isalpha() and zone[-1] != " "):
            return zone  # an IBAN, as nearly always
        return counterparty_account(zone)[0]

    @property
    def is_detail(self) -> bool:
        return self.detail != 0


@dataclass(frozen=True, kw_only=True, slots=True)
class FreeCommunication:
    """One line of a message of the bank to the account holder, outside any movement."""

    sequence: int
    detail: int  # line of the message, from 0
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One logical file: an account from its old balance to its new balance.

    Without movements and free communications there is no record 8, and `new_balance` is `None`.
    """

    account: Account
    number: int  # of the coded statement; from 1 each year, or 0
    creation_date: date | None
    old_balance: Balance
    movements: tuple[Movement, ...] = ()  # in the order of the file, details after their movement
    new_balance: Balance | None = None
    free_communications: tuple[FreeCommunication, ...] = ()
    addressee: str = ""
    file_reference: str = ""
    transaction_reference: str = ""
    related_reference: str = ""
    separate_application: str = "00000"  # 00000: all movements
    application: str = "05"
    is_duplicate: bool = False
    version: int = 2
    multiple_file_code: str | None = None  # None: by position; kept when a file says otherwise

    @property
    def closing_balance(self) -> Decimal:
        """The new balance; without record 8 the old one, since nothing moved."""
        return self.old_balance.amount if self.new_balance is None else self.new_balance.amount

    @property
    def closing_date(self) -> date | None:
        """Date of the new balance; without record 8 the day the file was made."""
        return self.creation_date if self.new_balance is None else self.new_balance.date

    def entries(self) -> Iterator[Movement]:
        """The movements that change the balance: those that are no detail of another."""
        return (movement for movement in self.movements if movement.detail == 0)

    def as_duplicate(self) -> Self:
        """The same statement marked as a copy that is sent again."""
        return replace(self, is_duplicate=True)
