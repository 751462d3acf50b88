"""Shapes of client groups in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.ids import ClientGroupId, ClientId, UserId
from gateway.offices.schemas import Name

CLIENTS_MAX = 5000
USERS_MAX = 500


class ClientGroupWrite(Shape):
    """A group as it is to be."""

    name: Annotated[Name, Field(examples=["Horeca"])]
    client_ids: Annotated[list[ClientId], Field(max_length=CLIENTS_MAX, default_factory=list)]
    user_ids: Annotated[list[UserId], Field(max_length=USERS_MAX, default_factory=list)]


class ClientGroupRow(Shape):
    """A group in a list."""

    id: ClientGroupId
    name: str
    is_everyone: bool = Field(description="The group of all clients, those to come as well.")
    client_count: int = Field(description="Clients listed in the group; 0 for the group of all clients.")
    user_ids: list[UserId]
    created_at: MomentText


class ClientGroupRead(ClientGroupRow):
    """A group with its clients."""

    client_ids: list[ClientId]
