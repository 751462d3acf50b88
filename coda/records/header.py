"""Record 0: the header of a logical file."""

from datetime import date
from typing import Annotated

from coda.fields import Code, CutText, Day, Digits, Mark, Text
from coda.record import Record, record


@record("0", fixed={2: "0000"}, blank=((18, 24), 83, (121, 127)))
class Header(Record):
    """Header: bank, holder, version. Importers know a CODA file by columns 1-24. Source: CODA 2.6, record 0."""

    creation_date: Annotated[date | None, Day(6)]  # a copy sent again keeps the date of the first
    bank_id: Annotated[str, Code(12, 3)]  # first three digits of the bank's BBANs, or 000
    application: Annotated[str, Code(15, 2)]  # 05
    is_duplicate: Annotated[bool, Mark(17)]
    file_reference: Annotated[str, Text(25, 10)]
    addressee: Annotated[str, CutText(35, 26)]
    bic: Annotated[str, Text(61, 11)]  # version 1: identification number
    company_id: Annotated[str, Code(72, 11)]  # 0 and the ten digits of the enterprise number, or zeros
    separate_application: Annotated[str, Code(84, 5)]  # 00000: all movements
    transaction_reference: Annotated[str, Text(89, 16)]
    related_reference: Annotated[str, Text(105, 16)]
    version: Annotated[int, Digits(128, 1)]  # 2 for every 2.x
