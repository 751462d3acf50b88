"""API-07, OPS-04: several endpoints and workers; silent endpoints, killed workers, lost jobs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from gateway import worker
from gateway.assembly import Gateway
from gateway.database import libpq_url
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.ids import encode
from gateway.notices.outbox import queue_mail
from gateway.webhooks.fanout import FAILING_QUEUE, QUEUE
from gateway.webhooks.sending import WebhookSender
from gateway.webhooks.states import DeliveryState
from tests.gateway.builders import make_office
from tests.gateway.webhooks.desk import (
    OPERATOR,
    allowed,
    deliveries,
    happen,
    jobs,
    queues,
    subscribe,
)
from tests.gateway.webhooks.receiver import Receiver, receiver


@pytest.mark.processes
def test_a_silent_endpoint_delays_no_other(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, there: Receiver
) -> None:
    """API-07: endpoint A down delays no other, and two workers send nothing twice."""
    hooked = allowed(committed)
    office = make_office(hooked)
    with receiver() as silent:
        silent.hold = threading.Event()
        subscribe(hooked, office, silent.url, event_types=["client"])
        subscribe(hooked, office, there.url, event_types=["client"])
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
    # A worker signs heads of the audit chain as it starts; these are events too.
    subscribe(hooked, office, there.url, event_types=["client"])
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


def test_an_endpoint_that_fails_waits_in_a_queue_of_its_own(hooked: Gateway, there: Receiver) -> None:
    """API-07: endpoint A down delays no other; its messages take places of failing endpoints, until one is taken."""
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    run = partial(WebhookSender(hooked, draw=lambda _: 0).run, office.id, view.endpoint.id)
    happen(hooked, office)
    there.answers = [503]
    run(1, QUEUE)
    happen(hooked, office)
    assert queues(hooked)[0] == QUEUE
    assert set(queues(hooked)[1:]) == {FAILING_QUEUE}, "the retry, and what happened since"
    run(2, QUEUE)
    assert len(there.received) == 1, "a job of the quick queue hands it on"
    assert queues(hooked)[-1] == FAILING_QUEUE
    run(3, FAILING_QUEUE)
    assert len(there.received) == 2
    happen(hooked, office)
    assert queues(hooked)[-1] == QUEUE, "it takes messages again"


@pytest.mark.processes
def test_more_silent_endpoints_than_places_leave_jobs_and_other_endpoints_alone(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, there: Receiver
) -> None:
    """API-07, OPS-04: every place for failing endpoints hangs; a mail's job and a healthy endpoint go on at once."""
    hooked = allowed(committed)
    office = make_office(hooked)
    with receiver() as silent:
        silent.hold = threading.Event()
        failing = [subscribe(hooked, office, silent.url, event_types=["client"]) for _ in range(6)]
        healthy = subscribe(hooked, office, there.url, event_types=["client"])
        with hooked.database.unit_of_work(office.id) as session:
            for view in failing:
                session.merge(view.endpoint).is_failing = True
            happen(hooked, office)
            queue_mail(
                session, hooked, office.id, to=OPERATOR, language="nl", template="webhook_disabled",
                parameters={"endpoint": "whk_x"},
            )  # fmt: skip
        address = libpq_url(postgres.url(APPLICATION, own_database))
        mailing = replace(hooked, settings=hooked.settings.model_copy(update={"webhook_concurrency": 2}))
        with running(mailing, address):
            wait_for(lambda: len(silent.received) == 2 and len(there.received) == 1)
            wanted = happen(hooked, office)
            wait_for(lambda: encode("event", wanted) in there.ids)
            assert len(silent.received) == 2, "two places hang, no more"
            silent.hold.set()
    assert healthy.endpoint.is_failing is False


@contextlib.contextmanager
def running(gateway: Gateway, address: str) -> Iterator[None]:
    """A worker with its lanes, in a thread of its own; stopped at the end."""
    begun = threading.Event()
    held: dict[str, Any] = {}

    async def work() -> None:
        held["loop"] = asyncio.get_running_loop()
        app = worker.job_app(gateway, address)
        held["task"] = asyncio.create_task(worker._run(app, worker.lanes(gateway.settings), is_until_idle=False))
        begun.set()
        await held["task"]

    with pytest.MonkeyPatch.context() as patch:
        # Signals belong to the main thread.
        patch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", lambda *_: None)
        thread = threading.Thread(target=asyncio.run, args=(work(),))
        thread.start()
        begun.wait(10)
        try:
            yield
        finally:
            held["loop"].call_soon_threadsafe(held["task"].cancel)
            thread.join(20)


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


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
