"""Life cycles of baskets, payments and exports (requirements, "Definitions of states").

The tables hold every step the requirements know; what drives a step stands with the service that takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from gateway.errors import InvalidTransition


class BasketState(StrEnum):
    """Where a basket stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    PROCESSING = "processing"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class PaymentState(StrEnum):
    """Where a payment stands; a download executes nothing, a bank status is not a booking (PAY-20)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    PAID_ELSEWHERE = "paid_elsewhere"
    INITIATING = "initiating"
    QR_SHOWN = "qr_shown"
    EXPORTED = "exported"
    SENT = "sent"
    EXECUTED = "executed"
    ALTERED = "altered"
    REFUSED = "refused"
    RETURNED = "returned"


class ExportState(StrEnum):
    """Where an export stands."""

    CREATED = "created"
    DOWNLOADED = "downloaded"
    SENT = "sent"
    ACCEPTED = "accepted"
    PARTLY_REFUSED = "partly_refused"
    REFUSED = "refused"
    SETTLED = "settled"
    REPLACED = "replaced"
    VOIDED = "voided"


_B, _P, _E = BasketState, PaymentState, ExportState

BASKET_TRANSITIONS: dict[BasketState, frozenset[BasketState]] = {
    _B.DRAFT: frozenset({_B.SUBMITTED, _B.CANCELLED}),
    _B.SUBMITTED: frozenset({_B.APPROVED, _B.DRAFT, _B.CLOSED, _B.CANCELLED}),
    _B.APPROVED: frozenset({_B.PROCESSING, _B.SUBMITTED, _B.DRAFT, _B.CLOSED, _B.CANCELLED}),
    _B.PROCESSING: frozenset({_B.CLOSED}),
    _B.CLOSED: frozenset(),
    _B.CANCELLED: frozenset(),
}

PAYMENT_TRANSITIONS: dict[PaymentState, frozenset[PaymentState]] = {
    _P.DRAFT: frozenset({_P.SUBMITTED, _P.CANCELLED, _P.PAID_ELSEWHERE}),
    _P.SUBMITTED: frozenset({_P.APPROVED, _P.REJECTED, _P.DRAFT, _P.CANCELLED, _P.PAID_ELSEWHERE}),
    _P.APPROVED: frozenset(
        {_P.EXPORTED, _P.INITIATING, _P.QR_SHOWN, _P.SUBMITTED, _P.DRAFT, _P.CANCELLED, _P.PAID_ELSEWHERE}
    ),
    _P.INITIATING: frozenset({_P.SENT, _P.APPROVED, _P.REFUSED}),
    _P.EXPORTED: frozenset({_P.EXECUTED, _P.ALTERED, _P.SENT, _P.REFUSED, _P.SUBMITTED}),
    _P.QR_SHOWN: frozenset({_P.EXECUTED, _P.SUBMITTED}),
    _P.SENT: frozenset({_P.EXECUTED, _P.ALTERED, _P.REFUSED}),
    _P.ALTERED: frozenset({_P.RETURNED, _P.PAID_ELSEWHERE, _P.CANCELLED}),
    _P.EXECUTED: frozenset({_P.RETURNED}),
    _P.REJECTED: frozenset(),
    _P.CANCELLED: frozenset(),
    _P.PAID_ELSEWHERE: frozenset(),
    _P.REFUSED: frozenset(),
    _P.RETURNED: frozenset(),
}

EXPORT_TRANSITIONS: dict[ExportState, frozenset[ExportState]] = {
    _E.CREATED: frozenset({_E.DOWNLOADED, _E.SENT, _E.REPLACED, _E.VOIDED}),
    _E.DOWNLOADED: frozenset({_E.SENT, _E.REPLACED}),
    _E.SENT: frozenset({_E.ACCEPTED, _E.PARTLY_REFUSED, _E.REFUSED, _E.SETTLED}),
    _E.ACCEPTED: frozenset({_E.SETTLED}),
    _E.PARTLY_REFUSED: frozenset({_E.SETTLED}),
    _E.REFUSED: frozenset(),
    _E.SETTLED: frozenset(),
    _E.REPLACED: frozenset(),
    _E.VOIDED: frozenset(),
}

OPEN: frozenset[PaymentState] = frozenset({_P.SUBMITTED, _P.APPROVED})
"""Asked for or agreed to, and not yet on its way."""

UNDER_WAY: frozenset[PaymentState] = frozenset({_P.INITIATING, _P.EXPORTED, _P.QR_SHOWN, _P.SENT, _P.ALTERED})
"""Left us; money may move."""

ENDED: frozenset[PaymentState] = frozenset(
    {_P.REJECTED, _P.CANCELLED, _P.PAID_ELSEWHERE, _P.REFUSED, _P.EXECUTED, _P.RETURNED}
)
"""Nothing more is to be done for the basket."""

_State = TypeVar("_State", BasketState, PaymentState, ExportState)


def step(table: Mapping[_State, frozenset[_State]], present: _State, wanted: _State) -> _State:
    """The wanted state when the table knows the step; raises `InvalidTransition` otherwise."""
    if wanted not in table[present]:
        raise InvalidTransition(state=present.value, wanted=wanted.value)
    return wanted


def basket_state(present: BasketState, payments: Iterable[PaymentState]) -> BasketState:
    """Where a submitted, approved or processing basket stands by the states of its payments.

    A payment put back to draft by an edit that blocked it counts as waiting. A basket that is being processed stays so
    until every payment has ended.
    """
    states = set(payments)
    if states <= ENDED:
        return BasketState.CLOSED
    if present is BasketState.PROCESSING or states & UNDER_WAY:
        return BasketState.PROCESSING
    if states & {_P.SUBMITTED, _P.DRAFT}:
        return BasketState.SUBMITTED
    return BasketState.APPROVED
