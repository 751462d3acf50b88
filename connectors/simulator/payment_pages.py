"""The pages on which the PSU signs a payment at the simulated bank or cancels it.

As `consent_pages`, with `A` for `/{bank_id}/public/berlingroup/pay/{authorisation_id}` and the scope `PIS:<payment
id>`: `GET A`, `POST A/holder`, `GET A/payment`, `POST A/decision` with `approve` or `cancel`. Only the people who see
the debtor account can sign.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.simulator import page_texts
from connectors.simulator.banks import BankSettings
from connectors.simulator.companies import Holder, company
from connectors.simulator.consent_pages import CHALLENGE, VISIT_COOKIE, back_to_tpp, form_of
from connectors.simulator.faults import APPROVAL, Call
from connectors.simulator.pages import page
from connectors.simulator.payments import Payment, Visit
from connectors.simulator.simulator import Simulator

_NO_BANK = BankSettings(bank_id="", name="Bank", bic="")


def routes() -> list[Route]:
    """The routes of the PSU's pages."""
    one = "/{bank_id}/public/berlingroup/pay/{authorisation_id}"
    return [
        Route(one, sign_in_page, methods=["GET"]),
        Route(one + "/holder", sign_in, methods=["POST"]),
        Route(one + "/payment", payment_page, methods=["GET"]),
        Route(one + "/decision", decide, methods=["POST"]),
    ]


class _Desk:
    """One browser's request: the bank, the payment it belongs to, and the language."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.simulator: Simulator = request.app.state.simulator
        self.bank_id: str = request.path_params["bank_id"]
        self.bank = self.simulator.banks.get(self.bank_id, _NO_BANK)
        self.path = f"/{self.bank_id}/public/berlingroup/pay/{request.path_params['authorisation_id']}"
        found = self.simulator.payments.by_authorisation(self.bank_id, request.path_params["authorisation_id"])
        is_open = found is not None and self.simulator.payments.status(found) == "RCVD"
        self.payment: Payment | None = found if is_open else None
        self.texts = page_texts.TEXTS[page_texts.language(request.headers.get("accept-language", ""))]

    def visit(self) -> Visit | None:
        """The visit this browser came with, when it belongs to this payment."""
        known = self.simulator.payments.visitor(self.request.cookies.get(VISIT_COOKIE))
        return known if known and self.payment and known.payment_id == self.payment.payment_id else None

    def signers(self) -> list[Holder]:
        """Who may sign: the people of the company the account belongs to."""
        assert self.payment is not None, "asked for an open payment"
        owner = self.simulator.world.account(self.payment.debtor_iban).company_id
        return [one for one in self.simulator.world.holders_at(self.bank_id) if one.company_id == owner]

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        language = page_texts.language(self.request.headers.get("accept-language", ""))
        return page(template, status=status, language=language, texts=self.texts, bank=self.bank, **values)

    def stopped(self, reason: str | None = None, status: int = 400) -> Response:
        return self.page("stopped.html", status=status, reason=reason or self.texts["unknown"])


async def sign_in_page(request: Request) -> Response:
    """Check what the TPP put into the address, where it goes by OAuth, and ask who is there."""
    desk = _Desk(request)
    if desk.payment is None:
        return desk.stopped(status=404)
    way = desk.payment.way
    if not way.has_oauth:
        return _welcome(desk, Visit(
            payment_id=desk.payment.payment_id, client_id=way.tpp_name or desk.bank.name,
            redirect_uri=desk.payment.redirect_uri, state=None, code_challenge=None,
        ))  # fmt: skip
    query = request.query_params
    wanted = {
        "redirect_uri": query.get("redirect_uri") == desk.payment.redirect_uri,
        "response_type": query.get("response_type") == "code",
        "client_id": bool(query.get("client_id")),
        "scope": f"PIS:{desk.payment.payment_id}" in query.get("scope", "").split(" "),
        "code_challenge_method": query.get("code_challenge_method") == "S256",
        "code_challenge": CHALLENGE.fullmatch(query.get("code_challenge", "")) is not None,
    }
    wrong = next((name for name, is_right in wanted.items() if not is_right), None)
    if wrong is not None:
        return desk.stopped(desk.texts["wrong_request"].format(reason=wrong))
    visit = Visit(
        payment_id=desk.payment.payment_id,
        client_id=query["client_id"],
        redirect_uri=query["redirect_uri"],
        state=query.get("state"),
        code_challenge=query["code_challenge"],
    )
    return _welcome(desk, visit)


def _welcome(desk: _Desk, visit: Visit) -> Response:
    cookie = desk.simulator.payments.visit(visit)
    people = [(holder, company(holder.company_id)) for holder in desk.signers()]
    response = desk.page("sign_in.html", people=people, action=f"{desk.path}/holder")
    response.set_cookie(VISIT_COOKIE, cookie, path=desk.path, httponly=True, samesite="lax")
    return response


async def sign_in(request: Request) -> Response:
    """Note who signed in; no secret is asked, as these people are invented."""
    desk = _Desk(request)
    visit = desk.visit()
    if visit is None:
        return desk.stopped()
    holder_id = (await form_of(request)).get("holder", [""])[0]
    if holder_id not in {holder.holder_id for holder in desk.signers()}:
        return desk.stopped(desk.texts["wrong_request"].format(reason="holder"))
    visit.holder_id = holder_id
    return RedirectResponse(f"{desk.path}/payment", 303)


async def payment_page(request: Request) -> Response:
    """Show what is to be signed: to whom, how much, when."""
    desk = _Desk(request)
    visit = desk.visit()
    if desk.payment is None or visit is None or visit.holder_id is None:
        return desk.stopped()
    holder = desk.simulator.world.holder(visit.holder_id)
    return desk.page(
        "payment.html",
        holder=holder,
        company=company(holder.company_id),
        client_id=visit.client_id,
        payment=desk.payment,
        day=desk.payment.day.strftime("%d/%m/%Y"),
        action=f"{desk.path}/decision",
    )


async def decide(request: Request) -> Response:
    """Sign or cancel, and send the browser back to the TPP."""
    desk = _Desk(request)
    visit = desk.visit()
    if desk.payment is None or visit is None or visit.holder_id is None:
        return desk.stopped()
    way = desk.payment.way
    match (await form_of(request)).get("decision", [""])[0]:
        case "cancel":
            if not way.waits_when_cancelled:
                desk.simulator.payments.refuse(desk.payment)
            answer = {"error": "access_denied", "error_description": "cancelled", "state": visit.state}
            return back_to_tpp(way.refused_uri or visit.redirect_uri, answer if way.has_oauth else {})
        case "approve":
            desk.payment.holder_id = visit.holder_id
            struck = desk.simulator.faults.take(Call(desk.bank_id, APPROVAL))
            desk.simulator.payments.sign(desk.payment, needs_second_signature=bool(struck))
            if not way.has_oauth:
                return back_to_tpp(visit.redirect_uri, {})
            return back_to_tpp(
                visit.redirect_uri, {"code": desk.simulator.payments.code_for(visit), "state": visit.state}
            )
        case _:
            return desk.stopped(desk.texts["wrong_request"].format(reason="decision"))
