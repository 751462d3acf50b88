"""Queries on the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.notices.models import MailMessage
from gateway.notices.states import UNSENT, MailState


class MailRepository:
    """Mails of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, mail_id: UUID, *, is_locked: bool = False) -> MailMessage | None:
        """One mail."""
        query = select(MailMessage).where(MailMessage.office_id == office_id, MailMessage.id == mail_id)
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def add_once(self, office_id: UUID, mail: MailMessage) -> bool:
        """Add it, unless the office already has a mail with this key; the present transaction survives that."""
        assert mail.office_id == office_id, "a mail is added to its own office"
        statement = (
            insert(MailMessage)
            .values(**mail.model_dump())
            .on_conflict_do_nothing(index_elements=["office_id", "key"])
            .returning(col(MailMessage.id))
        )
        return self.session.execute(statement).one_or_none() is not None

    def by_key(self, office_id: UUID, key: str) -> UUID:
        """The mail that has this key."""
        query = select(MailMessage.id).where(MailMessage.office_id == office_id, MailMessage.key == key)
        return self.session.exec(query).one()

    def all(self, office_id: UUID) -> Sequence[MailMessage]:
        """Every mail in order of writing."""
        query = select(MailMessage).where(MailMessage.office_id == office_id).order_by(col(MailMessage.id))
        return self.session.exec(query).all()

    def waiting_for_configuration(self, office_id: UUID, *, limit: int) -> Sequence[MailMessage]:
        """Kept mails, the oldest first, locked; those another dispatcher holds are left to it."""
        query = (
            select(MailMessage)
            .where(MailMessage.office_id == office_id, MailMessage.state == MailState.NOT_CONFIGURED)
            .order_by(col(MailMessage.due_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self.session.exec(query).all()

    def lost(self, office_id: UUID, *, before: datetime, limit: int) -> Sequence[MailMessage]:
        """Mails that were due long ago: their job is gone. Locked."""
        query = (
            select(MailMessage)
            .where(
                MailMessage.office_id == office_id,
                col(MailMessage.state).in_(UNSENT),
                col(MailMessage.due_at) < before,
            )
            .order_by(col(MailMessage.due_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self.session.exec(query).all()

    def erase(self, office_id: UUID, *, before: datetime) -> int:
        """Forget address and text of mails that ended before; returns how many."""
        statement = (
            update(MailMessage)
            .where(
                col(MailMessage.office_id) == office_id,
                col(MailMessage.state).in_([MailState.SENT, MailState.FAILED]),
                col(MailMessage.due_at) < before,
                col(MailMessage.content_cipher).is_not(None),
            )
            .values(content_cipher=None)
        )
        return self.session.connection().execute(statement).rowcount
