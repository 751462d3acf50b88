"""Argenta: the same consents and rows as its gateway writes them, with API key and, where switched on, signatures.

Routes, below `/{bank_id}/api`: `/berlingroup/v1/consents…`, `/berlingroup/v1/accounts…`,
`/psd2/v1/berlingroup-auth` for the PSU's browser and `POST /psd2/v1/berlingroup-auth/token`, which answers 201.
Source: the bank's interface descriptions 1.5 and published answers.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.simulator import account_data, berlin_group, payment_routes
from connectors.simulator.calls import JSON, Answer, BankCall, Handler, Refusal, endpoint
from connectors.simulator.rewriting import ask_with, body_of, is_at_home, query_of, relative, with_query, wording_of
from connectors.simulator.scopes import page_of
from connectors.simulator.simulator import Simulator

FAMILIES: Final = frozenset({"argenta"})
ROOT: Final = "/{bank_id}/api"
OAUTH: Final = f"{ROOT}/psd2/v1/berlingroup-auth"
_ACCOUNT: Final = ("resourceId", "iban", "currency", "name", "product", "cashAccountType", "_links")
_ROW: Final = (
    "bookingDate", "valueDate", "transactionAmount", "creditorName", "creditorAccount", "debtorName", "debtorAccount",
)  # fmt: skip
_BALANCE_TYPES: Final = {
    "interimAvailable": "INTERIM_AVAILABLE",
    "interimBooked": "INTERIM_BOOKED",
    "closingBooked": "PREVIOUSLY_CLOSED_BOOKED",
}


def routes() -> list[Route]:
    """The routes of the bank."""
    consents, accounts = f"{ROOT}/berlingroup/v1/consents", f"{ROOT}/berlingroup/v1/accounts"
    one, account = consents + "/{consent_id}", accounts + "/{resource_id}"

    def route(path: str, name: str, handler: Handler, method: str = "GET") -> Route:
        def known(call: BankCall) -> Answer:
            if call.header("apiKey") is None:
                raise Refusal(401, "KEY_MISSING", "apiKey is missing")
            return handler(call)

        return Route(path, endpoint(name, known, families=FAMILIES), methods=[method])

    return [
        route(consents, "consent_create", create_consent, "POST"),
        route(one, "consent_read", berlin_group.read_consent),
        route(one, "consent_delete", delete_consent, "DELETE"),
        route(one + "/status", "consent_read", berlin_group.read_status),
        route(one + "/authorisations/{authorisation_id}", "consent_read", berlin_group.read_authorisation),
        Route(OAUTH, authorise, methods=["GET"]),
        route(OAUTH + "/token", "token", give_token, "POST"),
        route(accounts, "accounts", list_accounts),
        route(account + "/balances", "balances", read_balances),
        route(account + "/transactions", "transactions", read_transactions),
        *payment_routes.routes(f"{ROOT}/berlingroup/v1", FAMILIES),
    ]


def create_consent(call: BankCall) -> Answer:
    """Record the wish; the link to the metadata is the same for all consents."""
    answer = berlin_group.create_consent(call)
    body = body_of(answer)
    metadata = f"{call.base}/api/psd2/v1/berlingroup-auth/.well-known/oauth-authorization-server"
    own = f"/v1/consents/{body['consentId']}"
    links = {"scaOAuth": {"href": metadata}, "self": {"href": own}, "status": {"href": f"{own}/status"}}
    return replace(answer, body={**body, "_links": links})


def delete_consent(call: BankCall) -> Answer:
    """End the consent; here the caller needs a token of it."""
    token = (call.header("Authorization") or "").removeprefix("Bearer ")
    known = call.simulator.consents.access_token(token)
    if known is None or known.consent_id != call.request.path_params["consent_id"]:
        raise Refusal(401, "TOKEN_INVALID", "the access token is missing or not known")
    return berlin_group.delete_consent(call)


async def authorise(request: Request) -> Response:
    """To the page of the consent that the scope names."""
    simulator: Simulator = request.app.state.simulator
    bank_id = request.path_params["bank_id"]
    page = page_of(simulator, bank_id, request.query_params.get("scope", ""))
    if page is None:
        return Response("unknown request", 400)
    return RedirectResponse(f"{page}?{request.url.query}", 303)


def give_token(call: BankCall) -> Answer:
    """Tokens, with status 201."""
    answer = berlin_group.give_token(call)
    return replace(answer, status=201) if answer.status == 200 else answer


def list_accounts(call: BankCall) -> Answer:
    """Every account of the consent, without balances and holder."""
    accounts = body_of(account_data.list_accounts(call))["accounts"]
    return Answer(body={"accounts": [_shown(account, _ACCOUNT) for account in accounts]})


def read_balances(call: BankCall) -> Answer:
    """Balances with types in capitals."""
    balances = body_of(account_data.read_balances(call))["balances"]
    shown = [_shown(balance, ("balanceAmount", "referenceDate")) for balance in balances]
    for body, balance in zip(shown, balances, strict=True):
        body["balanceType"] = _BALANCE_TYPES[balance["balanceType"]]
    return Answer(body={"balances": shown})


def read_transactions(call: BankCall) -> Answer:
    """One page by `range=0-49`; only `booked` and `both` are known."""
    query = dict(call.request.query_params)
    if query.get("bookingStatus") not in {"booked", "both"}:
        raise Refusal(400, "FORMAT_ERROR", "bookingStatus is booked or both")
    size = call.bank.page_size
    first = query.pop("range", "0-").partition("-")[0]
    if not (first.isascii() and first.isdigit()):
        raise Refusal(400, "FORMAT_ERROR", "range is two numbers")
    ask_with(call, {**query, "page": str(int(first) // size)})
    report = body_of(account_data.read_transactions(call))["transactions"]
    links: JSON = {"account": report["_links"]["account"]}
    if "next" in report["_links"]:
        links["next"] = {"href": _ranged(call, report["_links"]["next"]["href"], size)}
    lists: JSON = {name: [_row(row, name) for row in report[name]] for name in ("booked", "pending") if name in report}
    return Answer(body={"transactions": {**lists, "_links": links}, "_links": {"href": ""}})


def _ranged(call: BankCall, url: str, size: int) -> str:
    query = query_of(url)
    first = int(query.pop("page")) * size
    ranged = with_query(url, {**query, "range": f"{first}-{first + size - 1}"})
    return relative(ranged) if is_at_home(call, url) else ranged


def _row(row: JSON, name: str) -> JSON:
    body = _shown(row, _ROW)
    if "transactionId" in row:
        body["entryReference"] = row["transactionId"]
    if name == "pending":
        body["transactionDate"] = body.pop("bookingDate", "")
    body["remittanceInformationUnstructured"] = wording_of(row)
    body["remittanceInformationStructured"] = row.get("remittanceInformationStructured", "")
    code = str(row.get("bankTransactionCode", ""))
    body["proprietaryBankTransactionCode"] = hashlib.sha256(code.encode()).hexdigest()[:6].upper()
    return {**body, "_links": {"href": ""}}


def _shown(body: JSON, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}
