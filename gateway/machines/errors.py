"""What machines are refused. Errors of the token endpoint carry the word of RFC 6749 §5.2 as `oauth`."""

from gateway.errors import ConflictError, InputError, RightsError, SignInError


class AddressNotAllowed(RightsError):
    """A valid key or token, from an address that is not on its list."""

    code = "address_not_allowed"
    title = "This key may not be used from this address"
    hint = "Call from an address on the key's list, or let an administrator of the office change the list."


class SecretsInUse(ConflictError):
    """Two secrets at a time: the one in use and the one that replaces it."""

    code = "secrets_in_use"
    title = "This application has two secrets already"
    hint = "Revoke the one that is no longer used, then make a new one."


class ClientInvalid(SignInError):
    """Unknown application, wrong or revoked secret; the answer does not say which."""

    code = "invalid_client"
    oauth = "invalid_client"
    title = "The application cannot be recognised"
    hint = "Check client_id and client_secret, and that neither was revoked."


class ScopeInvalid(InputError):
    """A scope the application does not have at this office."""

    code = "invalid_scope"
    oauth = "invalid_scope"
    http_status = 400
    title = "The application does not have one of these scopes"
    hint = "Ask for scopes that were granted, or leave scope out for all of them."


class GrantUnsupported(InputError):
    """Client credentials are the one grant."""

    code = "unsupported_grant_type"
    oauth = "unsupported_grant_type"
    http_status = 400
    title = "Only the grant client_credentials is known here"
    hint = "Send grant_type=client_credentials."


class TokenRequestInvalid(InputError):
    """Not the form that RFC 6749 describes."""

    code = "token_request_invalid"
    oauth = "invalid_request"
    http_status = 400
    title = "This is not a token request"
    hint = "Send a form with each parameter once, and the client secret in one way only."


class OfficeNotServed(InputError):
    """Not there, or not served by the application; both answer alike."""

    code = "office_not_served"
    oauth = "invalid_request"
    http_status = 400
    title = "The application does not serve this office"
    hint = "Name an office the application was granted."


class AssertionRefused(RightsError):
    """The user assertion does not hold; the reason is a word for developers."""

    code = "assertion_refused"
    title = "The user assertion cannot be accepted"
    detail = "The assertion was refused: {reason}."
    hint = "Let the person sign in again at the identity provider, and send a new assertion with each request."


class IssuerUnusable(InputError):
    """The operator gave keys that cannot be trusted to speak for people."""

    code = "issuer_unusable"
    title = "This identity provider cannot be registered"
    detail = "{reason}"
    hint = "Give its public keys only: RSA from 2048 bits, EC P-256 or Ed25519, each with its own kid."
