"""Payments at the simulated Belfius: one at a time, with the version 1 body, the PSU's page asked with the payment.

`POST /{bank_id}/belfius/payments/sepa-credit-transfers`, `GET …/{payment_id}/status`, the latter without a token. The
forms of both answers and the address of the status are invented, as in `connectors.families.belfius_payments`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from starlette.routing import Route

from connectors.simulator import belfius, payment_routes
from connectors.simulator.calls import JSON, Answer, BankCall, Refusal
from connectors.simulator.companies import Party
from connectors.simulator.payments import Order
from connectors.simulator.rewriting import body_of

PATH: Final = "/payments/sepa-credit-transfers"


def routes() -> list[Route]:
    """The routes of payments."""
    return [
        belfius.route(PATH, "payment_create", create, "POST"),
        belfius.route(f"{PATH}/{{payment_id}}/status", "payment_read", read_status),
    ]


def create(call: BankCall) -> Answer:
    """Record one payment and say where the PSU signs it."""
    call.strike()
    redirect_uri, challenge = belfius.return_of(call)
    if not (call.header("Content-Type") or "").startswith("application/json"):
        raise Refusal(415, "FORMAT_ERROR", "application/json is expected")
    try:
        wish = json.loads(call.content, parse_float=Decimal)
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "the body is no JSON") from error
    if not isinstance(wish, dict) or wish.get("currency") != "EUR" or wish.get("payment_treatment_type") != "NORMAL":
        raise Refusal(400, "FORMAT_ERROR", "the body is a payment in euro")
    payment = payment_routes.recorded(
        call, redirect_uri, _text(_part(wish, "origin_account"), "iban"), (_order(wish),),
        payment_routes.day_of(wish.get("execution_date")), is_instant=False, is_batch_booked=False,
    )  # fmt: skip
    body: JSON = {
        "payment_id": payment.payment_id,
        "transaction_status": call.simulator.payments.status(payment),
        "consent_uris": belfius.pages(
            call, f"pay/{payment.authorisation_id}", f"PIS:{payment.payment_id}", redirect_uri, challenge
        ),
    }
    return Answer(status=201, body=body)


def read_status(call: BankCall) -> Answer:
    """How far the payment is, and why it was refused."""
    given = body_of(payment_routes.read_status(call))
    body: JSON = {"transaction_status": given["transactionStatus"]}
    if "tppMessages" in given:
        body["reason_code"] = given["tppMessages"][0]["code"]
    return Answer(body=body)


def _order(wish: Mapping[str, Any]) -> Order:
    amount = wish.get("amount")
    if isinstance(amount, str | bool):
        raise Refusal(400, "FORMAT_ERROR", "amount is a number")
    if "communication" in wish and wish.get("communication_type") != "FREETEXT":
        raise Refusal(400, "FORMAT_ERROR", "communication_type is not known")
    creditor = _part(wish, "remote_account")
    return Order(
        end_to_end_id=_text(wish, "payment_id"),
        amount=payment_routes.amount_of(amount),
        creditor=Party(_text(creditor, "name"), _text(creditor, "iban")),
        text=wish.get("communication"),
    )


def _part(wish: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = wish.get(name)
    if not isinstance(found, dict):
        raise Refusal(400, "FORMAT_ERROR", f"{name} is missing")
    return found


def _text(part: Mapping[str, Any], name: str) -> str:
    found = part.get(name)
    if not isinstance(found, str) or not found:
        raise Refusal(400, "FORMAT_ERROR", f"{name} is missing")
    return found
