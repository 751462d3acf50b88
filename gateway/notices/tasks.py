"""Jobs of the outbox."""

from __future__ import annotations

from uuid import UUID

import procrastinate

from gateway.assembly import Gateway
from gateway.notices.outbox import TASK, MailSender


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.task(name=TASK)
    def send_mail(office_id: str, mail_id: str) -> None:
        MailSender(gateway).run(UUID(office_id), UUID(mail_id))

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="dispatch_mail", queueing_lock="dispatch_mail", pass_context=False)
    def dispatch_mail(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        MailSender(gateway).dispatch()
