"""Record 9: counts and totals of a logical file."""

from decimal import Decimal
from typing import Annotated

from coda.fields import Amount, Digits, OneOf
from coda.record import Record, record


@record("9", blank=((2, 16), (53, 127)))
class Trailer(Record):
    """Trailer. Source: CODA 2.6, record 9."""

    record_count: Annotated[int, Digits(17, 6)]  # records 1, 2, 3 and 8; not 0, 4 and 9
    debit_total: Annotated[Decimal, Amount(23)]  # of the movements themselves, not of their details
    credit_total: Annotated[Decimal, Amount(38)]
    multiple_file_code: Annotated[str, OneOf(128, 1, "12")]  # 1: another logical file follows; 2: this is the last
