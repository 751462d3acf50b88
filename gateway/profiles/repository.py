"""Queries on known accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import SelectBase, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.models import Account
from gateway.profiles.models import KnownAccount


class KnownAccountRepository:
    """Known accounts of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, known_account_id: UUID, *, is_locked: bool = False) -> KnownAccount | None:
        """One known account; as it is now when it is locked."""
        query = select(KnownAccount).where(KnownAccount.office_id == office_id, KnownAccount.id == known_account_id)
        if is_locked:
            query = query.with_for_update()
        return self.session.exec(query).one_or_none()

    def visible(self, office_id: UUID, clients: SelectBase) -> SelectOfScalar[KnownAccount]:
        """Query over those of these clients that did not become an account."""
        return select(KnownAccount).where(
            KnownAccount.office_id == office_id,
            col(KnownAccount.client_id).in_(clients),
            col(KnownAccount.account_id).is_(None),
        )

    def of_iban(self, office_id: UUID, client_id: UUID, iban: str) -> KnownAccount | None:
        """The client's known account with this number, locked, whether or not it became an account."""
        return self.session.exec(
            select(KnownAccount)
            .where(
                KnownAccount.office_id == office_id,
                KnownAccount.client_id == client_id,
                KnownAccount.iban == iban,
            )
            .with_for_update()
        ).one_or_none()

    def open_of(self, office_id: UUID, client_id: UUID, ids: Iterable[UUID]) -> Sequence[KnownAccount]:
        """Those of the client with these ids that did not become an account, locked in a fixed order."""
        return self.session.exec(
            select(KnownAccount)
            .where(
                KnownAccount.office_id == office_id,
                KnownAccount.client_id == client_id,
                col(KnownAccount.account_id).is_(None),
                col(KnownAccount.id).in_(sorted(set(ids))),
            )
            .order_by(col(KnownAccount.id))
            .with_for_update()
        ).all()

    def ibans(self, office_id: UUID, client_id: UUID) -> frozenset[str]:
        """Every number the client is known to have, connected or not: what own transfers are recognised by."""
        known = select(KnownAccount.iban).where(
            KnownAccount.office_id == office_id, KnownAccount.client_id == client_id
        )
        connected = select(Account.iban).where(Account.office_id == office_id, Account.client_id == client_id)
        return frozenset(self.session.exec(known)) | frozenset(self.session.exec(connected))

    def is_taken(self, office_id: UUID, iban: str) -> bool:
        """Whether this office knows the number already, with or without a consent."""
        known = select(KnownAccount.id).where(KnownAccount.office_id == office_id, KnownAccount.iban == iban)
        connected = select(Account.id).where(Account.office_id == office_id, Account.iban == iban)
        return (
            self.session.exec(known.limit(1)).first() is not None
            or self.session.exec(connected.limit(1)).first() is not None
        )

    def next_position(self, office_id: UUID, client_id: UUID) -> int:
        """After the client's last account."""
        last = [
            self.session.exec(
                select(func.max(table.position)).where(table.office_id == office_id, table.client_id == client_id)
            ).one()
            for table in (Account, KnownAccount)
        ]
        return max(position or 0 for position in last) + 1

    def default_debtor(self, office_id: UUID, client_id: UUID) -> Account | KnownAccount | None:
        """From which account, connected or known, the client pays when a payment names none."""
        account = self.session.exec(
            select(Account).where(
                Account.office_id == office_id, Account.client_id == client_id, col(Account.is_default_debtor)
            )
        ).one_or_none()
        if account is not None:
            return account
        return self.session.exec(
            select(KnownAccount).where(
                KnownAccount.office_id == office_id,
                KnownAccount.client_id == client_id,
                col(KnownAccount.is_default_debtor),
            )
        ).one_or_none()
