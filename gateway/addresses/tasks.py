"""Job of addresses: those of an office with one admin count after 48 hours."""

from __future__ import annotations

import logging
from typing import Final

import procrastinate

from gateway.addresses.service import AddressService
from gateway.assembly import Gateway
from gateway.offices.repository import OfficeRepository

TASK: Final = "run_due_addresses"

log = logging.getLogger("gateway.addresses")


def register(app: procrastinate.App, gateway: Gateway) -> None:
    """Add this subject's tasks to the worker."""

    @app.periodic(cron="*/10 * * * *")
    @app.task(name=TASK, queueing_lock=TASK, pass_context=False)
    def run_due_addresses(timestamp: int) -> None:  # noqa: ARG001  procrastinate tells for which minute it runs
        run_all(gateway)


def run_all(gateway: Gateway) -> None:
    """Every office, one unit of work each."""
    with gateway.database.unit_of_work(None) as session:
        offices = OfficeRepository(session).all_ids()
    for office_id in offices:
        try:
            AddressService(gateway).run_due(office_id)
        except Exception:
            # What is wrong in one office must not keep those of the others waiting.
            log.exception("addresses not run", extra={"office_id": str(office_id)})
