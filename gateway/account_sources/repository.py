"""Queries on bank-made files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import SelectBase, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.account_sources.models import BankFile, SourceSwitch
from gateway.account_sources.states import BankFileState
from gateway.accounts.models import Account
from gateway.foreign_files.models import ForeignFile, ForeignStatement


class BankFileRepository:
    """Bank-made files of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, bank_file_id: UUID, *, is_locked: bool = False) -> BankFile | None:
        """One bank-made file."""
        query = select(BankFile).where(BankFile.office_id == office_id, BankFile.id == bank_file_id)
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def of_clients(self, office_id: UUID, clients: SelectBase) -> SelectOfScalar[BankFile]:
        """Query over the bank-made files of these clients."""
        return select(BankFile).where(BankFile.office_id == office_id, col(BankFile.client_id).in_(clients))

    def of_account(self, office_id: UUID, account_id: UUID) -> Sequence[BankFile]:
        """The bank-made files of an account, by their days."""
        return self.session.exec(
            select(BankFile)
            .where(BankFile.office_id == office_id, BankFile.account_id == account_id)
            .order_by(col(BankFile.last_day), col(BankFile.id))
        ).all()

    def switches(self, office_id: UUID, account_id: UUID) -> SelectOfScalar[SourceSwitch]:
        """Query over the switches of an account."""
        return select(SourceSwitch).where(SourceSwitch.office_id == office_id, SourceSwitch.account_id == account_id)

    def contents(self, office_id: UUID, file_ids: Iterable[UUID]) -> dict[UUID, ForeignFile]:
        """The files themselves, in one query."""
        rows = self.session.exec(
            select(ForeignFile).where(ForeignFile.office_id == office_id, col(ForeignFile.id).in_(list(file_ids)))
        )
        return {row.id: row for row in rows}

    def facts(self, office_id: UUID, file_ids: Iterable[UUID]) -> dict[UUID, tuple[str | None, str, int]]:
        """Name, SHA-256 and size of files, without their bytes."""
        rows = self.session.exec(
            select(ForeignFile.id, ForeignFile.name, ForeignFile.sha256, func.length(ForeignFile.content)).where(
                ForeignFile.office_id == office_id, col(ForeignFile.id).in_(list(file_ids))
            )
        )
        return {file_id: (name, sha256, size) for file_id, name, sha256, size in rows}

    def ibans(self, office_id: UUID, account_ids: Iterable[UUID]) -> dict[UUID, str]:
        """Numbers of accounts."""
        rows = self.session.exec(
            select(Account.id, Account.iban).where(
                Account.office_id == office_id, col(Account.id).in_(list(account_ids))
            )
        )
        return dict(rows.all())

    def last_passed_day(self, office_id: UUID, account_id: UUID) -> date | None:
        """The last day of the files of an account that were passed on."""
        return self.session.exec(
            select(func.max(BankFile.last_day)).where(
                BankFile.office_id == office_id,
                BankFile.account_id == account_id,
                BankFile.state == BankFileState.PASSED_ON,
            )
        ).one()

    def last_statement(self, office_id: UUID, account_id: UUID, *, before: date) -> ForeignStatement | None:
        """The last bank-made statement of an account that was passed on and closes before a day."""
        return self.session.exec(
            select(ForeignStatement)
            .join(BankFile, col(BankFile.file_id) == col(ForeignStatement.file_id))
            .where(
                ForeignStatement.office_id == office_id,
                BankFile.office_id == office_id,
                BankFile.account_id == account_id,
                BankFile.state == BankFileState.PASSED_ON,
                col(ForeignStatement.closing_date) < before,
            )
            .order_by(col(ForeignStatement.closing_date).desc(), col(ForeignStatement.position).desc())
            .limit(1)
        ).first()
