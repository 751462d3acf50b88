"""Record 4: free communication of the bank, between the new balance and the trailer."""

from typing import Annotated

from coda.fields import Digits, Flag, Text
from coda.record import Record, record


@record("4", blank=(2, (11, 32), (113, 127)))
class FreeText(Record):
    """One line of a free communication. Source: CODA 2.6, record 4."""

    sequence: Annotated[int, Digits(3, 4)]
    detail: Annotated[int, Digits(7, 4)]  # line of the communication, from 0
    text: Annotated[str, Text(33, 80)]
    link_code: Annotated[bool, Flag(128)]  # another record 4 follows


@record("4", blank=(2, (113, 127)))
class FreeTextVersion1(Record):
    """One line of a free communication of version 1, which begins with a bank reference; read only."""

    sequence: Annotated[int, Digits(3, 4)]
    detail: Annotated[int, Digits(7, 4)]
    bank_reference: Annotated[str, Text(11, 21)]
    communication_type: Annotated[str, Text(32, 1)]
    text: Annotated[str, Text(33, 80)]
    link_code: Annotated[bool, Flag(128)]
