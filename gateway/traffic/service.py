"""Recorded traffic: switched on for one consent and a while, read and played back by an administrator (OPS-08, SYN-10).

Switching on, off and reading are audited. An operator may switch and replay by a command, and sees which fields differ,
never their values (OFF-08). Decision record: docs/decisions/0053-recorded-traffic.md.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session, col

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents.errors import ConsentNotFound
from gateway.consents.models import Consent
from gateway.consents.repository import ConsentRepository
from gateway.consents.states import ConsentState
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.repository import OfficeRepository
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.traffic.content import Content, unpacked
from gateway.traffic.errors import (
    RecordedReadingNotFound,
    TrafficAlreadyRecorded,
    TrafficNotRecordable,
    TrafficRecordingNotFound,
)
from gateway.traffic.models import READING_BINDING, EndCode, RecordedReading, TrafficRecording
from gateway.traffic.recorder import end
from gateway.traffic.replay import Comparison, Outcome, Replayed, StoredForm, compare, raw_text, read
from gateway.traffic.repository import TrafficRepository
from gateway.transactions.merging import opened_raw
from gateway.transactions.models import BankTransaction, TransactionFacts

DAYS_MAX: Final = 14
CALLS_MAX: Final = 2_000
MEGABYTES_MAX: Final = 50
DAYS_DEFAULT: Final = 7
CALLS_DEFAULT: Final = 500
MEGABYTES_DEFAULT: Final = 20
MEGABYTE: Final = 1024 * 1024

log = logging.getLogger("gateway.traffic")


@dataclass(frozen=True, slots=True)
class RecordingView:
    """A recording and what it holds."""

    recording: TrafficRecording
    readings: Sequence[RecordedReading]


@dataclass(frozen=True, slots=True)
class ReplayedReading:
    """One recorded reading and what playing it tells."""

    reading: RecordedReading
    comparison: Comparison


class TrafficService:
    """Everything about recorded traffic but the recording itself."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def start(
        self, act: Act, consent_id: UUID, *, reason: str, days: int, calls_max: int, megabytes_max: int
    ) -> TrafficRecording:
        """Record the answers of this consent from now on, within these limits.

        Raises `ConsentNotFound`, `TrafficNotRecordable`, `TrafficAlreadyRecorded`, and what `require_client` raises.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = self._consent(session, act, consent_id, is_change=True)
            self._require_person(act)
            if consent.state != ConsentState.VALID:
                raise TrafficNotRecordable
            known = TrafficRepository(session).running(act.office_id, consent_id, is_locked=True)
            if known is not None and known.expires_at > act.now:
                raise TrafficAlreadyRecorded
            if known is not None:
                end(self.gateway, session, act, known, EndCode.EXPIRED)
                session.flush()
            recording = TrafficRecording(
                id=new_id(),
                office_id=act.office_id,
                client_id=consent.client_id,
                consent_id=consent.id,
                bank_id=consent.bank_id,
                reason=reason,
                started_at=act.now,
                expires_at=act.now + timedelta(days=days),
                calls_max=calls_max,
                bytes_max=megabytes_max * MEGABYTE,
            )
            session.add(recording)
            self.gateway.audit.record(
                session, act, "traffic.recording_started", "traffic_recording", recording.id,
                client_id=consent.client_id,
                changes={
                    "consent_id": Change(None, consent.id),
                    "reason": Change(None, reason),
                    "expires_at": Change(None, recording.expires_at),
                    "calls_max": Change(None, recording.calls_max),
                    "bytes_max": Change(None, recording.bytes_max),
                },
            )  # fmt: skip
        return recording

    def page(self, act: Act, consent_id: UUID, request: PageRequest) -> tuple[list[TrafficRecording], str | None]:
        """Recordings of a consent, the newest first."""
        order = [Sort(col(TrafficRecording.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            self._consent(session, act, consent_id)
            query = TrafficRepository(session).of_consent(act.office_id, consent_id)
            rows, cursor = self.gateway.pager.page(
                session, query, order, request, name=f"traffic:{act.office_id}:{consent_id}"
            )
            return list(rows), cursor

    def get(self, act: Act, recording_id: UUID) -> RecordingView:
        """One recording with the readings in it, not what they hold; raises `TrafficRecordingNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            recording = self._recording(session, act, recording_id)
            return RecordingView(recording, TrafficRepository(session).readings(act.office_id, recording_id))

    def stop(self, act: Act, recording_id: UUID, *, is_erased: bool) -> RecordingView:
        """End a recording; with `is_erased` what it holds goes at once. Repeated, it changes nothing."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            recording = self._recording(session, act, recording_id, is_locked=True)
            if recording.ended_at is None:
                end(self.gateway, session, act, recording, EndCode.STOPPED)
            traffic = TrafficRepository(session)
            if is_erased:
                count = traffic.erase(act.office_id, recording_id)
                if count:
                    self._note(session, act, recording, "erased", {"readings": Change(count, 0)})
            return RecordingView(recording, traffic.readings(act.office_id, recording_id))

    def reading(self, act: Act, recording_id: UUID, reading_id: UUID) -> tuple[RecordedReading, Content]:
        """What the bank answered, as it came; for a person of the office, with a fresh second factor."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            recording = self._recording(session, act, recording_id)
            act.require_fresh_second_factor()
            found = TrafficRepository(session).reading(act.office_id, recording_id, reading_id)
            if found is None:
                raise RecordedReadingNotFound
            self._note(session, act, recording, "read", {"reading_id": Change(None, found.id)})
            return found, self._opened(found)

    def replay(self, act: Act, recording_id: UUID) -> list[ReplayedReading]:
        """Play the newest reading of each account through the present connector; changes nothing, calls no bank.

        Raises `TrafficRecordingNotFound`, `BankNotConfigured`.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            recording = self._recording(session, act, recording_id)
            readings = _newest(TrafficRepository(session).readings(act.office_id, recording_id))
            self._note(session, act, recording, "replayed", {"readings": Change(None, len(readings))})
        return [ReplayedReading(reading, self._compared(act, recording.bank_id, reading)) for reading in readings]

    def prune(self) -> None:
        """End what is over by time, and let go of what is older than the retention, office by office."""
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        kept = timedelta(days=self.gateway.settings.traffic_retention_days)
        for office_id in offices:
            act = self.gateway.system_act(office_id)
            with self.gateway.database.unit_of_work(office_id) as session:
                traffic = TrafficRepository(session)
                for recording in traffic.overdue(office_id, act.now):
                    end(self.gateway, session, act, recording, EndCode.EXPIRED)
                count = traffic.prune(office_id, act.now - kept)
            if count:
                log.info("recorded traffic pruned", extra={"office_id": str(office_id), "count": count})

    def _compared(self, act: Act, bank_id: str, reading: RecordedReading) -> Comparison:
        if not reading.is_whole:
            return Comparison(Outcome.NOT_WHOLE)
        content = self._opened(reading)
        connector = self.gateway.banks.replaying(bank_id, content.answers, at=reading.recorded_at)
        replayed = read(connector, content.question)
        if not isinstance(replayed, Replayed):
            return replayed
        days = (replayed.date_from, content.question.today)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            rows = TrafficRepository(session).stored(act.office_id, reading.account_id, days, reading.recorded_at)
            forms = [self._form(row) for row in rows]
        return compare(replayed, forms, reading.recorded_at)

    def _form(self, row: BankTransaction) -> StoredForm:
        facts = {name: getattr(row, name) for name in ("booking_date", *TransactionFacts.model_fields)}
        raw = raw_text(opened_raw(self.gateway.keys, row))
        return StoredForm(row.id, facts, raw, row.fingerprint, row.bank_transaction_id, row.changed_at)

    def _opened(self, reading: RecordedReading) -> Content:
        return unpacked(
            self.gateway.keys.decrypt(
                reading.content_cipher, office_id=reading.office_id, table=READING_BINDING, row_id=reading.id
            )
        )

    def _require_person(self, act: Act) -> None:
        """A person of the office shows a fresh second factor; a command is an operator's, who gave one."""
        if not act.principal.runs_installation:
            act.require_fresh_second_factor()

    def _consent(self, session: Session, act: Act, consent_id: UUID, *, is_change: bool = False) -> Consent:
        act.require_for_office(Permission.ADMIN)
        consent = ConsentRepository(session).get(act.office_id, consent_id, is_locked=is_change)
        if consent is None:
            raise ConsentNotFound
        try:
            require_client(session, act, consent.client_id, Permission.ADMIN, is_change=is_change)
        except NotFound:
            raise ConsentNotFound from None
        return consent

    def _recording(
        self, session: Session, act: Act, recording_id: UUID, *, is_locked: bool = False
    ) -> TrafficRecording:
        act.require_for_office(Permission.ADMIN)
        found = TrafficRepository(session).get(act.office_id, recording_id, is_locked=is_locked)
        if found is None:
            raise TrafficRecordingNotFound
        try:
            require_client(session, act, found.client_id, Permission.ADMIN)
        except NotFound:
            raise TrafficRecordingNotFound from None
        return found

    def _note(
        self, session: Session, act: Act, recording: TrafficRecording, what: str, changes: dict[str, Change]
    ) -> None:
        self.gateway.audit.record(
            session, act, f"traffic.{what}", "traffic_recording", recording.id, client_id=recording.client_id,
            changes=changes,
        )  # fmt: skip


def _newest(readings: Sequence[RecordedReading]) -> list[RecordedReading]:
    """The newest of each account, one that is whole before one that is not."""
    found: dict[UUID, RecordedReading] = {}
    for reading in readings:
        known = found.get(reading.account_id)
        if known is None or reading.is_whole or not known.is_whole:
            found[reading.account_id] = reading
    return list(found.values())
