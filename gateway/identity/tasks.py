"""Jobs of signing in."""

from __future__ import annotations

from typing import Final

import procrastinate

from gateway.assembly import Gateway
from gateway.identity.pruning import prune

TASK: Final = "prune_sign_ins"


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.periodic(cron="37 3 * * *")
    @app.task(name=TASK, queueing_lock=TASK, pass_context=False)
    def prune_sign_ins(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        prune(gateway)
