"""Shapes of signed decisions in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.api import MomentText, MoneyShape, Shape
from gateway.ids import DecisionSignatureId, PaymentId


class SealedPayment(Shape):
    """A payment with the seal that was shown."""

    payment_id: PaymentId
    seal: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class DecisionChallengeWrite(Shape):
    """What will be decided: exactly the payments of the decision, export or download, with their seals."""

    decision: Literal["approve", "export", "download"]
    items: Annotated[list[SealedPayment], Field(min_length=1, max_length=5000)]


class DecisionSignatureRead(Shape):
    """A signature that waits for its decision, for five minutes."""

    id: DecisionSignatureId
    decision: str
    signed_at: MomentText


class SigningLimitRead(Shape):
    """From which total on decisions of the client are signed with a passkey."""

    amount: MoneyShape | None = Field(description="Null: no signature is asked for.")
