"""Shapes of checklists in the API."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from gateway.api import Shape
from gateway.i18n import translate
from gateway.ids import ClientId
from gateway.onboarding.checklist import Item, ItemState
from gateway.onboarding.service import Checklists


class ItemRead(Shape):
    """One line of a checklist."""

    key: str = Field(examples=["first_sync"])
    state: ItemState
    next_step: str | None = Field(description="With `todo`: what to do, in the language of Accept-Language.")


class ClientChecklistRead(Shape):
    """What is still to be done for a client."""

    client_id: ClientId
    name: str
    items: list[ItemRead]


class ChecklistsRead(Shape):
    """The office's own list and a page of its clients'."""

    office: list[ItemRead] | None = Field(description="Null for a caller who does not work for all clients.")
    items: list[ClientChecklistRead]
    next_cursor: str | None


def checklists_read(found: Checklists, language: str) -> ChecklistsRead:
    """Checklists as the API shows them."""
    return ChecklistsRead(
        office=None if found.office is None else _items(found.office, language),
        items=[
            ClientChecklistRead(client_id=row.client.id, name=row.client.name, items=_items(row.items, language))
            for row in found.clients
        ],
        next_cursor=found.next_cursor,
    )


def _items(items: Iterable[Item], language: str) -> list[ItemRead]:
    return [
        ItemRead(
            key=item.key,
            state=item.state,
            next_step=translate(language, item.next_step) if item.state is ItemState.TODO else None,
        )
        for item in items
    ]
