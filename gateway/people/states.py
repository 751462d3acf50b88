"""The life of an invitation."""

from __future__ import annotations

from enum import StrEnum


class InvitationState(StrEnum):
    """Where it stands; an open one that is older than its last moment answers like an ended one."""

    PROPOSED = "proposed"
    """Waits for a second person, since its roles move money or rights (APP-12)."""
    OPEN = "open"
    ACCEPTED = "accepted"
    ENDED = "ended"
    """Taken back, or too many wrong codes."""


TRANSITIONS: dict[InvitationState, frozenset[InvitationState]] = {
    InvitationState.PROPOSED: frozenset({InvitationState.OPEN, InvitationState.ENDED}),
    InvitationState.OPEN: frozenset({InvitationState.ACCEPTED, InvitationState.ENDED}),
    InvitationState.ACCEPTED: frozenset(),
    InvitationState.ENDED: frozenset({InvitationState.OPEN}),
}
