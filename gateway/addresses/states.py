"""The life of a changed address."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import InvalidTransition


class AddressKind(StrEnum):
    """What was set."""

    CONTACT = "contact"
    """Where the client's contact is written to: e-mail address, mobile number."""
    DESTINATION = "destination"
    """Where files are delivered."""


class ChangeState(StrEnum):
    """Where it stands."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    """It stays as it is written and gets nothing, until it is set anew."""
    REPLACED = "replaced"
    """Set anew, or taken back, before anybody confirmed it."""


S = ChangeState
TRANSITIONS: Final[dict[ChangeState, frozenset[ChangeState]]] = {
    S.WAITING: frozenset({S.CONFIRMED, S.REFUSED, S.REPLACED}),
    S.CONFIRMED: frozenset(),
    S.REFUSED: frozenset(),
    S.REPLACED: frozenset(),
}


def step(state: ChangeState, wanted: ChangeState) -> ChangeState:
    """The new state; raises `InvalidTransition` unless `TRANSITIONS` knows the step."""
    if wanted not in TRANSITIONS[state]:
        raise InvalidTransition(state=state.value, wanted=wanted.value)
    return wanted
