"""Queries on the event log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, text
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.events.models import Event
from gateway.offices.models import OfficeHead, Service
from gateway.offices.repository import ClientRepository


class Readable(NamedTuple):
    """Subjects of events that somebody may read, and of whom."""

    subjects: frozenset[str]
    clients: frozenset[UUID] | None
    """None means all, and what belongs to no client as well."""
    service: Service | None
    """Of clients with this service on only."""


class EventRepository:
    """Events of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, event_id: UUID) -> Event | None:
        """One event."""
        return self.session.exec(select(Event).where(Event.office_id == office_id, Event.id == event_id)).one_or_none()

    def visible(self, office_id: UUID, subjects: Iterable[Readable], *, today: date) -> SelectOfScalar[Event]:
        """Query over the events of these subjects, of clients with a grant today (OFF-04)."""
        conditions: list[ColumnElement[bool]] = []
        for names, clients, service in subjects:
            granted = ClientRepository.granted_ids(office_id, today=today, visible=clients, service=service)
            of_client: ColumnElement[bool] = col(Event.client_id).in_(granted)
            if clients is None:
                of_client = or_(col(Event.client_id).is_(None), of_client)
            conditions.append(and_(col(Event.subject).in_(sorted(names)), of_client))
        return select(Event).where(Event.office_id == office_id, or_(*conditions))

    def pruned_until(self, office_id: UUID) -> int:
        """Position of the newest event that is not kept any more; 0 when all are."""
        query = select(OfficeHead.event_pruned_position).where(OfficeHead.office_id == office_id)
        return self.session.exec(query).one()

    def prune(self, office_id: UUID) -> int:
        """Let go of what is older than 90 days; the owner's function does it for the unit of work's office only.

        The service itself may not delete an event. Returns how many went.
        """
        assert self.session.connection().execute(
            text("SELECT current_setting('sluis.office_id', true)")
        ).scalar_one() == str(office_id), "pruning is done in the office's own unit of work"
        count: int = self.session.connection().execute(text("SELECT prune_events()")).scalar_one()
        return count
