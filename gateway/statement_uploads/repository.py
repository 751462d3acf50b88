"""Queries on uploads, and on what is there of an account to compare them with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import SelectBase
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.models import Account
from gateway.statement_uploads.matching import StoredEntry
from gateway.statement_uploads.models import StatementUpload, StatementUploadFile, StatementUploadPart
from gateway.statement_uploads.states import UploadState
from gateway.statements.models import AccountDay
from gateway.statements.states import Proof
from gateway.transactions.documents import DOCUMENT_VERSION
from gateway.transactions.models import BankTransaction


class UploadRepository:
    """Uploads of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, upload_id: UUID, *, is_locked: bool = False) -> StatementUpload | None:
        """One upload."""
        query = select(StatementUpload).where(StatementUpload.office_id == office_id, StatementUpload.id == upload_id)
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def many(self, office_id: UUID, upload_ids: Collection[UUID]) -> Sequence[StatementUpload]:
        """Several uploads."""
        return self.session.exec(
            select(StatementUpload).where(
                StatementUpload.office_id == office_id, col(StatementUpload.id).in_(list(upload_ids))
            )
        ).all()

    def of_clients(self, office_id: UUID, clients: SelectBase) -> SelectOfScalar[StatementUpload]:
        """Query over the uploads of these clients."""
        return select(StatementUpload).where(
            StatementUpload.office_id == office_id, col(StatementUpload.client_id).in_(clients)
        )

    def parts(self, office_id: UUID, upload_ids: Collection[UUID]) -> Sequence[tuple[StatementUploadPart, Account]]:
        """What these uploads come to, with the accounts."""
        rows = self.session.exec(
            select(StatementUploadPart, Account)
            .join(Account, col(Account.id) == col(StatementUploadPart.account_id))
            .where(
                StatementUploadPart.office_id == office_id,
                Account.office_id == office_id,
                col(StatementUploadPart.upload_id).in_(list(upload_ids)),
            )
            .order_by(col(Account.position), col(StatementUploadPart.id))
        )
        return list(rows)

    def files(self, office_id: UUID, upload_ids: Collection[UUID]) -> Sequence[StatementUploadFile]:
        """The files of these uploads, as they were sent."""
        return self.session.exec(
            select(StatementUploadFile)
            .where(StatementUploadFile.office_id == office_id, col(StatementUploadFile.upload_id).in_(list(upload_ids)))
            .order_by(col(StatementUploadFile.id))
        ).all()

    def taken_in(self, office_id: UUID, client_id: UUID, digests: Iterable[str]) -> Mapping[str, datetime]:
        """When files were taken in for a client, by SHA-256; without those that were not."""
        rows = self.session.exec(
            select(StatementUploadFile.sha256, StatementUpload.confirmed_at)
            .join(StatementUpload, col(StatementUpload.id) == col(StatementUploadFile.upload_id))
            .where(
                StatementUploadFile.office_id == office_id,
                col(StatementUploadFile.sha256).in_(list(digests)),
                StatementUpload.office_id == office_id,
                StatementUpload.client_id == client_id,
                StatementUpload.state == UploadState.CONFIRMED,
            )
        )
        return {digest: moment for digest, moment in rows if moment is not None}

    def entries(self, office_id: UUID, account_id: UUID) -> Sequence[StoredEntry]:
        """Every booked transaction of an account that has not vanished."""
        rows = self.session.execute(
            core_select(
                col(BankTransaction.id),
                col(BankTransaction.booking_date),
                col(BankTransaction.amount),
                col(BankTransaction.fingerprint_version),
                col(BankTransaction.occurrence),
            ).where(
                col(BankTransaction.office_id) == office_id,
                col(BankTransaction.account_id) == account_id,
                col(BankTransaction.state) == "booked",
            )
        )
        return [
            StoredEntry(row_id, day, amount, occurrence if version == DOCUMENT_VERSION else 0)
            for row_id, day, amount, version, occurrence in rows
        ]

    def proven_days(self, office_id: UUID, account_id: UUID) -> Mapping[date, Decimal]:
        """Closing balances of the days of an account that are proven."""
        rows = self.session.execute(
            core_select(col(AccountDay.day), col(AccountDay.closing_balance)).where(
                col(AccountDay.office_id) == office_id,
                col(AccountDay.account_id) == account_id,
                col(AccountDay.proof).is_not(None),
                col(AccountDay.proof) != Proof.COMPUTED,
            )
        )
        return {day: balance for day, balance in rows if balance is not None}
