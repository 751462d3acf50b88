"""Which issued entries the next statement offsets: those the bank took back, if the balance then proves (STA-03).

What vanished in one reading vanished together. So the entries that are gone are tried by the readings that found them
so: the last one alone, with the one before it, and so on, then each alone. The first choice under which a bank balance
proves that proved nothing without it is taken; where none does, the day stays held. Pure arithmetic, like `proof`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from gateway.statements.proof import Judgement, Ledger, Offset, Opening, OpenRow, judge


@dataclass(frozen=True, slots=True)
class Gone:
    """An issued entry whose transaction vanished at the bank, or has another amount there now."""

    entry_id: UUID
    amount: Decimal
    """As issued."""
    noticed_at: datetime
    now: OpenRow | None = None
    """The same transaction as it is at the bank now; None where it vanished."""


def judge_with_offsets(
    ledger: Ledger, gone: Sequence[Gone], *, first_date: date, last_date: date, opening: Opening | None
) -> Judgement:
    """As `judge`, with the offsets without which nothing would prove."""
    plain = judge(ledger, first_date=first_date, last_date=last_date, opening=opening)
    held = next((result.day for result in plain.days if result.proof is None), None)
    if held is None or not gone:
        return plain
    for chosen in _choices(gone):
        again = [replace(entry.now, not_before=held) for entry in chosen if entry.now is not None]
        tried = replace(
            ledger,
            rows=[*ledger.rows, *again],
            offsets=tuple(Offset(held, entry.entry_id, -entry.amount) for entry in chosen),
        )
        judged = judge(tried, first_date=first_date, last_date=last_date, opening=opening)
        if any(result.day == held and result.proof is not None for result in judged.days):
            return judged
    return plain


def _choices(gone: Sequence[Gone]) -> Iterator[Sequence[Gone]]:
    ordered = sorted(gone, key=lambda entry: (entry.noticed_at, entry.entry_id), reverse=True)
    readings = [list(group) for _, group in groupby(ordered, key=lambda entry: entry.noticed_at)]
    for count in range(1, len(readings) + 1):
        yield [entry for reading in readings[:count] for entry in reading]
    if len(readings) > 1:
        yield from readings[1:]
