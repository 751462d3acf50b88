"""Record 8: the new balance; absent from a statement without movements."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from coda.fields import Day, Digits, Flag, SignedAmount, Text
from coda.record import Record, record


@record("8", blank=((64, 127),))
class NewBalance(Record):
    """New balance. Source: CODA 2.6, record 8."""

    paper_number: Annotated[int, Digits(2, 3)]
    account_zone: Annotated[str, Text(5, 37)]  # the same 37 characters as in record 1
    amount: Annotated[Decimal, SignedAmount(42)]  # above 0: in favour of the account holder
    balance_date: Annotated[date | None, Day(58)]
    link_code: Annotated[bool, Flag(128)]  # a record 4 follows
