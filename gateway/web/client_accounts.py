"""Accounts of a client: alias, place, debtor account, dossier code, destination, first day; numbers without consent.

Requirements OFF-02, OFF-10.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from gateway.accounts.service import AccountService, AccountView
from gateway.addresses.service import AddressService
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.consents.reauthorising import Reauthorisations
from gateway.errors import FieldFault, GatewayError, InputError
from gateway.identity.rights import Permission
from gateway.ids import AccountId, ClientId, KnownAccountId
from gateway.offices.service import ClientService
from gateway.pagination import PageRequest
from gateway.profiles.models import KnownAccount
from gateway.profiles.packages import CHANNELS
from gateway.profiles.service import KnownAccountService
from gateway.web.clients import path_of, said_on_page
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

ACCOUNTS_MAX: Final = 200
"""Of one client; a page of them."""
POSITION_MAX: Final = 9999


@router.get("/clients/{client_id}/accounts")
def accounts(request: Request, client_id: ClientId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """Every account with its settings, and the known ones."""
    return _page(request, gateway, visit, client_id)


@router.post("/clients/{client_id}/accounts/{account_id}")
def change(
    *,
    request: Request,
    client_id: ClientId,
    account_id: AccountId,
    gateway: GatewayDep,
    visit: PostedDep,
    form: FormDep,
) -> Response:
    """What the office decides of an account."""

    def call() -> None:
        service = AccountService(gateway)
        present = service.get(visit.act, account_id).account
        wanted = _wanted(form) | {"is_quiet": "is_quiet" in form}
        if "delivery" in form:
            wanted["delivery"] = _choice(form, "delivery")
            wanted["destination"] = text_of(form, "destination") or None
        if "statements_from" in form and (chosen := _day(form)) != present.statements_from:
            wanted["statements_from"] = chosen
        service.change(visit.act, account_id, wanted)

    return _done(request, gateway, visit, client_id, call)


@router.post("/clients/{client_id}/accounts/{account_id}/reauthorisation")
def ask_anew(
    *, request: Request, client_id: ClientId, account_id: AccountId, gateway: GatewayDep, visit: PostedDep
) -> Response:
    """A link for the account holder to authorise this account anew; it is shown this once."""
    try:
        asked = Reauthorisations(gateway).ask(visit.act, account_id)
    except GatewayError as error:
        if not said_on_page(error):
            raise
        return _page(request, gateway, visit, client_id, error=error)
    return page(
        request,
        "reauthorise_made.html",
        visit=visit,
        address=asked.url,
        account=asked.account,
        client=ClientService(gateway).get(visit.act, client_id),
        bank_name=gateway.banks.profile(asked.account.bank_id).name,
        ends_at=asked.expires_at,
    )


@router.post("/clients/{client_id}/known-accounts")
def add_known(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """A number of the client, without a consent."""

    def call() -> None:
        wanted = _wanted(form) | {"bic": text_of(form, "bic").replace(" ", "").upper() or None}
        if not text_of(form, "position"):
            del wanted["position"]
        KnownAccountService(gateway).add(visit.act, client_id, iban=text_of(form, "iban"), wanted=wanted)

    return _done(request, gateway, visit, client_id, call)


@router.post("/clients/{client_id}/known-accounts/{known_account_id}")
def change_known(
    *,
    request: Request,
    client_id: ClientId,
    known_account_id: KnownAccountId,
    gateway: GatewayDep,
    visit: PostedDep,
    form: FormDep,
) -> Response:
    """What the office notes of such a number; removed with the other button."""

    def call() -> None:
        service = KnownAccountService(gateway)
        if text_of(form, "act") == "remove":
            service.remove(visit.act, known_account_id)
            return
        version = text_of(form, "version")
        if not version.isdecimal():
            raise InputError
        wanted = _wanted(form) | {"bic": text_of(form, "bic").replace(" ", "").upper() or None}
        service.change(visit.act, known_account_id, wanted, version=int(version))

    return _done(request, gateway, visit, client_id, call)


def _wanted(form: FormData) -> dict[str, Any]:
    """What accounts and known accounts share; raises `InputError`."""
    position = text_of(form, "position") or "1"
    alias, dossier_code = text_of(form, "alias"), text_of(form, "dossier_code")
    if not position.isdecimal() or len(position) > len(str(POSITION_MAX)) or int(position) < 1:
        raise InputError(faults=[FieldFault("/position", "position_invalid", "Give a place from 1 to 9999.")])
    if len(alias) > 70 or len(dossier_code) > 20 or not (alias + dossier_code).isprintable():
        raise InputError(faults=[FieldFault("/alias", "text_invalid", "Give a text of one line, not too long.")])
    return {
        "alias": alias or None,
        "position": int(position),
        "is_visible": "is_visible" in form,
        "is_default_debtor": "is_default_debtor" in form,
        "dossier_code": dossier_code or None,
    }


def _choice(form: FormData, name: str) -> str | None:
    chosen = text_of(form, name) or None
    if chosen is not None and chosen not in CHANNELS:
        raise InputError(faults=[FieldFault(f"/{name}", "choice_invalid", "Choose from the list.")])
    return chosen


def _day(form: FormData) -> date | None:
    given = text_of(form, "statements_from")
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise InputError(faults=[FieldFault("/statements_from", "day_invalid", "Give a day.")]) from None


def _done(request: Request, gateway: Gateway, visit: Visit, client_id: UUID, call: Callable[[], None]) -> Response:
    try:
        call()
    except GatewayError as error:
        if not said_on_page(error):
            raise
        return _page(request, gateway, visit, client_id, error=error)
    return see_other(request, f"{path_of(client_id)}/accounts")


def _page(
    request: Request, gateway: Gateway, visit: Visit, client_id: UUID, *, error: GatewayError | None = None
) -> Response:
    act = visit.act
    client = ClientService(gateway).get(act, client_id)
    everything = PageRequest(ACCOUNTS_MAX, None)
    views: list[AccountView] = AccountService(gateway).page(act, everything, client_id=client_id)[0]
    known: list[KnownAccount] = KnownAccountService(gateway).page(act, everything, client_id=client_id)[0]
    return page(
        request,
        "client_accounts.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        client=client,
        record=AddressService(gateway).addresses(act, client_id),
        views=sorted(views, key=lambda view: (view.account.position, view.account.iban)),
        known=sorted((row for row in known if row.account_id is None), key=lambda row: (row.position, row.iban)),
        channels=CHANNELS,
        may_change=act.principal.allows(Permission.ACCOUNTS_WRITE, client_id),
        anew=_authorised_apart(gateway, views) if act.principal.allows(Permission.CONSENTS_WRITE, client_id) else set(),
        may_deliver=act.principal.allows(Permission.CLIENTS_WRITE, client_id),
        path=path_of(client_id),
    )


def _authorised_apart(gateway: Gateway, views: list[AccountView]) -> set[UUID]:
    """The accounts that their holder authorises one by one."""
    apart = {entry.profile.bank_id for entry in gateway.banks.entries() if entry.reauthorises_accounts}
    return {
        view.account.id
        for view in views
        if view.account.bank_id in apart and view.account.consent_id is not None and view.account.moved_on is None
    }
