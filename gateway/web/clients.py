"""Clients: the list with starters and pending ones; one with state, services, settings, number (OFF-02, OFF-03)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from gateway.addresses.service import AddressService
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import GatewayError, InputError
from gateway.identity.rights import Permission
from gateway.ids import ClientId, encode
from gateway.offices.models import TRANSITIONS, ClientState, Service
from gateway.offices.numbers import DOCUMENT_BYTES_MAX, NumberReason, NumberService, NumberWish
from gateway.offices.service import ClientFilter, ClientService
from gateway.offices.settings import ClientSettingsService
from gateway.offices.switches import ClientSwitches, SwitchService
from gateway.offices.template import StatementsFrom
from gateway.pagination import PageRequest
from gateway.proposals.service import ProposalService
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of
from gateway.web.settings_forms import CONSENT_DAYS, SETTINGS_FAULT, number_of, settings_in

router = page_router()

CLIENTS_PER_PAGE: Final = 50
CHANGES_SHOWN: Final = 20
STARTERS: Final = "starters"
UNSUSPEND: Final = "client.unsuspend"
LATE_ENTRY_DATES: Final = ("file", "booking")


@router.get("/clients")
def clients(
    request: Request, gateway: GatewayDep, visit: VisitDep, *, show: str = "", cursor: str | None = None
) -> Response:
    """Clients by name; `show` is a state, or `starters` for numbers the registry did not know yet."""
    wanted = ClientFilter(
        state=ClientState(show) if show in set(ClientState) else None,
        is_registered=False if show == STARTERS else None,
    )
    rows, next_cursor = ClientService(gateway).page(visit.act, PageRequest(CLIENTS_PER_PAGE, cursor), wanted)
    return page(
        request,
        "clients.html",
        rows=rows,
        records=ClientService(gateway).records(visit.act, rows),
        states=list(ClientState),
        show=show,
        next_cursor=next_cursor,
    )


@router.get("/clients/{client_id}")
def client(request: Request, client_id: ClientId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """One client."""
    return _one(request, gateway, visit, client_id)


@router.post("/clients/{client_id}/state")
def change_state(
    request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Activate, suspend, close or reopen; ending a suspension is proposed to a second person."""
    wanted = text_of(form, "state")
    if wanted == "unsuspend":
        return _done(
            request, gateway, visit, client_id,
            lambda: ProposalService(gateway).propose(visit.act, UNSUSPEND, client_id, {}, client_id=client_id),
        )  # fmt: skip
    if wanted not in set(ClientState):
        raise InputError
    return _done(
        request, gateway, visit, client_id,
        lambda: ClientService(gateway).change_state(visit.act, client_id, ClientState(wanted)),
    )  # fmt: skip


@router.post("/clients/{client_id}/services")
def switch(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Services of the client, and what the portal shows of it."""
    wish = ClientSwitches(
        frozenset(service for service in Service if service.value in form.getlist("service")),
        "portal_shows_transactions" in form,
        "portal_shows_coda" in form,
        "portal_prepares_while_processing" in form,
    )
    return _done(
        request, gateway, visit, client_id, lambda: SwitchService(gateway).client(visit.act, client_id, wish)
    )  # fmt: skip


@router.post("/clients/{client_id}/settings")
def put_settings(
    request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """How its statements begin, how late entries are dated (STA-06), and when people are reminded."""

    def put() -> object:
        wanted, late = settings_in(form), text_of(form, "late_entry_date")
        if wanted is None or late not in LATE_ENTRY_DATES:
            raise InputError(faults=[SETTINGS_FAULT])
        wanted = {name: list(value) if isinstance(value, tuple) else value for name, value in wanted.items()}
        return ClientSettingsService(gateway).put(
            visit.act, client_id, {**wanted, "late_entry_date": late}, version=number_of(form, "version")
        )

    return _done(request, gateway, visit, client_id, put)


@router.post("/clients/{client_id}/registry-confirmation")
def confirm_number(
    request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """The registry knows the number of a starter now."""
    back = f"/clients?show={STARTERS}" if text_of(form, "from") == STARTERS else None
    return _done(
        request, gateway, visit, client_id, lambda: NumberService(gateway).confirm(visit.act, client_id), back=back
    )  # fmt: skip


@router.post("/clients/{client_id}/number")
def change_number(
    request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """Another enterprise number, with the document that proves it."""
    sent, content = form.get("document"), b""
    if isinstance(sent, UploadFile):
        content = sent.file.read(DOCUMENT_BYTES_MAX + 1)
        sent.file.close()
    reason = text_of(form, "reason")
    if reason not in set(NumberReason):
        raise InputError
    wish = NumberWish(
        enterprise_number=text_of(form, "enterprise_number"),
        dossier_code=text_of(form, "dossier_code")[:20],
        reason=NumberReason(reason),
        document=base64.b64encode(content).decode(),
        skip_registry_check="skip_registry_check" in form,
    )
    return _done(request, gateway, visit, client_id, lambda: NumberService(gateway).change(visit.act, client_id, wish))


def path_of(client_id: UUID) -> str:
    """Where the client is shown."""
    return f"/clients/{encode('client', client_id)}"


def said_on_page(error: GatewayError) -> bool:
    """What is said on the page itself; rights and missing codes have pages of their own."""
    return error.http_status in (409, 412, 422)


def _done(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    client_id: UUID,
    call: Callable[[], Any],
    *,
    back: str | None = None,
) -> Response:
    try:
        call()
    except GatewayError as error:
        if not said_on_page(error):
            raise
        return _one(request, gateway, visit, client_id, error=error)
    return see_other(request, back or path_of(client_id))


def _one(
    request: Request, gateway: Gateway, visit: Visit, client_id: UUID, *, error: GatewayError | None = None
) -> Response:
    found = ClientService(gateway).get(visit.act, client_id)
    changes, _ = NumberService(gateway).page(visit.act, client_id, PageRequest(CHANGES_SHOWN, None))
    is_admin = Permission.ADMIN in visit.act.principal.office_permissions
    steps = TRANSITIONS[found.state] if is_admin else frozenset()
    if found.suspended_at is not None:
        # Ending a suspension takes two people, after a closing as well.
        steps -= {ClientState.ACTIVE}
    return page(
        request,
        "client.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        client=found,
        record=AddressService(gateway).addresses(visit.act, client_id),
        changes=changes,
        steps=[state for state in ClientState if state in steps],
        is_admin=is_admin,
        settings=ClientSettingsService(gateway).get(visit.act, client_id),
        starts=list(StatementsFrom),
        consent_days=CONSENT_DAYS,
        services=list(Service),
        reasons=list(NumberReason),
        path=path_of(client_id),
    )
