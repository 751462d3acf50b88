"""Jobs of the event log."""

from __future__ import annotations

import procrastinate

from gateway.assembly import Gateway
from gateway.events.service import EventService


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.periodic(cron="17 3 * * *")
    @app.task(name="prune_events", queueing_lock="prune_events", pass_context=False)
    def prune_events(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        EventService(gateway).prune()
