"""Queries on machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.machines.models import Application, Credential
from gateway.offices.models import Office


@dataclass(frozen=True, slots=True)
class FoundKey:
    """What a caller's key says, and the mode of its office."""

    id: UUID
    office_id: UUID
    scopes: list[str]
    client_ids: list[UUID] | None
    allowed_addresses: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    office_mode: str


_KEY: Final = Credential.__table__.c  # type: ignore[attr-defined]  # SQLModel sets it on tables
_OFFICE: Final = Office.__table__.c  # type: ignore[attr-defined]  # as above
_BY_SECRET: Final = (
    # Made once, and columns alone: every request of a machine begins with it.
    core_select(
        _KEY.id,
        _KEY.office_id,
        _KEY.scopes,
        _KEY.client_ids,
        _KEY.allowed_addresses,
        _KEY.expires_at,
        _KEY.revoked_at,
        _KEY.last_used_at,
        _OFFICE.mode,
    ).where(_KEY.secret_hash == bindparam("secret"), _OFFICE.id == _KEY.office_id)
)


class MachineRepository:
    """The tables are global; what belongs to one office is asked with its id."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def by_secret(self, secret_hash: bytes) -> FoundKey | None:
        """The key with this secret."""
        found = self.session.connection().execute(_BY_SECRET, {"secret": secret_hash}).one_or_none()
        return None if found is None else FoundKey(*found)

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
