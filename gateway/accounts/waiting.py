"""Accounts for which the installation has to act for more than 24 hours: the operator is told once (SYN-12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.banks.alarms import tell_waiting

ALERT_AFTER: Final = timedelta(hours=24)


def alert_operator(gateway: Gateway, act: Act) -> Sequence[UUID]:
    """Tell of each account that waits too long, by bank; returns the accounts that were told of now."""
    with gateway.database.unit_of_work(act.office_id) as session:
        late: Sequence[Account] = AccountRepository(session).waiting(act.office_id, since=act.now - ALERT_AFTER)
    if not late:
        return []
    for bank_id in sorted({account.bank_id for account in late}):
        # Told before it is noted: after a crash in between the mail's key keeps it from going out twice.
        tell_waiting(gateway, bank_id)
    with gateway.database.unit_of_work(act.office_id) as session:
        for account in late:
            held = AccountRepository(session).get(act.office_id, account.id, is_locked=True)
            if held is not None and held.health_since == account.health_since:
                held.alerted_at = act.now
                session.add(held)
    return [account.id for account in late]
