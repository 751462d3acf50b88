"""API shapes of the review list."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from gateway.api import Day, MomentText, MoneyShape, Shape, money
from gateway.ids import AccountId, ReviewItemId, StatementId, TransactionId
from gateway.reviews.service import ReviewView
from gateway.transactions.review_list import Decision, options
from gateway.transactions.states import ReviewState


class ReviewOptionRead(Shape):
    """One way to read the row."""

    decision: Decision
    effect: MoneyShape | None = Field(description="What it does to the balance as it stands; null: no amount is known.")


class ReviewItemRead(Shape):
    """A row of the bank that nobody can decide without a person."""

    id: ReviewItemId
    account_id: AccountId
    state: ReviewState
    reason: str = Field(
        description="`sign_undecided`, `edit_undecided`, `changed_after_issue`, or why the row could not be read."
    )
    booking_date: Day | None
    options: list[ReviewOptionRead]
    transaction_id: TransactionId | None = Field(description="The transaction as it is stored now, if it is.")
    candidate_ids: list[TransactionId] = Field(description="Vanished transactions whose new form it may be.")
    statement_id: StatementId | None = Field(description="The issued statement it stands on.")
    bank_form: dict[str, Any] | None = Field(description="What the bank gave; null for a change of a stored row.")
    decision: Decision | None
    created_at: MomentText
    decided_at: MomentText | None

    @classmethod
    def of(cls, view: ReviewView) -> ReviewItemRead:
        """The shape of an entry."""
        item = view.item
        return cls(
            id=item.id,
            account_id=item.account_id,
            state=ReviewState(item.state),
            reason=item.reason,
            booking_date=item.booking_date,
            options=[
                ReviewOptionRead(
                    decision=option.decision,
                    effect=money(option.effect, item.currency)
                    if option.effect is not None and item.currency is not None
                    else None,
                )
                for option in options(item)
            ],
            transaction_id=item.transaction_id,
            candidate_ids=[UUID(candidate) for candidate in item.candidates],
            statement_id=item.statement_id,
            bank_form=None if item.statement_id is not None else dict(view.raw),
            decision=Decision(item.decision) if item.decision is not None else None,
            created_at=item.created_at,
            decided_at=item.resolved_at,
        )


class ReviewDecisionWrite(Shape):
    """How the row is to be read."""

    decision: Annotated[Decision, Field(strict=False)]
    transaction_id: TransactionId | None = Field(
        default=None, description="With `changed`: the vanished transaction that it is, where there are several."
    )
