"""What machines are refused."""

from gateway.errors import RightsError


class AddressNotAllowed(RightsError):
    """A valid key or token, from an address that is not on its list."""

    code = "address_not_allowed"
    title = "This key may not be used from this address"
    hint = "Call from an address on the key's list, or let an administrator of the office change the list."
