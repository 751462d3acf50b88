"""Jobs: enqueued with their transaction or not at all; a killed worker's jobs are done by another (law 7)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import procrastinate
import procrastinate.sql
import pytest
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text

import gateway.migrations
from gateway import jobs, worker
from gateway.assembly import Gateway
from gateway.database import libpq_url
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.jobs import enqueue
from tests.gateway.builders import make_office

WORKER = """
import asyncio, sys, time
from gateway import logs
from gateway.jobs import queue as jobs
logs.configure("WARNING")
jobs.HEARTBEAT = jobs.timedelta(seconds=0.2)
jobs.STALLED_AFTER = jobs.timedelta(seconds=1)
from gateway import worker
worker.STALLED_AFTER = jobs.STALLED_AFTER
worker.RESCUE_EVERY = jobs.timedelta(seconds=0.3)
app = jobs.make_app(sys.argv[1])

@app.task(name="mark")
def mark(office_id: str, slow: bool) -> None:
    print("started", flush=True)
    if slow and sys.argv[2] == "slow":
        time.sleep(60)
    print("done", flush=True)

asyncio.run(worker._run(app, [worker.Lane(('default',), 2)], is_until_idle=False))
"""


def jobs_of(gateway: Gateway) -> dict[str, int]:
    with gateway.database.unit_of_work(None) as session:
        rows = session.connection().execute(
            text("SELECT status::text, count(*) FROM procrastinate_jobs WHERE task_name = 'mark' GROUP BY status")
        )
        return {row[0]: row[1] for row in rows}


def test_a_job_commits_with_its_transaction_or_not_at_all(committed: Gateway) -> None:
    office = make_office(committed)

    def fail() -> None:
        with committed.database.unit_of_work(office.id) as session:
            enqueue(session, "mark", office_id=str(office.id), slow=False)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert jobs_of(committed) == {}
    with committed.database.unit_of_work(office.id) as session:
        enqueue(session, "mark", office_id=str(office.id), slow=False)
        assert jobs_of(committed) == {}
    assert jobs_of(committed) == {"todo": 1}


@pytest.mark.processes
def test_the_jobs_of_a_killed_worker_are_done_by_another(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str
) -> None:
    office = make_office(committed)
    with committed.database.unit_of_work(office.id) as session:
        for _ in range(2):
            enqueue(session, "mark", office_id=str(office.id), slow=True)
    address = libpq_url(postgres.url(APPLICATION, own_database))

    def start(kind: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, address, kind], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    victim = start("slow")
    assert victim.stdout is not None
    for _ in range(2):
        assert victim.stdout.readline() == "started\n"
    assert jobs_of(committed) == {"doing": 2}
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    heir = start("quick")
    try:
        deadline = time.monotonic() + 20
        while jobs_of(committed) != {"succeeded": 2}:
            assert time.monotonic() < deadline, jobs_of(committed)
            time.sleep(0.1)
    finally:
        heir.send_signal(signal.SIGTERM)
        assert heir.wait(15) == 0
        assert heir.stdout is not None
        heir.stdout.close()


def test_our_copy_of_the_queue_schema_is_the_installed_one() -> None:
    """Notices a newer procrastinate: its migrations must then be copied into one of ours."""
    folder = Path(gateway.migrations.__file__).parent / "sql"
    copy = folder / f"procrastinate_{version('procrastinate')}.sql"
    assert copy.exists(), "procrastinate has a new version: look at its migrations and copy them"
    installed = Path(procrastinate.sql.__file__).parent / "schema.sql"
    assert copy.read_text() == installed.read_text()


def test_jobs_know_nothing_but_ids(committed: Gateway) -> None:
    office = make_office(committed)
    with committed.database.unit_of_work(office.id) as session:
        enqueue(session, "mark", office_id=str(office.id), slow=False)
        args = session.connection().execute(text("SELECT args FROM procrastinate_jobs")).scalar_one()
    assert args == {"office_id": str(office.id), "slow": False}


@pytest.mark.parametrize("failing", ["get_stalled_jobs", "retry_job"])
def test_a_failed_rescue_does_not_end_rescuing(
    committed: Gateway,
    postgres: EmbeddedPostgres,
    own_database: str,
    monkeypatch: pytest.MonkeyPatch,
    failing: str,
) -> None:
    """Two workers that find the same stalled job, or a database away for a moment, once ended rescuing for good."""
    office = make_office(committed)
    with committed.database.unit_of_work(office.id) as session:
        enqueue(session, "mark", office_id=str(office.id), slow=False)
        # What a killed worker leaves behind: a job that runs, of a worker that is gone.
        session.connection().execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    app = jobs.make_app(libpq_url(postgres.url(APPLICATION, own_database)))
    original, calls = getattr(app.job_manager, failing), itertools.count()

    async def second_time(*arguments: Any, **more: Any) -> Any:
        if next(calls) == 0:
            raise ConnectorException
        return await original(*arguments, **more)

    async def rescue() -> None:
        async with app.open_async():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(worker._rescue(app), 2)

    monkeypatch.setattr(app.job_manager, failing, second_time)
    monkeypatch.setattr(worker, "RESCUE_EVERY", timedelta(seconds=0.05))
    asyncio.run(rescue())
    assert jobs_of(committed) == {"todo": 1}
