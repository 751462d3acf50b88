"""Life of an entry of the review list (SYN-05)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import InvalidTransition


class ReviewState(StrEnum):
    """Whether somebody decided."""

    OPEN = "open"
    DECIDED = "decided"


TRANSITIONS: Final[dict[ReviewState, frozenset[ReviewState]]] = {
    ReviewState.OPEN: frozenset({ReviewState.DECIDED}),
    ReviewState.DECIDED: frozenset(),
}


def check_step(state: str, wanted: ReviewState) -> None:
    """Raise `InvalidTransition` unless `TRANSITIONS` knows the step: what was decided stays."""
    if wanted not in TRANSITIONS[ReviewState(state)]:
        raise InvalidTransition(state=str(state), wanted=str(wanted))
