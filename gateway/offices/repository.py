"""Queries on offices, clients and access grants."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, any_, literal, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.offices.models import AccessGrant, Client, Office, Service


class OfficeRepository:
    """Offices are global; each query still names the office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID) -> Office | None:
        """The office itself."""
        return self.session.get(Office, office_id)

    def services(self, office_id: UUID) -> list[str]:
        """The services that are on for the office."""
        return list(self.session.exec(select(Office.services).where(Office.id == office_id)).one())

    def hold(self, office_id: UUID) -> None:
        """Let what changes the office's admins, or a client's administrators, follow one after the other."""
        self.session.exec(select(Office.id).where(Office.id == office_id).with_for_update(key_share=True)).one()

    def all_ids(self) -> list[UUID]:
        """Every office; for dispatchers, which loop over offices one unit of work each."""
        return list(self.session.exec(select(Office.id).order_by(col(Office.id))))


class ClientRepository:
    """Clients of one office, through the grants that open them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, client_id: UUID) -> Client | None:
        """The client, whatever its grants."""
        return self.session.exec(
            select(Client).where(Client.office_id == office_id, Client.id == client_id)
        ).one_or_none()

    def of_ids(self, office_id: UUID, client_ids: Collection[UUID]) -> list[tuple[Client, list[str]]]:
        """Clients of what was found already, each with the services that are on for the office; in one query."""
        if not client_ids:
            return []
        query = (
            select(Client, Office.services)
            .join(Office, col(Office.id) == Client.office_id)
            .where(Client.office_id == office_id, col(Client.id).in_(client_ids))
        )
        return [(client, list(services)) for client, services in self.session.exec(query)]

    def get_granted(self, office_id: UUID, client_id: UUID, *, today: date) -> Client | None:
        """The client when a grant is valid today (OFF-04)."""
        return self.session.exec(self.granted(office_id, today=today).where(Client.id == client_id)).one_or_none()

    def opened(
        self, office_id: UUID, client_id: UUID, *, today: date, is_held: bool = False
    ) -> tuple[Client, list[str]] | None:
        """The client when a grant is valid today, with the services that are on for the office.

        Held, neither's services can be switched off before the unit of work ends.
        """
        query = (
            select(Client, Office.services)
            .join(Office, col(Office.id) == Client.office_id)
            .where(Client.office_id == office_id, Client.id == client_id, is_granted(office_id, today))
        )
        if is_held:
            query = query.with_for_update(read=True, key_share=True, of=(Client, Office))
        found = self.session.exec(query).one_or_none()
        return None if found is None else (found[0], list(found[1]))

    def granted(
        self, office_id: UUID, *, today: date, visible: frozenset[UUID] | None = None
    ) -> SelectOfScalar[Client]:
        """Query over the clients with a grant valid today, limited to `visible` when given."""
        query = select(Client).where(Client.office_id == office_id, is_granted(office_id, today))
        return query if visible is None else query.where(col(Client.id).in_(visible))

    @staticmethod
    def granted_ids(
        office_id: UUID, *, today: date, visible: frozenset[UUID] | None, service: Service | None = None
    ) -> SelectOfScalar[UUID]:
        """The ids alone, to limit another query; of clients with this service on, when one is named."""
        query = select(Client.id).where(Client.office_id == office_id, is_granted(office_id, today))
        if service is not None:
            query = query.where(with_service(service))
        return query if visible is None else query.where(col(Client.id).in_(visible))

    def by_number(self, office_id: UUID, enterprise_number: str, dossier_code: str) -> Client | None:
        """The client with this key."""
        return self.session.exec(
            select(Client).where(
                Client.office_id == office_id,
                Client.enterprise_number == enterprise_number,
                Client.dossier_code == dossier_code,
            )
        ).one_or_none()

    def by_external_id(self, office_id: UUID, external_id: str) -> Client | None:
        """The client with the caller's own id."""
        return self.session.exec(
            select(Client).where(Client.office_id == office_id, Client.external_id == external_id)
        ).one_or_none()

    def grants(self, office_id: UUID, client_id: UUID) -> Sequence[AccessGrant]:
        """All grants, oldest first."""
        return self.session.exec(
            select(AccessGrant)
            .where(AccessGrant.office_id == office_id, AccessGrant.client_id == client_id)
            .order_by(col(AccessGrant.from_date))
        ).all()


def with_service(service: Service) -> ColumnElement[bool]:
    """Whether the service is on for the client itself."""
    return literal(service.value) == any_(col(Client.services))


def is_granted(office_id: UUID | ColumnElement[UUID], today: date | ColumnElement[date]) -> ColumnElement[bool]:
    """Whether a grant opens the client on this day."""
    return (
        select(AccessGrant.id)
        .where(
            AccessGrant.office_id == office_id,
            AccessGrant.client_id == Client.id,
            AccessGrant.from_date <= today,
            or_(col(AccessGrant.until_date).is_(None), col(AccessGrant.until_date) >= today),
        )
        .exists()
    )
