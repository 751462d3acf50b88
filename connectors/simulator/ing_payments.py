"""Payments at the simulated ING: below `/v1`, with the TPP's own token, and a plain address to sign at.

`POST /v1/payments/sepa-credit-transfers`, `GET …/{payment_id}[/status]`. Links are text, the way back has no code.
Source: published answers; see the bank's card.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.routing import Route

from connectors.simulator import payment_routes
from connectors.simulator.calls import JSON, Answer, BankCall, Handler, Refusal
from connectors.simulator.payments import Payment


def routes(prefix: str, families: frozenset[str]) -> list[Route]:
    """The routes below the version of this resource."""
    return payment_routes.routes(
        f"{prefix}/v1", families, products=(payment_routes.SEPA,), links=_links, has_oauth=False,
        guarded=_with_application,
    )  # fmt: skip


def _links(call: BankCall, payment: Payment, own: str) -> JSON:
    """The page in full, the payment's own addresses from the version on."""
    path = urlsplit(own).path.removeprefix(f"{urlsplit(call.api).path}/v1")
    page = f"{call.base}/public/berlingroup/pay/{payment.authorisation_id}"
    return {"scaRedirect": page, "self": path, "status": f"{path}/status", "delete": path}


def _with_application(handler: Handler) -> Handler:
    def served(call: BankCall) -> Answer:
        if call.simulator.consents.application(call.bearer or "") is None:
            raise Refusal(401, "TOKEN_INVALID", "the application token is missing or too old")
        return handler(call)

    return served
