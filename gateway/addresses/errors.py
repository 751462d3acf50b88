"""What confirming addresses refuses."""

from gateway.errors import ConflictError, NotFound, RightsError


class AddressChangeNotFound(NotFound):
    """No such change, or another office's."""

    code = "address_change_not_found"
    title = "There is no changed address with this id"


class OwnAddress(RightsError):
    """Whoever set an address does not confirm it."""

    code = "own_address"
    title = "Another admin must confirm this"
    hint = "Ask an admin of the office who did not set or import these addresses, nor made the key that did."


class AddressWaits(ConflictError):
    """An office with one admin waits instead of confirming."""

    code = "address_waits"
    title = "With one admin in the office, a changed address waits 48 hours"
    hint = "It counts by itself at effective_at; refuse it if it is wrong."


class AddressDecided(ConflictError):
    """Confirmed, refused or set anew already."""

    code = "address_decided"
    title = "This changed address waits no longer"
    hint = "Read the list again; the address may have been set anew."
