"""What changed on transactions, in an order that a reader can follow without missing anything (API-04).

A reading that changes something makes one change set of its account. Sets get their position in the office at the very
end of the unit of work, under the office's head row, which is locked last: a set with a lower position is therefore
committed before one with a higher position can be seen. Within a set, rows follow by id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, literal, or_, update
from sqlalchemy import select as core_select
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.models import Account
from gateway.database import before_commit
from gateway.ids import new_id
from gateway.jobs import enqueue
from gateway.offices.models import OfficeHead
from gateway.transactions.models import BankTransaction, ChangeSet, PendingRemoval, PendingTransaction

INDEX_TASK: Final = "index_transactions"

BOOKED: Final = "booked"
PENDING: Final = "pending"
REMOVED: Final = "removed"

NO_ROW: Final = UUID(int=0)

AnyRow = BankTransaction | PendingTransaction | PendingRemoval


class Changes:
    """The change set of one reading; made when the first change needs it, numbered at the commit."""

    def __init__(self, session: Session, account: Account, *, at: datetime) -> None:
        self._session = session
        self._account = account
        self._at = at
        self._id: UUID | None = None

    @property
    def id(self) -> UUID:
        """Id of the set; asking for it makes it."""
        if self._id is None:
            self._id = new_id()
            self._session.add(
                ChangeSet(
                    id=self._id, office_id=self._account.office_id, account_id=self._account.id, created_at=self._at
                )
            )
            self._session.flush()
            before_commit(self._session, f"change_set:{self._id}", self._number)
            # The words are taken out afterwards: a first reading of years is stored no slower for it.
            enqueue(self._session, INDEX_TASK, office_id=str(self._account.office_id), change_set_id=str(self._id))
        return self._id

    def _number(self, session: Session) -> None:
        position = session.execute(
            update(OfficeHead)
            .where(col(OfficeHead.office_id) == self._account.office_id)
            .values(change_position=OfficeHead.change_position + 1)
            .returning(col(OfficeHead.change_position))
            .execution_options(synchronize_session=False)
        ).scalar_one()
        session.execute(
            update(ChangeSet)
            .where(col(ChangeSet.office_id) == self._account.office_id, col(ChangeSet.id) == self._id)
            .values(position=position)
            .execution_options(synchronize_session=False)
        )


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """How far a reader has come: the set and, within it, the last row seen."""

    position: int = 0
    row_id: UUID = NO_ROW


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """One row after a place, as it is now."""

    place: Place
    kind: str
    """`booked`, `pending` or `removed`."""
    account_id: UUID
    is_added: bool
    """Whether the reader cannot have seen it before. One that changed before it was read may count as modified."""


class ChangeRepository:
    """Queries on change sets."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def after(self, office_id: UUID, place: Place, accounts: SelectOfScalar[UUID], *, limit: int) -> list[ChangedRow]:
        """The next `limit` rows of these accounts that changed after `place`, in order."""
        added = aliased(ChangeSet)
        queries = (
            self._rows(BOOKED, BankTransaction, col(BankTransaction.changed_in), col(added.position)).join(
                added, col(added.id) == col(BankTransaction.added_in)
            ),
            self._rows(PENDING, PendingTransaction, col(PendingTransaction.added_in), col(ChangeSet.position)),
            self._rows(REMOVED, PendingRemoval, col(PendingRemoval.removed_in), col(ChangeSet.position)),
        )
        found: list[ChangedRow] = []
        for query in queries:
            row_id, account_id = query.selected_columns["id"], query.selected_columns["account_id"]
            rows = self.session.execute(
                query.where(
                    col(ChangeSet.office_id) == office_id,
                    or_(
                        col(ChangeSet.position) > place.position,
                        and_(col(ChangeSet.position) == place.position, row_id > place.row_id),
                    ),
                    account_id.in_(accounts),
                )
                .order_by(col(ChangeSet.position), row_id)
                .limit(limit)
            )
            found += [
                ChangedRow(
                    Place(row.position, row.id),
                    row.kind,
                    row.account_id,
                    is_added=row.kind != REMOVED and Place(row.added, row.id) > place,
                )
                for row in rows
            ]
        return sorted(found, key=lambda row: row.place)[:limit]

    def _rows(self, kind: str, table: type[AnyRow], change_set_id: Mapped[UUID], added: Mapped[int]) -> Select[Any]:
        columns: list[ColumnElement[Any]] = [
            col(table.id).label("id"),
            col(table.account_id).label("account_id"),
            literal(kind).label("kind"),
            col(ChangeSet.position).label("position"),
            added.label("added"),
        ]
        return core_select(*columns).join_from(table, ChangeSet, col(ChangeSet.id) == change_set_id)
