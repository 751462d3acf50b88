"""Sending what is due: one job per endpoint at a time, one POST after the other, each with its outcome committed.

A worker killed between the POST and its record sends again: a message arrives at least once, with the same webhook-id.
The job that holds an endpoint is named on its row; when its worker dies, the job itself comes back and goes on at once,
and any other job may take over when the hold has run out.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors import outgoing
from connectors.outgoing import AddressRefused, Answer, NoAnswer
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.clock import brussels_date
from gateway.events.catalogue import READERS
from gateway.events.models import Event
from gateway.events.repository import EventRepository
from gateway.events.schemas import shown
from gateway.identity.held import office_moment
from gateway.ids import encode, new_id
from gateway.notices.outbox import mail_operator
from gateway.offices.models import Office
from gateway.offices.repository import ClientRepository, OfficeRepository
from gateway.offices.services import SERVICE_OF, is_on
from gateway.webhooks import signing
from gateway.webhooks.fanout import FAILING_QUEUE, start
from gateway.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from gateway.webhooks.repository import WebhookRepository
from gateway.webhooks.secrets import secrets_of, url_of
from gateway.webhooks.states import DUE, DeliveryState, EndpointState, check

TIMEOUT_SECONDS: Final = 15
ANSWER_LENGTH_MAX: Final = 1000
BODY_BYTES_MAX: Final = 20_000
WAITS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""After each failed attempt but the last: 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h, about 75 hours in all."""
ATTEMPTS_MAX: Final = len(WAITS) + 1
JITTER_PERCENT: Final = 10
HOLD: Final = timedelta(seconds=60)
PER_JOB_MAX: Final = 50
"""Then the job makes room for other endpoints and is queued anew."""
CLOCKS_APART: Final = timedelta(seconds=2)
"""The clock of the process that wrote an event may be a little ahead of ours."""
LOST_AFTER: Final = timedelta(minutes=5)
RETRY_AFTER_MAX: Final = timedelta(hours=24)

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

log = logging.getLogger("gateway.webhooks")

Draw = Callable[[int], int]
"""A whole number from 0 up to its argument; only spreads retries."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """What one POST needs, read in one transaction."""

    delivery_id: UUID
    url: str = field(repr=False)
    mode: str
    message_id: str
    body: bytes
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Outcome:
    started_at: datetime
    ended_at: datetime
    answer: Answer | None
    fault: str | None

    @property
    def is_taken(self) -> bool:
        return self.answer is not None and 200 <= self.answer.status < 300

    @property
    def is_gone(self) -> bool:
        return self.answer is not None and self.answer.status == 410


def message(event: Event) -> bytes:
    """The thin body: type, timestamp, data with the ids, mode; the same bytes at every attempt."""
    told = shown(event).model_dump(mode="json")
    data = {
        "id": told["object_id"],
        "object_kind": told["object_kind"],
        "event_id": told["id"],
        "position": told["position"],
        "client_id": told["client_id"],
        **{name: value for name, value in told["data"].items() if name not in ("id", "event_id")},
    }
    body = {"type": told["type"], "timestamp": told["occurred_at"], "mode": told["mode"], "data": data}
    made = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
    assert len(made) <= BODY_BYTES_MAX, "an event holds a few short fields"
    return made


class WebhookSender:
    """The job's side of webhooks."""

    def __init__(self, gateway: Gateway, *, draw: Draw = lambda most: random.randint(0, most)) -> None:  # noqa: S311  spreads load, guards nothing
        self.gateway = gateway
        self._draw = draw

    def run(self, office_id: UUID, endpoint_id: UUID, job_id: int, queue: str = FAILING_QUEUE) -> None:
        """Send what is due to one endpoint, unless another job is at it.

        A job of the quick queue hands an endpoint that fails on to the other one.
        """
        for _ in range(PER_JOB_MAX):
            letter = self._next(office_id, endpoint_id, job_id, queue)
            if letter is None:
                return
            outcome = self._send(letter)
            if not self._record(office_id, endpoint_id, letter, outcome):
                break
        with self.gateway.database.unit_of_work(office_id) as session:
            endpoint = WebhookRepository(session).endpoint(office_id, endpoint_id, is_locked=True)
            if endpoint is not None and endpoint.sender_job == job_id:
                self._release(session, endpoint)
                # More may be due. A delay after a failure gives other endpoints their turn.
                start(session, endpoint, after=timedelta(seconds=1))

    def dispatch(self) -> None:
        """Every few minutes: endpoints whose job was lost get another."""
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        for office_id in offices:
            with self.gateway.database.unit_of_work(office_id) as session:
                late = self.gateway.real_now() - LOST_AFTER
                for endpoint in WebhookRepository(session).due_endpoints(office_id, before=late):
                    start(session, endpoint)

    def _next(self, office_id: UUID, endpoint_id: UUID, job_id: int, queue: str) -> _Letter | None:
        """Hold the endpoint and read what is due next; None, and the hold given back, when nothing is.

        The row is locked while this is decided: a delivery committed before its job looks is seen by the holder's last
        look, or finds the endpoint free.
        """
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(office_id) as session:
            webhooks = WebhookRepository(session)
            endpoint = webhooks.endpoint(office_id, endpoint_id, is_locked=True)
            if endpoint is None or endpoint.state != EndpointState.ENABLED:
                return None
            is_held = endpoint.sender_until is not None and endpoint.sender_until > now
            if is_held and endpoint.sender_job != job_id:
                return None
            if endpoint.is_failing and queue != FAILING_QUEUE:
                self._release(session, endpoint)
                start(session, endpoint)
                return None
            while (delivery := webhooks.next_due(office_id, endpoint_id, now=now + CLOCKS_APART)) is not None:
                event = EventRepository(session).get(office_id, delivery.event_id)
                if event is not None and _is_open(session, event, now):
                    break
                self._finish(session, delivery, DeliveryState.DISCARDED, now)
                session.flush()
            else:
                self._release(session, endpoint)
                return None
            endpoint.sender_job, endpoint.sender_until = job_id, now + HOLD
            session.add(endpoint)
            body, message_id = message(event), encode("event", event.id)
            secrets = secrets_of(self.gateway.keys, endpoint, now=now)
            return _Letter(
                delivery_id=delivery.id,
                url=url_of(self.gateway.keys, endpoint),
                mode=endpoint.mode,
                message_id=message_id,
                body=body,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": "Sluis",
                    **signing.headers(secrets, message_id, int(now.timestamp()), body),
                },
            )

    def _send(self, letter: _Letter) -> _Outcome:
        started, answer, fault = self.gateway.real_now(), None, None
        try:
            target = outgoing.check(
                letter.url,
                is_tls_required=letter.mode == "live",
                allowed=self.gateway.settings.allowed_private_networks,
            )
            answer = outgoing.post(
                target, body=letter.body, headers=letter.headers,
                timeout_seconds=TIMEOUT_SECONDS, answer_bytes_max=4 * ANSWER_LENGTH_MAX,
            )  # fmt: skip
        except (AddressRefused, NoAnswer) as error:
            fault = error.word
        return _Outcome(started, self.gateway.real_now(), answer, fault)

    def _record(self, office_id: UUID, endpoint_id: UUID, letter: _Letter, outcome: _Outcome) -> bool:
        """Keep what came of it; False when this job should stop."""
        act = self.gateway.system_act(office_id)
        now = act.real_now
        with self.gateway.database.unit_of_work(office_id) as session:
            webhooks = WebhookRepository(session)
            endpoint = webhooks.endpoint(office_id, endpoint_id, is_locked=True)
            delivery = webhooks.delivery(office_id, letter.delivery_id, is_locked=True)
            assert delivery is not None, "deliveries that are due are kept"
            session.add(_attempt(delivery, outcome))
            delivery.last_status = outcome.answer.status if outcome.answer is not None else None
            delivery.last_fault = outcome.fault
            session.add(delivery)
            if delivery.state not in DUE:
                return False
            delivery.attempts += 1
            if endpoint is not None and endpoint.is_failing == outcome.is_taken:
                endpoint.is_failing = not outcome.is_taken
                session.add(endpoint)
            if outcome.is_taken:
                self._finish(session, delivery, DeliveryState.DELIVERED, now)
                return True
            if endpoint is None:
                self._finish(session, delivery, DeliveryState.DISCARDED, now)
            elif outcome.is_gone:
                self._disable(session, act, endpoint)
            else:
                self._try_later(session, endpoint, delivery, outcome, now)
            return False

    def _try_later(
        self, session: Session, endpoint: WebhookEndpoint, delivery: WebhookDelivery, outcome: _Outcome, now: datetime
    ) -> None:
        check(delivery.state, DeliveryState.RETRYING)
        delivery.state = DeliveryState.RETRYING
        if delivery.attempts >= ATTEMPTS_MAX:
            self._finish(session, delivery, DeliveryState.EXHAUSTED, now)
            self._tell(session, "webhook_given_up", endpoint, delivery)
            return
        wait = WAITS[delivery.attempts - 1]
        wait += timedelta(milliseconds=self._draw(int(wait.total_seconds()) * 10 * JITTER_PERCENT))
        wait = max(wait, _asked_wait(outcome.answer))
        delivery.due_at = now + wait
        start(session, endpoint, after=wait)

    def _disable(self, session: Session, act: Act, endpoint: WebhookEndpoint) -> None:
        """410 Gone: nothing more is sent, what waited is discarded (API-07)."""
        endpoint.state, endpoint.disabled_reason = EndpointState.DISABLED, "gone"
        endpoint.version += 1
        self._release(session, endpoint)
        for delivery in WebhookRepository(session).open_of(endpoint.office_id, endpoint.id):
            self._finish(session, delivery, DeliveryState.DISCARDED, act.real_now)
        self.gateway.audit.record(session, act, "webhook_endpoint.disabled", "webhook_endpoint", endpoint.id)
        self._tell(session, "webhook_disabled", endpoint, None)

    def _tell(
        self, session: Session, template: str, endpoint: WebhookEndpoint, delivery: WebhookDelivery | None
    ) -> None:
        parameters = {"endpoint": encode("webhook_endpoint", endpoint.id)}
        if delivery is not None:
            answer = str(delivery.last_status or delivery.last_fault)
            event = encode("event", delivery.event_id)
            parameters |= {"attempts": str(delivery.attempts), "answer": answer, "event": event}
        moment = self.gateway.real_now().date().isoformat()
        # One mail per endpoint and day, however many messages it does not take.
        mail_operator(
            session, self.gateway, endpoint.office_id, template=template, parameters=parameters,
            key=f"{template}:{endpoint.id}:{moment}",
        )  # fmt: skip

    def _finish(self, session: Session, delivery: WebhookDelivery, state: DeliveryState, now: datetime) -> None:
        check(delivery.state, state)
        delivery.state, delivery.finished_at = state, now
        session.add(delivery)
        log.info("webhook", extra={"delivery_id": str(delivery.id), "state": str(state), "attempts": delivery.attempts})

    def _release(self, session: Session, endpoint: WebhookEndpoint) -> None:
        endpoint.sender_job = endpoint.sender_until = None
        session.add(endpoint)


def _is_open(session: Session, event: Event, now: datetime) -> bool:
    """Whether the office may still be told: its access to the client holds, and the event's service is on.

    Asked when it is sent: what waits or is sent again stops with the grant and the service too (OFF-04, OFF-06).
    """
    if event.client_id is None:
        return True
    office = session.get_one(Office, event.office_id)
    today = brussels_date(office_moment(office, now))
    found = ClientRepository(session).opened(event.office_id, event.client_id, today=today)
    if found is None:
        return False
    service = SERVICE_OF.get(READERS[event.subject])
    return service is None or is_on(service, found[1], found[0])


def _attempt(delivery: WebhookDelivery, outcome: _Outcome) -> WebhookAttempt:
    text = outcome.answer.body.decode(errors="replace") if outcome.answer is not None else ""
    return WebhookAttempt(
        id=new_id(),
        office_id=delivery.office_id,
        delivery_id=delivery.id,
        started_at=outcome.started_at,
        milliseconds=(outcome.ended_at - outcome.started_at) // timedelta(milliseconds=1),
        status=outcome.answer.status if outcome.answer is not None else None,
        fault=outcome.fault,
        answer=_CONTROL.sub(" ", text)[:ANSWER_LENGTH_MAX],
    )


def _asked_wait(answer: Answer | None) -> timedelta:
    """What `Retry-After` asks in seconds, at most a day; a date is not honoured, since clocks differ."""
    given = (answer.retry_after or "").strip() if answer is not None else ""
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        return timedelta(0)
    return min(timedelta(seconds=int(given)), RETRY_AFTER_MAX)
