"""Where a chain of statements begins: one way for a derived opening, a hand-over, a move and a restart."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from gateway.accounts.models import Account
from gateway.ids import new_id
from gateway.statements.models import StatementChain


def begun(
    account: Account,
    *,
    basis: str,
    balance: Decimal,
    first_date: date,
    closed_until: date,
    anchor_read_at: datetime,
    now: datetime,
    anchor_date: date | None = None,
) -> StatementChain:
    """The chain of an account that stands at `balance`, in its currency, at the end of `closed_until`.

    `basis` is a word of `StatementChain.opening_basis`. Rows first seen after `anchor_read_at` count as late; the days
    up to `anchor_date`, by default those that are closed, are not proven by balances of their own.
    """
    return StatementChain(
        id=new_id(),
        office_id=account.office_id,
        account_id=account.id,
        first_date=first_date,
        opening_balance=balance,
        opening_basis=basis,
        anchor_date=anchor_date or closed_until,
        anchor_read_at=anchor_read_at,
        closed_until=closed_until,
        closing_balance=balance,
        created_at=now,
    )
