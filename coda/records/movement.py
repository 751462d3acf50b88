"""Records 2: a movement in one, two or three parts."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from coda.fields import Code, CutText, Day, Digits, Flag, SignedAmount, Text
from coda.record import Record, record


@record("21", blank=(127,))
class MovementMain(Record):
    """Movement, part 1: amount, dates, code and the first part of the communication. Source: CODA 2.6, record 2.1."""

    sequence: Annotated[int, Digits(3, 4)]
    detail: Annotated[int, Digits(7, 4)]  # 0 on the movement itself
    bank_reference: Annotated[str, Text(11, 21)]
    amount: Annotated[Decimal, SignedAmount(32)]  # above 0: credit to the account holder
    value_date: Annotated[date | None, Day(48, may_be_absent=True)]  # 000000: the bank gave none
    transaction_code: Annotated[str, Code(54, 8, may_be_blank=False)]  # type 1, family 2, operation 2, category 3
    is_structured: Annotated[bool, Flag(62)]
    communication: Annotated[str, Text(63, 53)]  # structured: the type in 63-65, its data from 66
    entry_date: Annotated[date | None, Day(116)]
    paper_number: Annotated[int, Digits(122, 3)]
    globalisation: Annotated[int, Digits(125, 1)]  # level of the group that opens or closes here; 0 none
    next_code: Annotated[bool, Flag(126)]  # a record 22 or 23 follows
    link_code: Annotated[bool, Flag(128)]  # on the last part: a record 31 follows


@record("22", blank=((110, 112), 127))
class MovementDetails(Record):
    """Movement, part 2: references, BIC of the counterparty, R-transaction. Source: CODA 2.6, record 2.2."""

    sequence: Annotated[int, Digits(3, 4)]
    detail: Annotated[int, Digits(7, 4)]
    communication: Annotated[str, Text(11, 53)]
    customer_reference: Annotated[str, Text(64, 35)]  # end-to-end id; on a total the payment information id
    counterparty_bic: Annotated[str, Text(99, 11)]
    r_type: Annotated[str, Text(113, 1)]  # 1 reject, 2 return, 3 refund, 4 reversal, 5 cancellation
    r_reason: Annotated[str, Text(114, 4)]
    category_purpose: Annotated[str, Text(118, 4)]
    purpose: Annotated[str, Text(122, 4)]
    next_code: Annotated[bool, Flag(126)]  # a record 23 follows
    link_code: Annotated[bool, Flag(128)]


@record("23", blank=(127,))
class MovementCounterparty(Record):
    """Movement, part 3: the counterparty, end of the communication. Source: CODA 2.6, record 2.3."""

    sequence: Annotated[int, Digits(3, 4)]
    detail: Annotated[int, Digits(7, 4)]
    counterparty_zone: Annotated[str, Text(11, 37)]  # as in the original payment; not laid out by the structure digit
    counterparty_name: Annotated[str, CutText(48, 35)]
    communication: Annotated[str, Text(83, 43)]
    next_code: Annotated[bool, Flag(126)]  # always 0
    link_code: Annotated[bool, Flag(128)]


@record("22", blank=(127,))
class MovementDetailsVersion1(Record):
    """Movement, part 2, of version 1; read only. Source: the importers still reading it, not the standard."""

    sequence: Annotated[int, Digits(3, 4)]
    detail: Annotated[int, Digits(7, 4)]
    communication: Annotated[str, Text(11, 53)]
    customer_reference: Annotated[str, Text(64, 26)]
    original_currency: Annotated[str, Text(90, 3)]
    original_amount: Annotated[str, Text(93, 15)]
    unexplained: Annotated[str, Text(108, 18)]
    next_code: Annotated[bool, Flag(126)]
    link_code: Annotated[bool, Flag(128)]


@record("23", blank=(127,))
class MovementCounterpartyVersion1(Record):
    """Movement, part 3, of version 1; read only. It holds an address instead of the end of the communication."""

    sequence: Annotated[int, Digits(3, 4)]
    detail: Annotated[int, Digits(7, 4)]
    counterparty_zone: Annotated[str, Text(11, 37)]  # account 12, internal codes 10, extension 15
    counterparty_name: Annotated[str, Text(48, 26)]
    counterparty_street: Annotated[str, Text(74, 26)]
    counterparty_locality: Annotated[str, Text(100, 26)]
    next_code: Annotated[bool, Flag(126)]
    link_code: Annotated[bool, Flag(128)]
