"""API shapes of recorded traffic."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from gateway.api import Day, MomentText, Shape
from gateway.ids import AccountId, ClientId, ConsentId, RecordedReadingId, TrafficRecordingId, TransactionId
from gateway.traffic.content import Content
from gateway.traffic.models import RecordedReading, TrafficRecording
from gateway.traffic.replay import Comparison, Difference
from gateway.traffic.service import (
    CALLS_DEFAULT,
    CALLS_MAX,
    DAYS_DEFAULT,
    DAYS_MAX,
    MEGABYTE,
    MEGABYTES_DEFAULT,
    MEGABYTES_MAX,
    RecordingView,
    ReplayedReading,
)


class TrafficRecordingWrite(Shape):
    """Why, and within which limits; the first one reached ends the recording."""

    reason: Annotated[
        str,
        Field(min_length=3, max_length=200, pattern=r"\S", description="For the audit; no names of persons.",
              examples=["Structured references are missing since Monday"]),
    ]  # fmt: skip
    days: Annotated[int, Field(ge=1, le=DAYS_MAX)] = DAYS_DEFAULT
    calls_max: Annotated[int, Field(ge=1, le=CALLS_MAX)] = CALLS_DEFAULT
    megabytes_max: Annotated[int, Field(ge=1, le=MEGABYTES_MAX)] = MEGABYTES_DEFAULT


class TrafficRecordingRow(Shape):
    """A recording; what it holds stands in its readings."""

    id: TrafficRecordingId
    client_id: ClientId
    consent_id: ConsentId
    bank_id: str
    reason: str
    started_at: MomentText
    expires_at: MomentText
    calls_max: int
    megabytes_max: int
    calls: int = Field(description="Answers recorded so far.")
    body_bytes: int = Field(description="Size of their bodies.")
    ended_at: MomentText | None
    end_code: Literal["stopped", "expired", "calls_reached", "bytes_reached"] | None

    @classmethod
    def of(cls, recording: TrafficRecording) -> Self:
        """The shape of a row."""
        return cls.model_validate(_values(recording))


class RecordedReadingRow(Shape):
    """One recorded reading of one account."""

    id: RecordedReadingId
    account_id: AccountId
    recorded_at: MomentText
    calls: int
    body_bytes: int
    is_whole: bool = Field(description="False where a limit was reached in the middle: it cannot be played back.")
    error_code: str | None = Field(description="Why the reading failed then; null when it was stored.")

    @classmethod
    def of(cls, reading: RecordedReading) -> Self:
        """The shape of a row."""
        names = ("id", "account_id", "recorded_at", "calls", "body_bytes", "is_whole", "error_code")
        return cls.model_validate({name: getattr(reading, name) for name in names})


class TrafficRecordingRead(TrafficRecordingRow):
    """A recording with its readings, oldest first; none once they are erased."""

    readings: list[RecordedReadingRow]

    @classmethod
    def shown(cls, view: RecordingView) -> TrafficRecordingRead:
        """The shape of a view."""
        readings = [RecordedReadingRow.of(reading) for reading in view.readings]
        return cls.model_validate({**_values(view.recording), "readings": readings})


class TrafficRecordingEnd(Shape):
    """How a recording is ended."""

    erase: Annotated[bool, Field(description="Erase at once what was recorded, instead of after the retention.")] = (
        False
    )


class RecordedAnswerRead(Shape):
    """One answer of the bank."""

    kind: str
    template: str = Field(description="The call, without ids.", examples=["/accounts/{id}/transactions"])
    status: int
    content_type: str | None
    headers: dict[str, str]
    body: str = Field(description="As it came; what is no UTF-8 is replaced.")


class RecordedReadingRead(RecordedReadingRow):
    """A recorded reading with the bank's answers, in their order."""

    answers: list[RecordedAnswerRead]

    @classmethod
    def shown(cls, reading: RecordedReading, content: Content) -> RecordedReadingRead:
        """The shape of a reading and what it holds."""
        answers = [
            RecordedAnswerRead(
                kind=str(answer.kind),
                template=answer.template,
                status=answer.status,
                content_type=answer.headers.get("content-type"),
                headers=dict(answer.headers),
                body=answer.body.decode("utf-8", "replace"),
            )
            for answer in content.answers
        ]
        return cls.model_validate({**dict(RecordedReadingRow.of(reading)), "answers": answers})


class FieldDifferenceRead(Shape):
    """A field that would change."""

    name: str
    stored: str | None
    replayed: str | None


class DifferenceRead(Shape):
    """A row that would not be as it is."""

    kind: Literal["added", "gone", "changed"]
    transaction_id: TransactionId | None = Field(description="Null for a row that is not stored.")
    booking_date: Day | None
    fields: list[FieldDifferenceRead]

    @classmethod
    def of(cls, difference: Difference) -> Self:
        """The shape of a difference."""
        fields = [FieldDifferenceRead(name=f.name, stored=f.stored, replayed=f.replayed) for f in difference.fields]
        return cls.model_validate(
            {
                "kind": str(difference.kind),
                "transaction_id": difference.transaction_id,
                "booking_date": difference.booking_date,
                "fields": fields,
            }
        )


class ReplayedReadingRead(RecordedReadingRow):
    """What the present connector makes of a recorded reading, beside what is stored."""

    outcome: Literal["compared", "not_whole", "not_recorded", "failed"]
    code: str | None = Field(description="Why it was not compared: an error code, or the call that was not recorded.")
    unchanged: int
    added: int
    gone: int
    changed: int
    changed_since: int = Field(description="Rows the bank changed after the recording; not compared.")
    pending: int
    rejected: dict[str, int] = Field(description="Rows that cannot be read, by reason.")
    differences: list[DifferenceRead] = Field(description="The first 200.")

    @classmethod
    def shown(cls, replayed: ReplayedReading) -> ReplayedReadingRead:
        """The shape of an outcome."""
        return cls.model_validate({**dict(RecordedReadingRow.of(replayed.reading)), **_told(replayed.comparison)})


class TrafficReplayRead(Shape):
    """The newest recorded reading of each account, played back; nothing was changed and no bank called."""

    recording_id: TrafficRecordingId
    readings: list[ReplayedReadingRead]


def _values(recording: TrafficRecording) -> dict[str, object]:
    names = ("id", "client_id", "consent_id", "bank_id", "reason", "started_at", "expires_at", "calls_max", "calls",
             "body_bytes", "ended_at", "end_code")  # fmt: skip
    values = {name: getattr(recording, name) for name in names}
    return {**values, "megabytes_max": recording.bytes_max // MEGABYTE}


def _told(comparison: Comparison) -> dict[str, object]:
    counts = {str(kind): count for kind, count in comparison.counts.items()}
    return {
        "outcome": str(comparison.outcome),
        "code": comparison.code,
        "unchanged": comparison.unchanged,
        **{name: counts.get(name, 0) for name in ("added", "gone", "changed")},
        "changed_since": comparison.changed_since,
        "pending": comparison.pending,
        "rejected": dict(comparison.rejected),
        "differences": [DifferenceRead.of(difference) for difference in comparison.differences],
    }
