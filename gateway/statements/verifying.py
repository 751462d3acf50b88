"""Comparing the stored bytes of issued files with their hashes every night, a step at a time (STA-07).

A difference is told to the operator, once per file, and logged; nothing is ever repaired silently: where bytes and hash
differ, only a backup tells which of the two is right.
"""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from gateway import jobs
from gateway.assembly import Gateway
from gateway.ids import encode, new_id
from gateway.notices.outbox import mail_operator
from gateway.offices.repository import OfficeRepository
from gateway.statements.models import Statement, StatementFile, StatementVerification

TASK: Final = "verify_statement_files_of"
FILES_PER_STEP: Final = 500
"""Compared in one unit of work."""
STEPS_PER_JOB: Final = 20
"""A job that has more to do makes way for others and is queued again."""
TEMPLATE: Final = "statement_bytes_differ"

log = logging.getLogger("gateway.statements.verifying")


class FileVerifier:
    """Stored files of an installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def begin(self) -> None:
        """One job per office."""
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        for office_id in offices:
            with self.gateway.database.unit_of_work(office_id) as session:
                self._queue(session, office_id)

    def run(self, office_id: UUID) -> bool:
        """Go on with the round of an office, or begin one; whether it is finished."""
        for _ in range(STEPS_PER_JOB):
            if self.step(office_id):
                return True
        with self.gateway.database.unit_of_work(office_id) as session:
            self._queue(session, office_id)
        return False

    def step(self, office_id: UUID) -> bool:
        """Compare the next files; whether these were the last. A crash repeats a step, which harms nothing."""
        with self.gateway.database.unit_of_work(office_id) as session:
            round_ = self._open_round(session, office_id)
            found = self._next(session, office_id, round_.after_id)
            for statement_id, is_whole in found:
                if not is_whole:
                    round_.differences_count += 1
                    self._tell(session, office_id, statement_id)
            round_.files_count += len(found)
            if found:
                round_.after_id = found[-1][0]
            is_last = len(found) < FILES_PER_STEP
            if is_last:
                round_.finished_at = self.gateway.real_now()
            session.add(round_)
        return is_last

    def _next(self, session: Session, office_id: UUID, after_id: UUID | None) -> list[tuple[UUID, bool]]:
        """Statements with bytes, and whether those are what was issued. Hashed where they lie: no file travels."""
        stored = func.encode(func.sha256(col(StatementFile.content)), "hex")
        query = (
            core_select(
                col(Statement.id),
                (stored == col(Statement.sha256)) & (col(StatementFile.sha256) == col(Statement.sha256)),
            )
            .outerjoin(StatementFile, col(StatementFile.statement_id) == col(Statement.id))
            .where(col(Statement.office_id) == office_id, col(Statement.sha256).is_not(None))
            .order_by(col(Statement.id))
            .limit(FILES_PER_STEP)
        )
        if after_id is not None:
            query = query.where(col(Statement.id) > after_id)
        return [(row[0], bool(row[1])) for row in session.execute(query)]

    def _open_round(self, session: Session, office_id: UUID) -> StatementVerification:
        found = session.exec(
            select(StatementVerification)
            .where(StatementVerification.office_id == office_id, col(StatementVerification.finished_at).is_(None))
            .order_by(col(StatementVerification.id))
            .limit(1)
            .with_for_update()
        ).first()
        if found is not None:
            return found
        return StatementVerification(id=new_id(), office_id=office_id, started_at=self.gateway.real_now())

    def _tell(self, session: Session, office_id: UUID, statement_id: UUID) -> None:
        statement = encode("statement", statement_id)
        log.error("stored file differs", extra={"office_id": str(office_id), "statement_id": str(statement_id)})
        mail_operator(
            session, self.gateway, office_id, template=TEMPLATE,
            parameters={"statement": statement, "office": encode("office", office_id)},
            key=f"{TEMPLATE}:{statement_id}",
        )  # fmt: skip

    def _queue(self, session: Session, office_id: UUID) -> None:
        jobs.enqueue(session, TASK, lock=f"{TASK}:{office_id}", office_id=str(office_id))
