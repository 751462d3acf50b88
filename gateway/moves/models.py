"""Tables of moves: at the office to which accounts move. The former office's side stands with its own accounts."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference, words


class MoveState(StrEnum):
    """Where a move stands."""

    REQUESTED = "requested"
    """Its day has not come, or the accounts were not read here yet."""
    DONE = "done"
    """Whatever another office had is taken over; it may have been nothing."""


TRANSITIONS: Final[dict[MoveState, frozenset[MoveState]]] = {
    MoveState.REQUESTED: frozenset({MoveState.DONE}),
    MoveState.DONE: frozenset(),
}


class ClientMove(Base, table=True):
    """What the client chose: these accounts come to this office on a day."""

    __tablename__ = "client_move"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        Index("ix_client_move_state", "office_id", "state"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    move_on: date
    state: MoveState = Field(sa_type=words(MoveState))
    proof: str = Field(max_length=14)
    """`authorisation` at the bank, or `administrator`: how the client proved control."""
    chosen_by: UUID
    """The person, or the consent under which the account holder chose."""
    created_at: datetime = Field(sa_type=Moment)
    announced_at: datetime | None = Field(default=None, sa_type=Moment)
    """When former offices were told of the day to come."""
    done_at: datetime | None = Field(default=None, sa_type=Moment)
    with_rules: bool = False
    """The client wished that its approval rules go along."""
    rules: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
    """Once it is done: the name of each rule of the former office, and why it was left there, or null."""


class ClientMoveAccount(Base, table=True):
    """One account of a move."""

    __tablename__ = "client_move_account"
    __table_args__ = (
        office_key(),
        office_reference("move_id", "client_move"),
        office_reference("account_id", "account"),
        UniqueConstraint("move_id", "account_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    move_id: UUID = Field(index=True)
    account_id: UUID = Field(index=True)
    done_at: datetime | None = Field(default=None, sa_type=Moment)
    is_chain_continued: bool = False
    """Balance and number go on where the former office's last file ended."""
