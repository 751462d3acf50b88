"""Queries on accounts, balances and readings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Date, SelectBase, Uuid, and_, bindparam, exists, or_
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.models import Account, Balance, Sync
from gateway.accounts.states import READABLE, TAKEN_IN, UNFINISHED, SyncHealth, SyncState
from gateway.offices.models import Client, Office
from gateway.offices.repository import is_granted


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """What access to an account turns on."""

    account_id: UUID
    client_id: UUID
    client_services: list[str]
    office_services: list[str]


_ACCOUNT: Final = Account.__table__.c  # type: ignore[attr-defined]  # SQLModel sets it on tables
_CLIENT: Final = Client.__table__.c  # type: ignore[attr-defined]  # as above
_OFFICE: Final = Office.__table__.c  # type: ignore[attr-defined]  # as above
_OPENED: Final = (
    # Made once: building the same statement for every request would cost more than running it.
    core_select(_ACCOUNT.id, _ACCOUNT.client_id, _CLIENT.services, _OFFICE.services).where(
        _ACCOUNT.office_id == bindparam("office"),
        _ACCOUNT.id == bindparam("account"),
        _CLIENT.office_id == _ACCOUNT.office_id,
        _CLIENT.id == _ACCOUNT.client_id,
        _OFFICE.id == _ACCOUNT.office_id,
        is_granted(bindparam("office", type_=Uuid()), bindparam("today", type_=Date())),
    )
)


class AccountRepository:
    """Accounts of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, account_id: UUID, *, is_locked: bool = False) -> Account | None:
        """One account. Whoever changes its data holds this lock, so that two workers take turns."""
        query = select(Account).where(Account.office_id == office_id, Account.id == account_id)
        if is_locked:
            query = query.with_for_update()
        return self.session.exec(query).one_or_none()

    def opened(self, office_id: UUID, account_id: UUID, *, today: date) -> OpenedAccount | None:
        """An account whose client a grant opens today, and the services that are on."""
        asked = {"office": office_id, "account": account_id, "today": today}
        found = self.session.connection().execute(_OPENED, asked).one_or_none()
        return None if found is None else OpenedAccount(*found)

    def by_iban(self, office_id: UUID, iban: str, currency: str) -> Account | None:
        """The office's account with this number and currency."""
        return self.session.exec(
            select(Account)
            .where(Account.office_id == office_id, Account.iban == iban, Account.currency == currency)
            .with_for_update()
        ).one_or_none()

    def of_consent(self, office_id: UUID, consent_id: UUID) -> Sequence[Account]:
        """Accounts read under this consent, locked in a fixed order."""
        return self.session.exec(
            select(Account)
            .where(Account.office_id == office_id, Account.consent_id == consent_id)
            .order_by(col(Account.id))
            .with_for_update()
        ).all()

    def of_client(self, office_id: UUID, client_id: UUID) -> Sequence[Account]:
        """All accounts of a client."""
        return self.session.exec(
            select(Account)
            .where(Account.office_id == office_id, Account.client_id == client_id)
            .order_by(col(Account.id))
        ).all()

    def visible(self, office_id: UUID, clients: SelectBase) -> SelectOfScalar[Account]:
        """Query over the accounts of these clients."""
        return select(Account).where(Account.office_id == office_id, col(Account.client_id).in_(clients))

    def visible_ids(self, office_id: UUID, clients: SelectBase) -> SelectOfScalar[UUID]:
        """The same, ids only, for filtering other lists."""
        return select(Account.id).where(Account.office_id == office_id, col(Account.client_id).in_(clients))

    def readable(self, office_id: UUID) -> Sequence[Account]:
        """Accounts whose scheduled reading goes on."""
        return self.session.exec(
            select(Account)
            .where(
                Account.office_id == office_id,
                col(Account.health).in_(READABLE),
                col(Account.consent_id).is_not(None),
            )
            .order_by(col(Account.id))
        ).all()

    def waiting(self, office_id: UUID, *, since: datetime) -> Sequence[Account]:
        """Accounts for which we have to act since that moment or longer, and of which nobody was told."""
        return self.session.exec(
            select(Account).where(
                Account.office_id == office_id,
                Account.health == SyncHealth.WE_ACT,
                col(Account.health_since) <= since,
                col(Account.alerted_at).is_(None),
            )
        ).all()


class BalanceRepository:
    """Balances of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def of_sync(self, office_id: UUID, sync_id: UUID) -> Sequence[Balance]:
        """The balances of one reading."""
        return self.session.exec(
            select(Balance).where(Balance.office_id == office_id, Balance.sync_id == sync_id).order_by(col(Balance.id))
        ).all()

    def closings(self, office_id: UUID, account_id: UUID, *, date_from: date) -> Sequence[Balance]:
        """Balances at the end of a day, from a day on."""
        return self.session.exec(
            select(Balance).where(
                Balance.office_id == office_id,
                Balance.account_id == account_id,
                Balance.kind == "closing_booked",
                col(Balance.reference_date) >= date_from,
            )
        ).all()

    def syncs_of_whole(self, account: Account, history: timedelta) -> frozenset[UUID]:
        """The readings that went as far back as the account was ever read, or as its bank gives (`history`)."""
        rows = self.session.execute(
            core_select(col(Sync.id), col(Sync.window_from), col(Sync.window_until)).where(
                col(Sync.office_id) == account.office_id,
                col(Sync.account_id) == account.id,
                col(Sync.state).in_(TAKEN_IN),
            )
        )
        return frozenset(
            sync_id
            for sync_id, first, last in rows
            if first is not None
            and last is not None
            and (account.history_from is None or first <= max(account.history_from, last - history))
        )


class SyncRepository:
    """Readings of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, sync_id: UUID, *, is_locked: bool = False) -> Sync | None:
        """One reading."""
        query = select(Sync).where(Sync.office_id == office_id, Sync.id == sync_id)
        if is_locked:
            query = query.with_for_update()
        return self.session.exec(query).one_or_none()

    def bank_of(self, office_id: UUID, sync_id: UUID) -> str | None:
        """The bank of a reading that is not finished."""
        return self.session.exec(
            select(Account.bank_id)
            .join(Sync, (col(Sync.account_id) == Account.id) & (col(Sync.office_id) == Account.office_id))
            .where(Sync.office_id == office_id, Sync.id == sync_id, col(Sync.state).in_(UNFINISHED))
        ).one_or_none()

    def of_ids(self, office_id: UUID, sync_ids: Collection[UUID]) -> Sequence[Sync]:
        """Those of these readings that are the office's own."""
        return self.session.exec(select(Sync).where(Sync.office_id == office_id, col(Sync.id).in_(sync_ids))).all()

    def open_of(self, office_id: UUID, account_id: UUID) -> Sync | None:
        """The reading of an account that is not finished, the oldest first."""
        return self.session.exec(
            select(Sync)
            .where(
                Sync.office_id == office_id,
                Sync.account_id == account_id,
                col(Sync.state).in_([SyncState.QUEUED, SyncState.RUNNING]),
            )
            .order_by(col(Sync.requested_at), col(Sync.id))
            .limit(1)
        ).first()

    def has_whole(self, account: Account, history: timedelta, *, stored: datetime, tried: datetime) -> bool:
        """Whether a reading of all that its bank gives (`history`) was stored or at least tried since those moments."""
        moment = col(Sync.started_at)
        return self.session.exec(
            select(
                exists().where(
                    col(Sync.office_id) == account.office_id,
                    col(Sync.account_id) == account.id,
                    col(Sync.window_until) - col(Sync.window_from) >= history.days,
                    or_(moment > tried, and_(moment > stored, col(Sync.state).in_(TAKEN_IN))),
                )
            )
        ).one()

    def last_stored(self, office_id: UUID, account_id: UUID) -> Sync | None:
        """The newest reading that was stored."""
        return self.session.exec(
            select(Sync)
            .where(Sync.office_id == office_id, Sync.account_id == account_id, col(Sync.state).in_(TAKEN_IN))
            .order_by(col(Sync.started_at).desc(), col(Sync.id).desc())
            .limit(1)
        ).first()

    def since(self, office_id: UUID, moment: datetime) -> Sequence[Sync]:
        """Every reading requested from a moment on, and every one that is not finished."""
        return self.session.exec(
            select(Sync)
            .where(
                Sync.office_id == office_id,
                (col(Sync.requested_at) >= moment) | col(Sync.state).in_(UNFINISHED),
            )
            .order_by(col(Sync.requested_at), col(Sync.id))
        ).all()
