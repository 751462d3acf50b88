"""Asking for a reading of an account: the row and its job come into being together, or not at all."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from connectors.model import PsuContext
from gateway import jobs
from gateway.accounts.models import Account, Sync
from gateway.accounts.states import SyncState
from gateway.crypto import KeyRing
from gateway.ids import new_id

TASK: Final = "sync_account"


def queue_sync(
    session: Session,
    keys: KeyRing,
    account: Account,
    *,
    reason: str,
    now: datetime,
    psu: PsuContext | None = None,
    since: date | None = None,
) -> Sync:
    """A reading to be done soon. `psu` is the person who is really present, or None: an address is never invented.

    It reads from `since` on at least, as far back as the bank goes; else from where the last reading ended.
    """
    sync = Sync(
        id=new_id(),
        office_id=account.office_id,
        account_id=account.id,
        state=SyncState.QUEUED,
        reason=reason,
        is_attended=psu is not None,
        requested_at=now,
        window_from=since,
        counts={},
    )
    if psu is not None:
        plain = json.dumps([psu.ip_address, psu.user_agent, psu.language]).encode()
        sync.psu_cipher = keys.encrypt(plain, office_id=sync.office_id, table="sync.psu", row_id=sync.id)
    session.add(sync)
    enqueue(session, sync)
    return sync


def enqueue(session: Session, sync: Sync, *, delay: timedelta | None = None) -> None:
    """Hand the reading to a worker, now or later; once more is harmless."""
    jobs.enqueue(
        session,
        TASK,
        lock=jobs.account_lock(sync.account_id),
        schedule_in=delay,
        office_id=str(sync.office_id),
        sync_id=str(sync.id),
    )


def psu_of(keys: KeyRing, sync: Sync) -> PsuContext | None:
    """The person present, while the reading is not finished."""
    if sync.psu_cipher is None:
        return None
    plain = keys.decrypt(sync.psu_cipher, office_id=sync.office_id, table="sync.psu", row_id=sync.id)
    ip_address, user_agent, language = json.loads(plain)
    return PsuContext(ip_address=ip_address, user_agent=user_agent, language=language)
