"""The checklist page: what is still to be done for the office and for each client (OFF-11)."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.onboarding.checklist import NAMES
from gateway.onboarding.service import OnboardingService
from gateway.pagination import PageRequest
from gateway.web.rendering import page
from gateway.web.routing import page_router
from gateway.web.security import VisitDep

router = page_router()

CLIENTS_PER_PAGE: Final = 50


@router.get("/onboarding")
def checklist(request: Request, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None) -> Response:
    """The office first, then its clients by name."""
    found = OnboardingService(gateway).page(visit.act, PageRequest(CLIENTS_PER_PAGE, cursor))
    return page(request, "onboarding.html", visit=visit, found=found, item_names=NAMES)
