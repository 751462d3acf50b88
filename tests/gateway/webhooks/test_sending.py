"""API-07: Standard Webhooks, at least once with the same id, retries, replay; the log and its pruning."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from gateway.assembly import Gateway
from gateway.events.models import Event
from gateway.ids import encode, new_id
from gateway.notices.outbox import opened
from gateway.webhooks import signing
from gateway.webhooks.errors import WebhookDisabled
from gateway.webhooks.models import WebhookAttempt
from gateway.webhooks.pruning import prune
from gateway.webhooks.sending import ATTEMPTS_MAX, WAITS, WebhookSender, message
from gateway.webhooks.service import WebhookService
from gateway.webhooks.states import TRANSITIONS, DeliveryState
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.webhooks.desk import (
    OPERATOR,
    admin,
    deliveries,
    happen,
    jobs,
    send,
    subscribe,
)
from tests.gateway.webhooks.receiver import Receiver


def test_the_published_example_of_the_standard_has_our_signature() -> None:
    """The example that the reference libraries of Standard Webhooks test themselves with."""
    made = signing.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_event_is_sent_signed_and_thin(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    client = make_client(hooked, office, name="Geheime Naam BV", now=hooked.real_now())
    event_id = happen(hooked, office, client_id=client.id)
    assert view.secret is not None
    assert view.secret.startswith("whsec_")
    send(hooked, view)
    assert len(there.received) == 2
    got = there.received[-1]
    assert got.path == "/hooks?key=k1"
    assert got.id == encode("event", event_id)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    assert got.is_signed_by(view.secret)
    assert not got.is_signed_by(signing.new_secret())
    body = json.loads(got.body)
    assert set(body) == {"type", "timestamp", "mode", "data"}
    assert (body["type"], body["mode"]) == ("client.changed", "test")
    assert body["data"]["id"] == body["data"]["client_id"] == encode("client", client.id)
    assert len(got.body) < 20_000
    assert b"Geheime" not in b"".join(message.body for message in there.received)
    assert {row.state for row in deliveries(hooked, office)} == {DeliveryState.DELIVERED}
    send(hooked, view)
    assert len(there.received) == 2, "nothing is sent twice"


def test_what_is_rolled_back_is_not_sent(hooked: Gateway, there: Receiver) -> None:
    """API-08: the outbox commits with the change or not at all."""
    office = make_office(hooked)
    subscribe(hooked, office, there.url)

    def fail() -> None:
        with hooked.database.unit_of_work(office.id) as session:
            hooked.events.record(session, act_of_system(office), "client.changed", "client", new_id())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert deliveries(hooked, office) == []
    assert jobs(hooked) == 0


def test_filters_let_through_what_is_wanted(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    client, other = (
        make_client(hooked, office, now=hooked.real_now()),
        make_client(hooked, office, now=hooked.real_now()),
    )
    subscribe(hooked, office, there.url, event_types=["payment", "client.changed"], client_ids=[client.id])
    happen(hooked, office, client_id=client.id)
    happen(hooked, office, client_id=other.id)
    happen(hooked, office, "client.suspended", client_id=client.id)
    happen(hooked, office, "payment.approved", client_id=client.id)
    assert [row.event_type for row in deliveries(hooked, office)] == ["client.changed", "payment.approved"]


def test_failures_are_retried_on_the_schedule_and_then_given_up(hooked: Gateway, there: Receiver) -> None:
    """10 attempts over about 75 hours; a redirect is a failure; the operator is mailed once."""
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    there.answers = [500, 302, 404, 429, 503, 500, 500, 500, 500, 500]
    started = now = hooked.real_now() + timedelta(seconds=1)
    waits = []
    for _ in range(ATTEMPTS_MAX):
        send(hooked, view, at=now)
        (delivery,) = deliveries(hooked, office)
        send(hooked, view, at=now)
        if delivery.state == DeliveryState.RETRYING:
            waits.append(delivery.due_at - now)
            now = delivery.due_at
    assert delivery.state == DeliveryState.EXHAUSTED
    assert tuple(waits) == WAITS
    assert timedelta(hours=75) < now - started < timedelta(hours=76)
    assert len(there.received) == ATTEMPTS_MAX == 10
    assert len(set(there.ids)) == 1
    assert len({message.body for message in there.received}) == 1
    (mail,) = opened(hooked, office.id)
    assert (mail.to, mail.template) == (OPERATOR, "webhook_given_up")
    _, log = WebhookService(hooked).delivery(admin(hooked, office), delivery.id)
    assert [attempt.status for attempt in log] == [500, 302, 404, 429, 503, 500, 500, 500, 500, 500]
    assert log[0].answer == "thanks"


def test_retry_after_is_honoured_up_to_a_day(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    now = hooked.real_now() + timedelta(hours=1)
    for asked, wait in (("120", 120), ("999999999", 86_400), ("soon", 5), ("-5", 5)):
        event_id = happen(hooked, office)
        there.answers, there.headers = [503], {"Retry-After": asked}
        send(hooked, view, at=now)
        delivery = next(row for row in deliveries(hooked, office) if row.event_id == event_id)
        assert delivery.due_at - now == timedelta(seconds=wait), asked


def test_retries_are_spread(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    there.answers = [500]
    now = hooked.real_now() + timedelta(seconds=1)
    asked: list[int] = []

    def most(value: int) -> int:
        asked.append(value)
        return value

    WebhookSender(replace(hooked, real_now=lambda: now), draw=most).run(office.id, view.endpoint.id, 1)
    (delivery,) = deliveries(hooked, office)
    assert asked == [500]
    assert delivery.due_at - now == timedelta(seconds=5.5)


def test_gone_switches_the_endpoint_off_and_discards_what_waits(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    happen(hooked, office)
    there.answers = [410]
    send(hooked, view)
    assert len(there.received) == 1
    assert {row.state for row in deliveries(hooked, office)} == {DeliveryState.DISCARDED}
    shown = WebhookService(hooked).get(admin(hooked, office), view.endpoint.id).endpoint
    assert (shown.state, shown.disabled_reason) == ("disabled", "gone")
    assert [mail.template for mail in opened(hooked, office.id)] == ["webhook_disabled"]
    happen(hooked, office)
    assert len(deliveries(hooked, office)) == 2, "nothing new while it is off"
    with pytest.raises(WebhookDisabled):
        WebhookService(hooked).test(admin(hooked, office), view.endpoint.id)
    service, act = WebhookService(hooked), admin(hooked, office)
    on = service.change(act, view.endpoint.id, {"is_enabled": True}, version=shown.version)
    assert service.replay_range(act, view.endpoint.id, since=hooked.real_now() - timedelta(hours=1), until=None) == 3
    send(hooked, on)
    assert len(there.received) == 4


def test_a_delivery_is_replayed_with_its_id(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    send(hooked, view)
    (delivery,) = deliveries(hooked, office)
    WebhookService(hooked).replay(admin(hooked, office), delivery.id)
    send(hooked, view, at=hooked.real_now() + timedelta(seconds=1))
    assert len(there.received) == 2
    assert there.ids[0] == there.ids[1]
    assert there.received[0].body == there.received[1].body


def test_a_test_message_goes_to_its_endpoint_alone(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url, event_types=["payment"])
    subscribe(hooked, office, there.url)
    event_id = WebhookService(hooked).test(admin(hooked, office), view.endpoint.id)
    assert [(row.endpoint_id, row.event_id) for row in deliveries(hooked, office)] == [(view.endpoint.id, event_id)]
    send(hooked, view)
    assert json.loads(there.received[0].body)["type"] == "test.sent"


def test_a_crash_between_the_post_and_its_record_sends_again_with_the_same_id(
    hooked: Gateway, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 7: at least once; the job that comes back goes on at once, another one waits until the hold has run out."""
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr(WebhookSender, "_record", killed)
        with pytest.raises(KeyboardInterrupt):
            send(hooked, view, job=7)
    assert [row.state for row in deliveries(hooked, office)] == [DeliveryState.PENDING]
    send(hooked, view, job=8)
    assert len(there.received) == 1, "the other job leaves it to the one that holds it"
    send(hooked, view, job=7)
    assert len(there.received) == 2
    assert there.ids[0] == there.ids[1]
    assert [row.state for row in deliveries(hooked, office)] == [DeliveryState.DELIVERED]


def test_a_hold_runs_out(hooked: Gateway, there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    with monkeypatch.context() as crash:
        crash.setattr(WebhookSender, "_record", lambda *_: False)
        crash.setattr(WebhookSender, "_release", lambda *_: None)
        send(hooked, view, job=7)
    send(hooked, view, job=8, at=hooked.real_now() + timedelta(seconds=61))
    assert [row.state for row in deliveries(hooked, office)] == [DeliveryState.DELIVERED]


def test_an_answer_is_kept_without_control_characters(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    there.text = b"\x1b[31mred\x00\r\n" + b"x" * 5000
    send(hooked, view)
    (delivery,) = deliveries(hooked, office)
    _, (attempt,) = WebhookService(hooked).delivery(admin(hooked, office), delivery.id)
    assert attempt.answer.startswith(" [31mred xxx")
    assert len(attempt.answer) == 1000


def test_the_body_is_the_same_at_every_attempt(hooked: Gateway) -> None:
    office = make_office(hooked)
    happen(hooked, office)
    with hooked.database.unit_of_work(office.id) as session:
        event = session.exec(select(Event)).one()
    assert message(event) == message(event)


def test_the_life_cycle_is_the_one_of_the_requirements() -> None:
    named = {
        DeliveryState.PENDING: {DeliveryState.DELIVERED, DeliveryState.RETRYING, DeliveryState.DISCARDED},
        DeliveryState.EXHAUSTED: {DeliveryState.PENDING},
    }
    assert all(TRANSITIONS[state] == following for state, following in named.items())
    assert {DeliveryState.DELIVERED, DeliveryState.EXHAUSTED, DeliveryState.DISCARDED} < TRANSITIONS[
        DeliveryState.RETRYING
    ]


def test_the_log_is_pruned_by_the_setting(hooked: Gateway, there: Receiver) -> None:
    """API-07: what ended long ago goes with its answers; what waits stays, however old; other offices keep theirs."""
    office, other = make_office(hooked), make_office(hooked)
    view, view_there = subscribe(hooked, office, there.url), subscribe(hooked, other, there.url)
    for _ in range(3):
        happen(hooked, office)
    happen(hooked, other)
    there.answers = [200, 503]
    send(hooked, view)
    send(hooked, view_there)
    assert [row.state for row in deliveries(hooked, office)] == ["delivered", "retrying", "pending"]
    days = hooked.settings.webhook_log_days
    later = replace(hooked, real_now=lambda: datetime.now(UTC) + timedelta(days=days, minutes=1))
    prune(replace(hooked, real_now=lambda: datetime.now(UTC) + timedelta(days=days, minutes=-1)))
    assert len(deliveries(hooked, office)) == 3
    prune(later, batch=1)
    assert [row.state for row in deliveries(hooked, office)] == ["retrying", "pending"]
    assert deliveries(hooked, other) == []
    with hooked.database.unit_of_work(office.id) as session:
        assert len(session.exec(select(WebhookAttempt)).all()) == 1
