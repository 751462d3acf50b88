"""Accounts that fell silent, and those the bank lists no more: told once, never passed over in silence (SYN-12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from sqlmodel import Session

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.ids import encode
from gateway.transactions.repository import TransactionRepository

SILENT_MIN: Final = timedelta(days=35)
GAPS: Final = 3
LOOKED_BACK: Final = timedelta(days=365)


def silent_after(booking_days: Sequence[date]) -> timedelta:
    """How long an account with entries on these days (in order) may be silent: 3 times its usual gap, 35 days at least.

    The usual gap is the middle one: a holiday once a year does not make a weekly account a quiet one.
    """
    gaps = sorted(later - earlier for earlier, later in pairwise(booking_days))
    usual = gaps[len(gaps) // 2] if gaps else timedelta(0)
    return max(SILENT_MIN, GAPS * usual)


def settle_silence(gateway: Gateway, session: Session, act: Act, account: Account) -> None:
    """After a stored reading: `account.dormant` when the silence has lasted too long, once until the next entry."""
    transactions = TransactionRepository(session)
    since = transactions.last_booking_day(act.office_id, account.id) or account.history_from
    if since is None or act.today - since < SILENT_MIN:
        account.dormant_since = None
        return
    if account.is_quiet or account.dormant_since is not None:
        return
    days = transactions.booking_days(act.office_id, account.id, date_from=since - LOOKED_BACK)
    if act.today - since < silent_after(days):
        return
    account.dormant_since = since
    session.add(account)
    _tell(gateway, session, act, account, "account.dormant", since=since.isoformat())


def tell_closed(gateway: Gateway, session: Session, act: Act, account: Account) -> None:
    """The bank lists the account no more: it was closed, or its holder took it out of the permission."""
    _tell(gateway, session, act, account, "account.closed")


def _tell(gateway: Gateway, session: Session, act: Act, account: Account, event_type: str, **data: str) -> None:
    gateway.events.record(
        session, act, event_type, "account", account.id, client_id=account.client_id,
        data={"account_id": encode("account", account.id), **data},
    )  # fmt: skip
