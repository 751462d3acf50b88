"""Queries on changed addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import SelectBase, Uuid, update
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.models import Account
from gateway.addresses.models import AddressChange
from gateway.addresses.states import AddressKind, ChangeState
from gateway.imports.models import ClientImport
from gateway.imports.present import among
from gateway.machines.models import Credential
from gateway.profiles.models import ClientProfile


class AddressRepository:
    """Each query takes the office first."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def visible(self, office_id: UUID, clients: SelectBase) -> SelectOfScalar[AddressChange]:
        """Query over the changes of these clients."""
        return select(AddressChange).where(
            AddressChange.office_id == office_id, col(AddressChange.client_id).in_(clients)
        )

    def chosen(
        self, office_id: UUID, *, ids: Iterable[UUID] = (), import_id: UUID | None = None
    ) -> Sequence[AddressChange]:
        """Those with these ids, or all that wait of an import; locked in a fixed order."""
        query = select(AddressChange).where(AddressChange.office_id == office_id)
        if import_id is not None:
            query = query.where(AddressChange.import_id == import_id, AddressChange.state == ChangeState.WAITING)
        else:
            query = query.where(among(AddressChange.id, sorted(set(ids)), Uuid))
        return self.session.exec(query.order_by(col(AddressChange.id)).with_for_update()).all()

    def waiting(self, office_id: UUID) -> Sequence[AddressChange]:
        """All that wait, locked."""
        return self.session.exec(
            select(AddressChange)
            .where(AddressChange.office_id == office_id, AddressChange.state == ChangeState.WAITING)
            .order_by(col(AddressChange.id))
            .with_for_update()
        ).all()

    def replace(
        self, office_id: UUID, client_ids: Iterable[UUID], *, kind: AddressKind | None = None, now: datetime
    ) -> None:
        """What waits for these clients waits no longer; of a kind, that of the clients and not of their accounts."""
        query = update(AddressChange).where(
            col(AddressChange.office_id) == office_id,
            among(AddressChange.client_id, sorted(set(client_ids)), Uuid),
            col(AddressChange.state) == ChangeState.WAITING,
        )
        if kind is not None:
            query = query.where(col(AddressChange.kind) == kind, col(AddressChange.account_id).is_(None))
        self.session.execute(query.values(state=ChangeState.REPLACED, decided_at=now))

    def replace_of_account(self, office_id: UUID, account_id: UUID, *, now: datetime) -> None:
        """What waits for this account waits no longer."""
        self.session.execute(
            update(AddressChange)
            .where(
                col(AddressChange.office_id) == office_id,
                col(AddressChange.account_id) == account_id,
                col(AddressChange.state) == ChangeState.WAITING,
            )
            .values(state=ChangeState.REPLACED, decided_at=now)
        )

    def accounts(self, office_id: UUID, account_ids: Iterable[UUID]) -> dict[UUID, Account]:
        """Accounts by id."""
        found = self.session.exec(
            select(Account).where(Account.office_id == office_id, among(Account.id, sorted(set(account_ids)), Uuid))
        )
        return {account.id: account for account in found}

    def profiles(self, office_id: UUID, client_ids: Iterable[UUID]) -> dict[UUID, ClientProfile]:
        """Profiles by client."""
        found = self.session.exec(
            select(ClientProfile).where(
                ClientProfile.office_id == office_id, among(ClientProfile.client_id, sorted(set(client_ids)), Uuid)
            )
        )
        return {profile.client_id: profile for profile in found}

    def authors(self, office_id: UUID, changes: Iterable[AddressChange]) -> dict[UUID, frozenset[UUID]]:
        """By change, the people behind it: who set it, who sent the import, who made the key that did."""
        changes = list(changes)
        imports = dict(
            self.session.exec(
                select(ClientImport.id, ClientImport.creator_id).where(
                    ClientImport.office_id == office_id,
                    among(ClientImport.id, sorted({row.import_id for row in changes if row.import_id}), Uuid),
                )
            ).all()
        )
        wanted = {row.author_id for row in changes} | set(imports.values())
        makers = dict(
            self.session.exec(
                select(Credential.id, Credential.created_by).where(
                    Credential.office_id == office_id, among(Credential.id, sorted(wanted), Uuid)
                )
            ).all()
        )
        found = {}
        for row in changes:
            behind = {row.author_id} | ({imports[row.import_id]} if row.import_id in imports else set())
            found[row.id] = frozenset(behind | {maker for who in behind if (maker := makers.get(who)) is not None})
        return found

    def waiting_count(self, office_id: UUID, import_id: UUID) -> int:
        """How many of an import wait."""
        return self.session.exec(
            select(func.count())
            .select_from(AddressChange)
            .where(
                AddressChange.office_id == office_id,
                AddressChange.import_id == import_id,
                AddressChange.state == ChangeState.WAITING,
            )
        ).one()
