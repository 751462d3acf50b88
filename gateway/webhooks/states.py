"""Life cycles of endpoints and deliveries (requirements, Definitions of states)."""

from __future__ import annotations

from enum import StrEnum


class EndpointState(StrEnum):
    """Whether an address receives; a removed one keeps its log."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    REMOVED = "removed"


class DeliveryState(StrEnum):
    """What became of one message to one endpoint."""

    PENDING = "pending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    DISCARDED = "discarded"


S = DeliveryState
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    S.PENDING: frozenset({S.DELIVERED, S.RETRYING, S.DISCARDED}),
    S.RETRYING: frozenset({S.DELIVERED, S.RETRYING, S.EXHAUSTED, S.DISCARDED}),
    S.EXHAUSTED: frozenset({S.PENDING}),
    # What was delivered or given up because the endpoint was off can be sent again on request, with the same id.
    S.DELIVERED: frozenset({S.PENDING}),
    S.DISCARDED: frozenset({S.PENDING}),
}
DUE = frozenset({S.PENDING, S.RETRYING})


def check(state: DeliveryState, wanted: DeliveryState) -> None:
    """A step the table does not know is a defect of ours."""
    assert wanted in TRANSITIONS[state], f"a webhook delivery cannot go from {state} to {wanted}"
