"""API keys and applications of the office: what calls in its name, since when, and how to end it (SEC-03)."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.clock import BRUSSELS
from gateway.errors import FieldFault, InputError
from gateway.identity.rights import SCOPE_PERMISSIONS
from gateway.ids import ApplicationId, CredentialId, encode
from gateway.machines.applications import ApplicationService
from gateway.machines.service import MachineService
from gateway.pagination import PageRequest
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

KEYS_PER_PAGE: Final = 50
NAME_MAX: Final = 70


@router.get("/keys")
def keys(request: Request, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None) -> Response:
    """What may call in the office's name."""
    return _page(request, gateway, visit, cursor=cursor)


@router.post("/keys")
def make(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """A new API key or application; what identifies it is shown on this answer and never again."""
    name, scopes = text_of(form, "name"), [str(scope) for scope in form.getlist("scope")]
    networks = text_of(form, "networks").replace(",", " ").split()
    is_application = text_of(form, "kind") == "application"
    try:
        if not 1 <= len(name) <= NAME_MAX:
            raise InputError(faults=[FieldFault("/name", "name_missing", "Give it a name of at most 70 characters.")])
        if is_application:
            application, _, secret = ApplicationService(gateway).create(
                visit.act, name=name, scopes=scopes, allowed_addresses=networks
            )
            return _page(request, gateway, visit, made_id=encode("application", application.id), made_secret=secret)
        _, secret = MachineService(gateway).create_credential(
            visit.act, name=name, scopes=scopes, allowed_addresses=networks, expires_at=_end_of(text_of(form, "until"))
        )
    except InputError as error:
        return _page(request, gateway, visit, faults=[fault.detail for fault in error.faults], name=name, scopes=scopes)
    return _page(request, gateway, visit, made_secret=secret)


@router.post("/keys/{credential_id}/revocation")
def revoke_key(request: Request, credential_id: CredentialId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """End a key at once."""
    MachineService(gateway).revoke_credential(visit.act, credential_id)
    return see_other(request, "/keys")


@router.post("/applications/{application_id}/revocation")
def revoke_application(
    request: Request, application_id: ApplicationId, gateway: GatewayDep, visit: PostedDep
) -> Response:
    """End an application for this office at once."""
    ApplicationService(gateway).revoke(visit.act, application_id)
    return see_other(request, "/keys")


def _end_of(day: str) -> datetime | None:
    """The end of that day in Brussels; None when the field is empty."""
    if not day:
        return None
    try:
        return datetime.combine(datetime.strptime(day, "%Y-%m-%d").date(), time.max, BRUSSELS).astimezone(UTC)  # noqa: DTZ007 - only its day is kept
    except (ValueError, OverflowError):
        raise InputError(faults=[FieldFault("/until", "day_unreadable", "The last day is not a date.")]) from None


def _page(request: Request, gateway: Gateway, visit: Visit, *, cursor: str | None = None, **made: object) -> Response:
    rows, next_cursor = MachineService(gateway).credentials(visit.act, PageRequest(KEYS_PER_PAGE, cursor))
    shown = {"made_id": None, "made_secret": None, "faults": [], "name": "", "scopes": []} | made
    return page(
        request,
        "keys.html",
        visit=visit,
        status=422 if shown["faults"] else 200,
        keys=rows,
        applications=ApplicationService(gateway).held(visit.act),
        next_cursor=next_cursor,
        scope_names=list(SCOPE_PERMISSIONS),
        now=visit.act.real_now,
        **shown,
    )
