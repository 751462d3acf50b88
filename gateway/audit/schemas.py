"""Shapes of the audit chain in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.ids import AuditEntryId, ClientId


class AuditEntryRead(Shape):
    """One act. Values are not shown here; `digests` names the fields that changed."""

    id: AuditEntryId
    position: Annotated[int, Field(description="1, 2, 3 … within the office, without gaps.")]
    occurred_at: MomentText
    actor_kind: str
    actor_id: str
    action: Annotated[str, Field(examples=["payment.approved"])]
    object_kind: str
    object_id: str
    client_id: ClientId | None
    request_id: str | None
    second_factor: str | None
    via: str | None = Field(description="The application through which a person acted.")
    changed_fields: list[str]
    mac: Annotated[str, Field(description="Hexadecimal; covers this entry and the one before it.")]


class AuditChainRead(Shape):
    """Whether the chain holds, recomputed from its first entry."""

    is_intact: bool
    entries: int
    first_fault: str | None = Field(description="The first broken or missing entry, in words.")
