"""The records of CODA 2.x, and those of version 1 that differ, by the first characters of their lines."""

from collections.abc import Mapping

from coda.record import Record
from coda.records.free_communication import FreeText, FreeTextVersion1
from coda.records.header import Header
from coda.records.information import InformationMain, InformationPart2, InformationPart3
from coda.records.movement import (
    MovementCounterparty,
    MovementCounterpartyVersion1,
    MovementDetails,
    MovementDetailsVersion1,
    MovementMain,
)
from coda.records.new_balance import NewBalance
from coda.records.old_balance import OldBalance
from coda.records.trailer import Trailer

VERSION_2: Mapping[str, type[Record]] = {
    record.kind: record
    for record in (
        Header,
        OldBalance,
        MovementMain,
        MovementDetails,
        MovementCounterparty,
        InformationMain,
        InformationPart2,
        InformationPart3,
        NewBalance,
        FreeText,
        Trailer,
    )
}

VERSION_1: Mapping[str, type[Record]] = {
    **VERSION_2,
    "22": MovementDetailsVersion1,
    "23": MovementCounterpartyVersion1,
    "4": FreeTextVersion1,
}
