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
    COMPUTED = "computed"
    """Released without a balance of the bank, where the office allowed that for the account (STA-04)."""
    NO_ENTRIES = "no_entries"
    ISSUED = "issued"
    COMPARED = "compared"
    """Made for comparison only: no number, no delivery (STA-21)."""
    LEFT_OUT = "left_out"
    """Never issued: the chain was restarted behind it (STA-03)."""
    WITHDRAWN = "withdrawn"
    """Was issued, is in no package, was issued anew; its bytes are kept for ever (STA-23)."""


S = StatementState
TRANSITIONS: Final[dict[StatementState, frozenset[StatementState]]] = {
    S.COLLECTING: frozenset({S.PROVEN, S.HELD, S.NO_ENTRIES}),
    S.HELD: frozenset({S.PROVEN, S.PROVEN_BY_SPAN, S.COMPUTED, S.LEFT_OUT}),
    S.PROVEN: frozenset({S.ISSUED, S.COLLECTING, S.COMPARED}),
    S.PROVEN_BY_SPAN: frozenset({S.ISSUED, S.COLLECTING, S.COMPARED}),
    S.COMPUTED: frozenset({S.ISSUED, S.COLLECTING, S.COMPARED}),
    S.NO_ENTRIES: frozenset({S.ISSUED, S.COLLECTING, S.COMPARED}),
    S.ISSUED: frozenset({S.WITHDRAWN}),
    S.COMPARED: frozenset(),
    S.LEFT_OUT: frozenset(),
    S.WITHDRAWN: frozenset(),
}


CLOSED: Final = frozenset({S.ISSUED, S.COMPARED, S.LEFT_OUT, S.WITHDRAWN})
"""Nothing is collected for such a statement any more."""


class DayState(StrEnum):
    """What became of one calendar day of an account; none is left out (SYN-15)."""

    STATEMENT = "statement"
    NO_ENTRIES = "no_entries"
    HELD = "held"
    SOURCE_FAILED = "source_failed"
    LEFT_OUT = "left_out"
    BEFORE_START = "before_start"


class EmptyStatement(StrEnum):
    """What a day without entries makes (STA-08)."""

    NONE = "none"
    DAILY = "daily"


class Proof(StrEnum):
    """How a day's balances are known to be right (STA-02)."""

    PROVEN = "proven"
    PROVEN_BY_SPAN = "proven_by_span"
    DERIVED = "derived"
    BANK_FILE = "bank_file"
    """By a file of the bank that is passed on as it is; nothing is made here for that day (CON-17)."""
    COMPUTED = "computed"
    """By entries alone, without a balance of the bank, until a later one proves the chain (STA-04)."""


def check_step(state: str, wanted: StatementState) -> None:
    """Raise `InvalidTransition` unless `TRANSITIONS` knows the step."""
    if wanted not in TRANSITIONS[StatementState(state)]:
        raise InvalidTransition(state=str(state), wanted=str(wanted))
