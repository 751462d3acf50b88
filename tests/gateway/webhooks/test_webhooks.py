"""API-07: Standard Webhooks, at least once with the same id, rotation, replay, retries; SEC-02, SEC-06, SEC-08."""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select

from gateway import worker
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.database import libpq_url
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.errors import InputError, RightsError, StaleError
from gateway.events.models import Event
from gateway.identity.rights import OfficeRole, PersonRequired, SecondFactorRequired
from gateway.ids import encode, new_id
from gateway.notices.outbox import opened
from gateway.offices.models import Office
from gateway.pagination import PageRequest
from gateway.webhooks import signing
from gateway.webhooks.errors import WebhookAddressRefused, WebhookDisabled, WebhookEndpointNotFound
from gateway.webhooks.models import WebhookDelivery, WebhookEndpoint
from gateway.webhooks.sending import ATTEMPTS_MAX, WAITS, WebhookSender, message
from gateway.webhooks.service import EndpointView, WebhookService
from gateway.webhooks.states import TRANSITIONS, DeliveryState
from tests.gateway.builders import act_of, act_of_system, make_client, make_office, make_person
from tests.gateway.webhooks.receiver import Receiver, receiver

ALL = PageRequest(500, None)
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
OPERATOR = "operator@kantoor.example"


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def hooked(gateway: Gateway) -> Gateway:
    """The rolled-back installation, allowed to call loopback."""
    return allowed(gateway)


def allowed(gateway: Gateway) -> Gateway:
    told = {"allowed_private_networks": LOOPBACK, "operator_email": OPERATOR}
    return replace(gateway, settings=gateway.settings.model_copy(update=told))


def admin(gateway: Gateway, office: Office) -> Act:
    """A machine with every right of the office; enough in test mode."""
    act = act_of_system(office, now=gateway.real_now())
    return replace(act, principal=replace(act.principal, kind="machine"))


def subscribe(gateway: Gateway, office: Office, url: str, **more: Any) -> EndpointView:
    wanted: dict[str, Any] = {"description": "Portal", "event_types": [], "client_ids": [], **more}
    return WebhookService(gateway).create(admin(gateway, office), url=url, **wanted)


def happen(gateway: Gateway, office: Office, kind: str = "client.changed", client_id: UUID | None = None) -> UUID:
    with gateway.database.unit_of_work(office.id) as session:
        act = act_of_system(office, now=gateway.real_now())
        return gateway.events.record(session, act, kind, "client", client_id or new_id(), client_id=client_id)


def send(gateway: Gateway, view: EndpointView, *, job: int = 1, at: datetime | None = None) -> None:
    installation = gateway if at is None else replace(gateway, real_now=lambda: at)
    WebhookSender(installation, draw=lambda _: 0).run(view.endpoint.office_id, view.endpoint.id, job)


def deliveries(gateway: Gateway, office: Office) -> list[WebhookDelivery]:
    rows, _ = WebhookService(gateway).deliveries(admin(gateway, office), ALL)
    return rows[::-1]


def jobs(gateway: Gateway) -> int:
    with gateway.database.unit_of_work(None) as session:
        number: int = (
            session.connection()
            .execute(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_webhooks'"))
            .scalar_one()
        )
        return number


def test_the_published_example_of_the_standard_has_our_signature() -> None:
    """The example that the reference libraries of Standard Webhooks test themselves with."""
    made = signing.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_event_is_sent_signed_and_thin(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    client = make_client(hooked, office, name="Geheime Naam BV")
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
    client, other = make_client(hooked, office), make_client(hooked, office)
    subscribe(hooked, office, there.url, event_types=["payment", "client.changed"], client_ids=[client.id])
    happen(hooked, office, client_id=client.id)
    happen(hooked, office, client_id=other.id)
    happen(hooked, office, "client.suspended", client_id=client.id)
    happen(hooked, office, "payment.approved", client_id=client.id)
    assert [row.event_type for row in deliveries(hooked, office)] == ["client.changed", "payment.approved"]


def test_an_unknown_type_or_client_is_refused(hooked: Gateway, there: Receiver) -> None:
    office, other = make_office(hooked), make_office(hooked)
    foreign = make_client(hooked, other)
    with pytest.raises(InputError) as refused:
        subscribe(hooked, office, there.url, event_types=["weather.changed"], client_ids=[foreign.id])
    assert {fault.pointer for fault in refused.value.faults} == {"/event_types/0", "/client_ids/0"}


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


def test_during_a_rotation_both_secrets_sign(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    turned = WebhookService(hooked).rotate(admin(hooked, office), view.endpoint.id)
    assert turned.secret not in (None, view.secret)
    assert view.secret is not None
    assert turned.secret is not None
    happen(hooked, office)
    send(hooked, view)
    happen(hooked, office)
    send(hooked, view, at=hooked.real_now() + timedelta(hours=25))
    first, second = there.received
    assert first.is_signed_by(view.secret)
    assert first.is_signed_by(turned.secret)
    assert second.is_signed_by(turned.secret)
    assert not second.is_signed_by(view.secret)


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


def test_lost_jobs_are_made_again(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    subscribe(hooked, office, there.url)
    happen(hooked, office)
    with hooked.database.unit_of_work(None) as session:
        session.connection().execute(text("DELETE FROM procrastinate_jobs"))
    WebhookSender(hooked).dispatch()
    assert jobs(hooked) == 0, "not while its job may still run"
    later = hooked.real_now() + timedelta(minutes=6)
    WebhookSender(replace(hooked, real_now=lambda: later)).dispatch()
    assert jobs(hooked) == 1


@pytest.mark.processes
def test_a_silent_endpoint_delays_no_other(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, there: Receiver
) -> None:
    """API-07: endpoint A down delays no other, and two workers send nothing twice."""
    hooked = allowed(committed)
    office = make_office(hooked)
    with receiver() as silent:
        silent.hold = threading.Event()
        subscribe(hooked, office, silent.url)
        subscribe(hooked, office, there.url)
        wanted = [encode("event", happen(hooked, office)) for _ in range(10)]
        address = libpq_url(postgres.url(APPLICATION, own_database))
        workers = [
            threading.Thread(target=worker.run, args=(hooked, address), kwargs={"is_until_idle": True})
            for _ in range(2)
        ]
        for thread in workers:
            thread.start()
        deadline = time.monotonic() + 30
        while len(there.received) < len(wanted) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert there.ids == wanted, "all, in order, once, while the other one hangs"
        assert len(silent.received) == 1, "one call at a time holds up itself only"
        silent.hold.set()
        for thread in workers:
            thread.join()


WORKER = """
import sys, time, threading, ipaddress
from dataclasses import replace
from pathlib import Path
from gateway import logs, worker
from gateway.jobs import queue as jobs
logs.configure("WARNING")
jobs.HEARTBEAT = jobs.timedelta(seconds=0.2)
jobs.STALLED_AFTER = worker.STALLED_AFTER = jobs.timedelta(seconds=1)
worker.RESCUE_EVERY = jobs.timedelta(seconds=0.3)
from gateway.assembly import build
from gateway.crypto import KeyRing
from gateway.database import connect
from gateway.settings import Settings
from gateway.webhooks.sending import WebhookSender
if sys.argv[4] == "dies":
    def record(*_):
        print("posted", flush=True)
        time.sleep(60)
    WebhookSender._record = record
settings = Settings(_env_file=None, mode="test", allowed_private_networks=["127.0.0.0/8"])
worker.run(build(settings, connect(sys.argv[1]), KeyRing.load(Path(sys.argv[3]))), sys.argv[2])
"""


@pytest.mark.processes
def test_what_a_killed_worker_was_sending_is_sent_by_another(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, there: Receiver, worker_folder: Any
) -> None:
    """OPS-04: killed between POST and record; the message comes again, with the same id."""
    hooked = allowed(committed)
    office = make_office(hooked)
    subscribe(hooked, office, there.url)
    happen(hooked, office)
    url = postgres.url(APPLICATION, own_database)
    arguments = [url.render_as_string(hide_password=False), libpq_url(url), str(worker_folder / "keys.json")]

    def start(kind: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments, kind],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    victim = start("dies")
    assert victim.stdout is not None
    said = victim.stdout.readline()
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    assert said == "posted\n"
    heir = start("lives")
    try:
        deadline = time.monotonic() + 40
        while [row.state for row in deliveries(hooked, office)] != [DeliveryState.DELIVERED]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        heir.send_signal(signal.SIGTERM)
        heir.wait(15)
        assert heir.stdout is not None
        heir.stdout.close()
    assert there.ids == [there.ids[0]] * 2


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest", "ftp://a.b"]
)
def test_an_address_of_our_own_networks_is_refused_when_saved(gateway: Gateway, url: str) -> None:
    """SEC-08."""
    office = make_office(gateway)
    with pytest.raises(WebhookAddressRefused):
        subscribe(gateway, office, url)
    assert WebhookService(gateway).page(admin(gateway, office), ALL) == ([], None)


def test_an_address_is_checked_again_at_each_delivery(hooked: Gateway, gateway: Gateway, there: Receiver) -> None:
    """SEC-08: what was fine when saved is refused when it leads inside now."""
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    send(gateway, view)
    (delivery,) = deliveries(hooked, office)
    assert there.received == []
    assert (delivery.state, delivery.last_fault) == (DeliveryState.RETRYING, "network_refused")


def test_live_webhooks_need_https_and_a_person(hooked: Gateway, there: Receiver) -> None:
    """SEC-02: destinations are set by a person with a fresh second factor."""
    office = make_office(hooked, mode="live")
    with pytest.raises(PersonRequired):
        subscribe(hooked, office, there.url)
    person = make_person(hooked, office, OfficeRole.ADMIN)
    wanted: dict[str, Any] = {"description": "", "event_types": [], "client_ids": []}
    service = WebhookService(hooked)
    with pytest.raises(SecondFactorRequired):
        service.create(act_of(person, office, OfficeRole.ADMIN, is_fresh=False), url=there.url, **wanted)
    with pytest.raises(WebhookAddressRefused, match="https"):
        service.create(act_of(person, office, OfficeRole.ADMIN), url=there.url, **wanted)
    made = service.create(act_of(person, office, OfficeRole.ADMIN), url="https://127.0.0.1:8443/", **wanted)
    assert made.endpoint.mode == "live"


def test_only_an_administrator_of_the_whole_office_sees_webhooks(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    person = make_person(hooked, office, OfficeRole.STAFF)
    with pytest.raises(RightsError):
        WebhookService(hooked).get(act_of(person, office, OfficeRole.STAFF), view.endpoint.id)


def test_another_offices_webhook_is_not_there(hooked: Gateway, there: Receiver) -> None:
    """Law 5."""
    office, other = make_office(hooked), make_office(hooked)
    view = subscribe(hooked, office, there.url)
    with pytest.raises(WebhookEndpointNotFound):
        WebhookService(hooked).get(admin(hooked, other), view.endpoint.id)
    happen(hooked, other)
    assert deliveries(hooked, office) == []


def test_address_and_secret_are_encrypted_and_never_shown_again(hooked: Gateway, there: Receiver) -> None:
    """SEC-06."""
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    assert view.secret is not None
    with hooked.database.unit_of_work(office.id) as session:
        row = session.exec(select(WebhookEndpoint)).one()
    assert b"hooks" not in row.url_cipher
    assert view.secret.encode() not in row.secret_cipher
    assert view.secret not in repr(view)
    assert WebhookService(hooked).get(admin(hooked, office), row.id).secret is None


def test_a_change_says_what_it_was_based_on(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    service, act = WebhookService(hooked), admin(hooked, office)
    changed = service.change(act, view.endpoint.id, {"description": "Nieuw", "event_types": ["coda"]}, version=1)
    assert (changed.endpoint.description, changed.endpoint.version) == ("Nieuw", 2)
    with pytest.raises(StaleError):
        service.change(act, view.endpoint.id, {"description": "Oud"}, version=1)
    happen(hooked, office)
    service.change(act, view.endpoint.id, {"is_enabled": False}, version=2)
    service.remove(act, view.endpoint.id)
    with pytest.raises(WebhookEndpointNotFound):
        service.get(act, view.endpoint.id)


def test_what_waits_for_a_removed_endpoint_is_discarded(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    WebhookService(hooked).remove(admin(hooked, office), view.endpoint.id)
    send(hooked, view)
    assert there.received == []
    assert [row.state for row in deliveries(hooked, office)] == [DeliveryState.DISCARDED]


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
