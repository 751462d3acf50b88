"""The bank's balances at the end of days, as the proof takes them (STA-01, STA-02)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlmodel import Session

from connectors.profile import BankProfile
from gateway.accounts.models import Account
from gateway.accounts.repository import BalanceRepository
from gateway.clock import BRUSSELS
from gateway.statements.proof import Closing


def bank_closings(
    session: Session, account: Account, profile: BankProfile, *, since: date, is_begun: bool
) -> list[Closing]:
    """Every balance at the end of a day from `since` on, in the account's currency.

    One that was read before its day was over at the bank says nothing about its end. Which of them came with all rows
    matters only for a chain that is not begun.
    """
    balances = BalanceRepository(session)
    whole = frozenset() if is_begun else balances.syncs_of_whole(account, profile.history)
    return [
        Closing(balance.reference_date, balance.amount, balance.read_at, balance.basis, balance.sync_id in whole)
        for balance in balances.closings(account.office_id, account.id, date_from=since)
        if balance.reference_date is not None
        and is_over(balance.reference_date, profile.end_of_day_hour, balance.read_at)
    ]


def is_over(day: date, hour: int, moment: datetime) -> bool:
    """Whether a booking day is over at the bank at this moment: from `hour` on the day after, in Brussels (STA-01)."""
    return moment >= datetime.combine(day + timedelta(days=1), time(hour), tzinfo=BRUSSELS)
