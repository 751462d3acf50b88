"""What the gateway refuses, for programs (code) and people (title, detail, hint in their language).

GatewayError
├── InputError       400/422: the caller must change the request
├── SignInError      401: sign in, or present a token that is valid
├── RightsError      403: somebody with the right must act
├── NotFound         404: not there, or not yours; both answer alike
├── ConflictError    409: the state does not allow it
├── StaleError       412/428: read again, then decide
├── BankTrouble      409/429/502/503: the bank, the PSU or the operator must act; made from connector errors
└── ConfigError      503: the operator must act

The English texts are message ids of `gateway/i18n`; `detail` may hold `{parameters}`, which carry identifiers, counts
and the caller's own values only: no names, no full IBANs, no tokens (law 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Words(str):
    """A part of a sentence that is a message id itself: put into a detail in the reader's language."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One faulty field of a request: JSON Pointer, stable code, a sentence and what to do."""

    pointer: str
    code: str
    detail: str
    hint: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """For `{places}` in detail and hint."""


class GatewayError(Exception):
    """Base of everything the gateway refuses on purpose; each subclass is one documented `code`."""

    code: str = "error"
    http_status: int = 500
    title: str = "Something went wrong"
    detail: str = ""
    hint: str = ""
    members: tuple[str, ...] = ()
    """Parameters that programs find as members of the problem, besides the sentence."""

    def __init__(
        self, *, faults: Sequence[FieldFault] = (), headers: Mapping[str, str] | None = None, **parameters: Any
    ) -> None:
        self.parameters = parameters
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        super().__init__(self.english())

    def english(self) -> str:
        """Code and English sentence, for logs and developers."""
        return f"{self.code}: {(self.detail or self.title).format_map(_Parameters(self.parameters))}"


class _Parameters(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


class InputError(GatewayError):
    """The caller must change the request."""

    code = "invalid_request"
    http_status = 422
    title = "The request has faults"
    hint = "Correct the fields listed in errors and send the request again."


class PeriodInvalid(InputError):
    """The period ends before it begins, or is longer or later than the operation allows."""

    code = "period_invalid"
    title = "The period is not usable"
    detail = "The first day must not be after the last, and at most {days} days are possible here."
    hint = "Give a first day that is not after the last, and no longer a period than the operation allows."

    def __init__(self, pointer: str, *, days: int) -> None:
        super().__init__(faults=[FieldFault(pointer, self.code, self.detail, self.hint, {"days": days})], days=days)


class SignInError(GatewayError):
    """Nobody is signed in, or the token is not valid."""

    code = "not_signed_in"
    http_status = 401
    title = "Sign in first"
    hint = "Sign in, or send a valid API token in the Authorization header."


class RightsError(GatewayError):
    """Signed in, but without the right."""

    code = "not_allowed"
    http_status = 403
    title = "You do not have the right to do this"
    hint = "Ask an administrator of the office or of the client."


class NotFound(GatewayError):
    """Not there, or another office's: the answer is the same."""

    code = "not_found"
    http_status = 404
    title = "There is nothing here under this id"
    hint = "Check the id; it may have been removed, or you may not have access to it."


class ConflictError(GatewayError):
    """The present state does not allow it."""

    code = "conflict"
    http_status = 409
    title = "The present state does not allow this"
    hint = "Read the object again and look at its state."


class InvalidTransition(ConflictError):
    """A state change that the life cycle does not know."""

    code = "invalid_transition"
    title = "This step is not possible from the present state"
    detail = "From state {state} the step to {wanted} is not possible."


class StaleError(GatewayError):
    """What the caller saw is not what is stored now."""

    code = "stale"
    http_status = 412
    title = "It changed since you looked at it"
    hint = "Read it again and decide on what it says now."


class PreconditionRequired(GatewayError):
    """A decision or edit must say what it was based on."""

    code = "precondition_required"
    http_status = 428
    title = "Say what your decision is based on"
    hint = "Send the ETag or seal that you saw in the If-Match header."


class ConfigError(GatewayError):
    """The operator must act."""

    code = "not_configured"
    http_status = 503
    title = "The installation is not complete"
    hint = "The operator must set what the detail names."
