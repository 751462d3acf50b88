"""What the outbox refuses."""

from __future__ import annotations

from gateway.errors import InputError


class MailAddressInvalid(InputError):
    """The address is not one mailbox, or holds characters that do not belong in a header."""

    code = "mail_address_invalid"
    title = "This is not an e-mail address"
    hint = "Give one address, such as name@example.be, without a name or spaces around it."
