"""Life of a numbering hand-over (STA-20)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import InvalidTransition


class HandoverState(StrEnum):
    """Where a hand-over stands."""

    PROPOSED = "proposed"
    REFUSED = "refused"
    """The files contradict each other or the bank; the faults say how."""
    CONFIRMED = "confirmed"
    REPLACED = "replaced"
    """A later one stands for the account."""


S = HandoverState
TRANSITIONS: Final[dict[HandoverState, frozenset[HandoverState]]] = {
    S.PROPOSED: frozenset({S.CONFIRMED, S.REPLACED}),
    S.REFUSED: frozenset({S.REPLACED}),
    S.CONFIRMED: frozenset({S.REPLACED}),
    S.REPLACED: frozenset(),
}


def check_step(state: str, wanted: HandoverState) -> None:
    """Raise `InvalidTransition` unless `TRANSITIONS` knows the step."""
    if wanted not in TRANSITIONS[HandoverState(state)]:
        raise InvalidTransition(state=str(state), wanted=str(wanted))
