"""The worker process: runs jobs, gives back what a dead worker held, dispatches what is due.

Every worker runs `rescue`: jobs of workers that sent no heartbeat are retried, so that killing any worker at any moment
only delays its jobs. Tasks are synchronous and run in threads; a job ends before its worker does (SIGTERM waits).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from datetime import UTC, datetime

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from gateway.app import subject_modules
from gateway.assembly import Gateway
from gateway.jobs import RESCUE_EVERY, STALLED_AFTER, make_app

log = structlog.get_logger("gateway.worker")


def job_app(gateway: Gateway, conninfo: str) -> App:
    """The procrastinate application with the tasks of every subject."""
    app = make_app(conninfo, pool_size=gateway.settings.worker_concurrency + 3)
    for module in subject_modules("tasks"):
        module.register(app, gateway)
    return app


def run(gateway: Gateway, conninfo: str, *, is_until_idle: bool = False) -> None:
    """Work until SIGTERM or SIGINT; with `is_until_idle` (tests) until no job is left."""
    asyncio.run(_run(job_app(gateway, conninfo), gateway.settings.worker_concurrency, is_until_idle=is_until_idle))


async def _run(app: App, concurrency: int, *, is_until_idle: bool) -> None:
    async with app.open_async():
        rescuer = asyncio.create_task(_rescue(app))
        worker = asyncio.create_task(
            app.run_worker_async(concurrency=concurrency, wait=not is_until_idle, install_signal_handlers=False)
        )
        if not is_until_idle:
            loop = asyncio.get_running_loop()
            for wanted in (signal.SIGTERM, signal.SIGINT):
                # Cancelling asks procrastinate's worker to finish what runs and take nothing new.
                loop.add_signal_handler(wanted, worker.cancel)
        log.info("worker started", concurrency=concurrency)
        try:
            await worker
        except asyncio.CancelledError:
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
