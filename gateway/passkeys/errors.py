"""What passkeys refuse. None says what was wrong with the answer of an authenticator."""

from gateway.errors import ConfigError, ConflictError
from gateway.identity.errors import SignInRefused


class PasskeysUnavailable(ConfigError):
    """The base address is an IP address; passkeys belong to a name (WebAuthn 2, 5.1.2)."""

    code = "passkeys_unavailable"
    title = "Passkeys need an address with a name"
    hint = "The operator sets SLUIS_BASE_URL to a host name with https, or to http://localhost."


class PasskeyRefused(SignInRefused):
    """Unknown, used, expired or blocked: the answer does not say which."""

    code = "passkey_refused"
    title = "This passkey was not accepted"
    hint = "Try again with a passkey that you added here, or use a code."


class PasskeyKnown(ConflictError):
    """This authenticator holds a passkey for this person already."""

    code = "passkey_known"
    title = "This passkey was added before"
    hint = "Nothing is missing; sign in with it, or add another device."


class LastSecondFactor(ConflictError):
    """Everybody who works here keeps a second factor (SEC-01)."""

    code = "last_second_factor"
    title = "This is your only second factor"
    hint = "Add another passkey or an authenticator first."


class PasskeyMissing(ConflictError):
    """There is none to sign with."""

    code = "passkey_missing"
    title = "You have no passkey to sign with"
    hint = "Add a passkey on the page My security; decisions above your client's amount are signed with one."
