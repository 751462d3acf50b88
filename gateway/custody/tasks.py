"""Jobs of custody."""

from __future__ import annotations

import procrastinate

from gateway.assembly import Gateway
from gateway.custody.rotation import TASK, RotationService


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=TASK)
    def rewrap_secrets() -> None:
        RotationService(gateway).rewrap()

    @app.periodic(cron="27 * * * *")
    @app.task(name="rewrap_secrets_hourly", queueing_lock="rewrap_secrets_hourly", pass_context=False)
    def rewrap_secrets_hourly(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        # One key alone: nothing can lie under another.
        if len(gateway.keys.key_ids) > 1:
            RotationService(gateway).rewrap()
