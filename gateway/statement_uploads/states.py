"""Life of an upload of statements (STA-19)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import InvalidTransition


class UploadState(StrEnum):
    """Where an upload stands."""

    PROPOSED = "proposed"
    """Read and compared; nothing is taken in before somebody confirms."""
    REFUSED = "refused"
    """No account's statements fit; the faults say why."""
    CONFIRMED = "confirmed"


S = UploadState
TRANSITIONS: Final[dict[UploadState, frozenset[UploadState]]] = {
    S.PROPOSED: frozenset({S.CONFIRMED}),
    S.REFUSED: frozenset(),
    S.CONFIRMED: frozenset(),
}


def check_step(state: str, wanted: UploadState) -> None:
    """Raise `InvalidTransition` unless `TRANSITIONS` knows the step."""
    if wanted not in TRANSITIONS[UploadState(state)]:
        raise InvalidTransition(state=str(state), wanted=str(wanted))
