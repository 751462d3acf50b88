"""Life cycle of a consent (requirements, "Definitions of states")."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import InvalidTransition


class ConsentState(StrEnum):
    """Where a consent stands."""

    CREATED = "created"
    AWAITING_AUTHORISATION = "awaiting_authorisation"
    PARTIALLY_AUTHORISED = "partially_authorised"
    VALID = "valid"
    REPLACED = "replaced"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REJECTED = "rejected"
    ABANDONED = "abandoned"
    FAILED = "failed"


S = ConsentState
TRANSITIONS: Final[dict[ConsentState, frozenset[ConsentState]]] = {
    # A link nobody ever opened is abandoned like one whose authorisation was never finished.
    S.CREATED: frozenset({S.AWAITING_AUTHORISATION, S.FAILED, S.ABANDONED}),
    S.AWAITING_AUTHORISATION: frozenset({S.VALID, S.PARTIALLY_AUTHORISED, S.REJECTED, S.ABANDONED}),
    S.PARTIALLY_AUTHORISED: frozenset({S.VALID, S.REJECTED, S.ABANDONED}),
    S.VALID: frozenset({S.REPLACED, S.EXPIRED, S.REVOKED}),
    S.REPLACED: frozenset(),
    S.EXPIRED: frozenset(),
    S.REVOKED: frozenset(),
    S.REJECTED: frozenset(),
    S.ABANDONED: frozenset(),
    S.FAILED: frozenset(),
}

WAITING: Final = frozenset({S.CREATED, S.AWAITING_AUTHORISATION, S.PARTIALLY_AUTHORISED})
"""The person at the bank has still something to do."""
STARTABLE: Final = frozenset({S.CREATED, S.AWAITING_AUTHORISATION})
"""The authorisation can be started, also once more after it was cancelled at the bank (CON-07)."""

RENEWABLE: Final = frozenset({S.VALID, S.EXPIRED, S.REVOKED})
"""Another consent can take its place (CON-11); of one that was replaced, the newer one is renewed."""


class RenewalAnswer(StrEnum):
    """What the account holder says at a renewal of an account that is not as before."""

    ADDED = "added"
    """New, beside the others."""
    REPLACES = "replaces"
    """New, in the place of one that is no longer there."""
    GONE = "gone"
    """No longer there, and no longer wanted."""
    WANTED = "wanted"
    """Not under the renewal, and still to be read."""
    LEFT_OUT = "left_out"
    """There, and not chosen any more."""


class Doubt(StrEnum):
    """Why an account does not show that it is the client's."""

    OTHER_HOLDER = "other_holder"
    NO_HOLDER = "no_holder"
    """The bank names none."""


class Relation(StrEnum):
    """What the holder whom the bank names is to the client, as whoever proves it says."""

    OWNER = "owner"
    """A person in business in its own name, or a partner of a company without legal personality."""
    TRADE_NAME = "trade_name"
    FORMER_NAME = "former_name"
    OTHER = "other"


def check_step(state: str, wanted: ConsentState) -> None:
    """Raise `InvalidTransition` unless `TRANSITIONS` knows the step."""
    if wanted not in TRANSITIONS[ConsentState(state)]:
        raise InvalidTransition(state=str(state), wanted=str(wanted))
