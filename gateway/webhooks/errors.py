"""What webhooks refuse."""

from __future__ import annotations

from gateway.errors import ConflictError, InputError, NotFound


class WebhookEndpointNotFound(NotFound):
    """No endpoint of this office with this id."""

    code = "webhook_endpoint_not_found"
    title = "There is no webhook with this id"


class WebhookDeliveryNotFound(NotFound):
    """No delivery of this office with this id."""

    code = "webhook_delivery_not_found"
    title = "There is no webhook delivery with this id"


class WebhookAddressRefused(InputError):
    """The address may not be called."""

    code = "webhook_address_refused"
    title = "This address cannot receive webhooks"
    detail = "The address is refused: {reason}."
    hint = "Give a public https address without sign-in; the operator can allow networks of your own."


class WebhookDisabled(ConflictError):
    """The endpoint is switched off."""

    code = "webhook_disabled"
    title = "The webhook is switched off"
    hint = "Switch it on first, then replay what it missed."


class EventGone(ConflictError):
    """The event is not kept any more, so that its message cannot be made again."""

    code = "event_gone"
    title = "The event of this delivery is not kept any more"
    hint = "Events are kept for 90 days; read the object itself."
