"""The worker process: runs jobs, gives back what a dead worker held, dispatches what is due.

Every worker runs `rescue`: jobs of workers that sent no heartbeat are retried, so that killing any worker at any moment
only delays its jobs. Tasks are synchronous and run in threads; a job ends before its worker does (SIGTERM waits).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from gateway.app import subject_modules
from gateway.assembly import Gateway
from gateway.jobs import DEFAULT_QUEUE, RESCUE_EVERY, STALLED_AFTER, make_app
from gateway.settings import Settings
from gateway.webhooks import fanout

log = structlog.get_logger("gateway.worker")

SPARE_THREADS: Final = 4
"""For what is not a job: looking up names, closing files."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Queues with places of their own: what waits for somebody else's server holds up its own lane only (API-07)."""

    queues: tuple[str, ...]
    places: int


def lanes(settings: Settings) -> tuple[Lane, ...]:
    """How the places of one worker process are divided."""
    return (
        Lane((DEFAULT_QUEUE,), settings.worker_concurrency),
        Lane((fanout.QUEUE,), settings.webhook_concurrency),
        Lane((fanout.FAILING_QUEUE,), settings.webhook_concurrency),
    )


def job_app(gateway: Gateway, conninfo: str) -> App:
    """The procrastinate application with the tasks of every subject."""
    places = sum(lane.places for lane in lanes(gateway.settings))
    app = make_app(conninfo, pool_size=places + 2 * len(lanes(gateway.settings)))
    for module in subject_modules("tasks"):
        module.register(app, gateway)
    return app


def run(gateway: Gateway, conninfo: str, *, is_until_idle: bool = False) -> None:
    """Work until SIGTERM or SIGINT; with `is_until_idle` (tests) until no job is left."""
    divided = lanes(gateway.settings)
    if is_until_idle:
        # Jobs of one queue make jobs of another: only a lane of all queues knows that none is left.
        divided = (Lane(sum((lane.queues for lane in divided), ()), sum(lane.places for lane in divided)),)
    asyncio.run(_run(job_app(gateway, conninfo), divided, is_until_idle=is_until_idle))


async def _run(app: App, divided: Sequence[Lane], *, is_until_idle: bool) -> None:
    loop = asyncio.get_running_loop()
    # Tasks are synchronous: each place needs a thread, and Python gives a small machine only a handful.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=sum(lane.places for lane in divided) + SPARE_THREADS))
    async with app.open_async():
        rescuer = asyncio.create_task(_rescue(app))
        workers = [
            asyncio.create_task(
                app.run_worker_async(
                    queues=list(lane.queues),
                    concurrency=lane.places,
                    wait=not is_until_idle,
                    install_signal_handlers=False,
                )
            )
            for lane in divided
        ]
        together = asyncio.gather(*workers)
        if not is_until_idle:
            for wanted in (signal.SIGTERM, signal.SIGINT):
                # Cancelling asks procrastinate's workers to finish what runs and take nothing new.
                loop.add_signal_handler(wanted, together.cancel)
        log.info("worker started", places=[lane.places for lane in divided])
        try:
            await together
        except asyncio.CancelledError:
            await asyncio.gather(*workers, return_exceptions=True)
            log.info("worker stopped")
        finally:
            rescuer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await rescuer


async def _rescue(app: App) -> None:
    """Retry the jobs of workers that died, for as long as this worker lives: what fails once is tried again."""
    while True:
        try:
            stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER.total_seconds())
        except ConnectorException:
            # The database is away for a moment; the worker itself waits for it too.
            log.warning("stalled jobs not read")
            stalled = ()
        for job in stalled:
            try:
                await app.job_manager.retry_job(job, retry_at=datetime.now(UTC))
            except ConnectorException:
                # Another worker gave it back first, or the worker that was slow finished it after all.
                log.info("job not given back", task=job.task_name, job=job.id)
            else:
                log.warning("job given back", task=job.task_name, job=job.id)
        await asyncio.sleep(RESCUE_EVERY.total_seconds())
