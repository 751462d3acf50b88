"""Jobs of recorded traffic."""

from __future__ import annotations

import procrastinate

from gateway.assembly import Gateway
from gateway.traffic.service import TrafficService


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.periodic(cron="41 3 * * *")
    @app.task(name="prune_traffic", queueing_lock="prune_traffic", pass_context=False)
    def prune_traffic(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        TrafficService(gateway).prune()
