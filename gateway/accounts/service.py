"""Looking at accounts and setting what the office decides about them (OFF-10, SYN-11, SYN-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col

from gateway import jobs
from gateway.accounts.errors import (
    AccountMoved,
    AccountMoving,
    AccountNotFound,
    StatementsFromTooEarly,
    StatementsStarted,
)
from gateway.accounts.gaps import open_gaps
from gateway.accounts.health import NEXT_STEPS
from gateway.accounts.models import Account, AccountGap, Balance
from gateway.accounts.repository import AccountRepository, BalanceRepository, SyncRepository
from gateway.accounts.starts import earliest_start, proposed_start
from gateway.accounts.states import SyncHealth
from gateway.act import Act
from gateway.addresses.waiting import let_account_wait
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError, NotFound
from gateway.identity.rights import Permission
from gateway.imports.values import Faulty, email, text
from gateway.metadata.writing import Holder, set_pairs
from gateway.offices.models import Client
from gateway.offices.repository import ClientRepository
from gateway.offices.service import clients_open, require_client
from gateway.offices.services import shows_coda
from gateway.pagination import PageRequest, Sort
from gateway.profiles.debtors import clear_default
from gateway.statements.models import Statement
from gateway.statements.repository import StatementRepository

CLOSE_TASK: Final = "close_days"
STALE_AFTER: Final = timedelta(hours=36)
DELIVERY_FIELDS: Final = frozenset({"delivery", "destination"})
STATEMENT_FIELDS: Final = frozenset({"releases_computed", "issues_derived", "empty_statement", "excluded_reason"})
"""What the office decides about the statements of an account (STA-04, STA-05, STA-08, STA-14)."""
CLOSING_FIELDS: Final = STATEMENT_FIELDS | {"statements_from"}
"""A change of these may let days close that wait."""
SETTABLE: Final = DELIVERY_FIELDS | STATEMENT_FIELDS | {
    "alias", "position", "is_visible", "is_default_debtor", "dossier_code", "statements_from", "is_quiet",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account and how fresh and healthy what we know of it is."""

    account: Account
    stale_reason: str | None
    """Stable code; None while the data is current. Old data is never shown as if it were new."""
    health: str
    """`ok`, `we_act` or `you_act`."""
    next_step: str | None
    """English text of what to do; a message id for the reader's language."""
    last_statement: Statement | None
    proposed_start: date | None
    """First day of statements, as long as the office has chosen none."""
    gaps: Sequence[AccountGap] = ()
    """Days that no reading covers, the oldest first."""


class AccountService:
    """Accounts of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def get(self, act: Act, account_id: UUID) -> AccountView:
        """One account; raises `AccountNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = self._visible(session, act, account_id, Permission.ACCOUNTS_READ)
            gaps = open_gaps(session, act.office_id, [account.id]).get(account.id, ())
            return view(account, act, _last_issued(session, act, [account]).get(account.id), gaps)

    def page(
        self, act: Act, request: PageRequest, *, client_id: UUID | None = None
    ) -> tuple[list[AccountView], str | None]:
        """Accounts in the order in which they were connected."""
        act.require(Permission.ACCOUNTS_READ, client_id)
        order = [Sort(col(Account.id), lambda account: str(account.id), UUID)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            granted = clients_open(session, act, Permission.ACCOUNTS_READ)
            query = AccountRepository(session).visible(act.office_id, granted.with_only_columns(col(Client.id)))
            if client_id is not None:
                require_client(session, act, client_id, Permission.ACCOUNTS_READ)
                query = query.where(Account.client_id == client_id)
            name = f"accounts:{act.office_id}:{client_id}"
            rows, cursor = self.gateway.pager.page(session, query, order, request, name=name)
            last = _last_issued(session, act, rows)
            gaps = open_gaps(session, act.office_id, [row.id for row in rows])
            return [view(row, act, last.get(row.id), gaps.get(row.id, ())) for row in rows], cursor

    def change(
        self, act: Act, account_id: UUID, wanted: Mapping[str, Any], *, metadata: Mapping[str, str] | None = None
    ) -> AccountView:
        """Set what the office decides of an account; only what is named changes.

        An own destination waits for another admin, like its client's (OFF-02, DEL-13). Raises `InputError`,
        `StatementsFromTooEarly`, `StatementsStarted`, `AccountNotFound`, and what `require_client` raises.
        """
        assert set(wanted) <= SETTABLE, "other columns are not the office's to set"
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = self._visible(session, act, account_id, Permission.ACCOUNTS_WRITE, is_change=True, is_locked=True)
            wanted = checked_delivery(act, account, wanted)
            if any(wanted[name] != getattr(account, name) for name in STATEMENT_FIELDS & wanted.keys()):
                act.require(Permission.CLIENTS_WRITE, account.client_id)
            changes = {
                name: Change(getattr(account, name), value)
                for name, value in wanted.items()
                if getattr(account, name) != value
            }
            if "statements_from" in changes:
                self._check_start(session, act, account, changes["statements_from"].new)
            if "is_default_debtor" in changes and changes["is_default_debtor"].new:
                clear_default(session, act.office_id, account.client_id)
            if changes:
                for name, change in changes.items():
                    setattr(account, name, change.new)
                if account.is_quiet:
                    account.dormant_since = None
                account.version += 1
                if DELIVERY_FIELDS & changes.keys():
                    account.destination_confirmed_at = None
                session.add(account)
                if DELIVERY_FIELDS & changes.keys():
                    session.flush()
                    let_account_wait(self.gateway, session, act, account)
                self.gateway.audit.record(
                    session,
                    act,
                    "account.changed",
                    "account",
                    account.id,
                    client_id=account.client_id,
                    changes=changes,
                )
                if account.statements_from is not None and CLOSING_FIELDS & changes.keys():
                    # What was read already is closed, without waiting for the next reading.
                    jobs.enqueue(
                        session,
                        CLOSE_TASK,
                        lock=jobs.account_lock(account.id),
                        office_id=str(act.office_id),
                        account_id=str(account.id),
                    )
            set_pairs(self.gateway.audit, session, act, Holder("account", account.id, account.client_id), metadata)
            gaps = open_gaps(session, act.office_id, [account.id]).get(account.id, ())
            return view(account, act, _last_issued(session, act, [account]).get(account.id), gaps)

    def balances(self, act: Act, account_id: UUID) -> tuple[AccountView, Sequence[Balance]]:
        """The balances of the newest stored reading, none before the first."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = self._visible(session, act, account_id, Permission.ACCOUNTS_READ)
            sync = SyncRepository(session).last_stored(act.office_id, account.id)
            found = BalanceRepository(session).of_sync(act.office_id, sync.id) if sync is not None else []
            return view(account, act, None), found

    def _check_start(self, session: Session, act: Act, account: Account, wanted: date | None) -> None:
        chain = StatementRepository(session).chain(account.office_id, account.id)
        if chain is not None:
            raise StatementsStarted(first_date=chain.first_date.isoformat())
        if account.takes_over_on is not None:
            raise AccountMoving(move_on=account.takes_over_on.isoformat())
        if wanted is None or account.consent_id is None:
            return
        earliest = earliest_start(account, self.gateway.banks.profile(account.bank_id).history, act.today)
        if wanted < earliest:
            raise StatementsFromTooEarly(history_from=earliest.isoformat())

    def _visible(
        self,
        session: Session,
        act: Act,
        account_id: UUID,
        permission: Permission,
        *,
        is_change: bool = False,
        is_locked: bool = False,
    ) -> Account:
        account = AccountRepository(session).get(act.office_id, account_id, is_locked=is_locked)
        if account is None:
            raise AccountNotFound
        try:
            require_client(session, act, account.client_id, permission, is_change=is_change)
        except NotFound:
            raise AccountNotFound from None
        if is_change and account.moved_on is not None:
            raise AccountMoved
        return account


def checked_delivery(act: Act, account: Account, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is wanted, a destination as it is stored; the office alone sets where files go (OFF-02).

    Raises `RightsError` for others, `SecondFactorRequired` for a person without a fresh one (SEC-02), `InputError`.
    """
    named = {name: wanted[name] for name in DELIVERY_FIELDS & wanted.keys() if wanted[name] != getattr(account, name)}
    if not named:
        return dict(wanted)
    act.require(Permission.CLIENTS_WRITE, account.client_id)
    if act.principal.is_person:
        act.require_fresh_second_factor()
    delivery, destination = (
        wanted[name] if name in wanted else getattr(account, name) for name in ("delivery", "destination")
    )
    if destination is None:
        return dict(wanted)
    if delivery is None:
        raise InputError(
            faults=[FieldFault("/delivery", "delivery_missing", "An own destination needs an own channel.")]
        )
    try:
        checked = email(destination) if delivery == "email" else text(destination, length=254)
    except Faulty as fault:
        raise InputError(faults=[FieldFault("/destination", fault.code, "This value is not usable.")]) from None
    return {**wanted, "destination": checked}


def warnings_of(account: Account) -> list[str]:
    """Stable codes of what the office should know of the files of an account (STA-14)."""
    return [] if account.iban.startswith("BE") else ["foreign_iban"]


def _last_issued(session: Session, act: Act, accounts: Sequence[Account]) -> dict[UUID, Statement]:
    """The newest statements of accounts, where the caller may know of statements at all (OFF-06)."""
    clients = ClientRepository(session).of_ids(act.office_id, {account.client_id for account in accounts})
    shown = {client.id for client, services in clients if shows_coda(act.principal, services, client)}
    ids = [account.id for account in accounts if account.client_id in shown]
    return StatementRepository(session).last_issued(act.office_id, ids) if ids else {}


def view(account: Account, act: Act, last_statement: Statement | None, gaps: Sequence[AccountGap] = ()) -> AccountView:
    """What is shown of an account at a moment."""
    stale: str | None = None
    if account.health_code is not None:
        stale = account.health_code
    elif account.fresh_as_of is None:
        stale = "not_read_yet"
    elif act.now - account.fresh_as_of > STALE_AFTER:
        stale = "not_read_recently"
    health = {SyncHealth.NEW: "we_act", SyncHealth.ENDED: "you_act"}.get(SyncHealth(account.health), account.health)
    next_step = NEXT_STEPS.get(account.health_code) if account.health_code is not None else None
    return AccountView(account, stale, str(health), next_step, last_statement, proposed_start(account, act.today), gaps)
