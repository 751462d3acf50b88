"""Jobs of reading, of taking words out, and of dispatching. They carry ids only; their state lives in our tables."""

from __future__ import annotations

from uuid import UUID

import procrastinate

from gateway.accounts.service import CLOSE_TASK
from gateway.accounts.syncs import TASK
from gateway.assembly import Gateway
from gateway.statements.service import StatementService
from gateway.transactions.changes import INDEX_TASK
from gateway.transactions.dispatch import Dispatcher
from gateway.transactions.places import BankPlaces
from gateway.transactions.sync import SyncService
from gateway.transactions.terms import TermIndexer


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    places = BankPlaces(gateway.settings.worker_concurrency)

    @app.task(name=TASK)
    def sync_account(office_id: str, sync_id: str) -> None:
        service = SyncService(gateway)
        bank_id = service.bank_of(UUID(office_id), UUID(sync_id))
        if bank_id is None:
            return
        with places.one_of(bank_id) as wait:
            if wait is None:
                service.run(UUID(office_id), UUID(sync_id))
            else:
                service.put_off(UUID(office_id), UUID(sync_id), wait)

    @app.task(name=CLOSE_TASK)
    def close_days(office_id: str, account_id: str) -> None:
        StatementService(gateway).close_days(UUID(office_id), UUID(account_id))

    @app.task(name=INDEX_TASK)
    def index_transactions(office_id: str, change_set_id: str) -> None:
        TermIndexer(gateway).run(UUID(office_id), UUID(change_set_id))

    @app.periodic(cron="* * * * *")
    @app.task(name="dispatch_due", queueing_lock="dispatch_due", pass_context=False)
    def dispatch_due(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        Dispatcher(gateway).run()
