"""How one gets into the simulated Ponto: authorise page, tokens, organisation, accounts authorised anew, webhook keys.

Routes, below the roots of `ponto`: `GET /oauth2/auth` for the PSU's browser, `POST /oauth2/token`, `GET /userinfo`,
`DELETE /organizations/{id}/integration`, `POST /accounts/{id}/reauthorization-requests`, and beside the interface
`GET /webhooks/keys` and the page `/reauthorisations/{id}`. Source: Ponto Connect, API version 2; RFC 6749, RFC 7636.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.simulator import berlin_group, page_texts
from connectors.simulator.calls import Answer, BankCall, Refusal
from connectors.simulator.companies import company
from connectors.simulator.consents import RIGHTS, Consent
from connectors.simulator.pages import page
from connectors.simulator.ponto_book import uuid_of
from connectors.simulator.ponto_calls import (
    ROOTS,
    account_uuid,
    addressed,
    attributes_of,
    bearer,
    created,
    organisation_of,
    route,
    session,
)
from connectors.simulator.rewriting import body_of
from connectors.simulator.simulator import Simulator

SCOPES: Final = frozenset({"ai", "pi", "name", "offline_access"})
REAUTHORISED_DAYS: Final = 90


def routes() -> list[Route]:
    """The routes of tokens, pages and webhook keys."""
    one = "/{bank_id}/reauthorisations/{page_id}"
    return [
        *(Route(f"{root}/oauth2/auth", authorise, methods=["GET"]) for root in ROOTS),
        *route("/oauth2/token", "token", give_token, "POST"),
        *route("/userinfo", "userinfo", read_userinfo),
        *route("/organizations/{organisation_id}/integration", "consent_delete", end_integration, "DELETE"),
        *route("/accounts/{resource_id}/reauthorization-requests", "reauthorise", ask_anew, "POST"),
        *route("/webhooks/keys", "metadata", read_keys),
        Route(one, reauthorise_page, methods=["GET"]),
        Route(one, reauthorise, methods=["POST"]),
    ]


async def authorise(request: Request) -> Response:
    """To the page where the PSU signs in and ticks accounts; an integration begins with it."""
    simulator: Simulator = request.app.state.simulator
    bank, query = simulator.banks.get(request.path_params["bank_id"]), request.query_params
    redirect_uri, scopes = query.get("redirect_uri", ""), set(query.get("scope", "").split())
    if bank is None or bank.family != "ponto" or urlsplit(redirect_uri).scheme not in {"http", "https"}:
        return Response("unknown request", 400)
    if not {"ai", "offline_access"} <= scopes <= SCOPES:
        return Response("unknown scope", 400)
    consent = simulator.consents.create(
        bank,
        redirect_uri=redirect_uri,
        access={right: [] for right in RIGHTS},
        is_recurring=True,
        valid_until=simulator.clock.today + timedelta(days=bank.consent_days_max - 1),
        frequency_per_day=4,
    )
    if "pi" in scopes:
        simulator.ponto.let_pay(consent.consent_id)
    sign_in = f"/{bank.bank_id}/public/berlingroup/authorize/{consent.authorisation_id}"
    return RedirectResponse(f"{sign_in}?{urlencode({**query, 'scope': f'AIS:{consent.consent_id}'})}", 303)


def give_token(call: BankCall) -> Answer:
    """Tokens for a code, a refresh token or the application alone."""
    if not _names_client(call):
        return Answer(status=401, body={"error": "invalid_client", "error_description": "Client authentication failed"})
    form = parse_qs(call.content.decode("utf-8", "replace"))
    # Well-known clients of the custom door send it in the query.
    grant = call.request.query_params.get("grant_type") or form.get("grant_type", [""])[0]
    if grant == "client_credentials":
        call.strike()
        is_partner = bool(call.bank.api_path)
        token = call.simulator.ponto.new_client_token() if is_partner else _token_of_the_one(call)
        return Answer(body={
            "access_token": token, "token_type": "bearer", "expires_in": call.bank.access_token_seconds, "scope": ""
        })  # fmt: skip
    answer = berlin_group.give_token(call)
    if answer.status != 200:
        return answer
    return replace(answer, body={**body_of(answer), "token_type": "bearer", "scope": "ai name offline_access"})


def read_userinfo(call: BankCall) -> Answer:
    """The organisation behind the token, as plain JSON."""
    consent = session(call)
    call.strike()
    assert consent.holder_id is not None, "a token is given after somebody signed in"
    holder, organisation = call.simulator.world.holder(consent.holder_id), organisation_of(call.simulator, consent)
    return Answer(body={
        "sub": organisation,
        "name": company(holder.company_id).name,
        "onboardingComplete": True,
        "paymentsActivated": call.simulator.ponto.is_active(organisation),
    })  # fmt: skip


def end_integration(call: BankCall) -> Answer:
    """End every link of the organisation with this application, by the application's own token."""
    if not call.simulator.ponto.is_client_token(bearer(call)):
        raise Refusal(401, "invalidAccessToken", "a token of the application is needed")
    call.strike()
    organisation = call.request.path_params["organisation_id"]
    ended = [
        consent
        for consent in call.simulator.consents.listing()
        if consent.bank_id == call.bank.bank_id
        and consent.status == "valid"
        and organisation_of(call.simulator, consent) == organisation
    ]
    for consent in ended:
        call.simulator.consents.set_status(consent, "terminatedByTpp")
    if not ended:
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such integration")
    return Answer(body={"data": {"type": "integration", "id": uuid_of(organisation)}})


def ask_anew(call: BankCall) -> Answer:
    """A page on which the PSU authorises one account anew."""
    consent = session(call)
    account = addressed(call, consent)
    redirect_uri = str(attributes_of(call, "reauthorizationRequest").get("redirectUri"))
    if urlsplit(redirect_uri).scheme not in {"http", "https"}:
        raise Refusal(400, "invalidAttribute", "redirectUri")
    page_id = call.simulator.ponto.ask(consent.consent_id, account.account_id, redirect_uri)
    links = {"redirect": f"{call.base}/reauthorisations/{page_id}"}
    data = {"type": "reauthorizationRequest", "id": page_id, "attributes": {}, "links": links}
    return created(call, {"data": data})


async def reauthorise_page(request: Request) -> Response:
    """Show the one account."""
    simulator: Simulator = request.app.state.simulator
    bank, asked = simulator.banks.get(request.path_params["bank_id"]), _asked(request)
    if bank is None or asked is None:
        return Response("unknown request", 404)
    consent, account = asked[0], simulator.world.account(asked[1])
    assert consent.holder_id is not None, "an account is authorised after somebody signed in"
    language = page_texts.language(request.headers.get("accept-language", ""))
    texts, holder = page_texts.TEXTS[language], simulator.world.holder(consent.holder_id)
    return page(
        "consent.html",
        language=language,
        texts=texts,
        bank=bank,
        warning=None,
        holder=holder,
        company=company(holder.company_id),
        client_id=consent.client_id,
        scope=texts["named"],
        accounts=[account],
        may_choose=False,
        valid_until=(simulator.clock.today + timedelta(days=REAUTHORISED_DAYS)).strftime("%d/%m/%Y"),
        times=texts["times"].format(number=consent.frequency_per_day),
        action=request.url.path,
    )


async def reauthorise(request: Request) -> Response:
    """The account holds again, or everything stays as it is; back to the TPP."""
    simulator: Simulator = request.app.state.simulator
    asked = _asked(request)
    if asked is None:
        return Response("unknown request", 404)
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    if form.get("decision") == ["approve"]:
        end = simulator.clock.today + timedelta(days=REAUTHORISED_DAYS)
        simulator.ponto.authorise(request.path_params["page_id"], end)
    return RedirectResponse(asked[2], 303)


def read_keys(call: BankCall) -> Answer:
    """The keys that sign webhooks."""
    call.strike()
    return Answer(body=call.simulator.ponto.key_set())


def webhook(
    simulator: Simulator, consent: Consent, account_id: str | None, event_type: str, *, audience: str, now: int
) -> tuple[str, bytes]:
    """Signature and body of an event about one account, or the organisation alone, as Ponto would deliver them."""
    related = {"organization": organisation_of(simulator, consent)}
    if account_id is not None:
        related["account"] = account_uuid(simulator, consent, simulator.world.account(account_id))
    return simulator.ponto.delivery(event_type, related, audience=audience, now=now)


def _asked(request: Request) -> tuple[Consent, str, str] | None:
    """Consent, account and way back of the page that is asked for."""
    simulator: Simulator = request.app.state.simulator
    asked = simulator.ponto.asked(request.path_params["page_id"])
    consent = simulator.consents.find(request.path_params["bank_id"], asked.consent_id) if asked else None
    return None if asked is None or consent is None else (consent, asked.account_id, asked.redirect_uri)


def _names_client(call: BankCall) -> bool:
    """Whether the application signs in with an id and a secret; which ones is not looked at."""
    scheme, _, pair = (call.header("Authorization") or "").partition(" ")
    try:
        client, _, secret = base64.b64decode(pair, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme == "Basic" and bool(client) and bool(secret)


def _token_of_the_one(call: BankCall) -> str:
    """A token for the organisation that made the credentials: the first one at this bank."""
    book = call.simulator.consents
    known = [one for one in book.listing() if one.bank_id == call.bank.bank_id and one.status == "valid"]
    if known:
        return book.give_access(call.bank, known[0])
    holder = call.simulator.world.holders_at(call.bank.bank_id)[0]
    consent = book.create(
        call.bank,
        redirect_uri="",
        access={right: [] for right in RIGHTS},
        is_recurring=True,
        valid_until=call.simulator.clock.today + timedelta(days=call.bank.consent_days_max - 1),
        frequency_per_day=4,
    )
    mine = call.simulator.world.accounts_of(holder.holder_id, call.bank.bank_id)
    consent.holder_id = holder.holder_id
    consent.account_ids = dict.fromkeys(RIGHTS, frozenset(account.account_id for account in mine))
    book.sign(call.bank, consent)
    # Whose credentials they are, nobody asked for scopes.
    call.simulator.ponto.let_pay(consent.consent_id)
    return book.give_access(call.bank, consent)
