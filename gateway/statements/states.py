"""What a statement and a day can be (requirements, "Definitions of states" and SYN-15)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import InvalidTransition


class StatementState(StrEnum):
    """Life of one numbered period."""

    COLLECTING = "collecting"
    HELD = "held"
    PROVEN = "proven"
    PROVEN_BY_SPAN = "proven_by_span"
    NO_ENTRIES = "no_entries"
    ISSUED = "issued"


S = StatementState
TRANSITIONS: Final[dict[StatementState, frozenset[StatementState]]] = {
    S.COLLECTING: frozenset({S.PROVEN, S.HELD, S.NO_ENTRIES}),
    S.HELD: frozenset({S.PROVEN, S.PROVEN_BY_SPAN}),
    S.PROVEN: frozenset({S.ISSUED, S.COLLECTING}),
    S.PROVEN_BY_SPAN: frozenset({S.ISSUED, S.COLLECTING}),
    S.NO_ENTRIES: frozenset({S.ISSUED, S.COLLECTING}),
    S.ISSUED: frozenset(),
}


class DayState(StrEnum):
    """What became of one calendar day of an account; none is left out (SYN-15)."""

    STATEMENT = "statement"
    NO_ENTRIES = "no_entries"
    HELD = "held"
    SOURCE_FAILED = "source_failed"
    BEFORE_START = "before_start"


class Proof(StrEnum):
    """How a day's balances are known to be right (STA-02)."""

    PROVEN = "proven"
    PROVEN_BY_SPAN = "proven_by_span"
    DERIVED = "derived"


def check_step(state: str, wanted: StatementState) -> None:
    """Raise `InvalidTransition` unless `TRANSITIONS` knows the step."""
    if wanted not in TRANSITIONS[StatementState(state)]:
        raise InvalidTransition(state=str(state), wanted=str(wanted))
