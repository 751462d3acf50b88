"""Queries on webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.events.models import Event
from gateway.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from gateway.webhooks.states import DUE, EndpointState


class WebhookRepository:
    """Endpoints and deliveries of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def endpoints(self, office_id: UUID) -> SelectOfScalar[WebhookEndpoint]:
        """Query over the endpoints that were not removed."""
        return select(WebhookEndpoint).where(
            WebhookEndpoint.office_id == office_id, WebhookEndpoint.state != EndpointState.REMOVED
        )

    def enabled(self, office_id: UUID) -> Sequence[WebhookEndpoint]:
        """Those that receive."""
        query = select(WebhookEndpoint).where(
            WebhookEndpoint.office_id == office_id, WebhookEndpoint.state == EndpointState.ENABLED
        )
        return self.session.exec(query.order_by(col(WebhookEndpoint.id))).all()

    def endpoint(self, office_id: UUID, endpoint_id: UUID, *, is_locked: bool = False) -> WebhookEndpoint | None:
        """One endpoint that was not removed. The lock lets references to it be made meanwhile."""
        query = self.endpoints(office_id).where(WebhookEndpoint.id == endpoint_id)
        if is_locked:
            query = query.with_for_update(key_share=True)
        return self.session.exec(query).one_or_none()

    def delivery(self, office_id: UUID, delivery_id: UUID, *, is_locked: bool = False) -> WebhookDelivery | None:
        """One delivery."""
        query = select(WebhookDelivery).where(WebhookDelivery.office_id == office_id, WebhookDelivery.id == delivery_id)
        if is_locked:
            query = query.with_for_update(key_share=True)
        return self.session.exec(query).one_or_none()

    def deliveries(self, office_id: UUID) -> SelectOfScalar[WebhookDelivery]:
        """Query over all deliveries."""
        return select(WebhookDelivery).where(WebhookDelivery.office_id == office_id)

    def add_deliveries(self, office_id: UUID, rows: Sequence[dict[str, Any]]) -> None:
        """Many at once."""
        assert all(row["office_id"] == office_id for row in rows), "deliveries belong to their office"
        self.session.connection().execute(insert(WebhookDelivery), list(rows))

    def next_due(self, office_id: UUID, endpoint_id: UUID, *, now: datetime) -> WebhookDelivery | None:
        """The delivery of this endpoint that has waited longest; None when none is due."""
        query = (
            select(WebhookDelivery)
            .where(
                WebhookDelivery.office_id == office_id,
                WebhookDelivery.endpoint_id == endpoint_id,
                col(WebhookDelivery.state).in_(DUE),
                col(WebhookDelivery.due_at) <= now,
            )
            .order_by(col(WebhookDelivery.due_at), col(WebhookDelivery.id))
            .limit(1)
        )
        return self.session.exec(query).one_or_none()

    def due_endpoints(self, office_id: UUID, *, before: datetime) -> Sequence[WebhookEndpoint]:
        """Endpoints with something due long ago: their job is gone."""
        due = select(WebhookDelivery.endpoint_id).where(
            WebhookDelivery.office_id == office_id,
            col(WebhookDelivery.state).in_(DUE),
            col(WebhookDelivery.due_at) < before,
        )
        query = self.endpoints(office_id).where(col(WebhookEndpoint.id).in_(due))
        return self.session.exec(query.order_by(col(WebhookEndpoint.id))).all()

    def prune(self, office_id: UUID, *, before: datetime, limit: int) -> int:
        """Delete deliveries that ended before a moment, with their attempts; the number, at most `limit`."""
        old = select(WebhookDelivery.id).where(
            WebhookDelivery.office_id == office_id,
            col(WebhookDelivery.state).not_in(DUE),
            col(WebhookDelivery.finished_at) < before,
        )
        ids = self.session.exec(old.limit(limit).with_for_update(skip_locked=True)).all()
        if ids:
            for table, column in ((WebhookAttempt, WebhookAttempt.delivery_id), (WebhookDelivery, WebhookDelivery.id)):
                self.session.connection().execute(
                    delete(table).where(col(table.office_id) == office_id, col(column).in_(ids))
                )
        return len(ids)

    def attempts(self, office_id: UUID, delivery_id: UUID) -> Sequence[WebhookAttempt]:
        """What was tried, oldest first."""
        return self.attempts_of(office_id, [delivery_id])

    def attempts_of(self, office_id: UUID, delivery_ids: Sequence[UUID]) -> Sequence[WebhookAttempt]:
        """What was tried for several deliveries, oldest first."""
        query = select(WebhookAttempt).where(
            WebhookAttempt.office_id == office_id, col(WebhookAttempt.delivery_id).in_(delivery_ids)
        )
        return self.session.exec(query.order_by(col(WebhookAttempt.started_at), col(WebhookAttempt.id))).all()

    def events_between(self, office_id: UUID, *, since: datetime, until: datetime, limit: int) -> Sequence[Event]:
        """Events recorded in that time, oldest first."""
        query = (
            select(Event)
            .where(Event.office_id == office_id, Event.recorded_at >= since, Event.recorded_at < until)
            .order_by(col(Event.position))
            .limit(limit)
        )
        return self.session.exec(query).all()

    def of_events(self, office_id: UUID, endpoint_id: UUID, event_ids: Sequence[UUID]) -> dict[UUID, WebhookDelivery]:
        """The deliveries of these events to one endpoint, locked, by event."""
        query = select(WebhookDelivery).where(
            WebhookDelivery.office_id == office_id,
            WebhookDelivery.endpoint_id == endpoint_id,
            col(WebhookDelivery.event_id).in_(event_ids),
        )
        return {row.event_id: row for row in self.session.exec(query.with_for_update(key_share=True))}

    def open_of(self, office_id: UUID, endpoint_id: UUID) -> Sequence[WebhookDelivery]:
        """What still waits for this endpoint, locked."""
        query = select(WebhookDelivery).where(
            WebhookDelivery.office_id == office_id,
            WebhookDelivery.endpoint_id == endpoint_id,
            col(WebhookDelivery.state).in_(DUE),
        )
        return self.session.exec(query.with_for_update(key_share=True)).all()
