"""The monitor: what stands still, for support and everybody else of the office (OFF-08)."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from gateway.accounts.health import NEXT_STEPS
from gateway.api import GatewayDep
from gateway.monitor.schemas import masked
from gateway.monitor.service import MonitorService
from gateway.web.rendering import page
from gateway.web.routing import page_router
from gateway.web.security import VisitDep

router = page_router()


@router.get("/monitor")
def monitor(request: Request, gateway: GatewayDep, visit: VisitDep) -> Response:
    """Everything at once."""
    found = MonitorService(gateway).look(visit.act)
    banks = {account.bank_id for account, _client in found.accounts} | {row.bank_id for row, _client in found.consents}
    return page(
        request,
        "monitor.html",
        found=found,
        bank_names={bank: gateway.banks.profile(bank).name for bank in banks if bank},
        next_steps=NEXT_STEPS,
        masked=masked,
        endpoint_names={row.id: row.description for row in found.endpoints},
    )
