"""What offices and clients refuse."""

from gateway.errors import ConflictError, NotFound


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


class SuspensionEndsByTwo(ConflictError):
    """Suspending is one person's act, ending it is not (OFF-03)."""

    code = "suspension_ends_by_two"
    title = "Two people end a suspension"
    hint = "Propose the end of the suspension (client.unsuspend); another person confirms it."
