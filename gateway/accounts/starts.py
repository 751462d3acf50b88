"""The first day of which statements are made (OFF-10): the office chooses it, and none is made before it did."""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import Session

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change


def quarter_start(today: date) -> date:
    """First day of the calendar quarter."""
    return date(today.year, (today.month - 1) // 3 * 3 + 1, 1)


def proposed_start(account: Account, today: date) -> date | None:
    """The start of the present quarter, or the first day of history when that is later; None once one is chosen."""
    if account.statements_from is not None or account.consent_id is None or account.takes_over_on is not None:
        return None
    return max(quarter_start(today), account.history_from or date.min)


def earliest_start(account: Account, history: timedelta, today: date) -> date:
    """The first day of history the bank gave; before the first reading, the first day it can give."""
    return account.history_from or today - history


def keep_to_history(gateway: Gateway, session: Session, act: Act, account: Account) -> None:
    """After a first reading: a day chosen before becomes the first day the bank really gave, when that is later."""
    chosen, given = account.statements_from, account.history_from
    if chosen is None or given is None or chosen >= given:
        return
    account.statements_from = given
    account.version += 1
    session.add(account)
    gateway.audit.record(
        session, act, "account.changed", "account", account.id,
        client_id=account.client_id, changes={"statements_from": Change(chosen, given)},
    )  # fmt: skip
