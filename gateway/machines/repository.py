"""Queries on machines."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.machines.models import Application, Credential
from gateway.offices.models import Office


class MachineRepository:
    """The tables are global; what belongs to one office is asked with its id."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def by_secret(self, secret_hash: bytes) -> tuple[Credential, str] | None:
        """The key with this secret and the mode of its office."""
        query = (
            select(Credential, Office.mode)
            .join(Office, col(Office.id) == Credential.office_id)
            .where(Credential.secret_hash == secret_hash)
        )
        found = self.session.exec(query).one_or_none()
        return None if found is None else (found[0], found[1])

    def seen(self, credential_id: UUID, moment: datetime) -> None:
        """Note that the key was used; of two calls at once the later one counts."""
        self.session.execute(update(Credential).where(col(Credential.id) == credential_id).values(last_used_at=moment))

    def application_seen(self, application_id: UUID, moment: datetime) -> None:
        """The same of an application."""
        self.session.execute(
            update(Application).where(col(Application.id) == application_id).values(last_used_at=moment)
        )

    def keys(self, office_id: UUID) -> SelectOfScalar[Credential]:
        """Query over the keys of an office."""
        return select(Credential).where(Credential.office_id == office_id)

    def key(self, office_id: UUID, credential_id: UUID) -> Credential | None:
        """One key of the office, held for a change."""
        query = self.keys(office_id).where(Credential.id == credential_id).with_for_update()
        return self.session.exec(query).one_or_none()
