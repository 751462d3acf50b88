"""Shapes of moves in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import Day, MomentText, Shape
from gateway.ids import AccountId, ClientId, ClientMoveId
from gateway.moves.models import MoveState
from gateway.moves.service import MoveView


class MoveWrite(Shape):
    """When the client's accounts move to this office."""

    move_on: Day


class MoveAccountRead(Shape):
    """One account of a move."""

    account_id: AccountId
    done_at: MomentText | None
    is_chain_continued: bool = Field(description="Balance and number go on where another office's last file ended.")


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
        )
