"""What single sign-on refuses. Nothing says what was wrong with a token."""

from gateway.errors import ConflictError, GatewayError, InputError
from gateway.identity.errors import SignInRefused


class SingleSignOnRefused(SignInRefused):
    """State, code or token is not good, was used before, or belongs to another browser."""

    code = "single_sign_on_refused"
    title = "This sign-in was not accepted"
    hint = "Start again from the sign-in page of your office, in the same browser."


class SingleSignOnNotLinked(SignInRefused):
    """Nobody has confirmed that this account is theirs; the same e-mail address is no proof (SEC-14)."""

    code = "single_sign_on_not_linked"
    title = "This account is not linked to a person here"
    hint = "Sign in with your password and link the account under My security."


class ProviderUnavailable(GatewayError):
    """The identity provider gave no usable answer."""

    code = "identity_provider_unavailable"
    http_status = 502
    title = "The identity provider of the office does not answer as it should"
    hint = "Try again in a minute, or sign in with your password; the office checks the provider's settings."


class IssuerNotAllowed(InputError):
    """The address of an issuer that we do not call."""

    code = "issuer_not_allowed"
    title = "This issuer address cannot be used"
    hint = "Give the https address of the issuer, without query, on the public internet."


class AccountLinked(ConflictError):
    """The account at the provider belongs to somebody else here."""

    code = "account_linked"
    title = "This account is linked already"
    hint = "Unlink it first, or use another account at the provider."


class ProviderKnown(ConflictError):
    """The office has this issuer already."""

    code = "identity_provider_known"
    title = "The office has this issuer already"
    hint = "Remove the present one first."
