"""One item on a simulated account, from announcement (pending) to booking."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from connectors.simulator.companies import Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The amount in the currency of the purchase."""

    currency: str
    amount: Decimal
    rate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the bank will book, with the moments at which it becomes visible."""

    key: str
    """Ours, unique in the world; the bank's ids are made from it."""
    booking_date: date
    booked_at: datetime
    announced_at: datetime | None = None
    """Pending from this moment until `booked_at`; None is booked without announcement."""
    amount: Decimal
    currency: str = "EUR"
    value_date: date | None = None
    counterparty: Party | None = None
    texts: tuple[str, ...] = ()
    structured: str | None = None
    """Twelve digits, or an RF reference; given in the structured field."""
    end_to_end_id: str | None = None
    mandate_id: str | None = None
    creditor_id: str | None = None
    purpose: str | None = None
    code: str | None = None
    batch_count: int | None = None
    exchange: Exchange | None = None
    pending_text: str | None = None
    """The wording while pending, where it differs."""

    def transaction_id(self, *, is_pending: bool = False, salt: str = "") -> str:
        """The platform's id: digits; a pending row gets another one when it is booked."""
        digest = hashlib.sha256(f"{self.key}|{'pending' if is_pending else 'booked'}|{salt}".encode()).digest()
        return str(10**11 + int.from_bytes(digest[:8], "big") % (9 * 10**11))

    def is_booked(self, now: datetime) -> bool:
        """Whether the bank shows it as booked at this moment."""
        return self.booked_at <= now

    def is_pending(self, now: datetime) -> bool:
        """Whether the bank shows it as pending at this moment."""
        return self.announced_at is not None and self.announced_at <= now < self.booked_at
