"""The chain of an account begins where the former source's files ended, once that is confirmed (STA-05, STA-20)."""

from __future__ import annotations

from typing import Final

from sqlmodel import Session, select

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.foreign_files.models import NumberingHandover
from gateway.foreign_files.states import HandoverState
from gateway.statements.chains import begun
from gateway.statements.models import StatementChain

HISTORY_BEGINS_LATER: Final = "history_begins_later"
"""The bank's history does not reach back to the last file handed over: nothing is issued over the gap."""


def confirmed_handover(session: Session, account: Account) -> NumberingHandover | None:
    """What was confirmed for an account."""
    return session.exec(
        select(NumberingHandover).where(
            NumberingHandover.office_id == account.office_id,
            NumberingHandover.client_id == account.client_id,
            NumberingHandover.iban == account.iban,
            NumberingHandover.currency == account.currency,
            NumberingHandover.state == HandoverState.CONFIRMED,
        )
    ).one_or_none()


def begin_after(session: Session, act: Act, account: Account, handover: NumberingHandover) -> StatementChain | None:
    """The chain that goes on after the last file handed over; None while the account was not read around its day.

    What the first readings gave of earlier days was on those files: only what is seen later counts as late. So it
    begins with a reading that shows the whole of the last day, and not where the bank's history begins after it.
    """
    if account.history_from is None or account.fresh_as_of is None or account.complete_until is None:
        return None
    if account.history_from > handover.first_day or account.complete_until < handover.closing_date:
        return None
    chain = begun(
        account,
        basis="handed_over",
        balance=handover.closing_balance,
        first_date=handover.first_day,
        closed_until=handover.closing_date,
        anchor_read_at=account.fresh_as_of,
        now=act.now,
    )
    chain.handed_year, chain.handed_number = handover.first_day.year, handover.next_number - 1
    chain.last_entry_date = handover.last_entry_date
    session.add(chain)
    session.flush()
    return chain
