"""Payments at the simulated Ponto: made as JSON:API, signed on the shared page, booked by the shared book.

Routes, below the roots of `ponto`: `POST /accounts/{id}/payments` and `…/bulk-payments`, `GET` of one of them,
`POST /payment-activation-requests`, and the page `/payment-activations/{id}` beside the interface. The words of the
status after the signature are not published: everything that is not `unsigned` any more is `pending` here, a word that
official fixtures have. Source: Ponto Connect, API version 2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.simulator import page_texts
from connectors.simulator.calls import JSON, Answer, BankCall, Handler, Refusal
from connectors.simulator.companies import Party, SimulatedAccount
from connectors.simulator.pages import page
from connectors.simulator.payments import Order, Payment, Way
from connectors.simulator.ponto_calls import addressed, created, key_of, organisation_of, route, session
from connectors.simulator.simulator import Simulator

KINDS: Final = {"payments": "payment", "bulk-payments": "bulkPayment"}
NAME_MAX: Final = 60
TEXT_MAX: Final = 140
_ALPHABET: Final = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")
_CENT: Final = Decimal("0.01")


def routes() -> list[Route]:
    """The routes of payments and of the switch for them."""
    found = []
    for path, kind in KINDS.items():
        all_, one = f"/accounts/{{resource_id}}/{path}", f"/accounts/{{resource_id}}/{path}/{{payment_id}}"
        found += route(all_, "payment_create", _creating(kind), "POST") + route(one, "payment_read", read_payment)
    switch = "/{bank_id}/payment-activations/{page_id}"
    return [
        *found,
        *route("/payment-activation-requests", "payment_activate", ask_activation, "POST"),
        Route(switch, activation_page, methods=["GET"]),
        Route(switch, activate, methods=["POST"]),
    ]


def read_payment(call: BankCall) -> Answer:
    """One payment with its present status; a bulk payment does not list its payments."""
    consent = session(call)
    account = addressed(call, consent)
    found = call.simulator.payments.find(call.bank.bank_id, call.request.path_params["payment_id"])
    if found is None or found.debtor_iban != account.iban:
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such payment")
    return Answer(body={"data": _resource(call, found)})


def ask_activation(call: BankCall) -> Answer:
    """A page on which the organisation switches payments on."""
    consent = session(call)
    call.strike()
    redirect_uri = _address(_attributes(call, "paymentActivationRequest"))
    page_id = call.simulator.ponto.ask_activation(organisation_of(call.simulator, consent), redirect_uri)
    links = {"redirect": f"{call.base}/payment-activations/{page_id}"}
    return created(call, {"data": {"type": "paymentActivationRequest", "id": page_id, "links": links}})


async def activation_page(request: Request) -> Response:
    """Ask whether payments are to be switched on."""
    simulator: Simulator = request.app.state.simulator
    bank = simulator.banks.get(request.path_params["bank_id"])
    if bank is None or simulator.ponto.activation(request.path_params["page_id"]) is None:
        return Response("unknown request", 404)
    language = page_texts.language(request.headers.get("accept-language", ""))
    texts = page_texts.TEXTS[language]
    return page("activation.html", language=language, texts=texts, bank=bank, action=request.url.path)


async def activate(request: Request) -> Response:
    """Payments are on from now on; back to the TPP."""
    simulator: Simulator = request.app.state.simulator
    redirect_uri = simulator.ponto.activate(request.path_params["page_id"])
    return Response("unknown request", 404) if redirect_uri is None else RedirectResponse(redirect_uri, 303)


def _creating(kind: str) -> Handler:
    return lambda call: _create(call, kind)


def _create(call: BankCall, kind: str) -> Answer:
    consent = session(call)
    if not call.simulator.ponto.may_pay(consent.consent_id):
        raise Refusal(403, "insufficientScope", "the token was not given for payments")
    account = addressed(call, consent)
    if not call.simulator.ponto.is_active(organisation_of(call.simulator, consent)):
        raise Refusal(403, "paymentsNotActivated", "payments are not switched on")
    if account.currency != "EUR" or account.cash_account_type != "CACC" or account.iban is None:
        raise Refusal(400, "invalidAttribute", "payments go from a current account in euro")
    payment = _recorded(call, account, kind, _attributes(call, kind))
    data = _resource(call, payment)
    data["links"] = {"redirect": f"{call.base}/public/berlingroup/pay/{payment.authorisation_id}"}
    return created(call, {"data": data})


def _recorded(call: BankCall, account: SimulatedAccount, kind: str, wish: Mapping[str, Any]) -> Payment:
    is_bulk = kind == "bulkPayment"
    elements = wish.get("payments") if is_bulk else [wish]
    if not isinstance(elements, list) or not elements or not all(isinstance(one, dict) for one in elements):
        raise Refusal(400, "missingAttribute", "payments")
    if is_bulk and not isinstance(wish.get("reference"), str):
        raise Refusal(400, "missingAttribute", "reference")
    day = wish.get("requestedExecutionDate")
    try:
        wanted = None if day is None else date.fromisoformat(str(day))
    except ValueError as error:
        raise Refusal(400, "invalidAttribute", "requestedExecutionDate") from error
    if wanted is not None and wanted < call.simulator.clock.today:
        raise Refusal(400, "invalidAttribute", "requestedExecutionDate lies in the past")
    assert account.iban is not None, "checked before"
    return call.simulator.payments.create(
        call.bank.bank_id,
        request_id=key_of(call) or "",
        redirect_uri=_address(wish),
        debtor_iban=account.iban,
        orders=tuple(_order(one) for one in elements),
        day=wanted,
        is_instant=False,
        is_batch_booked=wish.get("batchBookingPreferred") is True,
        # Cancelled, it goes on waiting, here or in the dashboard.
        way=Way(has_oauth=False, waits_when_cancelled=True),
    )


def _order(wish: Mapping[str, Any]) -> Order:
    name, iban = wish.get("creditorName"), wish.get("creditorAccountReference")
    text, kind = wish.get("remittanceInformation"), wish.get("remittanceInformationType")
    amount = wish.get("amount")
    if wish.get("currency") != "EUR" or wish.get("creditorAccountReferenceType") != "IBAN":
        raise Refusal(400, "invalidAttribute", "currency or creditorAccountReferenceType")
    if not isinstance(amount, (int, Decimal)) or amount <= 0 or amount != Decimal(amount).quantize(_CENT):
        raise Refusal(400, "invalidAttribute", "amount")
    if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX or not isinstance(iban, str) or not iban:
        raise Refusal(400, "missingAttribute", "creditorName or creditorAccountReference")
    if text is not None and (kind not in {"structured", "unstructured"} or len(str(text)) > TEXT_MAX):
        raise Refusal(400, "invalidAttribute", "remittanceInformation")
    if not all(_ALPHABET.fullmatch(one) for one in (name, str(text or ""))):
        raise Refusal(400, "invalidAttribute", "characters that banks refuse")
    return Order(
        end_to_end_id=wish.get("endToEndId"),
        amount=Decimal(amount).quantize(_CENT),
        creditor=Party(name, iban),
        text=text if kind == "unstructured" else None,
        structured=text if kind == "structured" else None,
    )


def _resource(call: BankCall, payment: Payment) -> JSON:
    is_waiting = call.simulator.payments.status(payment) == "RCVD"
    attributes: JSON = {
        "status": "unsigned" if is_waiting else "pending", "requestedExecutionDate": payment.day.isoformat()
    }  # fmt: skip
    kind = KINDS[call.request.url.path.rstrip("/").split("/accounts/")[1].split("/")[1]]
    if kind == "payment":
        (order,) = payment.orders
        attributes |= {
            "currency": "EUR",
            "amount": f"{order.amount:.2f}",
            "creditorName": order.creditor.name,
            "creditorAccountReference": order.creditor.iban,
            "creditorAccountReferenceType": "IBAN",
            "creditorAgent": None,
            "creditorAgentType": None,
            "remittanceInformation": order.structured or order.text,
            "remittanceInformationType": "structured" if order.structured else "unstructured",
            "endToEndId": order.end_to_end_id,
        }
    else:
        attributes |= {"reference": payment.request_id, "batchBookingPreferred": payment.is_batch_booked}
    return {"type": kind, "id": payment.payment_id, "attributes": attributes}


def _attributes(call: BankCall, kind: str) -> dict[str, Any]:
    """As `attributes_of`, with exact amounts."""
    try:
        data = json.loads(call.content, parse_float=Decimal)["data"]
        if data["type"] != kind:
            raise Refusal(400, "invalidAttribute", "another type")
        return dict(data["attributes"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(400, "invalidAttribute", "the body is no such resource") from error


def _address(wish: Mapping[str, Any]) -> str:
    found = str(wish.get("redirectUri"))
    if urlsplit(found).scheme not in {"http", "https"} or not urlsplit(found).hostname:
        raise Refusal(400, "invalidAttribute", "redirectUri")
    return found
