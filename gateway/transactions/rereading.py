"""The longer reading of an account whose balances differ: once per held day, out of the reserve (STA-03, SYN-02).

The next planned reading does it as well, should that come first; whichever it is, the day is not read for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlmodel import Session

from gateway.accounts.calls import standing_of
from gateway.accounts.models import Account
from gateway.accounts.syncs import queue_sync
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.banks.pauses import Pauses
from gateway.statements.repository import StatementRepository
from gateway.transactions.pacing import REPEAT_AFTER, BankPace

LEFT_FOR_PEOPLE = 1
"""Calls of the reserve that are left for somebody who asks."""


def plan_rereads(
    gateway: Gateway,
    session: Session,
    act: Act,
    accounts: Iterable[Account],
    *,
    pace_of: Mapping[str, BankPace],
    pauses: Pauses,
) -> int:
    """Queue what is due among accounts without a reading under way; the number of readings queued.

    Some time after the reading that found the difference, so that what the bank books late can be there.
    """
    held = StatementRepository(session).held_days(act.office_id)
    planned = 0
    for account in accounts:
        day = held.get(account.id)
        if day is None or day == account.reread_for:
            continue
        if account.last_sync_at is None or act.now - account.last_sync_at < REPEAT_AFTER:
            continue
        pace = pace_of.get(account.bank_id, BankPace())
        standing = standing_of(gateway, session, act, account)
        has_room = standing.has_room("reread") and standing.remaining_on_request > LEFT_FOR_PEOPLE
        if has_room and pace.lets_begin(act.now) and not pauses.holds(account.bank_id):
            queue_sync(session, gateway.keys, account, reason="reread", now=act.now)
            pace.under_way += 1
            planned += 1
    return planned
