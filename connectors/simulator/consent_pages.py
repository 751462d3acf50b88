"""The pages on which the PSU signs in at the simulated bank and approves or cancels a consent.

They are meant for browsers without scripts and for plain HTTP clients alike. With `A` for
`/{bank_id}/public/berlingroup/authorize/{authorisation_id}`:

1. `GET A` with `response_type=code`, `client_id`, `scope=AIS:<consent id>`, `redirect_uri`, `code_challenge`,
   `code_challenge_method=S256` and `state`: the sign-in page; sets the cookie `bank_visit`, needed from here on.
2. `POST A/holder` with the form field `holder`, the id of a person such as `lien.lindenaar`: 303 to `A/consent`.
3. `GET A/consent`: what is asked.
4. `POST A/decision` with the form field `decision` (`approve` or `cancel`) and, where the PSU chooses the accounts, the
   field `account` once for each: 303 to the TPP with `code` and `state`, or `error=access_denied` and `state`.

A request whose `redirect_uri` is not that of the consent is shown as an error and redirects nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.simulator import page_texts
from connectors.simulator.banks import BankSettings
from connectors.simulator.companies import SimulatedAccount, company
from connectors.simulator.consents import RIGHTS, AuthorisationRequest, Consent
from connectors.simulator.faults import APPROVAL, Call
from connectors.simulator.pages import page
from connectors.simulator.simulator import Simulator

VISIT_COOKIE = "bank_visit"
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def routes() -> list[Route]:
    """The routes of the PSU's pages."""
    one = "/{bank_id}/public/berlingroup/authorize/{authorisation_id}"
    return [
        Route(one, sign_in_page, methods=["GET"]),
        Route(one + "/holder", sign_in, methods=["POST"]),
        Route(one + "/consent", consent_page, methods=["GET"]),
        Route(one + "/decision", decide, methods=["POST"]),
    ]


class _Visit:
    """One browser's request: the bank, the consent it belongs to, and the language."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.simulator: Simulator = request.app.state.simulator
        bank_id = request.path_params["bank_id"]
        self.bank: BankSettings | None = self.simulator.banks.get(bank_id)
        found = self.simulator.consents.by_authorisation(bank_id, request.path_params["authorisation_id"])
        is_open = found is not None and self.simulator.consents.status(found) == "received"
        self.consent: Consent | None = found if is_open else None
        self.language = page_texts.language(request.headers.get("accept-language", ""))
        self.texts = page_texts.TEXTS[self.language]

    @property
    def path(self) -> str:
        parameters = self.request.path_params
        return f"/{parameters['bank_id']}/public/berlingroup/authorize/{parameters['authorisation_id']}"

    def authorisation(self) -> AuthorisationRequest | None:
        """The request this browser came with, when it belongs to this consent."""
        known = self.simulator.consents.visitor(self.request.cookies.get(VISIT_COOKIE))
        return known if known and self.consent and known.consent_id == self.consent.consent_id else None

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return page(
            template, status=status, language=self.language, texts=self.texts, bank=self.bank or _NO_BANK, **values
        )

    def stopped(self, reason: str | None = None, status: int = 400) -> Response:
        return self.page("stopped.html", status=status, reason=reason or self.texts["unknown"])


_NO_BANK = BankSettings(bank_id="", name="Bank", bic="")


async def sign_in_page(request: Request) -> Response:
    """Check what the TPP put into the address and ask who is there."""
    visit = _Visit(request)
    if visit.bank is None or visit.consent is None:
        return visit.stopped(status=404)
    query = request.query_params
    redirect_uri = query.get("redirect_uri", "")
    if redirect_uri != visit.consent.redirect_uri:
        return visit.stopped(visit.texts["wrong_request"].format(reason="redirect_uri"))
    wrong = _wrong_parameter(query, visit.consent)
    if wrong is not None:
        answer = {"error": "invalid_request", "error_description": wrong, "state": query.get("state")}
        return back_to_tpp(redirect_uri, answer)
    cookie = visit.simulator.consents.visit(
        AuthorisationRequest(
            consent_id=visit.consent.consent_id,
            client_id=query["client_id"],
            redirect_uri=redirect_uri,
            state=query.get("state"),
            code_challenge=query.get("code_challenge", ""),
        )
    )
    holders = visit.simulator.world.holders_at(visit.bank.bank_id)
    people = [(holder, company(holder.company_id)) for holder in holders]
    response = visit.page("sign_in.html", people=people, action=f"{visit.path}/holder")
    response.set_cookie(VISIT_COOKIE, cookie, path=visit.path, httponly=True, samesite="lax")
    return response


async def sign_in(request: Request) -> Response:
    """Note who signed in; no secret is asked, as these people are invented."""
    visit = _Visit(request)
    authorisation = visit.authorisation()
    if visit.bank is None or authorisation is None:
        return visit.stopped()
    form = await form_of(request)
    known = {holder.holder_id for holder in visit.simulator.world.holders_at(visit.bank.bank_id)}
    holder_id = form.get("holder", [""])[0]
    if holder_id not in known:
        return visit.stopped(visit.texts["wrong_request"].format(reason="holder"))
    authorisation.holder_id = holder_id
    return RedirectResponse(f"{visit.path}/consent", 303)


async def consent_page(request: Request) -> Response:
    """Show what is asked."""
    return _consent_page(_Visit(request))


async def decide(request: Request) -> Response:
    """Approve or cancel, and send the browser back to the TPP."""
    visit = _Visit(request)
    authorisation = visit.authorisation()
    if visit.bank is None or visit.consent is None or authorisation is None or authorisation.holder_id is None:
        return visit.stopped()
    form = await form_of(request)
    match form.get("decision", [""])[0]:
        case "cancel":
            visit.simulator.consents.set_status(visit.consent, "rejected")
            answer = {"error": "access_denied", "error_description": "cancelled", "state": authorisation.state}
            return back_to_tpp(authorisation.redirect_uri, answer)
        case "approve":
            granted = _granted(visit, authorisation, set(form.get("account", [])))
            if not granted["accounts"]:
                name = "choose_one" if visit.consent.is_bank_offered else "none_held"
                return _consent_page(visit, warning=visit.texts[name])
            joint = visit.simulator.faults.take(Call(visit.bank.bank_id, APPROVAL))
            code = visit.simulator.consents.approve(
                visit.bank,
                authorisation,
                granted,
                needs_second_signature=bool(joint) or visit.bank.is_confirmed_by_tpp or visit.bank.approves_in_app,
            )
            return back_to_tpp(authorisation.redirect_uri, {"code": code, "state": authorisation.state})
        case _:
            return visit.stopped(visit.texts["wrong_request"].format(reason="decision"))


def _consent_page(visit: _Visit, warning: str | None = None) -> Response:
    authorisation, consent = visit.authorisation(), visit.consent
    if visit.bank is None or consent is None or authorisation is None or authorisation.holder_id is None:
        return visit.stopped()
    holder = visit.simulator.world.holder(authorisation.holder_id)
    scope = "everything" if consent.is_global else ("choose" if consent.is_bank_offered else "named")
    return visit.page(
        "consent.html",
        status=400 if warning else 200,
        warning=warning,
        holder=holder,
        company=company(holder.company_id),
        client_id=authorisation.client_id,
        scope=visit.texts[scope],
        accounts=_offered(visit, authorisation),
        may_choose=consent.is_bank_offered,
        valid_until=consent.valid_until.strftime("%d/%m/%Y"),
        times=visit.texts["times"].format(number=consent.frequency_per_day),
        action=f"{visit.path}/decision",
    )


def _offered(visit: _Visit, authorisation: AuthorisationRequest) -> list[SimulatedAccount]:
    """The accounts the page lists: all of the person, or those of them that were asked for."""
    assert visit.bank is not None, "a visit without a bank shows no accounts"
    assert visit.consent is not None, "a visit without a consent shows no accounts"
    assert authorisation.holder_id is not None, "nobody has signed in"
    mine = visit.simulator.world.accounts_of(authorisation.holder_id, visit.bank.bank_id)
    if visit.bank.offers_one_current_account:
        mine = [account for account in mine if account.cash_account_type == "CACC"]
    if visit.consent.is_global or visit.consent.is_bank_offered:
        return mine
    asked = frozenset().union(*(visit.consent.asked_ibans(right) for right in RIGHTS))
    return [account for account in mine if account.iban in asked]


def _granted(visit: _Visit, authorisation: AuthorisationRequest, ticked: set[str]) -> Mapping[str, frozenset[str]]:
    """Per right the accounts granted; the right to balances or transactions includes seeing the account."""
    assert visit.bank is not None, "a visit without a bank grants nothing"
    assert visit.consent is not None, "only an open consent is granted"
    offered = frozenset(account.account_id for account in _offered(visit, authorisation))
    if visit.consent.is_global:
        return dict.fromkeys(RIGHTS, offered)
    if visit.consent.is_bank_offered:
        chosen = sorted(offered & ticked)
        return dict.fromkeys(RIGHTS, frozenset(chosen[:1] if visit.bank.offers_one_current_account else chosen))
    granted = {right: offered & visit.consent.asked_ibans(right) for right in RIGHTS}
    granted["accounts"] = frozenset().union(*granted.values())
    return granted


def _wrong_parameter(query: Mapping[str, str], consent: Consent) -> str | None:
    wanted = {
        "response_type": query.get("response_type") == "code",
        "client_id": bool(query.get("client_id")),
        "scope": query.get("scope") == f"AIS:{consent.consent_id}",
    }
    if consent.needs_challenge or "code_challenge" in query:
        wanted |= {
            "code_challenge_method": query.get("code_challenge_method") == "S256",
            "code_challenge": CHALLENGE.fullmatch(query.get("code_challenge", "")) is not None,
        }
    return next((name for name, is_right in wanted.items() if not is_right), None)


def back_to_tpp(redirect_uri: str, answer: Mapping[str, str | None]) -> Response:
    """To the TPP; parameters its address already has are kept."""
    parts = urlsplit(redirect_uri)
    added = urlencode({name: value for name, value in answer.items() if value is not None})
    query = "&".join(part for part in (parts.query, added) if part)
    return RedirectResponse(urlunsplit(parts._replace(query=query)), 303)


async def form_of(request: Request) -> dict[str, list[str]]:
    return parse_qs((await request.body()).decode("utf-8", "replace"))
