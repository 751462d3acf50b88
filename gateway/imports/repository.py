"""Queries on imports, their rows and runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Uuid, delete, func, insert, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.imports.models import ClientImport, ClientImportRow, ClientImportRun, Outcome, RowKind
from gateway.imports.present import among
from gateway.offices.models import Client


class ImportRepository:
    """Everything names the office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, import_id: UUID, *, is_locked: bool = False) -> ClientImport | None:
        """One import; locked, whoever changes it waits."""
        query = select(ClientImport).where(ClientImport.office_id == office_id, ClientImport.id == import_id)
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def all(self, office_id: UUID) -> SelectOfScalar[ClientImport]:
        """Query over the imports of an office."""
        return select(ClientImport).where(ClientImport.office_id == office_id)

    def add_rows(self, office_id: UUID, rows: Sequence[dict[str, Any]]) -> None:
        """Store the rows of a new import, all at once."""
        assert all(row["office_id"] == office_id for row in rows), "rows belong to the office"
        self.session.connection().execute(insert(ClientImportRow.__table__), list(rows))  # type: ignore[attr-defined]  # SQLModel's table

    def rows(self, office_id: UUID, import_id: UUID) -> SelectOfScalar[ClientImportRow]:
        """Query over the rows of an import."""
        return select(ClientImportRow).where(
            ClientImportRow.office_id == office_id, ClientImportRow.import_id == import_id
        )

    def row(self, office_id: UUID, import_id: UUID, number: int) -> ClientImportRow | None:
        """One row."""
        return self.session.exec(self.rows(office_id, import_id).where(ClientImportRow.number == number)).one_or_none()

    def waiting_rows(self, office_id: UUID, import_id: UUID) -> Sequence[ClientImportRow]:
        """Rows that were not imported, in the order of the file."""
        return self.session.exec(
            self.rows(office_id, import_id)
            .where(ClientImportRow.outcome == Outcome.WAITING)
            .order_by(col(ClientImportRow.number))
        ).all()

    def change_rows(self, office_id: UUID, rows: Sequence[dict[str, Any]]) -> None:
        """Update rows by id, all at once; each dict holds `id` and the same columns."""
        assert office_id, "an office acts"
        if rows:
            self.session.execute(update(ClientImportRow), list(rows))

    def queue(self, office_id: UUID, import_id: UUID, run_id: UUID, *, numbers: Sequence[int] | None) -> int:
        """Give the valid rows, or those of them with these numbers, to a run; returns how many."""
        query = update(ClientImportRow).where(
            col(ClientImportRow.office_id) == office_id,
            col(ClientImportRow.import_id) == import_id,
            col(ClientImportRow.outcome) == Outcome.WAITING,
            col(ClientImportRow.kind) != RowKind.INVALID,
        )
        if numbers is not None:
            query = query.where(among(ClientImportRow.number, list(numbers), Integer))
        done = self.session.connection().execute(query.values(outcome=Outcome.QUEUED, run_id=run_id, reason=None))
        return done.rowcount

    def queue_undo(self, office_id: UUID, import_id: UUID, run_id: UUID, *, since: datetime) -> int:
        """Give the rows imported after `since` to an undo; returns how many."""
        done = self.session.connection().execute(
            update(ClientImportRow)
            .where(
                col(ClientImportRow.office_id) == office_id,
                col(ClientImportRow.import_id) == import_id,
                col(ClientImportRow.outcome).in_((Outcome.IMPORTED, Outcome.KEPT)),
                col(ClientImportRow.imported_at) > since,
            )
            .values(outcome=Outcome.UNDO_QUEUED, run_id=run_id, reason=None)
        )
        return done.rowcount

    def release(self, office_id: UUID, run: ClientImportRun, *, back_to: Outcome) -> None:
        """Take the rows that are left away from a run that was stopped."""
        self.session.connection().execute(
            update(ClientImportRow)
            .where(
                col(ClientImportRow.office_id) == office_id,
                col(ClientImportRow.run_id) == run.id,
                col(ClientImportRow.outcome).in_((Outcome.QUEUED, Outcome.UNDO_QUEUED)),
            )
            .values(outcome=back_to)
        )

    def queued(self, office_id: UUID, run: ClientImportRun, outcome: Outcome, *, limit: int) -> list[ClientImportRow]:
        """The next rows of a run, locked."""
        return list(
            self.session.exec(
                select(ClientImportRow)
                .where(
                    ClientImportRow.office_id == office_id,
                    ClientImportRow.run_id == run.id,
                    ClientImportRow.outcome == outcome,
                )
                .order_by(col(ClientImportRow.number))
                .limit(limit)
                .with_for_update()
            )
        )

    def run(self, office_id: UUID, run_id: UUID, *, is_locked: bool = False) -> ClientImportRun | None:
        """One run."""
        query = select(ClientImportRun).where(ClientImportRun.office_id == office_id, ClientImportRun.id == run_id)
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def open_run(self, office_id: UUID, import_id: UUID) -> ClientImportRun | None:
        """The run that has not finished."""
        return self.session.exec(
            select(ClientImportRun).where(
                ClientImportRun.office_id == office_id,
                ClientImportRun.import_id == import_id,
                col(ClientImportRun.finished_at).is_(None),
            )
        ).one_or_none()

    def last_runs(self, office_id: UUID, import_ids: Iterable[UUID]) -> dict[UUID, ClientImportRun]:
        """The newest run of each import."""
        found = self.session.exec(
            select(ClientImportRun)
            .where(ClientImportRun.office_id == office_id, among(ClientImportRun.import_id, list(import_ids), Uuid))
            .order_by(col(ClientImportRun.id))
        )
        return {run.import_id: run for run in found}

    def counts(self, office_id: UUID, import_ids: Iterable[UUID]) -> dict[UUID, dict[tuple[RowKind, Outcome], int]]:
        """Rows per import, kind and outcome."""
        found: dict[UUID, dict[tuple[RowKind, Outcome], int]] = {}
        query = (
            select(ClientImportRow.import_id, ClientImportRow.kind, ClientImportRow.outcome, func.count())
            .where(ClientImportRow.office_id == office_id, among(ClientImportRow.import_id, list(import_ids), Uuid))
            .group_by(col(ClientImportRow.import_id), col(ClientImportRow.kind), col(ClientImportRow.outcome))
        )
        for import_id, kind, outcome, count in self.session.execute(query):
            found.setdefault(import_id, {})[kind, outcome] = count
        return found

    def only_here(self, office_id: UUID, import_id: UUID) -> SelectOfScalar[Client]:
        """Query over the clients that no row of the file speaks of."""
        named = (
            select(ClientImportRow.id)
            .where(
                ClientImportRow.office_id == office_id,
                ClientImportRow.import_id == import_id,
                ClientImportRow.client_id == Client.id,
            )
            .exists()
        )
        return select(Client).where(Client.office_id == office_id, ~named)

    def to_erase(self, office_id: UUID, *, now: datetime) -> Sequence[ClientImport]:
        """Imports whose rows are kept no longer."""
        return self.session.exec(
            select(ClientImport).where(
                ClientImport.office_id == office_id,
                ClientImport.erase_after <= now,
                col(ClientImport.erased_at).is_(None),
            )
        ).all()

    def erase_rows(self, office_id: UUID, import_id: UUID) -> None:
        """Remove every row of an import."""
        self.session.connection().execute(
            delete(ClientImportRow).where(
                col(ClientImportRow.office_id) == office_id, col(ClientImportRow.import_id) == import_id
            )
        )
