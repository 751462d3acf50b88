"""Shapes of erasures in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import Day, Shape
from gateway.ids import ProposalId, UserId


class ErasureWrite(Shape):
    """Whom to erase; with `dry_run` only what it would do is told."""

    user_id: UserId
    dry_run: bool = False


class ErasureItemRead(Shape):
    """One kind of data about the person."""

    kind: Annotated[str, Field(examples=["name"])]
    is_erased: bool
    count: int
    kept_until: Annotated[Day | None, Field(description="Last day of the legal retention, where that is the reason.")]
    reason: Annotated[
        str | None,
        Field(description="Why it stays: `payments_retention`, `other_organisation` or `audit_chain` (ids only)."),
    ]


class ErasureRead(Shape):
    """What is erased and what stays, until when and why."""

    user_id: UserId
    dry_run: bool
    proposal_id: Annotated[ProposalId | None, Field(description="What another admin confirms; none for a dry run.")]
    is_done: Annotated[bool, Field(description="False while it waits for another admin or its time.")]
    items: list[ErasureItemRead]
