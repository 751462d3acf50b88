"""The start page: where each person has most to do."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from gateway.identity.rights import Permission
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import VisitDep

router = page_router()


@router.get("/")
def start(request: Request, visit: VisitDep) -> Response:
    """Approvers begin at what waits for them, everybody else at the day page; some roles have no page here."""
    if visit.may(Permission.PAYMENTS_APPROVE):
        return see_other(request, "/to-approve")
    if visit.may(Permission.ACCOUNTS_READ):
        return see_other(request, "/day")
    return page(request, "home.html")
