"""Record 1: the account and its old balance."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from coda.fields import CutText, Day, Digits, OneOf, SignedAmount, Text
from coda.record import Record, record


@record("1")
class OldBalance(Record):
    """Old balance, account and statement numbers. Source: CODA 2.6, record 1."""

    structure: Annotated[str, OneOf(2, 1, "0123")]  # how the account zone is laid out; see coda/account_zone.py
    paper_number: Annotated[int, Digits(3, 3)]
    account_zone: Annotated[str, Text(6, 37)]
    amount: Annotated[Decimal, SignedAmount(43)]  # above 0: in favour of the account holder
    balance_date: Annotated[date | None, Day(59)]
    holder: Annotated[str, CutText(65, 26)]
    description: Annotated[str, CutText(91, 35)]
    number: Annotated[int, Digits(126, 3)]  # of the coded statement: 001 at the start of the year
