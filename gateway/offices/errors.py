"""What offices and clients refuse."""

from gateway.errors import ConflictError, NotFound, RightsError
from gateway.i18n import _


class ClientNotFound(NotFound):
    """No such client, no grant valid today, or another office's."""

    code = "client_not_found"
    title = "There is no client with this id"
    hint = "Check the id and whether the office's access to this client is still valid."


class ClientClosed(ConflictError):
    """A closed client is read-only (OFF-03)."""

    code = "client_closed"
    title = "The client is closed"
    hint = "An administrator of the office can reopen the client."


class ClientSuspended(ConflictError):
    """A suspended client can be read, nothing more (OFF-03)."""

    code = "client_suspended"
    title = "The client is suspended"
    hint = "Two people of the office can end the suspension."


class ClientPending(ConflictError):
    """A pending client is set up, and moves nothing yet (OFF-03)."""

    code = "client_pending"
    title = "The client is not active yet"
    hint = "It becomes active with its first bank permission or accepted invitation, or when an administrator says so."


class SuspensionEndsByTwo(ConflictError):
    """Suspending is one person's act, ending it is not (OFF-03)."""

    code = "suspension_ends_by_two"
    title = "Two people end a suspension"
    hint = "Propose the end of the suspension (client.unsuspend); another person confirms it."


class ServiceDisabled(RightsError):
    """The service is switched off, for the office or for the client (OFF-06)."""

    code = "service_disabled"
    title = "This service is switched off"
    hint = "An administrator of the office can switch it on."
    members = ("service", "level")

    def __init__(self, *, service: str, level: str) -> None:
        self.detail = (
            _("The service {service} is switched off for the office.")
            if level == "office"
            else _("The service {service} is switched off for this client.")
        )
        super().__init__(service=service, level=level)


class NotShownInPortal(RightsError):
    """The office chose not to show this to people of the client (OFF-06)."""

    code = "not_shown_in_portal"
    title = "The office does not show this"
    hint = "Ask the accountancy office; it chooses per client what its people see."


class PaymentsUnderWay(ConflictError):
    """Payments that are asked for, agreed to or on their way need their service (OFF-06)."""

    code = "payments_under_way"
    title = "Payments are still under way"
    detail = "{count} payments are submitted, approved or on their way."
    hint = "Complete, reject or cancel them first. To stop payments at once, freeze the client."
    members = ("count",)
