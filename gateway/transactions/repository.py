"""Queries on transactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.statements.models import StatementEntry
from gateway.transactions.absorb import StoredRow, Window
from gateway.transactions.models import BankTransaction, PendingTransaction, ReviewItem, TransactionRevision


class TransactionRepository:
    """Transactions of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, transaction_id: UUID) -> BankTransaction | None:
        """One booked or vanished transaction."""
        return self.session.exec(
            select(BankTransaction).where(BankTransaction.office_id == office_id, BankTransaction.id == transaction_id)
        ).one_or_none()

    def of_accounts(self, office_id: UUID, account_ids: SelectOfScalar[UUID]) -> SelectOfScalar[BankTransaction]:
        """Query over the transactions of these accounts."""
        return select(BankTransaction).where(
            BankTransaction.office_id == office_id, col(BankTransaction.account_id).in_(account_ids)
        )

    def pending_of_accounts(
        self, office_id: UUID, account_ids: SelectOfScalar[UUID]
    ) -> SelectOfScalar[PendingTransaction]:
        """Query over what is announced on these accounts."""
        return select(PendingTransaction).where(
            PendingTransaction.office_id == office_id, col(PendingTransaction.account_id).in_(account_ids)
        )

    def get_pending(self, office_id: UUID, transaction_id: UUID) -> PendingTransaction | None:
        """One announced transaction; its id lives until the next reading."""
        return self.session.exec(
            select(PendingTransaction).where(
                PendingTransaction.office_id == office_id, PendingTransaction.id == transaction_id
            )
        ).one_or_none()

    def outdated(self, office_id: UUID, account_id: UUID, window: Window, version: int) -> Sequence[BankTransaction]:
        """Rows of the window whose fingerprint was made by an older rule."""
        return self.session.exec(
            select(BankTransaction).where(
                BankTransaction.office_id == office_id,
                BankTransaction.account_id == account_id,
                col(BankTransaction.booking_date).between(window.first, window.last),
                BankTransaction.fingerprint_version < version,
            )
        ).all()

    def comparable(
        self, office_id: UUID, account_id: UUID, window: Window, fingerprints: Iterable[str], version: int
    ) -> list[StoredRow]:
        """The rows `absorb.plan` compares with: those of the window, and others that share a fingerprint."""
        table = BankTransaction.__table__  # type: ignore[attr-defined]  # SQLModel sets it on tables
        is_issued = core_select(col(StatementEntry.id)).where(col(StatementEntry.transaction_id) == table.c.id).exists()
        rows = self.session.execute(
            core_select(
                table.c.id,
                table.c.booking_date,
                table.c.amount,
                table.c.fingerprint,
                table.c.occurrence,
                table.c.state == "vanished",
                is_issued,
                table.c.bank_transaction_id,
            ).where(
                table.c.office_id == office_id,
                table.c.account_id == account_id,
                table.c.fingerprint_version == version,
                or_(
                    table.c.booking_date.between(window.first, window.last),
                    table.c.fingerprint.in_(list(fingerprints)),
                ),
            )
        )
        return [StoredRow(*row) for row in rows]

    def add_all(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows plainly: two of the same account, fingerprint, version and occurrence are a defect."""
        if rows:
            self.session.execute(insert(BankTransaction.__table__), list(rows))  # type: ignore[attr-defined]

    def add_revisions(self, revisions: Sequence[TransactionRevision]) -> None:
        """Earlier forms."""
        self.session.add_all(revisions)

    def many(self, office_id: UUID, ids: Iterable[UUID]) -> dict[UUID, BankTransaction]:
        """Several transactions by id."""
        wanted = list(ids)
        if not wanted:
            return {}
        rows = self.session.exec(
            select(BankTransaction).where(BankTransaction.office_id == office_id, col(BankTransaction.id).in_(wanted))
        )
        return {row.id: row for row in rows}

    def set_state(self, office_id: UUID, ids: Sequence[UUID], **values: Any) -> None:
        """Mark several transactions alike."""
        if ids:
            self.session.execute(
                update(BankTransaction)
                .where(col(BankTransaction.office_id) == office_id, col(BankTransaction.id).in_(ids))
                .values(**values)
            )

    def replace_pending(self, office_id: UUID, account_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
        """What is announced now, instead of what was (SYN-07)."""
        self.session.execute(
            delete(PendingTransaction).where(
                col(PendingTransaction.office_id) == office_id, col(PendingTransaction.account_id) == account_id
            )
        )
        if rows:
            self.session.execute(insert(PendingTransaction.__table__), list(rows))  # type: ignore[attr-defined]

    def known_review_digests(self, office_id: UUID, account_id: UUID) -> set[bytes]:
        """What is on the review list of an account already."""
        return set(
            self.session.exec(
                select(ReviewItem.digest).where(ReviewItem.office_id == office_id, ReviewItem.account_id == account_id)
            )
        )
