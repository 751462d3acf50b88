"""The table of proposals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference, words
from gateway.proposals.states import ProposalState


class Proposal(Base, table=True):
    """What one person wants done and another must confirm. Its content never changes."""

    __tablename__ = "proposal"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        # Two who propose the same at once: one of them does.
        Index(
            "uq_proposal_open",
            "office_id",
            "kind",
            "object_id",
            "fingerprint",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    kind: str = Field(max_length=40)
    object_id: UUID
    """What it is about; the kind says which sort of thing."""
    client_id: UUID | None = Field(default=None, index=True)
    content: dict[str, Any] = Field(sa_type=JSONB)
    fingerprint: str = Field(max_length=64)
    """SHA-256 (hex) of client and content."""
    state: ProposalState = Field(sa_type=words(ProposalState))
    proposer_id: UUID = Field(foreign_key="app_user.id")
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    effective_at: datetime | None = Field(default=None, sa_type=Moment)
    """When it takes effect without a second person, because there is none; None when a confirmation is needed."""
    confirmer_id: UUID | None = Field(default=None, foreign_key="app_user.id")
    """None for one that took effect without a second person."""
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
