"""Life cycle of an approval request: what one rule asks of one payment (requirements, "Definitions of states")."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

LAPSING_TASK: Final = "void_lapsed_approvals"
"""The job that looks whether the approvals of a client's approved payments still hold (`gateway.approvals.lapsing`)."""


class RequestState(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    NOT_NEEDED = "not_needed"
    VOIDED = "voided"


TRANSITIONS: dict[RequestState, frozenset[RequestState]] = {
    RequestState.WAITING: frozenset({RequestState.PENDING, RequestState.VOIDED}),
    RequestState.PENDING: frozenset(
        {
            RequestState.APPROVED,
            RequestState.REJECTED,
            RequestState.EXPIRED,
            RequestState.NOT_NEEDED,
            RequestState.VOIDED,
        }
    ),
    RequestState.APPROVED: frozenset({RequestState.VOIDED}),
    RequestState.REJECTED: frozenset(),
    RequestState.EXPIRED: frozenset(),
    RequestState.NOT_NEEDED: frozenset(),
    RequestState.VOIDED: frozenset(),
}


def voidable() -> frozenset[RequestState]:
    """The states from which an edit, a withdrawal or a rejection elsewhere voids a request."""
    return frozenset(state for state, following in TRANSITIONS.items() if RequestState.VOIDED in following)
