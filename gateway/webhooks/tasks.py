"""Jobs of webhooks."""

from __future__ import annotations

from uuid import UUID

import procrastinate

from gateway.assembly import Gateway
from gateway.webhooks.fanout import QUEUE, TASK
from gateway.webhooks.pruning import prune
from gateway.webhooks.sending import WebhookSender


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=TASK, queue=QUEUE, pass_context=True)
    def send_webhooks(context: procrastinate.JobContext, office_id: str, endpoint_id: str) -> None:
        assert context.job is not None, "a task runs as a job"
        assert context.job.id is not None, "a stored job has an id"
        WebhookSender(gateway).run(UUID(office_id), UUID(endpoint_id), context.job.id, context.job.queue)

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="dispatch_webhooks", queueing_lock="dispatch_webhooks", pass_context=False)
    def dispatch_webhooks(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        WebhookSender(gateway).dispatch()

    @app.periodic(cron="37 3 * * *")
    @app.task(name="prune_webhooks", queueing_lock="prune_webhooks", pass_context=False)
    def prune_webhooks(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        prune(gateway)
