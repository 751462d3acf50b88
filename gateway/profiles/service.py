"""Account numbers of clients known without a consent (OFF-10).

Only this office is asked whether a number is in use; whoever else holds it changes no answer and no statement (OFF-05).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from connectors import registry
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError, NotFound, StaleError
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.models import Client
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.profiles.debtors import clear_default
from gateway.profiles.errors import IbanKnown, KnownAccountConnected, KnownAccountNotFound
from gateway.profiles.models import KnownAccount
from gateway.profiles.repository import KnownAccountRepository
from sepa.accounts import bic_fault, require_iban
from sepa.errors import AccountInvalid

SETTABLE: Final = frozenset(
    {"bic", "alias", "position", "is_visible", "is_default_debtor", "dossier_code", "statements_from"}
)


class KnownAccountService:
    """Known accounts of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def page(
        self, act: Act, request: PageRequest, *, client_id: UUID | None = None
    ) -> tuple[list[KnownAccount], str | None]:
        """Known accounts, in the order in which they came."""
        act.require(Permission.ACCOUNTS_READ, client_id)
        order = [Sort(col(KnownAccount.id), lambda row: str(row.id), UUID)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            visible = act.principal.visible_clients(Permission.ACCOUNTS_READ)
            granted = ClientRepository(session).granted(act.office_id, today=act.today, visible=visible)
            query = KnownAccountRepository(session).visible(act.office_id, granted.with_only_columns(col(Client.id)))
            if client_id is not None:
                require_client(session, act, client_id, Permission.ACCOUNTS_READ)
                query = query.where(KnownAccount.client_id == client_id)
            name = f"known-accounts:{act.office_id}:{client_id}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def get(self, act: Act, known_account_id: UUID) -> KnownAccount:
        """One known account, also after it became an account; raises `KnownAccountNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._visible(session, act, known_account_id, Permission.ACCOUNTS_READ)

    def add(self, act: Act, client_id: UUID, *, iban: str, wanted: Mapping[str, Any]) -> KnownAccount:
        """Note a number; raises `InputError` for one with a fault, `IbanKnown`, and what `require_client` raises."""
        assert set(wanted) <= SETTABLE, "other columns are not the office's to set"
        compact = checked_iban(iban)
        check_bic(wanted.get("bic"))
        try:
            with self.gateway.database.unit_of_work(act.office_id) as session:
                require_client(session, act, client_id, Permission.ACCOUNTS_WRITE, is_change=True)
                repository = KnownAccountRepository(session)
                if repository.is_taken(act.office_id, compact):
                    raise IbanKnown
                found = registry.bank_for_iban(compact)
                if wanted.get("is_default_debtor"):
                    clear_default(session, act.office_id, client_id)
                known = KnownAccount(
                    id=new_id(),
                    office_id=act.office_id,
                    client_id=client_id,
                    iban=compact,
                    bank_id=found[0].bank_id if len(found) == 1 else None,
                    created_at=act.now,
                    **{"position": repository.next_position(act.office_id, client_id), **wanted},
                )
                session.add(known)
                self._record(session, act, "account.known_added", known, {"position": Change(None, known.position)})
                session.flush()
        except IntegrityError as error:
            # Another request noted it a moment ago.
            raise IbanKnown from error
        return known

    def change(self, act: Act, known_account_id: UUID, wanted: Mapping[str, Any], *, version: int) -> KnownAccount:
        """Change what is named; raises `KnownAccountConnected`, `StaleError`, and as `add`."""
        assert set(wanted) <= SETTABLE, "other columns are not the office's to set"
        check_bic(wanted.get("bic"))
        with self.gateway.database.unit_of_work(act.office_id) as session:
            known = self._visible(session, act, known_account_id, Permission.ACCOUNTS_WRITE, is_change=True)
            if known.account_id is not None:
                raise KnownAccountConnected
            if known.version != version:
                raise StaleError
            changes = {
                name: Change(getattr(known, name), value)
                for name, value in wanted.items()
                if getattr(known, name) != value
            }
            if not changes:
                return known
            if "is_default_debtor" in changes and changes["is_default_debtor"].new:
                clear_default(session, act.office_id, known.client_id)
            for name, change in changes.items():
                setattr(known, name, change.new)
            known.version += 1
            session.add(known)
            self._record(session, act, "account.known_changed", known, changes)
        return known

    def remove(self, act: Act, known_account_id: UUID) -> None:
        """Forget a number; raises `KnownAccountConnected` for one that became an account."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            known = self._visible(session, act, known_account_id, Permission.ACCOUNTS_WRITE, is_change=True)
            if known.account_id is not None:
                raise KnownAccountConnected
            session.delete(known)
            self._record(session, act, "account.known_removed", known, {})

    def _visible(
        self, session: Session, act: Act, known_account_id: UUID, permission: Permission, *, is_change: bool = False
    ) -> KnownAccount:
        known = KnownAccountRepository(session).get(act.office_id, known_account_id, is_locked=is_change)
        if known is None:
            raise KnownAccountNotFound
        try:
            require_client(session, act, known.client_id, permission, is_change=is_change)
        except NotFound:
            raise KnownAccountNotFound from None
        return known

    def _record(
        self, session: Session, act: Act, action: str, known: KnownAccount, changes: Mapping[str, Change]
    ) -> None:
        # The number itself stays out of the log; it lies with the row (law 6).
        self.gateway.audit.record(
            session, act, action, "known_account", known.id, client_id=known.client_id, changes=changes
        )


def checked_iban(typed: str) -> str:
    """The compact form; raises `InputError` with what is wrong with it, Belgian national check digits included."""
    try:
        return require_iban(typed)
    except AccountInvalid as error:
        raise InputError(
            faults=[
                FieldFault(
                    "/iban",
                    "iban_invalid",
                    "This is not a valid account number.",
                    "An IBAN has its country's length and check digits; a Belgian one also those of the account.",
                )
            ]
        ) from error


def check_bic(bic: str | None) -> None:
    """Raise `InputError` when the text is not a BIC."""
    if bic is not None and bic_fault(bic) is not None:
        raise InputError(
            faults=[FieldFault("/bic", "bic_invalid", "This is not a valid BIC.", "A BIC has 8 or 11 characters.")]
        )
