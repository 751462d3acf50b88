"""Queries on statements, their days and files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import case, delete, func, insert, literal, or_, update
from sqlalchemy import select as core_select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.database import Moment
from gateway.statement_uploads.models import StatementUploadPart
from gateway.statements.models import AccountDay, Statement, StatementChain, StatementEntry, StatementFile
from gateway.statements.offsets import Gone
from gateway.statements.proof import OpenRow
from gateway.statements.states import CLOSED, DayState, Proof, StatementState
from gateway.transactions.models import BankTransaction, PendingTransaction

LONG_AGO: Final = literal(datetime(2000, 1, 1, tzinfo=UTC), Moment)


class StatementRepository:
    """Statements of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, statement_id: UUID) -> Statement | None:
        """One statement, issued or held."""
        return self.session.exec(
            select(Statement).where(Statement.office_id == office_id, Statement.id == statement_id)
        ).one_or_none()

    def of_accounts(self, office_id: UUID, account_ids: SelectOfScalar[UUID]) -> SelectOfScalar[Statement]:
        """Query over the statements of these accounts."""
        return select(Statement).where(Statement.office_id == office_id, col(Statement.account_id).in_(account_ids))

    def with_entry_of(self, office_id: UUID, amount: Decimal) -> SelectOfScalar[UUID]:
        """Ids of the statements with an entry of an amount, credit or debit."""
        return select(StatementEntry.statement_id).where(
            StatementEntry.office_id == office_id, col(StatementEntry.amount).in_([amount, -amount])
        )

    def open_of(self, office_id: UUID, account_id: UUID) -> Sequence[Statement]:
        """Statements of an account that may still be issued."""
        return self.session.exec(
            select(Statement).where(
                Statement.office_id == office_id,
                Statement.account_id == account_id,
                col(Statement.state).not_in(CLOSED),
            )
        ).all()

    def last_issued(self, office_id: UUID, account_ids: Sequence[UUID]) -> dict[UUID, Statement]:
        """The newest issued statement of each account, in one query."""
        rows = self.session.exec(
            select(Statement)
            .where(
                Statement.office_id == office_id,
                col(Statement.account_id).in_(account_ids),
                Statement.state == StatementState.ISSUED,
            )
            .ext(distinct_on(col(Statement.account_id)))
            .order_by(col(Statement.account_id), col(Statement.day).desc(), col(Statement.part).desc())
        )
        return {row.account_id: row for row in rows}

    def has_issued(self, office_id: UUID, account_id: UUID) -> bool:
        """Whether a file of the account was ever issued."""
        query = select(Statement.id).where(
            Statement.office_id == office_id, Statement.account_id == account_id, col(Statement.number).is_not(None)
        )
        return self.session.exec(query.limit(1)).first() is not None

    def prove_computed(self, office_id: UUID, account_id: UUID, *, since: date, until: date) -> None:
        """The bank's balances of these two days agree with what was computed between them (STA-04)."""
        self.session.execute(
            update(Statement)
            .where(
                col(Statement.office_id) == office_id,
                col(Statement.account_id) == account_id,
                col(Statement.proof) == Proof.COMPUTED,
                col(Statement.day).between(since, until),
            )
            .values(
                proof=Proof.PROVEN_BY_SPAN,
                details={"span_from": since.isoformat(), "span_until": until.isoformat()},
            )
        )
        self.session.execute(
            update(AccountDay)
            .where(
                col(AccountDay.office_id) == office_id,
                col(AccountDay.account_id) == account_id,
                col(AccountDay.proof) == Proof.COMPUTED,
                col(AccountDay.day).between(since, until),
            )
            .values(proof=Proof.PROVEN_BY_SPAN, span_from=since, span_until=until)
        )

    def number_max(self, office_id: UUID, account_id: UUID, year: int) -> int:
        """The highest number of a calendar year that a package may hold; 0 when there is none."""
        found = self.session.exec(
            select(func.max(Statement.number)).where(
                Statement.office_id == office_id,
                Statement.account_id == account_id,
                Statement.year == year,
                Statement.state != StatementState.WITHDRAWN,
            )
        ).one()
        return int(found or 0)

    def last_number(self, office_id: UUID, account_id: UUID, year: int) -> int:
        """The number the next file of a year follows: given here, or by the office the account came from."""
        chain = self.chain(office_id, account_id)
        handed = chain.handed_number if chain is not None and chain.handed_year == year else None
        return max(self.number_max(office_id, account_id, year), handed or 0)

    def file(self, office_id: UUID, statement_id: UUID) -> StatementFile | None:
        """The bytes of an issued statement."""
        return self.session.exec(
            select(StatementFile).where(
                StatementFile.office_id == office_id, StatementFile.statement_id == statement_id
            )
        ).one_or_none()

    def entries(self, office_id: UUID, statement_id: UUID) -> SelectOfScalar[StatementEntry]:
        """Query over the entries of a statement."""
        return select(StatementEntry).where(
            StatementEntry.office_id == office_id, StatementEntry.statement_id == statement_id
        )

    def add_entries(self, rows: Sequence[dict[str, Any]]) -> None:
        """Entries of a statement that is being issued."""
        self.session.execute(insert(StatementEntry.__table__), list(rows))  # type: ignore[attr-defined]

    def chain(self, office_id: UUID, account_id: UUID) -> StatementChain | None:
        """The chain of an account, once it has begun."""
        return self.session.exec(
            select(StatementChain).where(StatementChain.office_id == office_id, StatementChain.account_id == account_id)
        ).one_or_none()

    def open_rows(self, office_id: UUID, account_id: UUID) -> list[OpenRow]:
        """Transactions that stand on no issued statement, vanished ones included."""
        table = BankTransaction.__table__  # type: ignore[attr-defined]  # SQLModel sets it on tables
        is_issued = (
            core_select(col(StatementEntry.id))
            .where(col(StatementEntry.transaction_id) == table.c.id, col(StatementEntry.is_live))
            .exists()
        )
        # What a file of the bank gave for its own period counts from the day it is of, as if it had been read in time.
        is_of_period = (
            core_select(col(StatementUploadPart.id))
            .where(
                col(StatementUploadPart.office_id) == office_id,
                col(StatementUploadPart.upload_id) == table.c.upload_id,
                col(StatementUploadPart.account_id) == account_id,
                table.c.booking_date.between(col(StatementUploadPart.first_day), col(StatementUploadPart.last_day)),
            )
            .exists()
        )
        created_at = table.c.created_at
        seen_at = case((table.c.upload_id.is_(None), created_at), (is_of_period, LONG_AGO), else_=created_at)
        rows = self.session.execute(
            core_select(
                table.c.id, table.c.booking_date, table.c.amount, seen_at, table.c.vanished_at, table.c.balance_after
            ).where(table.c.office_id == office_id, table.c.account_id == account_id, ~is_issued)
        )
        return [
            OpenRow(row_id, day, amount, seen, gone, balance_after=after)
            for row_id, day, amount, seen, gone, after in rows
        ]

    def issued_gone(self, office_id: UUID, account_id: UUID) -> list[Gone]:
        """Issued entries that vanished at the bank since, or have another amount there."""
        rows = self.session.execute(
            core_select(
                col(StatementEntry.id),
                col(StatementEntry.amount),
                col(BankTransaction.id),
                col(BankTransaction.booking_date),
                col(BankTransaction.amount),
                col(BankTransaction.changed_at),
                col(BankTransaction.vanished_at),
            )
            .join(BankTransaction, col(BankTransaction.id) == col(StatementEntry.transaction_id))
            .join(Statement, col(Statement.id) == col(StatementEntry.statement_id))
            .where(
                col(StatementEntry.office_id) == office_id,
                col(StatementEntry.account_id) == account_id,
                col(StatementEntry.is_live),
                col(BankTransaction.account_id) == account_id,
                col(Statement.state) == StatementState.ISSUED,
                or_(
                    col(BankTransaction.state) == "vanished",
                    col(BankTransaction.amount) != col(StatementEntry.amount),
                ),
            )
        )
        return [
            Gone(
                entry_id,
                issued,
                vanished_at or changed_at,
                None if vanished_at is not None else OpenRow(row_id, booking_date, amount, changed_at),
            )
            for entry_id, issued, row_id, booking_date, amount, changed_at, vanished_at in rows
        ]

    def issued_entries(self, office_id: UUID, entry_ids: Sequence[UUID]) -> list[tuple[StatementEntry, Statement]]:
        """Entries with the statements they stand on, in the order in which they were issued."""
        rows = self.session.exec(
            select(StatementEntry, Statement)
            .join(Statement, col(Statement.id) == col(StatementEntry.statement_id))
            .where(StatementEntry.office_id == office_id, col(StatementEntry.id).in_(entry_ids))
            .order_by(col(Statement.day), col(Statement.part), col(StatementEntry.sequence))
        )
        return list(rows)

    def earlier_forms(self, office_id: UUID, account_id: UUID) -> dict[UUID, int]:
        """How many issued entries of a transaction were reversed; transactions without any are not named."""
        rows = self.session.execute(
            core_select(col(StatementEntry.transaction_id), func.count())
            .join(Statement, col(Statement.id) == col(StatementEntry.statement_id))
            .where(
                col(StatementEntry.office_id) == office_id,
                col(StatementEntry.account_id) == account_id,
                ~col(StatementEntry.is_live),
                col(StatementEntry.reverses_entry_id).is_(None),
                col(Statement.state) == StatementState.ISSUED,
            )
            .group_by(col(StatementEntry.transaction_id))
        )
        return {row[0]: row[1] for row in rows}

    def pending_amounts(self, office_id: UUID, account_id: UUID) -> tuple[Decimal, ...]:
        """What is announced on an account."""
        return tuple(
            self.session.exec(
                select(col(PendingTransaction.amount)).where(
                    PendingTransaction.office_id == office_id, PendingTransaction.account_id == account_id
                )
            )
        )

    def days(self, office_id: UUID, account_id: UUID, first: date, last: date) -> Sequence[AccountDay]:
        """The days of a period that were decided, in order."""
        return self.session.exec(
            select(AccountDay)
            .where(
                AccountDay.office_id == office_id,
                AccountDay.account_id == account_id,
                col(AccountDay.day).between(first, last),
            )
            .order_by(col(AccountDay.day))
        ).all()

    def held_day(self, office_id: UUID, account_id: UUID) -> date | None:
        """The first day of an account whose balances differ."""
        return self.session.exec(
            select(col(AccountDay.day))
            .where(
                AccountDay.office_id == office_id,
                AccountDay.account_id == account_id,
                AccountDay.state == DayState.HELD,
                AccountDay.cause == "difference",
            )
            .order_by(col(AccountDay.day))
            .limit(1)
        ).first()

    def held_days(self, office_id: UUID) -> dict[UUID, date]:
        """The first day whose balances differ, of every account that has one."""
        rows = self.session.exec(
            select(col(AccountDay.account_id), func.min(AccountDay.day))
            .where(
                AccountDay.office_id == office_id,
                AccountDay.state == DayState.HELD,
                AccountDay.cause == "difference",
            )
            .group_by(col(AccountDay.account_id))
        )
        return dict(rows.all())

    def replace_days(self, office_id: UUID, account_id: UUID, after: date, rows: Sequence[dict[str, Any]]) -> None:
        """Days after the closed ones are decided anew each time."""
        self.session.execute(
            delete(AccountDay).where(
                col(AccountDay.office_id) == office_id,
                col(AccountDay.account_id) == account_id,
                col(AccountDay.day) > after,
            )
        )
        if rows:
            self.session.execute(insert(AccountDay.__table__), list(rows))  # type: ignore[attr-defined]
