"""The outbox: one row per mail, its address and text encrypted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, words
from gateway.notices.states import MailState


class MailMessage(Base, table=True):
    """A mail as it was written when it became due; what happens later does not change it."""

    __tablename__ = "mail_message"
    __table_args__ = (
        office_key(),
        UniqueConstraint("office_id", "key"),
        Index("ix_mail_message_state", "office_id", "state", "due_at"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    key: str | None = Field(default=None, max_length=200)
    """What makes it once-only within the office, such as `webhook_given_up:<delivery>`."""
    template: str = Field(max_length=60)
    content_cipher: bytes | None
    """Address, language, subject and text as JSON; erased some time after the end."""
    state: MailState = Field(sa_type=words(MailState))
    attempts: int = 0
    created_at: datetime = Field(sa_type=Moment)
    due_at: datetime = Field(sa_type=Moment)
    """When it is tried next; in an end state, when it was last tried."""
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    fault: str | None = Field(default=None, max_length=40)
    """Why the last attempt failed: a word of ours, with the server's code where it gave one (`refused_550`)."""
