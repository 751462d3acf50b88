"""REST: recorded traffic. For admins of the office; switching on and reading want a person with a second factor."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import ConsentId, RecordedReadingId, TrafficRecordingId
from gateway.pagination import Page
from gateway.traffic.schemas import (
    RecordedReadingRead,
    ReplayedReadingRead,
    TrafficRecordingEnd,
    TrafficRecordingRead,
    TrafficRecordingRow,
    TrafficRecordingWrite,
    TrafficReplayRead,
)
from gateway.traffic.service import RecordingView, TrafficService

router = APIRouter(prefix="/v1", tags=["consents"])


@router.post(
    "/consents/{consent_id}/traffic-recordings",
    operation_id="create_traffic_recording",
    status_code=201,
    responses=problem_responses(409),
)
def create_traffic_recording(
    consent_id: ConsentId, body: TrafficRecordingWrite, act: ActDep, gateway: GatewayDep
) -> TrafficRecordingRead:
    """Record, encrypted, what the bank answers on the accounts of a consent, until the first limit is reached."""
    recording = TrafficService(gateway).start(
        act,
        consent_id,
        reason=body.reason,
        days=body.days,
        calls_max=body.calls_max,
        megabytes_max=body.megabytes_max,
    )
    return TrafficRecordingRead.shown(RecordingView(recording, ()))


@router.get(
    "/consents/{consent_id}/traffic-recordings",
    operation_id="list_traffic_recordings",
    responses=problem_responses(400),
)
def list_traffic_recordings(
    consent_id: ConsentId, act: ActDep, gateway: GatewayDep, page: PageDep
) -> Page[TrafficRecordingRow]:
    """Recordings of a consent, the newest first."""
    rows, cursor = TrafficService(gateway).page(act, consent_id, page)
    return Page(items=[TrafficRecordingRow.of(row) for row in rows], next_cursor=cursor)


@router.get("/traffic-recordings/{recording_id}", operation_id="get_traffic_recording", responses=problem_responses())
def get_traffic_recording(recording_id: TrafficRecordingId, act: ActDep, gateway: GatewayDep) -> TrafficRecordingRead:
    """One recording with the readings in it, without what they hold."""
    return TrafficRecordingRead.shown(TrafficService(gateway).get(act, recording_id))


@router.post(
    "/traffic-recordings/{recording_id}/endings",
    operation_id="create_traffic_recording_end",
    status_code=201,
    responses=problem_responses(),
)
def create_traffic_recording_end(
    recording_id: TrafficRecordingId, body: TrafficRecordingEnd, act: ActDep, gateway: GatewayDep
) -> TrafficRecordingRead:
    """End a recording, and erase at once what it holds when that is asked; also after it ended by itself."""
    return TrafficRecordingRead.shown(TrafficService(gateway).stop(act, recording_id, is_erased=body.erase))


@router.get(
    "/traffic-recordings/{recording_id}/readings/{reading_id}",
    operation_id="get_recorded_reading",
    responses=problem_responses(),
)
def get_recorded_reading(
    recording_id: TrafficRecordingId, reading_id: RecordedReadingId, response: Response, act: ActDep,
    gateway: GatewayDep,
) -> RecordedReadingRead:  # fmt: skip
    """What the bank answered, as it came; audited."""
    reading, content = TrafficService(gateway).reading(act, recording_id, reading_id)
    response.headers["Cache-Control"] = "no-store"
    return RecordedReadingRead.shown(reading, content)


@router.post(
    "/traffic-recordings/{recording_id}/replays",
    operation_id="create_traffic_replay",
    status_code=201,
    responses=problem_responses(503),
)
def create_traffic_replay(
    recording_id: TrafficRecordingId, response: Response, act: ActDep, gateway: GatewayDep
) -> TrafficReplayRead:
    """Play the recorded answers through the present rules and tell which rows would differ from the stored ones.

    Of each account the newest reading is played. No bank is called and nothing is changed; that it was done is audited.
    """
    replayed = TrafficService(gateway).replay(act, recording_id)
    response.headers["Cache-Control"] = "no-store"
    return TrafficReplayRead(
        recording_id=recording_id, readings=[ReplayedReadingRead.shown(reading) for reading in replayed]
    )
