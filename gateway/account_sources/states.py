"""Sources of an account, and the life of a bank-made file (CON-17)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import InvalidTransition


class Source(StrEnum):
    """Where the statements of an account come from; one at a time."""

    DIRECT = "direct"
    PONTO = "ponto"
    CODABOX = "codabox"
    ISABEL = "isabel"
    UPLOAD = "upload"


BANK_MADE: Final = frozenset({Source.CODABOX, Source.ISABEL, Source.UPLOAD})
"""Sources whose files are passed on as they are."""


class BankFileState(StrEnum):
    """Where a bank-made file stands."""

    HELD = "held"
    """Another source gives the same days: a person chooses."""
    PASSED_ON = "passed_on"
    SET_ASIDE = "set_aside"
    """Kept, and not passed on: the other source's days stand."""


S = BankFileState
TRANSITIONS: Final[dict[BankFileState, frozenset[BankFileState]]] = {
    S.HELD: frozenset({S.PASSED_ON, S.SET_ASIDE}),
    S.PASSED_ON: frozenset(),
    S.SET_ASIDE: frozenset(),
}


def check_step(state: str, wanted: BankFileState) -> None:
    """Raise `InvalidTransition` unless `TRANSITIONS` knows the step."""
    if wanted not in TRANSITIONS[BankFileState(state)]:
        raise InvalidTransition(state=str(state), wanted=str(wanted))
