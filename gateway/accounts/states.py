"""Life of an account's synchronisation (requirements, "Definitions of states")."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import InvalidTransition


class SyncHealth(StrEnum):
    """Where reading an account stands, and who must act."""

    UNPROVEN = "unproven"
    """It does not show that it is the client's: no account of the office yet, and not disclosed to it (CON-08)."""
    NEW = "new"
    OK = "ok"
    WE_ACT = "we_act"
    YOU_ACT = "you_act"
    ENDED = "ended"


H = SyncHealth
TRANSITIONS: Final[dict[SyncHealth, frozenset[SyncHealth]]] = {
    H.UNPROVEN: frozenset({H.NEW, H.ENDED}),
    H.NEW: frozenset({H.OK, H.WE_ACT, H.YOU_ACT, H.ENDED}),
    H.OK: frozenset({H.WE_ACT, H.YOU_ACT, H.ENDED}),
    H.WE_ACT: frozenset({H.OK, H.YOU_ACT, H.ENDED}),
    H.YOU_ACT: frozenset({H.OK, H.WE_ACT, H.ENDED}),
    H.ENDED: frozenset({H.NEW, H.UNPROVEN}),
}

READABLE: Final = frozenset({H.NEW, H.OK, H.WE_ACT})
"""Scheduled reads go on; in the other states only a person can restore the permission."""


class SyncState(StrEnum):
    """Where one reading stands; it is stored whole or not at all."""

    QUEUED = "queued"
    RUNNING = "running"
    STORED = "stored"
    """Rows and balances are in; the days that follow from them are being closed."""
    DONE = "done"
    FAILED = "failed"


UNFINISHED: Final = frozenset({SyncState.QUEUED, SyncState.RUNNING, SyncState.STORED})
"""A reading in one of these has a job, or gets another when its worker was lost."""
TAKEN_IN: Final = frozenset({SyncState.STORED, SyncState.DONE})
"""What the bank gave is in our tables."""


def check_step(state: str, wanted: SyncHealth) -> None:
    """Raise `InvalidTransition` unless `TRANSITIONS` knows the step; staying is always possible."""
    if state != wanted and wanted not in TRANSITIONS[SyncHealth(state)]:
        raise InvalidTransition(state=str(state), wanted=str(wanted))
