"""How each bank works just now, as the readings of an office met it (CON-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from connectors.errors import BankAnswerInvalid, BankUnavailable
from gateway.accounts.models import Account, Sync
from gateway.accounts.states import TAKEN_IN
from gateway.banks.pauses import Pauses

LOOKED_BACK: Final = timedelta(hours=24)
OUTAGES: Final = (BankUnavailable.code, BankAnswerInvalid.code)


class LiveState(StrEnum):
    """What the newest readings say."""

    WORKING = "working"
    DISTURBED = "disturbed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """The state of one bank, and the reading that tells it."""

    state: LiveState
    as_of: datetime | None = None


UNKNOWN: Final = LiveStatus(LiveState.UNKNOWN)


def live_statuses(session: Session, office_id: UUID, *, now: datetime, real_now: datetime) -> Mapping[str, LiveStatus]:
    """The banks of which the last 24 hours tell something; all others are unknown."""
    rows = session.exec(
        select(
            col(Account.bank_id),
            func.max(Sync.finished_at).filter(col(Sync.state).in_(TAKEN_IN)),
            func.max(Sync.finished_at).filter(col(Sync.error_code).in_(OUTAGES)),
        )
        .join(Sync, (col(Sync.account_id) == Account.id) & (col(Sync.office_id) == Account.office_id))
        .where(Sync.office_id == office_id, col(Sync.requested_at) >= now - LOOKED_BACK)
        .group_by(col(Account.bank_id))
    ).all()
    found: dict[str, LiveStatus] = {}
    for bank_id, answered_at, failed_at in rows:
        if failed_at is not None and (answered_at is None or failed_at > answered_at):
            found[bank_id] = LiveStatus(LiveState.DISTURBED, failed_at)
        elif answered_at is not None:
            found[bank_id] = LiveStatus(LiveState.WORKING, answered_at)
    refused = Pauses(session, real_now).refused
    return found | {bank_id: LiveStatus(LiveState.REFUSED, moment) for bank_id, moment in refused.items()}
