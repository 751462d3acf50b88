"""Records 3: information that belongs to the movement before it, in one, two or three parts."""

from typing import Annotated

from coda.fields import Code, Digits, Flag, Text
from coda.record import Record, record


@record("31", blank=((114, 125), 127))
class InformationMain(Record):
    """Information, part 1. Source: CODA 2.6, record 3.1."""

    sequence: Annotated[int, Digits(3, 4)]  # of the movement
    detail: Annotated[int, Digits(7, 4)]  # goes on from the last record 21 or 31 of that sequence
    bank_reference: Annotated[str, Text(11, 21)]  # of the movement; importers refuse another
    transaction_code: Annotated[str, Code(32, 8)]
    is_structured: Annotated[bool, Flag(40)]
    communication: Annotated[str, Text(41, 73)]  # structured: the type in 41-43, its data from 44
    next_code: Annotated[bool, Flag(126)]  # a record 32 follows
    link_code: Annotated[bool, Flag(128)]  # on the last part: another record 31 of the movement follows


@record("32", blank=((116, 125), 127))
class InformationPart2(Record):
    """Information, part 2. Source: CODA 2.6, record 3.2."""

    sequence: Annotated[int, Digits(3, 4)]
    detail: Annotated[int, Digits(7, 4)]
    communication: Annotated[str, Text(11, 105)]
    next_code: Annotated[bool, Flag(126)]  # a record 33 follows
    link_code: Annotated[bool, Flag(128)]


@record("33", blank=((101, 125), 127))
class InformationPart3(Record):
    """Information, part 3. Source: CODA 2.6, record 3.3."""

    sequence: Annotated[int, Digits(3, 4)]
    detail: Annotated[int, Digits(7, 4)]
    communication: Annotated[str, Text(11, 90)]
    next_code: Annotated[bool, Flag(126)]  # always 0
    link_code: Annotated[bool, Flag(128)]
