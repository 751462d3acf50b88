"""Shapes of moves in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import Day, MomentText, Shape
from gateway.ids import AccountId, ClientId, ClientMoveId
from gateway.moves.models import MoveState
from gateway.moves.service import MoveView


class MoveWrite(Shape):
    """When the client's accounts move to this office, and what goes along."""

    move_on: Day
    with_rules: bool = Field(
        default=False, description="Whether the approval rules of the former office go along, as far as they can."
    )


class MoveAccountRead(Shape):
    """One account of a move."""

    account_id: AccountId
    done_at: MomentText | None
    is_chain_continued: bool = Field(description="Balance and number go on where another office's last file ended.")


class MovedRuleRead(Shape):
    """An approval rule that the former office had for the client."""

    name: str
    reason: str | None = Field(
        description="Why it stayed there: `person_not_here` (it names somebody without a role at the client here),"
        " `account_not_here`, `name_taken` (the client has a rule of this name here), `client_pays_here` (payments"
        " were submitted here before: two administrators change its rules). null: it went along.",
        examples=["person_not_here"],
    )


class MoveRead(Shape):
    """Accounts that move to this office on a day, as the client chose."""

    id: ClientMoveId
    client_id: ClientId
    move_on: Day
    state: Annotated[MoveState, Field(strict=False)]
    proof: str = Field(
        description="How the client proved control: `authorisation` at the bank or `administrator`.",
        examples=["authorisation"],
    )
    created_at: MomentText
    done_at: MomentText | None
    accounts: list[MoveAccountRead]
    with_rules: bool
    rules: list[MovedRuleRead] | None = Field(
        description="Each rule of the former office and whether it went along; null before the move is done or when"
        " they were not asked for. Groups come with those members only who have a role at the client here."
    )

    @classmethod
    def of(cls, view: MoveView) -> MoveRead:
        """The shape of a view."""
        move = view.move
        return cls(
            id=move.id,
            client_id=move.client_id,
            move_on=move.move_on,
            state=move.state,
            proof=move.proof,
            created_at=move.created_at,
            done_at=move.done_at,
            accounts=[
                MoveAccountRead(
                    account_id=row.account_id, done_at=row.done_at, is_chain_continued=row.is_chain_continued
                )
                for row, _account in view.accounts
            ],
            with_rules=move.with_rules,
            rules=None if move.rules is None else [MovedRuleRead(**rule) for rule in move.rules],
        )
