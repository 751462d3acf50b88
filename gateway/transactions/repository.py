"""Queries on transactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, or_, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.database import one_of
from gateway.ids import new_id
from gateway.statements.models import Statement, StatementEntry
from gateway.transactions.absorb import StoredRow, Window
from gateway.transactions.documents import DOCUMENT_VERSION
from gateway.transactions.models import (
    BankTransaction,
    PendingRemoval,
    PendingTransaction,
    ReviewItem,
    TransactionLabel,
    TransactionRevision,
)

ListedTransaction = Row[Any]
"""A booked or vanished transaction in a list: the columns of `LISTED`, and `labels`."""
LISTED: Final = tuple(
    column
    for column in BankTransaction.__table__.columns  # type: ignore[attr-defined]
    if column.name not in ("office_id", "raw_cipher")
)
LISTED_NAMES: Final = (*(column.name for column in LISTED), "labels")
"""What the columns of a `ListedTransaction` are called, in their order."""

_LISTED: Final = core_select(
    *LISTED,
    core_select(func.array_agg(TransactionLabel.label))
    .where(
        col(TransactionLabel.office_id) == BankTransaction.office_id,
        col(TransactionLabel.transaction_id) == BankTransaction.id,
    )
    .scalar_subquery()
    .label("labels"),
)


class TransactionRepository:
    """Transactions of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, transaction_id: UUID, *, is_locked: bool = False) -> BankTransaction | None:
        """One booked or vanished transaction."""
        query = select(BankTransaction).where(
            BankTransaction.office_id == office_id, BankTransaction.id == transaction_id
        )
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def of_accounts(self, office_id: UUID, account_ids: SelectOfScalar[UUID]) -> SelectOfScalar[ListedTransaction]:
        """Query over the transactions of these accounts, as lists show them.

        Columns by name, not objects of the mapper: without the bank's own answer, which is large, and with `labels`,
        None where there are none, in the same statement.
        """
        query = _LISTED.where(
            col(BankTransaction.office_id) == office_id, col(BankTransaction.account_id).in_(account_ids)
        )
        # The session gives such rows whole; the type says what one of them is.
        return cast("SelectOfScalar[ListedTransaction]", query)

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
        is_issued = (
            core_select(col(StatementEntry.id))
            .where(col(StatementEntry.transaction_id) == table.c.id, col(StatementEntry.is_live))
            .exists()
        )
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
                    one_of(table.c.fingerprint, fingerprints),
                ),
            )
        )
        return [StoredRow(*row) for row in rows]

    def of_documents(self, office_id: UUID, account_id: UUID, window: Window) -> list[StoredRow]:
        """The rows of the window that files of the bank gave, and that it did not tell itself yet (STA-19)."""
        return self.comparable(office_id, account_id, window, (), DOCUMENT_VERSION)

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
            select(BankTransaction).where(
                BankTransaction.office_id == office_id, one_of(col(BankTransaction.id), wanted)
            )
        )
        return {row.id: row for row in rows}

    def many_pending(self, office_id: UUID, ids: Iterable[UUID]) -> dict[UUID, PendingTransaction]:
        """Several announced transactions by id."""
        wanted = list(ids)
        if not wanted:
            return {}
        rows = self.session.exec(
            select(PendingTransaction).where(
                PendingTransaction.office_id == office_id, one_of(col(PendingTransaction.id), wanted)
            )
        )
        return {row.id: row for row in rows}

    def labels(self, office_id: UUID, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
        """Labels of several transactions, in alphabetical order; those without are left out."""
        found: dict[UUID, list[str]] = {}
        if ids:
            rows = self.session.exec(
                select(TransactionLabel)
                .where(TransactionLabel.office_id == office_id, one_of(col(TransactionLabel.transaction_id), ids))
                .order_by(col(TransactionLabel.label))
            )
            for row in rows:
                found.setdefault(row.transaction_id, []).append(row.label)
        return {transaction_id: sorted(labels) for transaction_id, labels in found.items()}

    def set_labels(self, office_id: UUID, transaction_id: UUID, labels: Sequence[str]) -> None:
        """Exactly these labels."""
        self.session.execute(
            delete(TransactionLabel).where(
                col(TransactionLabel.office_id) == office_id, col(TransactionLabel.transaction_id) == transaction_id
            )
        )
        self.session.add_all(
            TransactionLabel(id=new_id(), office_id=office_id, transaction_id=transaction_id, label=label)
            for label in labels
        )
        self.session.flush()

    def set_state(self, office_id: UUID, ids: Sequence[UUID], **values: Any) -> None:
        """Mark several transactions alike."""
        if ids:
            self.session.execute(
                update(BankTransaction)
                .where(col(BankTransaction.office_id) == office_id, one_of(col(BankTransaction.id), ids))
                .values(**values)
            )

    def pending(self, office_id: UUID, account_id: UUID) -> Sequence[PendingTransaction]:
        """What is announced on one account."""
        return self.session.exec(
            select(PendingTransaction)
            .where(PendingTransaction.office_id == office_id, PendingTransaction.account_id == account_id)
            .order_by(col(PendingTransaction.id))
        ).all()

    def remove_pending(self, office_id: UUID, account_id: UUID, ids: Sequence[UUID], *, change_set_id: UUID) -> None:
        """No longer announced; that it was is noted for those who keep a copy."""
        if not ids:
            return
        self.session.execute(
            delete(PendingTransaction).where(
                col(PendingTransaction.office_id) == office_id, one_of(col(PendingTransaction.id), ids)
            )
        )
        self.session.execute(
            insert(PendingRemoval.__table__),  # type: ignore[attr-defined]
            [
                {"id": gone, "office_id": office_id, "account_id": account_id, "removed_in": change_set_id}
                for gone in ids
            ],
        )

    def add_pending(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """What is announced anew."""
        if rows:
            self.session.execute(insert(PendingTransaction.__table__), list(rows))  # type: ignore[attr-defined]

    def issued_on(self, office_id: UUID, ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """The issued statement on which each of these transactions stands last; those on none are not named."""
        if not ids:
            return {}
        rows = self.session.exec(
            select(StatementEntry.transaction_id, StatementEntry.statement_id)
            .join(Statement, col(Statement.id) == col(StatementEntry.statement_id))
            .where(
                StatementEntry.office_id == office_id,
                col(StatementEntry.transaction_id).in_(ids),
                Statement.state == "issued",
            )
            .order_by(col(Statement.day), col(Statement.part))
        )
        return {transaction_id: statement_id for transaction_id, statement_id in rows if transaction_id is not None}

    def of_days(self, office_id: UUID, account_id: UUID, first: date, last: date) -> Sequence[BankTransaction]:
        """The booked and vanished rows of a period, by day."""
        return self.session.exec(
            select(BankTransaction)
            .where(
                BankTransaction.office_id == office_id,
                BankTransaction.account_id == account_id,
                col(BankTransaction.booking_date).between(first, last),
            )
            .order_by(col(BankTransaction.booking_date), col(BankTransaction.id))
        ).all()

    def last_booking_day(self, office_id: UUID, account_id: UUID) -> date | None:
        """The newest booking day of an account; None while it has no entry."""
        return self.session.exec(
            select(func.max(BankTransaction.booking_date)).where(
                BankTransaction.office_id == office_id,
                BankTransaction.account_id == account_id,
                BankTransaction.state == "booked",
            )
        ).one()

    def booking_days(self, office_id: UUID, account_id: UUID, *, date_from: date) -> Sequence[date]:
        """The days on which an account has entries, from a day on, in order."""
        return self.session.exec(
            select(col(BankTransaction.booking_date))
            .where(
                BankTransaction.office_id == office_id,
                BankTransaction.account_id == account_id,
                BankTransaction.state == "booked",
                col(BankTransaction.booking_date) >= date_from,
            )
            .distinct()
            .order_by(col(BankTransaction.booking_date))
        ).all()

    def occurrence_max(self, office_id: UUID, account_id: UUID, fingerprint: str, version: int) -> int:
        """The highest occurrence of a fingerprint; 0 when there is none."""
        found = self.session.exec(
            select(func.max(BankTransaction.occurrence)).where(
                BankTransaction.office_id == office_id,
                BankTransaction.account_id == account_id,
                BankTransaction.fingerprint == fingerprint,
                BankTransaction.fingerprint_version == version,
            )
        ).one()
        return int(found or 0)

    def has_review_digest(self, office_id: UUID, account_id: UUID, digest: bytes) -> bool:
        """Whether this row is on the review list of an account already, decided or not."""
        query = select(ReviewItem.id).where(
            ReviewItem.office_id == office_id, ReviewItem.account_id == account_id, ReviewItem.digest == digest
        )
        return self.session.exec(query).first() is not None

    def review_decisions(self, office_id: UUID, account_id: UUID) -> dict[bytes, str]:
        """What was decided about rows of an account, by their digest."""
        rows = self.session.exec(
            select(ReviewItem.digest, ReviewItem.decision).where(
                ReviewItem.office_id == office_id,
                ReviewItem.account_id == account_id,
                col(ReviewItem.decision).is_not(None),
            )
        )
        return {digest: decision for digest, decision in rows if decision is not None}

    def review_item(self, office_id: UUID, item_id: UUID, *, is_locked: bool = False) -> ReviewItem | None:
        """One entry of the review list."""
        query = select(ReviewItem).where(ReviewItem.office_id == office_id, ReviewItem.id == item_id)
        if is_locked:
            query = query.with_for_update().execution_options(populate_existing=True)
        return self.session.exec(query).one_or_none()
