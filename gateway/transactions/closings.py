"""Which balance at the end of the day before a reading tells (STA-02, decision 0060)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from connectors.model import Balance, BalanceKind, Transaction


def closing_of_day_before(balance: Balance, booked: Iterable[Transaction], today: date) -> Decimal | None:
    """Booked balance at the end of the day before `today`; None where this balance does not tell it.

    `booked` are the rows of the same reading. A balance read during the day is that less what is booked since: in a
    weekend banks book on the Monday already, so whatever comes after the day that ended counts. A closing balance that
    names no day may be of this moment or of the last evening; it counts only where both are the same, because nothing
    of today or later is booked.
    """
    since = [row.amount for row in booked if (row.booking_date or today) >= today]
    if balance.kind is BalanceKind.INTERIM_BOOKED:
        return balance.amount - sum(since, Decimal(0))
    if balance.kind is BalanceKind.CLOSING_BOOKED and balance.reference_date is None and not since:
        return balance.amount
    return None
