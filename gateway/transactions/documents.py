"""Rows that a file of the bank gave, met again when the bank itself is read (STA-19, law 1). Pure.

A file and the bank's interface word the same entry differently, so their fingerprints never meet. What a file gave is
known by account, booking day and amount alone, under a version of its own: a reading neither finds it nor misses it.
When a reading brings a row of the same day and amount that nothing else explains, it is that entry in the bank's words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from gateway.transactions.absorb import Edit, Fetched, NewRow, Plan, StoredRow

DOCUMENT_VERSION: Final = 1_000
"""Fingerprint version of rows from files; far from those that are made of bank rows."""


def told_again(decided: Plan, fetched: Sequence[Fetched], documents: Iterable[StoredRow]) -> Plan:
    """The same plan, with the bank's form for rows that a file gave instead of new rows beside them."""
    waiting: dict[tuple[date | None, Decimal], list[StoredRow]] = defaultdict(list)
    for document in sorted(documents, key=lambda row: (not row.is_issued, row.occurrence)):
        waiting[document.booking_date, document.amount].append(document)
    new: list[NewRow] = []
    edited = list(decided.edited)
    for row in decided.new:
        known = waiting.get((fetched[row.index].booking_date, fetched[row.index].amount))
        if known:
            edited.append(Edit(known.pop(0).id, row))
        else:
            new.append(row)
    left = {row.index for row in new}
    undecided = {index: candidates for index, candidates in decided.undecided.items() if index in left}
    return replace(decided, new=tuple(new), edited=tuple(edited), undecided=undecided)
