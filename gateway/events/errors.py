"""What the event log refuses."""

from __future__ import annotations

from gateway.errors import GatewayError, InputError, NotFound


class EventNotFound(NotFound):
    """No event of this office with this id."""

    code = "event_not_found"
    title = "There is no event with this id"


class CursorExpired(GatewayError):
    """The place to go on from lies before the oldest event kept."""

    code = "cursor_expired"
    http_status = 410
    title = "The events after this one are not kept any more"
    detail = "Events are kept for {days} days."
    hint = "Read the objects themselves once, then follow the log anew without a cursor."


class EventTypeUnknown(InputError):
    """There are no events of this subject."""

    code = "event_type_unknown"
    title = "There are no events of this type"
    hint = "The types stand in docs/api/webhooks.md."
