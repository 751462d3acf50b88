"""Jobs of the bank directory."""

from __future__ import annotations

import procrastinate

from gateway.assembly import Gateway
from gateway.banks.alarms import tell_ends


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.periodic(cron="11 6 * * *")
    @app.task(name="tell_certificate_ends", queueing_lock="tell_certificate_ends", pass_context=False)
    def tell_certificate_ends(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        tell_ends(gateway)
