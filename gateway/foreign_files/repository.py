"""Queries on foreign files and hand-overs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import SelectBase, delete, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.foreign_files.models import ForeignFile, ForeignStatement, NumberingHandover
from gateway.foreign_files.states import HandoverState
from gateway.statements.models import AccountDay, Statement, StatementChain


class ForeignFileRepository:
    """Foreign files of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def kept(self, office_id: UUID, client_id: UUID, digests: Iterable[str]) -> dict[str, UUID]:
        """Files of a client that were sent before, by SHA-256."""
        rows = self.session.exec(
            select(ForeignFile.sha256, ForeignFile.id).where(
                ForeignFile.office_id == office_id,
                ForeignFile.client_id == client_id,
                col(ForeignFile.sha256).in_(list(digests)),
            )
        )
        return dict(rows.all())

    def numbers(
        self, office_id: UUID, iban: str, currency: str, number_key: str, *, but_not: Iterable[str] = ()
    ) -> set[tuple[int, int]]:
        """Calendar year and number of every statement of an account that was handed in.

        Without those numbered 0, and those of the files with these SHA-256.
        """
        number = col(ForeignStatement.paper_number if number_key == "paper" else ForeignStatement.coda_number)
        rows = self.session.exec(
            select(func.extract("year", col(ForeignStatement.closing_date)), number)
            .join(ForeignFile, col(ForeignFile.id) == col(ForeignStatement.file_id))
            .where(
                ForeignStatement.office_id == office_id,
                ForeignStatement.iban == iban,
                ForeignStatement.currency == currency,
                number > 0,
                ForeignFile.office_id == office_id,
                col(ForeignFile.sha256).not_in(list(but_not)),
            )
        )
        return {(int(year), found) for year, found in rows}


class HandoverRepository:
    """Hand-overs of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, handover_id: UUID, *, is_locked: bool = False) -> NumberingHandover | None:
        """One hand-over."""
        query = select(NumberingHandover).where(
            NumberingHandover.office_id == office_id, NumberingHandover.id == handover_id
        )
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def of_clients(self, office_id: UUID, clients: SelectBase) -> SelectOfScalar[NumberingHandover]:
        """Query over the hand-overs of these clients."""
        return select(NumberingHandover).where(
            NumberingHandover.office_id == office_id, col(NumberingHandover.client_id).in_(clients)
        )

    def present(self, office_id: UUID, client_id: UUID) -> Sequence[NumberingHandover]:
        """What stands for the accounts of a client: everything but what was replaced, the newest first."""
        return self.session.exec(
            select(NumberingHandover)
            .where(
                NumberingHandover.office_id == office_id,
                NumberingHandover.client_id == client_id,
                NumberingHandover.state != HandoverState.REPLACED,
            )
            .order_by(col(NumberingHandover.id).desc())
        ).all()

    def of_account(
        self, office_id: UUID, iban: str, currency: str, *, but_not: UUID | None = None
    ) -> Sequence[NumberingHandover]:
        """The hand-overs of an account that were not replaced yet, locked in a fixed order."""
        query = select(NumberingHandover).where(
            NumberingHandover.office_id == office_id,
            NumberingHandover.iban == iban,
            NumberingHandover.currency == currency,
            NumberingHandover.state != HandoverState.REPLACED,
        )
        if but_not is not None:
            query = query.where(NumberingHandover.id != but_not)
        return self.session.exec(query.order_by(col(NumberingHandover.id)).with_for_update()).all()

    def first_issued(self, office_id: UUID, account_id: UUID) -> Statement | None:
        """The first statement of an account that ever got a number."""
        return self.session.exec(
            select(Statement)
            .where(
                Statement.office_id == office_id,
                Statement.account_id == account_id,
                col(Statement.number).is_not(None),
            )
            .order_by(col(Statement.day), col(Statement.part))
            .limit(1)
        ).first()

    def forget_chain(self, office_id: UUID, account_id: UUID) -> None:
        """Take back what was worked out for an account of which no file was issued: it is decided anew."""
        for table in (AccountDay, Statement, StatementChain):
            self.session.execute(
                delete(table).where(col(table.office_id) == office_id, col(table.account_id) == account_id)
            )
