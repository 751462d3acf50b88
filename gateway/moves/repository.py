"""Queries on moves."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.models import Account
from gateway.moves.models import ClientMove, ClientMoveAccount, MoveState


class MoveRepository:
    """Moves to one office, and the accounts of an office that may move away."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, move_id: UUID, *, is_locked: bool = False) -> ClientMove | None:
        """One move."""
        query = select(ClientMove).where(ClientMove.office_id == office_id, ClientMove.id == move_id)
        if is_locked:
            query = query.with_for_update()
        return self.session.exec(query).one_or_none()

    def of_client(self, office_id: UUID, client_id: UUID) -> SelectOfScalar[ClientMove]:
        """Query over the moves of a client."""
        return select(ClientMove).where(ClientMove.office_id == office_id, ClientMove.client_id == client_id)

    def open_ids(self, office_id: UUID) -> list[UUID]:
        """Moves that are not done."""
        return list(
            self.session.exec(
                select(ClientMove.id)
                .where(ClientMove.office_id == office_id, ClientMove.state == MoveState.REQUESTED)
                .order_by(col(ClientMove.id))
            )
        )

    def accounts(self, office_id: UUID, move_ids: Sequence[UUID]) -> Sequence[tuple[ClientMoveAccount, Account]]:
        """The accounts of these moves."""
        return self.session.exec(
            select(ClientMoveAccount, Account)
            .join(Account, col(Account.id) == ClientMoveAccount.account_id)
            .where(ClientMoveAccount.office_id == office_id, col(ClientMoveAccount.move_id).in_(move_ids))
            .order_by(col(ClientMoveAccount.id))
        ).all()

    def former(self, office_id: UUID, iban: str, currency: str, *, move_id: UUID) -> Account | None:
        """The account of a former office with this number, locked: connected once, and not moved by another move."""
        found = self.session.exec(
            select(Account)
            .where(
                Account.office_id == office_id,
                Account.iban == iban,
                Account.currency == currency,
                # One that was only named by payments was never that office's to deliver.
                col(Account.history_from).is_not(None) | col(Account.consent_id).is_not(None),
            )
            .with_for_update()
        ).one_or_none()
        return found if found is not None and found.moved_by in (None, move_id) else None

    def taken(self, office_id: UUID, iban: str, currency: str, *, move_id: UUID) -> Account | None:
        """The account of a former office that this move made read-only."""
        query = select(Account).where(
            Account.office_id == office_id,
            Account.iban == iban,
            Account.currency == currency,
            Account.moved_by == move_id,
        )
        return self.session.exec(query).one_or_none()

    def stays(self, office_id: UUID, client_id: UUID) -> bool:
        """Whether an account of the client did not move away."""
        query = select(Account.id).where(
            Account.office_id == office_id, Account.client_id == client_id, col(Account.moved_on).is_(None)
        )
        return self.session.exec(query.limit(1)).first() is not None
