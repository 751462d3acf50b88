"""The life of a proposal."""

from __future__ import annotations

from enum import StrEnum


class ProposalState(StrEnum):
    """Where it stands."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


TRANSITIONS: dict[ProposalState, frozenset[ProposalState]] = {
    ProposalState.PROPOSED: frozenset({ProposalState.CONFIRMED, ProposalState.WITHDRAWN, ProposalState.EXPIRED}),
    ProposalState.CONFIRMED: frozenset(),
    ProposalState.WITHDRAWN: frozenset(),
    ProposalState.EXPIRED: frozenset(),
}
