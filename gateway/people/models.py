"""The table of invitations."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, String, UniqueConstraint
from sqlmodel import Field

from gateway.database import Base, Moment, office_key, office_reference, words
from gateway.people.states import InvitationState


class Invitation(Base, table=True):
    """Roles offered to whoever reads the mailbox of an address: at one client, or at the office."""

    __tablename__ = "invitation"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        UniqueConstraint("office_id", "token_hash"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID | None = Field(default=None, index=True)
    email: str = Field(max_length=254)
    first_name: str = Field(max_length=70)
    last_name: str = Field(max_length=70)
    language: str = Field(max_length=2)
    roles: list[str] = Field(sa_type=ARRAY(String(20)))
    salaries: bool
    from_date: date | None = None
    until_date: date | None = None
    state: InvitationState = Field(sa_type=words(InvitationState))
    token_hash: bytes | None = None
    """Keyed hash of the link's secret; None until the mail is written. A new mail ends the link of the one before."""
    code_hash: bytes | None = None
    """Keyed hash of the code that the inviter hands over; None where the roles need none."""
    tries: int = 0
    """Wrong codes in all."""
    inviter_id: UUID = Field(foreign_key="app_user.id")
    created_at: datetime = Field(sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    """Real time; when the link ends."""
    user_id: UUID | None = Field(default=None, foreign_key="app_user.id")
    """Who accepted."""
    accepted_at: datetime | None = Field(default=None, sa_type=Moment)
