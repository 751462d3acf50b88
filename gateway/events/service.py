"""Reading the event log, and letting go of what is old."""

from __future__ import annotations

import base64
import json
import logging
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session, col

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound, RightsError
from gateway.events.catalogue import READERS
from gateway.events.errors import CursorExpired, EventNotFound, EventTypeUnknown
from gateway.events.models import Event
from gateway.events.repository import EventRepository, Readable
from gateway.identity.rights import Permission
from gateway.ids import PREFIXES, new_id
from gateway.offices.models import Office, Service
from gateway.offices.repository import OfficeRepository
from gateway.offices.service import require_client, require_not_closed
from gateway.offices.services import SERVICE_OF, require_service
from gateway.pagination import PageRequest, Sort

KEPT: Final = timedelta(days=90)
"""As long as the migration's function keeps them."""

log = logging.getLogger("gateway.events")


class EventService:
    """The log of one office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def page(
        self,
        act: Act,
        request: PageRequest,
        *,
        after: UUID | None = None,
        event_type: str | None = None,
        client_id: UUID | None = None,
    ) -> tuple[list[Event], str | None]:
        """Events in the order in which they were committed, of the kinds and clients the caller may read.

        Raises `RightsError`, `EventNotFound`, `CursorExpired`.
        """
        groups: dict[tuple[frozenset[UUID] | None, Service | None], set[str]] = defaultdict(set)
        for subject, permission in READERS.items():
            if act.principal.allows(permission):
                visible = act.principal.visible_clients(permission)
                groups[visible, SERVICE_OF.get(permission)].add(subject)
        if not groups:
            raise RightsError
        with self.gateway.database.unit_of_work(act.office_id) as session:
            events = EventRepository(session)
            services = OfficeRepository(session).services(act.office_id)
            known = [Readable(frozenset(names), *key) for key, names in groups.items() if key[1] in (None, *services)]
            if not known:
                require_service([service for _, service in groups if service is not None], services, None)
            query = events.visible(act.office_id, known, today=act.today)
            if after is not None:
                query = query.where(Event.position > self._position(events, act, after))
            if request.cursor is not None:
                self._check_kept(session, act, request.cursor)
            if event_type is not None:
                query = query.where(Event.type == event_type)
            if client_id is not None:
                query = query.where(Event.client_id == client_id)
            order = [Sort(col(Event.position), lambda event: event.position, int)]
            name = f"events:{act.office_id}:{after}:{event_type}:{client_id}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def trigger(self, act: Act, event_type: str, *, client_id: UUID | None = None) -> Event:
        """Make an event of this type in test mode. Raises `NotFound` in live mode, `EventTypeUnknown`."""
        act.require(Permission.ADMIN)
        subject = event_type.partition(".")[0]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            if session.get_one(Office, act.office_id).mode != "test":
                raise NotFound
            if subject not in READERS:
                raise EventTypeUnknown
            if client_id is not None:
                require_not_closed(require_client(session, act, client_id, Permission.CLIENTS_READ))
            kind = subject if subject in PREFIXES else "client"
            event_id = self.gateway.events.record(session, act, event_type, kind, new_id(), client_id=client_id)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            event = EventRepository(session).get(act.office_id, event_id)
            assert event is not None, "just made"
            return event

    def prune(self) -> None:
        """Let go of what is older than 90 days, office by office."""
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        for office_id in offices:
            with self.gateway.database.unit_of_work(office_id) as session:
                count = EventRepository(session).prune(office_id)
            if count:
                log.info("events pruned", extra={"office_id": str(office_id), "count": count})

    def _position(self, events: EventRepository, act: Act, after: UUID) -> int:
        event = events.get(act.office_id, after)
        if event is not None:
            return event.position
        if _made_at(after) < act.real_now - KEPT:
            raise CursorExpired(days=KEPT.days)
        raise EventNotFound

    def _check_kept(self, session: Session, act: Act, cursor: str) -> None:
        """A cursor kept for months would skip, without a word, what was pruned meanwhile."""
        try:
            # The signature in front is the pager's to check.
            position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[16:])[0]
            is_gone = isinstance(position, int) and position < EventRepository(session).pruned_until(act.office_id)
        except (ValueError, LookupError, TypeError):
            return
        if is_gone:
            raise CursorExpired(days=KEPT.days)


def _made_at(event_id: UUID) -> datetime:
    """The moment inside a UUIDv7."""
    try:
        return datetime.fromtimestamp((event_id.int >> 80) // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)
