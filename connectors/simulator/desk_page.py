"""The page of the control desk at `/sim`: clock, faults, accounts, consents and payments, for a person at this machine.

What it does is what the JSON API of `admin` does; each form answers with the page again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.simulator.admin import JSON, DeskCall, NotPossible, guarded, number, revoke_consent, sign_consent, text
from connectors.simulator.admin_payments import sign_payment
from connectors.simulator.companies import company
from connectors.simulator.consents import OPEN
from connectors.simulator.faults import DESCRIPTIONS, ENDPOINTS, Fault, FaultKind
from connectors.simulator.pages import page

STEPS: Final = ((1, 0, "One day on"), (0, 1, "One hour on"), (7, 0, "One week on"), (30, 0, "30 days on"))


def routes() -> list[Route]:
    """The routes of the page."""
    return [
        Route("/sim", guarded(_show), methods=["GET"]),
        Route("/sim/clock", guarded(_move), methods=["POST"]),
        Route("/sim/faults", guarded(_order), methods=["POST"]),
        Route("/sim/faults/clear", guarded(_clear), methods=["POST"]),
        Route("/sim/consents/{consent_id}/revocation", guarded(_revoke), methods=["POST"]),
        Route("/sim/consents/{consent_id}/signature", guarded(_sign_consent), methods=["POST"]),
        Route("/sim/payments/{payment_id}/signature", guarded(_sign_payment), methods=["POST"]),
        Route("/sim/reset", guarded(_reset), methods=["POST"]),
    ]


def _show(call: DeskCall) -> Response:
    simulator = call.simulator
    names = {bank.bank_id: bank.name for bank in simulator.banks.values()}
    accounts = sorted(simulator.world.accounts, key=lambda account: names.get(account.bank_id, "").casefold())
    return page(
        "desk.html",
        language="en",
        now=simulator.clock.now.strftime("%A %d %B %Y %H:%M"),
        steps=STEPS,
        names=names,
        balances=[
            (account, company(account.company_id), f"{simulator.world.balance(account):,.2f}") for account in accounts
        ],
        banks=sorted(simulator.banks.values(), key=lambda bank: bank.name.casefold()),
        kinds=list(DESCRIPTIONS.items()),
        endpoints=ENDPOINTS,
        faults=[(fault, _told(fault)) for fault in simulator.faults.listing()],
        consents=[(one, simulator.consents.status(one)) for one in simulator.consents.listing()],
        open_states=OPEN,
        payments=simulator.payments.listing(),
    )


def _told(fault: Fault) -> str:
    """What the order strikes, in words."""
    where: Iterable[str] = (
        fault.bank_id or "any bank",
        fault.account_id or "any account",
        fault.endpoint or "any endpoint",
        f"page {fault.page}" if fault.page else "any page",
        *(f"{name} {value}" for name, value in fault.params.items()),
    )
    return ", ".join(where)


def _move(call: DeskCall) -> Response:
    call.simulator.clock.advance(days=number(call.body, "days", 0), hours=number(call.body, "hours", 0))
    return _back()


def _order(call: DeskCall) -> Response:
    kind = str(call.body.get("kind"))
    params = _params(text(call.body, "params"))
    if kind == FaultKind.STATUS and text(call.body, "status"):
        params.setdefault("status", number(call.body, "status", 500))
    call.simulator.faults.order(
        kind,
        bank_id=text(call.body, "bank_id"),
        account=text(call.body, "account"),
        endpoint=text(call.body, "endpoint"),
        page=number(call.body, "page", 0) or None,
        # An empty field means until cleared.
        times=number(call.body, "times", 0) or None,
        **params,
    )
    return _back()


def _params(given: str | None) -> JSON:
    if given is None:
        return {}
    try:
        found = json.loads(given, parse_float=Decimal)
    except ValueError as error:
        raise NotPossible(f"the parameters are no JSON: {error}") from error
    known = {"kind", "bank_id", "account", "endpoint", "page", "times"}
    if not isinstance(found, dict) or known & set(found):
        raise NotPossible(
            'the parameters are a JSON object such as {"seconds": 5}, without what has a field of its own'
        )
    return found


def _clear(call: DeskCall) -> Response:
    call.simulator.faults.clear()
    return _back()


def _revoke(call: DeskCall) -> Response:
    revoke_consent(call)
    return _back()


def _sign_consent(call: DeskCall) -> Response:
    sign_consent(call)
    return _back()


def _sign_payment(call: DeskCall) -> Response:
    sign_payment(call)
    return _back()


def _reset(call: DeskCall) -> Response:
    call.simulator.reset()
    return _back()


def _back() -> Response:
    return RedirectResponse("/sim", 303)
