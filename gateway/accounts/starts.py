"""The first day of which statements are made (OFF-10): the office chooses it, and none is made before it did."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlmodel import Session, select

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.offices.models import ClientSettings
from gateway.offices.template import StatementsFrom


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


def settle_start(gateway: Gateway, session: Session, act: Act, account: Account) -> None:
    """After a reading, when `history_from` is known: the day that the client's settings choose, where nobody chose one.

    A day chosen before becomes the first day the bank really gave, when that is later.
    """
    chosen, given = account.statements_from, account.history_from
    if given is None:
        return
    wanted = chosen
    if chosen is None and account.takes_over_on is None:
        wanted = _start_by_settings(session, act, account.client_id)
    wanted = None if wanted is None else max(wanted, given)
    if wanted == chosen:
        return
    account.statements_from = wanted
    account.version += 1
    session.add(account)
    gateway.audit.record(
        session, act, "account.changed", "account", account.id,
        client_id=account.client_id, changes={"statements_from": Change(chosen, wanted)},
    )  # fmt: skip


def _start_by_settings(session: Session, act: Act, client_id: UUID) -> date | None:
    settings = session.exec(
        select(ClientSettings).where(ClientSettings.office_id == act.office_id, ClientSettings.client_id == client_id)
    ).first()
    match StatementsFrom(settings.statements_from) if settings is not None else StatementsFrom.ASK:
        case StatementsFrom.QUARTER_START:
            return quarter_start(act.today)
        case StatementsFrom.HISTORY_START:
            return date.min
        case StatementsFrom.CONNECTION_DAY:
            return act.today
        case StatementsFrom.ASK:
            return None
