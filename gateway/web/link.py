"""The entrepreneur's pages: give the office permission to read accounts, without sign-in (CON-05…08).

Only who holds the link gets here; what the bank found opens in the browser that went to the bank and in no other.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from connectors.model import PsuContext
from gateway.api import GatewayDep, psu_of
from gateway.assembly import Gateway
from gateway.consents.choice import refusal
from gateway.consents.errors import InvitationCodeWrong, LinkNotValid, RelationMissing
from gateway.consents.inviting import Invitations
from gateway.consents.links import LINK_PATH, LinkView
from gateway.consents.proofs import ProofSteps
from gateway.consents.renewing import Answers
from gateway.consents.service import ConsentService
from gateway.consents.states import ConsentState, Relation, RenewalAnswer
from gateway.consents.wording import RELATIONS, terms
from gateway.cookies import LINK, cookie, set_cookie
from gateway.errors import InputError, NotFound
from gateway.ids import AccountProofId
from gateway.moves.errors import MoveDateInvalid
from gateway.transactions.first_readings import first_readings
from gateway.web import security
from gateway.web.rendering import language_of, page, see_other
from gateway.web.routing import PageRoute
from gateway.web.security import FormDep, text_of


class LinkRoute(PageRoute):
    """As other pages; the address holds the link's token, so it is never told to another website."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of pages, with stricter headers."""
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            request.state.layout = "link_base.html"
            response = await original(request)
            response.headers["Referrer-Policy"] = "no-referrer"
            return response

        return handler


class AddressUnknown(InputError):
    """Banks ask for the network address of the person present; it is never invented."""

    code = "address_unknown"
    http_status = 400
    title = "Your network address cannot be seen"
    hint = "The bank asks for it. Open the link without a proxy, or tell the accountancy office."


ANSWERED: Final = ("new-", "missing-")
"""Fields of the choice page about accounts that are not as before: the offered account's id, or the missing one's."""

router = APIRouter(route_class=LinkRoute, include_in_schema=False)


@router.get("/link/callback")
def receive(request: Request, gateway: GatewayDep) -> Response:
    """The bank sends the browser back here; how it ended is read at the bank."""
    browser_secret = cookie(request, LINK) or ""
    view = ConsentService(gateway).receive(
        dict(request.query_params), browser_secret=browser_secret, psu=psu_present(request)
    )
    return see_other(request, f"{LINK_PATH}{view.token}{'/accounts' if view.can_choose else ''}")


@router.get("/link/{token}")
def look(request: Request, token: str, gateway: GatewayDep) -> Response:
    """Who asks, what is read, until when, how to stop; or where it stands now."""
    view = _view(request, gateway, token)
    if view.needs_code and (view.can_begin or view.can_choose or view.waits_for_proof):
        return _ask_code(request, view)
    if view.can_choose and cookie(request, LINK):
        return see_other(request, f"{LINK_PATH}{token}/accounts")
    form_token = security.open_form_token(request)
    profile = gateway.banks.profile(view.bank_id)
    template = "link_ask.html" if view.can_begin else "link_state.html"
    response = page(
        request,
        template,
        link=view,
        hint=profile.user_hints.get(language_of(request), view.hint),
        form_token=form_token,
        accounts=[],
        terms=terms(
            language_of(request),
            office=view.office_name,
            licence_holder=view.licence_holder,
            valid_until=view.valid_until,
        ),
    )
    security.set_form_cookie(request, response, form_token)
    return response


@router.post("/link/{token}")
def begin(request: Request, token: str, gateway: GatewayDep, form: FormDep) -> Response:
    """Ask the bank and send the browser there; from now on only this browser can finish."""
    security.require_open_form(request, gateway, form)
    view = _view(request, gateway, token)
    browser_secret = cookie(request, LINK) or secrets.token_urlsafe(32)
    psu = replace(psu_present(request), language=language_of(request))
    address = ConsentService(gateway).begin(token, browser_secret=browser_secret, psu=psu)
    if address.startswith(f"{gateway.settings.base_url}{LINK_PATH}"):
        response: Response = see_other(request, f"{LINK_PATH}{token}")
    else:
        # A page in between, since our policy lets forms lead to our own addresses only; it names where one goes.
        response = page(request, "link_leave.html", link=view, address=address, host=urlsplit(address).hostname)
    set_cookie(request, response, LINK, browser_secret)
    return response


@router.post("/link/{token}/code")
def enter_code(request: Request, token: str, gateway: GatewayDep, form: FormDep) -> Response:
    """Show the code of the invitation; from then on the link is open in this browser (CON-06)."""
    security.require_open_form(request, gateway, form)
    view = _view(request, gateway, token)
    browser_secret = cookie(request, LINK) or secrets.token_urlsafe(32)
    try:
        Invitations(gateway).enter(token, text_of(form, "code"), browser_secret=browser_secret, psu=psu_of(request))
    except InvitationCodeWrong as error:
        if not error.parameters["left"]:
            return see_other(request, f"{LINK_PATH}{token}")
        if view.is_own_browser and view.waits_for_proof:
            return _proofs(request, gateway, view, error=error)
        return _ask_code(request, view, error)
    response = see_other(request, _after(gateway, token, browser_secret))
    set_cookie(request, response, LINK, browser_secret)
    return response


@router.get("/link/{token}/accounts")
def accounts(request: Request, token: str, gateway: GatewayDep) -> Response:
    """What the bank offered: current accounts to tick, the others with the reason why not."""
    view = _view(request, gateway, token)
    return _choice(request, gateway, view)


@router.post("/link/{token}/accounts")
def choose(request: Request, token: str, gateway: GatewayDep, form: FormDep) -> Response:
    """Connect the ticked accounts; each is read at once."""
    security.require_open_form(request, gateway, form)
    view = _view(request, gateway, token)
    try:
        ticked = [UUID(str(value)) for value in form.getlist("account")]
    except ValueError:
        raise NotFound from None
    try:
        view = ConsentService(gateway).choose(
            token,
            browser_secret=_secret(request),
            consent_account_ids=ticked,
            psu=psu_of(request),
            move_on=_move_day(form),
            with_rules=bool(form.get("with_rules")),
            answers=_answers(form),
        )
    except InputError as error:
        return _choice(request, gateway, view, error=error, form=form)
    if view.waits_for_proof:
        return see_other(request, f"{LINK_PATH}{token}/proof")
    # In a sitting the other banks come next.
    return see_other(request, view.sitting_url or f"{LINK_PATH}{token}/done")


@router.get("/link/{token}/proof")
def look_at_proofs(request: Request, token: str, gateway: GatewayDep) -> Response:
    """What was ticked and does not show that it is the company's: why, and how to prove it (CON-08)."""
    view = _view(request, gateway, token)
    if not view.waits_for_proof:
        return see_other(request, f"{LINK_PATH}{token}/done")
    return _proofs(request, gateway, view)


@router.post("/link/{token}/proof/{proof_id}")
def prove(request: Request, token: str, proof_id: AccountProofId, gateway: GatewayDep, form: FormDep) -> Response:
    """Say how an account belongs to the company, or leave it out."""
    security.require_open_form(request, gateway, form)
    view, steps, browser_secret = _view(request, gateway, token), ProofSteps(gateway), _secret(request)
    try:
        if form.get("leave_out"):
            steps.leave_out(token, proof_id, browser_secret=browser_secret)
        else:
            said = text_of(form, "relation")
            steps.prove(
                token,
                proof_id,
                browser_secret=browser_secret,
                relation=Relation(said) if said in list(Relation) else None,
                psu=psu_of(request),
            )
    except RelationMissing as error:
        return _proofs(request, gateway, view, error=error, asked=proof_id)
    return see_other(request, _after(gateway, token, browser_secret))


@router.get("/link/{token}/done")
def done(request: Request, token: str, gateway: GatewayDep) -> Response:
    """What is connected, until when, and what happens next."""
    view = _view(request, gateway, token)
    if not view.is_chosen or view.state != ConsentState.VALID:
        return see_other(request, f"{LINK_PATH}{token}")
    offered = ConsentService(gateway).offered(token, browser_secret=_secret(request))
    connected = {row.account_id: row.office_id for row in offered if row.account_id is not None}
    readings = first_readings(gateway, next(iter(connected.values())), connected) if connected else ()
    return page(request, "link_state.html", link=view, accounts=readings, form_token="", hint="")


def _ask_code(request: Request, view: LinkView, error: InvitationCodeWrong | None = None) -> Response:
    form_token = security.open_form_token(request)
    status = error.http_status if error is not None else 200
    response = page(request, "link_code.html", status=status, link=view, error=error, form_token=form_token)
    security.set_form_cookie(request, response, form_token)
    return response


def _after(gateway: Gateway, token: str, browser_secret: str) -> str:
    """Where it goes on: what waits for a proof, the next bank of a sitting, or the end."""
    view = ConsentService(gateway).view_link(token, browser_secret=browser_secret)
    if not view.is_chosen:
        return f"{LINK_PATH}{token}"
    if view.waits_for_proof:
        return f"{LINK_PATH}{token}/proof"
    return view.sitting_url or f"{LINK_PATH}{token}/done"


def _proofs(
    request: Request,
    gateway: Gateway,
    view: LinkView,
    *,
    error: InputError | None = None,
    asked: UUID | None = None,
) -> Response:
    rows, is_code_shown = ProofSteps(gateway).waiting(view.token, browser_secret=_secret(request))
    form_token = security.open_form_token(request)
    response = page(
        request,
        "link_proof.html",
        status=error.http_status if error is not None else 200,
        link=view,
        rows=rows,
        is_code_shown=is_code_shown,
        relations=RELATIONS,
        error=error,
        asked=asked,
        form_token=form_token,
    )
    security.set_form_cookie(request, response, form_token)
    return response


def _choice(
    request: Request,
    gateway: Gateway,
    view: LinkView,
    *,
    error: InputError | None = None,
    form: FormData | None = None,
) -> Response:
    """The accounts to tick; after a refusal with what was chosen and said."""
    service = ConsentService(gateway)
    offered = service.offered(view.token, browser_secret=_secret(request))
    said = {} if form is None else {name: str(value) for name, value in form.items() if name.startswith(ANSWERED)}
    rows = [(account, refusal(account)) for account in offered]
    form_token = security.open_form_token(request)
    response = page(
        request,
        "link_accounts.html",
        status=error.http_status if error is not None else 200,
        link=view,
        rows=rows,
        compared=service.compared(view.token, browser_secret=_secret(request)) if view.is_renewal else None,
        ticked=None if form is None else {row.id for row in offered if str(row.id) in form.getlist("account")},
        said=defaultdict(str, said),
        error=error,
        form_token=form_token,
    )
    security.set_form_cookie(request, response, form_token)
    return response


def _answers(form: FormData) -> Answers:
    """What was said of accounts that are not as before; what is not an answer of the page counts as none."""
    new: dict[UUID, UUID | None] = {}
    missing: dict[UUID, RenewalAnswer] = {}
    for name, value in form.items():
        kind, _, about = name.partition("-")
        try:
            if kind == "new" and value:
                new[UUID(about)] = None if value == "added" else UUID(str(value))
            elif kind == "missing":
                missing[UUID(about)] = RenewalAnswer(str(value))
        except ValueError:
            continue
    return Answers(new, missing)


def _move_day(form: FormData) -> date | None:
    """The day of the move, when the account holder moves here from another office."""
    if str(form.get("others", "add")) != "move":
        return None
    try:
        return date.fromisoformat(str(form.get("move_on", "")))
    except ValueError:
        raise MoveDateInvalid from None


def _view(request: Request, gateway: Gateway, token: str) -> LinkView:
    view = ConsentService(gateway).view_link(token, browser_secret=_secret(request))
    if not secrets.compare_digest(view.token.encode(), token.encode()):
        raise LinkNotValid
    request.state.preferred_language = view.language
    return view


def _secret(request: Request) -> str:
    return cookie(request, LINK) or ""


def psu_present(request: Request) -> PsuContext:
    """The person in front of this browser; raises `AddressUnknown`."""
    found = psu_of(request)
    if found is None:
        raise AddressUnknown
    return found
