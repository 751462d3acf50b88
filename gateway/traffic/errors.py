"""What recorded traffic refuses."""

from gateway.errors import ConflictError, NotFound


class TrafficRecordingNotFound(NotFound):
    """No such recording, or another office's."""

    code = "traffic_recording_not_found"
    title = "There is no recording with this id"


class RecordedReadingNotFound(NotFound):
    """No such reading in the recording, or its answers were erased."""

    code = "recorded_reading_not_found"
    title = "There is no recorded reading with this id"
    hint = "What a recording holds is erased after its retention; take an id from the recording."


class TrafficAlreadyRecorded(ConflictError):
    """A consent is recorded once at a time."""

    code = "traffic_already_recorded"
    title = "The answers of this bank are being recorded already"
    hint = "End the running recording first, or let it reach its limits."


class TrafficNotRecordable(ConflictError):
    """Only what may be read can be recorded."""

    code = "traffic_not_recordable"
    title = "Nothing is read under this consent"
    hint = "Only a valid consent is read; renew it, then start the recording under the new one."
