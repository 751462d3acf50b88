"""Keeping the answers of one reading, while its consent is recorded and within the limits.

What is kept never decides about the reading: answers are gathered in memory while the bank is called, and stored after
the reading itself was.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import Session

from connectors.http import BankAnswer, BankRequest
from connectors.replay import RecordedAnswer, recorded
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.banks.listening import listening
from gateway.ids import new_id
from gateway.traffic.content import Content, Question, packed
from gateway.traffic.models import READING_BINDING, EndCode, RecordedReading, TrafficRecording
from gateway.traffic.repository import TrafficRepository


@dataclass(slots=True)
class Recorder:
    """Gathers the answers of one reading; without a recording it hears nothing."""

    recording_id: UUID | None = None
    calls_left: int = 0
    bytes_left: int = 0
    answers: list[RecordedAnswer] = field(default_factory=list, repr=False)
    cut_by: EndCode | None = None
    """The limit that was reached in the middle: from there on nothing is heard."""

    def listening(self) -> AbstractContextManager[None]:
        """Hear the answers of this thread until the end of the block."""
        return listening(self.hear if self.recording_id is not None else None)

    def hear(self, request: BankRequest, answer: BankAnswer) -> None:
        """Keep an answer, while there is room."""
        found = recorded(request, answer)
        if found is None or self.cut_by is not None:
            return
        if len(self.answers) >= self.calls_left:
            self.cut_by = EndCode.CALLS_REACHED
        elif self.body_bytes + len(found.body) > self.bytes_left:
            self.cut_by = EndCode.BYTES_REACHED
        else:
            self.answers.append(found)

    @property
    def body_bytes(self) -> int:
        """How much was heard."""
        return sum(len(answer.body) for answer in self.answers)


def recorder_of(gateway: Gateway, session: Session, act: Act, consent_id: UUID) -> Recorder:
    """What gathers the answers of a reading under this consent; one that is over by time is ended here."""
    found = TrafficRepository(session).running(act.office_id, consent_id)
    if found is None:
        return Recorder()
    if found.expires_at <= act.now:
        held = TrafficRepository(session).get(act.office_id, found.id, is_locked=True)
        if held is not None and held.ended_at is None:
            end(gateway, session, act, held, EndCode.EXPIRED)
        return Recorder()
    return Recorder(found.id, found.calls_max - found.calls, found.bytes_max - found.body_bytes)


def keep(
    gateway: Gateway, act: Act, recorder: Recorder, account_id: UUID, question: Question, *, error_code: str | None
) -> None:
    """Store what was gathered; nothing when the recording was ended meanwhile."""
    if recorder.recording_id is None or not (recorder.answers or recorder.cut_by):
        return
    with gateway.database.unit_of_work(act.office_id) as session:
        recording = TrafficRepository(session).get(act.office_id, recorder.recording_id, is_locked=True)
        if recording is None or recording.ended_at is not None:
            return
        calls, size = recording.calls + len(recorder.answers), recording.body_bytes + recorder.body_bytes
        # Another account of the consent may have used the room meanwhile: what is over the limit is not kept.
        over = EndCode.CALLS_REACHED if calls > recording.calls_max else None
        over = over or (EndCode.BYTES_REACHED if size > recording.bytes_max else None)
        if over is None and recorder.answers:
            session.add(_row(gateway, act, recorder, account_id, question, error_code=error_code))
            recording.calls, recording.body_bytes = calls, size
            session.add(recording)
        full = EndCode.CALLS_REACHED if recording.calls >= recording.calls_max else None
        cause = over or recorder.cut_by or full
        if cause is not None:
            end(gateway, session, act, recording, cause)


def _row(
    gateway: Gateway, act: Act, recorder: Recorder, account_id: UUID, question: Question, *, error_code: str | None
) -> RecordedReading:
    assert recorder.recording_id is not None, "asked for a recording"
    row_id = new_id()
    return RecordedReading(
        id=row_id,
        office_id=act.office_id,
        recording_id=recorder.recording_id,
        account_id=account_id,
        recorded_at=act.now,
        calls=len(recorder.answers),
        body_bytes=recorder.body_bytes,
        is_whole=recorder.cut_by is None,
        error_code=error_code,
        content_cipher=gateway.keys.encrypt(
            packed(Content(question, recorder.answers)), office_id=act.office_id, table=READING_BINDING, row_id=row_id
        ),
    )


def end(gateway: Gateway, session: Session, act: Act, recording: TrafficRecording, code: EndCode) -> None:
    """Switch a recording off, audited. The caller holds its row."""
    recording.ended_at, recording.end_code = act.now, code
    session.add(recording)
    gateway.audit.record(
        session, act, "traffic.recording_ended", "traffic_recording", recording.id, client_id=recording.client_id,
        changes={
            "end_code": Change(None, str(code)),
            "calls": Change(None, recording.calls),
            "body_bytes": Change(None, recording.body_bytes),
        },
    )  # fmt: skip
