"""Rules of webhooks: who sets them up, secrets and their rotation, tests, log and replays (API-07, SEC-02, SEC-08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col, select

from connectors import outgoing
from connectors.outgoing import AddressRefused
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError, StaleError, Words
from gateway.events.catalogue import READERS
from gateway.events.repository import EventRepository
from gateway.i18n import _
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.models import Client, Office
from gateway.pagination import PageRequest, Sort
from gateway.webhooks import signing
from gateway.webhooks.errors import (
    EventGone,
    WebhookAddressRefused,
    WebhookDeliveryNotFound,
    WebhookDisabled,
    WebhookEndpointNotFound,
)
from gateway.webhooks.fanout import TEST_KIND, new_delivery, start, wants
from gateway.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from gateway.webhooks.repository import WebhookRepository
from gateway.webhooks.secrets import seal_secret, seal_url, url_of
from gateway.webhooks.states import DUE, DeliveryState, EndpointState, check

OLD_SECRET_LIFE: Final = timedelta(hours=24)
REPLAYED_AT_ONCE_MAX: Final = 1000
KIND: Final = "webhook_endpoint"

REASONS: Final[Mapping[str, str]] = {
    "not_an_address": _("it is not an address in plain form"),
    "https_needed": _("it does not begin with https"),
    "holds_a_sign_in": _("it holds a user name or password"),
    "port_refused": _("its port belongs to another service"),
    "name_unknown": _("its name is not known"),
    "network_refused": _("it lies in a network that is not public"),
}


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint with its address opened; `secret` only in the answer that made it."""

    endpoint: WebhookEndpoint
    url: str = field(repr=False)
    """Receivers put keys into their addresses."""
    secret: str | None = field(default=None, repr=False)


class WebhookService:
    """Webhooks of one office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create(
        self, act: Act, *, url: str, description: str, event_types: Sequence[str], client_ids: Sequence[UUID]
    ) -> EndpointView:
        """A new endpoint and its secret, shown once. Raises `WebhookAddressRefused`, `SecondFactorRequired`."""
        mode = self._require_change(act)
        self._check_url(url, mode)
        secret = signing.new_secret()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            self._check_filters(session, act, event_types, client_ids)
            endpoint = WebhookEndpoint(
                id=new_id(), office_id=act.office_id, url_cipher=b"", description=description,
                event_types=sorted(set(event_types)), client_ids=sorted({str(client) for client in client_ids}),
                mode=mode, state=EndpointState.ENABLED, secret_cipher=b"", created_at=act.real_now,
            )  # fmt: skip
            endpoint.url_cipher = seal_url(self.gateway.keys, endpoint, url)
            endpoint.secret_cipher = seal_secret(self.gateway.keys, endpoint, secret)
            session.add(endpoint)
            self._record(session, act, endpoint, "created", {"event_types": Change(None, endpoint.event_types)})
        return EndpointView(endpoint, url, secret)

    def get(self, act: Act, endpoint_id: UUID) -> EndpointView:
        """One endpoint."""
        act.require_for_office(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._view(self._endpoint(session, act, endpoint_id))

    def page(self, act: Act, request: PageRequest) -> tuple[list[EndpointView], str | None]:
        """Endpoints, oldest first."""
        act.require_for_office(Permission.ADMIN)
        order = [Sort(col(WebhookEndpoint.id), lambda row: str(row.id), UUID)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = WebhookRepository(session).endpoints(act.office_id)
            rows, cursor = self.gateway.pager.page(
                session, query, order, request, name=f"webhook-endpoints:{act.office_id}"
            )
        return [self._view(row) for row in rows], cursor

    def change(self, act: Act, endpoint_id: UUID, wanted: Mapping[str, Any], *, version: int) -> EndpointView:
        """Change what is named: `url`, `description`, `event_types`, `client_ids`, `is_enabled`.

        Switching off discards what waits; it can be replayed. Raises `StaleError`, `WebhookAddressRefused`.
        """
        mode = self._require_change(act)
        if "url" in wanted:
            self._check_url(wanted["url"], mode)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            endpoint = self._endpoint(session, act, endpoint_id, is_locked=True)
            if endpoint.version != version:
                raise StaleError
            self._check_filters(session, act, wanted.get("event_types", ()), wanted.get("client_ids", ()))
            for name, value in wanted.items():
                match name:
                    case "url":
                        endpoint.url_cipher = seal_url(self.gateway.keys, endpoint, value)
                    case "client_ids":
                        endpoint.client_ids = sorted({str(client) for client in value})
                    case "event_types":
                        endpoint.event_types = sorted(set(value))
                    case "description":
                        endpoint.description = value
                    case "is_enabled":
                        self._switch(session, act, endpoint, is_on=value)
            endpoint.version += 1
            session.add(endpoint)
            self._record(session, act, endpoint, "changed", {"fields": Change(None, sorted(wanted))})
            return self._view(endpoint)

    def remove(self, act: Act, endpoint_id: UUID) -> None:
        """Remove it; what waits is discarded, the log stays."""
        self._require_change(act)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            endpoint = self._endpoint(session, act, endpoint_id, is_locked=True)
            self._discard(session, act, endpoint)
            endpoint.state = EndpointState.REMOVED
            endpoint.old_secret_cipher = None
            endpoint.version += 1
            session.add(endpoint)
            self._record(session, act, endpoint, "removed", {})

    def rotate(self, act: Act, endpoint_id: UUID) -> EndpointView:
        """A new secret, shown once; for 24 hours the old one signs as well."""
        self._require_change(act)
        secret = signing.new_secret()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            endpoint = self._endpoint(session, act, endpoint_id, is_locked=True)
            endpoint.old_secret_cipher = endpoint.secret_cipher
            endpoint.old_secret_until = act.real_now + OLD_SECRET_LIFE
            endpoint.secret_cipher = seal_secret(self.gateway.keys, endpoint, secret)
            endpoint.version += 1
            session.add(endpoint)
            self._record(session, act, endpoint, "secret_rotated", {})
            return EndpointView(endpoint, url_of(self.gateway.keys, endpoint), secret)

    def test(self, act: Act, endpoint_id: UUID) -> UUID:
        """Send a test message to this endpoint alone; the id of its event. Raises `WebhookDisabled`."""
        act.require_for_office(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            endpoint = self._enabled(session, act, endpoint_id)
            return self.gateway.events.record(session, act, "test.sent", TEST_KIND, endpoint.id)

    def deliveries(
        self, act: Act, request: PageRequest, *, endpoint_id: UUID | None = None, state: DeliveryState | None = None
    ) -> tuple[list[WebhookDelivery], str | None]:
        """The log, newest first."""
        act.require_for_office(Permission.ADMIN)
        order = [Sort(col(WebhookDelivery.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = WebhookRepository(session).deliveries(act.office_id)
            if endpoint_id is not None:
                query = query.where(WebhookDelivery.endpoint_id == endpoint_id)
            if state is not None:
                query = query.where(WebhookDelivery.state == state)
            name = f"webhook-deliveries:{act.office_id}:{endpoint_id}:{state}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def delivery(self, act: Act, delivery_id: UUID) -> tuple[WebhookDelivery, Sequence[WebhookAttempt]]:
        """One delivery and what was tried."""
        act.require_for_office(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            found = WebhookRepository(session).delivery(act.office_id, delivery_id)
            if found is None:
                raise WebhookDeliveryNotFound
            return found, WebhookRepository(session).attempts(act.office_id, delivery_id)

    def attempts(self, act: Act, delivery_ids: Sequence[UUID]) -> dict[UUID, list[WebhookAttempt]]:
        """What was tried for each of these deliveries, oldest first."""
        act.require_for_office(Permission.ADMIN)
        found: dict[UUID, list[WebhookAttempt]] = {}
        with self.gateway.database.unit_of_work(act.office_id) as session:
            for attempt in WebhookRepository(session).attempts_of(act.office_id, delivery_ids):
                found.setdefault(attempt.delivery_id, []).append(attempt)
        return found

    def replay(self, act: Act, delivery_id: UUID) -> WebhookDelivery:
        """Send one delivery again, with the same message id. Raises `WebhookDisabled`, `EventGone`."""
        act.require_for_office(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            webhooks = WebhookRepository(session)
            known = webhooks.delivery(act.office_id, delivery_id)
            if known is None:
                raise WebhookDeliveryNotFound
            # The endpoint first, the order in which the sender locks them.
            endpoint = self._enabled(session, act, known.endpoint_id)
            delivery = webhooks.delivery(act.office_id, delivery_id, is_locked=True)
            assert delivery is not None, "deliveries are kept"
            if EventRepository(session).get(act.office_id, delivery.event_id) is None:
                raise EventGone
            self._again(session, act, delivery)
            start(session, endpoint)
            return delivery

    def replay_range(self, act: Act, endpoint_id: UUID, *, since: datetime, until: datetime | None) -> int:
        """Send again every event of that time that the endpoint wants, at most 1,000; the number."""
        act.require_for_office(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            endpoint = self._enabled(session, act, endpoint_id)
            webhooks = WebhookRepository(session)
            events = webhooks.events_between(
                act.office_id, since=since, until=until or act.real_now + timedelta(seconds=1),
                limit=REPLAYED_AT_ONCE_MAX,
            )  # fmt: skip
            wanted = [event for event in events if wants(endpoint, event)]
            known = webhooks.of_events(act.office_id, endpoint.id, [event.id for event in wanted])
            for delivery in known.values():
                self._again(session, act, delivery)
            new = [new_delivery(endpoint, event) for event in wanted if event.id not in known]
            if new:
                webhooks.add_deliveries(act.office_id, new)
            if wanted:
                start(session, endpoint)
            self._record(session, act, endpoint, "replayed", {"count": Change(None, len(wanted))})
            return len(wanted)

    # Helpers -----------------------------------------------------------------------------------------------------

    def _again(self, session: Session, act: Act, delivery: WebhookDelivery) -> None:
        if delivery.state not in DUE:
            check(delivery.state, DeliveryState.PENDING)
            delivery.state, delivery.attempts, delivery.finished_at = DeliveryState.PENDING, 0, None
        delivery.due_at = act.real_now
        session.add(delivery)

    def _require_change(self, act: Act) -> str:
        """Destinations are set by a person with a fresh second factor (SEC-02), in test mode by a machine too.

        Returns the mode of the office.
        """
        act.require_for_office(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            mode = session.get_one(Office, act.office_id).mode
        if act.principal.is_person or mode != "test":
            act.require_fresh_second_factor()
        return mode

    def _check_url(self, url: str, mode: str) -> None:
        try:
            outgoing.check(url, is_tls_required=mode == "live", allowed=self.gateway.settings.allowed_private_networks)
        except AddressRefused as error:
            reason = Words(REASONS[error.word])
            raise WebhookAddressRefused(
                reason=reason, faults=[FieldFault("/url", error.word, WebhookAddressRefused.title)]
            ) from error

    def _check_filters(
        self, session: Session, act: Act, event_types: Sequence[str], client_ids: Sequence[UUID]
    ) -> None:
        faults = [
            FieldFault(f"/event_types/{index}", "event_type_unknown", "There are no such events.")
            for index, name in enumerate(event_types)
            if name.partition(".")[0] not in READERS
        ]
        query = select(Client.id).where(Client.office_id == act.office_id, col(Client.id).in_(client_ids))
        known = set(session.exec(query)) if client_ids else set()
        faults += [
            FieldFault(f"/client_ids/{index}", "client_not_found", "There is no such client.")
            for index, client in enumerate(client_ids)
            if client not in known
        ]
        if faults:
            raise InputError(faults=faults)

    def _switch(self, session: Session, act: Act, endpoint: WebhookEndpoint, *, is_on: bool) -> None:
        endpoint.state = EndpointState.ENABLED if is_on else EndpointState.DISABLED
        endpoint.disabled_reason = None if is_on else "office"
        if not is_on:
            self._discard(session, act, endpoint)

    def _discard(self, session: Session, act: Act, endpoint: WebhookEndpoint) -> None:
        for delivery in WebhookRepository(session).open_of(act.office_id, endpoint.id):
            check(delivery.state, DeliveryState.DISCARDED)
            delivery.state, delivery.finished_at = DeliveryState.DISCARDED, act.real_now
            session.add(delivery)

    def _endpoint(self, session: Session, act: Act, endpoint_id: UUID, *, is_locked: bool = False) -> WebhookEndpoint:
        found = WebhookRepository(session).endpoint(act.office_id, endpoint_id, is_locked=is_locked)
        if found is None:
            raise WebhookEndpointNotFound
        return found

    def _enabled(self, session: Session, act: Act, endpoint_id: UUID) -> WebhookEndpoint:
        endpoint = WebhookRepository(session).endpoint(act.office_id, endpoint_id, is_locked=True)
        if endpoint is None:
            raise WebhookEndpointNotFound
        if endpoint.state != EndpointState.ENABLED:
            raise WebhookDisabled
        return endpoint

    def _view(self, endpoint: WebhookEndpoint) -> EndpointView:
        return EndpointView(endpoint, url_of(self.gateway.keys, endpoint))

    def _record(
        self, session: Session, act: Act, endpoint: WebhookEndpoint, word: str, changes: Mapping[str, Change]
    ) -> None:
        self.gateway.audit.record(session, act, f"{KIND}.{word}", KIND, endpoint.id, changes=changes)
