"""Queries on recorded traffic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.traffic.models import RecordedReading, TrafficRecording
from gateway.transactions.models import BankTransaction


class TrafficRepository:
    """Recordings of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, recording_id: UUID, *, is_locked: bool = False) -> TrafficRecording | None:
        """One recording; locked when it is to change."""
        query = select(TrafficRecording).where(
            TrafficRecording.office_id == office_id, TrafficRecording.id == recording_id
        )
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def running(self, office_id: UUID, consent_id: UUID, *, is_locked: bool = False) -> TrafficRecording | None:
        """The one that has not ended, if any; its time may be over all the same."""
        query = select(TrafficRecording).where(
            TrafficRecording.office_id == office_id,
            TrafficRecording.consent_id == consent_id,
            col(TrafficRecording.ended_at).is_(None),
        )
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def of_consent(self, office_id: UUID, consent_id: UUID) -> SelectOfScalar[TrafficRecording]:
        """Query over the recordings of a consent."""
        return select(TrafficRecording).where(
            TrafficRecording.office_id == office_id, TrafficRecording.consent_id == consent_id
        )

    def overdue(self, office_id: UUID, now: datetime) -> Sequence[TrafficRecording]:
        """Running ones whose time is over, locked."""
        return self.session.exec(
            select(TrafficRecording)
            .where(
                TrafficRecording.office_id == office_id,
                col(TrafficRecording.ended_at).is_(None),
                TrafficRecording.expires_at <= now,
            )
            .order_by(col(TrafficRecording.id))
            .with_for_update()
        ).all()

    def readings(self, office_id: UUID, recording_id: UUID) -> Sequence[RecordedReading]:
        """What was recorded, oldest first."""
        return self.session.exec(
            select(RecordedReading)
            .where(RecordedReading.office_id == office_id, RecordedReading.recording_id == recording_id)
            .order_by(col(RecordedReading.id))
        ).all()

    def reading(self, office_id: UUID, recording_id: UUID, reading_id: UUID) -> RecordedReading | None:
        """One reading of a recording."""
        return self.session.exec(
            select(RecordedReading).where(
                RecordedReading.office_id == office_id,
                RecordedReading.recording_id == recording_id,
                RecordedReading.id == reading_id,
            )
        ).one_or_none()

    def erase(self, office_id: UUID, recording_id: UUID) -> int:
        """Delete what was recorded; the recording stays, to say that there was one."""
        return self._delete(RecordedReading.office_id == office_id, RecordedReading.recording_id == recording_id)

    def prune(self, office_id: UUID, before: datetime) -> int:
        """Delete what is older."""
        return self._delete(RecordedReading.office_id == office_id, RecordedReading.recorded_at < before)

    def stored(self, office_id: UUID, account_id: UUID, days: tuple[Any, Any], until: datetime) -> list[Any]:
        """The account's rows on these days that were there at a moment, whatever became of them since."""
        rows = self.session.exec(
            select(BankTransaction)
            .where(
                BankTransaction.office_id == office_id,
                BankTransaction.account_id == account_id,
                col(BankTransaction.booking_date).between(*days),
                BankTransaction.created_at <= until,
            )
            .order_by(col(BankTransaction.booking_date), col(BankTransaction.id))
        ).all()
        return [row for row in rows if row.vanished_at is None or row.vanished_at > until]

    def _delete(self, *conditions: Any) -> int:
        gone = self.session.execute(delete(RecordedReading).where(*conditions).returning(col(RecordedReading.id)))
        return len(gone.all())
