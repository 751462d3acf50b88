"""What is known of the creditors of some payments: rolling totals, and whether an IBAN is known (PAY-09).

`known`: this creditor was paid on this IBAN by an export made here at least 20 days ago. `changed`: not known, while
the creditor was paid on another one. `new`: never paid here. What banks or uploaded files say does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway.payments.models import Payment
from gateway.payments.repository import CreditorRepository, CreditorTotals
from gateway.payments.states import OPEN, UNDER_WAY, PaymentState

KNOWN_AFTER: Final = timedelta(days=20)
DAY: Final = timedelta(hours=24)
MONTH: Final = timedelta(days=30)
COUNTED: Final = OPEN | UNDER_WAY | {PaymentState.EXECUTED}
"""States in which a payment counts in the totals of its creditor."""


class CreditorFacts:
    """Facts for one set of payments of a client, which count in the totals themselves."""

    def __init__(
        self,
        payments: Iterable[Payment],
        before: dict[str, CreditorTotals],
        paid_on: dict[str, list[tuple[str, datetime]]],
        now: datetime,
    ) -> None:
        self._before = before
        self._paid_on = paid_on
        self._now = now
        self._together: dict[str, Decimal] = {}
        for payment in payments:
            self._together[payment.creditor_key] = self._together.get(payment.creditor_key, Decimal(0)) + payment.amount

    def state(self, payment: Payment) -> str:
        """`known`, `new` or `changed`."""
        paid = self._paid_on.get(payment.creditor_key, [])
        if any(iban == payment.creditor_iban and first <= self._now - KNOWN_AFTER for iban, first in paid):
            return "known"
        return "changed" if any(iban != payment.creditor_iban for iban, _ in paid) else "new"

    def total_day(self, payment: Payment) -> Decimal:
        """To this creditor in the last 24 hours, the payments at hand included."""
        return self._together[payment.creditor_key] + self._totals(payment).day

    def total_month(self, payment: Payment) -> Decimal:
        """To this creditor in the last 30 days, the payments at hand included."""
        return self._together[payment.creditor_key] + self._totals(payment).month

    def _totals(self, payment: Payment) -> CreditorTotals:
        return self._before.get(payment.creditor_key, CreditorTotals(Decimal(0), Decimal(0)))


def creditor_facts(
    session: Session, office_id: UUID, client_id: UUID, payments: Sequence[Payment], *, now: datetime
) -> CreditorFacts:
    """The facts, in two statements however many payments there are."""
    repository = CreditorRepository(session)
    keys = sorted({payment.creditor_key for payment in payments})
    before = repository.totals(
        office_id,
        client_id,
        keys,
        states=COUNTED,
        without=[payment.id for payment in payments],
        day_from=now - DAY,
        month_from=now - MONTH,
    )
    return CreditorFacts(payments, before, repository.exported_to(office_id, client_id, keys), now)
