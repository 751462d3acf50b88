"""What the day page shows, read in a handful of queries whatever the number of clients and accounts.

Every account is in one class a day: `problem` (somebody must act, or a balance does not prove), else `issued` (a
statement came out today), else `nothing` (yesterday is complete, without movements), else `waiting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, literal, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql.selectable import LateralFromClause
from sqlmodel import Session, col, select

from gateway.accounts.models import Account, Balance
from gateway.accounts.states import SyncHealth
from gateway.act import Act
from gateway.clock import BRUSSELS
from gateway.consents.models import Consent
from gateway.consents.states import WAITING, ConsentState
from gateway.identity.rights import Permission
from gateway.offices.models import Client
from gateway.offices.repository import OfficeRepository
from gateway.offices.service import clients_open
from gateway.offices.services import shows_coda
from gateway.pagination import Pager, PageRequest, Sort
from gateway.statements.models import Statement
from gateway.statements.states import StatementState

CLASSES: Final = ("issued", "waiting", "problem", "nothing")
CLIENTS_PER_PAGE: Final = 20
STATEMENTS_SHOWN: Final = 4
SHOWN_DAYS: Final = timedelta(days=31)
BALANCE_DAYS: Final = timedelta(days=31)
DOUBTFUL_HOLDS: Final = ("difference", "no_bank_balance")
"""Holds in which somebody must look; the others wait for the bank's next answer."""
BOOKED: Final = ("closing_booked", "interim_booked")


@dataclass(frozen=True, slots=True)
class AccountDayView:
    """One account: where it stands, its balance and its latest statements."""

    account: Account
    group: str
    balance: Decimal | None
    balance_at: datetime | None
    statements: Sequence[Statement]


@dataclass(slots=True)
class ClientDayView:
    """One client with its accounts and consents."""

    client: Client
    accounts: list[AccountDayView] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DayView:
    """The page: how many accounts are in each class, and the clients of this page."""

    counts: dict[str, int]
    clients: list[ClientDayView]
    next_cursor: str | None


def day_view(session: Session, pager: Pager, act: Act, *, group: str | None, cursor: str | None) -> DayView:
    """The clients this person may see; only those with an account of class `group` when given."""
    granted = clients_open(session, act, Permission.ACCOUNTS_READ)
    newest = _newest()
    classed = _class(newest, act.today)
    granted_ids = granted.with_only_columns(col(Client.id))
    in_scope = (Account.office_id == act.office_id, col(Account.client_id).in_(granted_ids), col(Account.is_visible))
    classes = select(Account.client_id, classed.label("class")).outerjoin(newest, true()).where(*in_scope)
    inner = classes.subquery()
    counted = session.exec(select(inner.c["class"], func.count()).group_by(inner.c["class"])).all()
    query = granted
    if group is not None:
        # Spelt as a subquery on accounts, so that pages of clients keep their order and their cursors.
        query = query.where(col(Client.id).in_(select(inner.c.client_id).where(inner.c["class"] == group)))
    order = [
        Sort(col(Client.name), lambda client: client.name, str),
        Sort(col(Client.id), lambda client: str(client.id), UUID),
    ]
    clients, next_cursor = pager.page(
        session, query, order, PageRequest(CLIENTS_PER_PAGE, cursor), name=f"day:{act.office_id}:{group}"
    )
    views = {client.id: ClientDayView(client) for client in clients}
    _add_accounts(session, act, views)
    _add_consents(session, act, views)
    return DayView(dict.fromkeys(CLASSES, 0) | dict(counted), list(views.values()), next_cursor)


def _newest() -> LateralFromClause:
    """The newest statement of an account: the one later files depend on, found by one look into the index."""
    return (
        select(Statement.state, Statement.hold_code, Statement.issued_at)
        .where(Statement.office_id == Account.office_id, Statement.account_id == Account.id)
        .order_by(col(Statement.day).desc(), col(Statement.part).desc())
        .limit(1)
        .correlate(Account)
        .lateral("newest")
    )


def _class(newest: LateralFromClause, today: date) -> ColumnElement[str]:
    """An account's class. While a day does not prove, every later one waits for it, so the newest tells."""
    day_start = datetime.combine(today, time.min, BRUSSELS)
    health = col(Account.health)
    is_held = newest.c.state == StatementState.HELD
    is_complete = (health == SyncHealth.OK) & (col(Account.complete_until) >= today - timedelta(days=1))
    is_closed = newest.c.state.is_(None) | newest.c.state.in_([StatementState.ISSUED, StatementState.NO_ENTRIES])
    return case(
        (health == SyncHealth.YOU_ACT, literal("problem")),
        (is_held & newest.c.hold_code.in_([*DOUBTFUL_HOLDS, "waits_for_earlier"]), literal("problem")),
        ((newest.c.state == StatementState.ISSUED) & (newest.c.issued_at >= day_start), literal("issued")),
        (is_complete & is_closed, literal("nothing")),
        (health == SyncHealth.ENDED, literal("nothing")),
        else_=literal("waiting"),
    )


def _add_accounts(session: Session, act: Act, views: dict[UUID, ClientDayView]) -> None:
    newest = _newest()
    rows = session.exec(
        select(Account, _class(newest, act.today))
        .outerjoin(newest, true())
        .where(Account.office_id == act.office_id, col(Account.client_id).in_(views), col(Account.is_visible))
        .order_by(col(Account.position), col(Account.bank_id), col(Account.iban), col(Account.currency))
    ).all()
    ids = [account.id for account, _group in rows]
    services = OfficeRepository(session).services(act.office_id)
    clients = {client_id: view.client for client_id, view in views.items()}
    shown = [account.id for account, _group in rows if shows_coda(act.principal, services, clients[account.client_id])]
    balances, statements = _balances(session, act, ids), _statements(session, act, shown)
    for account, group in rows:
        balance = balances.get(account.id)
        views[account.client_id].accounts.append(
            AccountDayView(
                account,
                group,
                balance.amount if balance is not None else None,
                balance.read_at if balance is not None else None,
                statements.get(account.id, []),
            )
        )


def _balances(session: Session, act: Act, ids: Sequence[UUID]) -> dict[UUID, Balance]:
    """The newest booked balance per account, as far as it was read lately."""
    rows = session.exec(
        select(Balance)
        .ext(distinct_on(col(Balance.account_id)))
        .where(
            Balance.office_id == act.office_id,
            col(Balance.account_id).in_(ids),
            col(Balance.kind).in_(BOOKED),
            Balance.basis == "bank",
            Balance.read_at >= act.now - BALANCE_DAYS,
        )
        .order_by(
            col(Balance.account_id),
            col(Balance.read_at).desc(),
            # Read together, the one of the running day is newer than the last closing balance.
            case((col(Balance.kind) == "interim_booked", 0), else_=1),
            col(Balance.reference_date).desc().nulls_last(),
        )
    ).all()
    return {balance.account_id: balance for balance in rows}


def _statements(session: Session, act: Act, ids: Sequence[UUID]) -> dict[UUID, list[Statement]]:
    """The latest statements per account, newest first; held ones however old they are."""
    rank = func.row_number().over(
        partition_by=col(Statement.account_id), order_by=[col(Statement.day).desc(), col(Statement.part).desc()]
    )
    numbered = (
        select(Statement.id, rank.label("rank"))
        .where(
            Statement.office_id == act.office_id,
            col(Statement.account_id).in_(ids),
            (col(Statement.day) >= act.today - SHOWN_DAYS) | (col(Statement.state) == StatementState.HELD),
            col(Statement.state) != StatementState.NO_ENTRIES,
        )
        .subquery()
    )
    rows = session.exec(
        select(Statement)
        .join(numbered, col(Statement.id) == numbered.c.id)
        .where(
            Statement.office_id == act.office_id,
            (numbered.c.rank <= STATEMENTS_SHOWN) | (col(Statement.hold_code).in_(DOUBTFUL_HOLDS)),
        )
        .order_by(col(Statement.day).desc(), col(Statement.part).desc())
    ).all()
    found: dict[UUID, list[Statement]] = {}
    for statement in rows:
        found.setdefault(statement.account_id, []).append(statement)
    return found


def _add_consents(session: Session, act: Act, views: dict[UUID, ClientDayView]) -> None:
    """Consents that hold, wait, or ended within a month and were not replaced."""
    allowed = [client_id for client_id in views if act.principal.allows(Permission.CONSENTS_READ, client_id)]
    rows = session.exec(
        select(Consent)
        .where(
            Consent.office_id == act.office_id,
            col(Consent.client_id).in_(allowed),
            col(Consent.state).in_([*WAITING, ConsentState.VALID])
            | (
                col(Consent.state).in_([ConsentState.EXPIRED, ConsentState.REVOKED, ConsentState.REJECTED])
                & (col(Consent.state_since) >= act.now - SHOWN_DAYS)
            ),
        )
        .order_by(col(Consent.bank_id), col(Consent.id))
    ).all()
    for consent in rows:
        views[consent.client_id].consents.append(consent)
