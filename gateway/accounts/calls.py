"""What an account's unattended calls were spent on, and whether one more may be asked for (SYN-02)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway.accounts import budget
from gateway.accounts.errors import AccountNotFound, BankCallBudgetExhausted
from gateway.accounts.models import Account, Sync
from gateway.accounts.repository import AccountRepository, SyncRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.offices.models import Office
from gateway.offices.service import require_client

FULL_READING_CALLS: Final = 1
"""All history comes in one reading, whatever the number of its pages."""


@dataclass(frozen=True, slots=True)
class CallBudget:
    """The calls of the last 24 hours, and what they leave."""

    account: Account
    standing: budget.Standing
    own: Mapping[UUID, Sync]
    """The office's own readings among those that called; of the others it sees that they were made, and no more."""
    history_from: date | None
    """The first day that a full reading asks for; None for an account that no bank is asked about."""


def call_budget(gateway: Gateway, act: Act, account_id: UUID) -> CallBudget:
    """What was used of an account's calls, by this office and by others. Raises `AccountNotFound`."""
    with gateway.database.unit_of_work(act.office_id) as session:
        account = AccountRepository(session).get(act.office_id, account_id)
        if account is None:
            raise AccountNotFound
        try:
            require_client(session, act, account.client_id, Permission.ACCOUNTS_READ)
        except NotFound:
            raise AccountNotFound from None
        standing = standing_of(gateway, session, act, account)
        ids = [call.sync_id for call in standing.calls if call.sync_id is not None]
        own = {sync.id: sync for sync in SyncRepository(session).of_ids(act.office_id, ids)} if ids else {}
        is_connected = account.consent_id is not None
        history = act.today - gateway.banks.profile(account.bank_id).history if is_connected else None
        return CallBudget(account, standing, own, history)


def require_room(gateway: Gateway, session: Session, act: Act, account: Account, *, reason: str) -> None:
    """Raise `BankCallBudgetExhausted` when a reading for this reason would have no unattended call left."""
    free_at = standing_of(gateway, session, act, account).free_at(reason)
    if free_at > act.now:
        raise BankCallBudgetExhausted(free_at, seconds=seconds_until(free_at, act.now))


def standing_of(gateway: Gateway, session: Session, act: Act, account: Account) -> budget.Standing:
    """The account's calls, by the clock of the office; none are left for an account that no bank is asked about."""
    is_connected = account.consent_id is not None
    return budget.standing_of(
        session,
        gateway.keys,
        account,
        mode=mode_of(session, act.office_id),
        now=act.now,
        maximum=gateway.banks.profile(account.bank_id).calls_per_day_max if is_connected else 0,
    )


def mode_of(session: Session, office_id: UUID) -> str:
    """`live` or `test`."""
    return session.get_one(Office, office_id).mode


def seconds_until(moment: datetime, now: datetime) -> int:
    """Whole seconds to wait, one at least."""
    return max(1, math.ceil((moment - now).total_seconds()))
