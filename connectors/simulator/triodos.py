"""Triodos Bank Belgium: the same consents and rows with unsigned amounts, links of a tenant and pages by `edgeToken`.

Routes, below `/{bank_id}`: `/xs2a-bg/{tenant}/v1/consents…` with `PUT …/authorisations/{id}`,
`/xs2a-bg/{tenant}/v1/accounts…`, `/auth/{tenant}/v1/auth` for the PSU's browser and `POST /auth/{tenant}/v1/token`.
Source: published answers and notes of a client; see the bank's card.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.simulator import account_data, berlin_group
from connectors.simulator.calls import JSON, Answer, BankCall, Handler, Refusal, endpoint
from connectors.simulator.companies import company
from connectors.simulator.rewriting import ask_with, body_of, is_at_home, query_of, wording_of
from connectors.simulator.simulator import Simulator

FAMILIES: Final = frozenset({"triodos"})
_ACCOUNT: Final = ("iban", "currency", "resourceId", "cashAccountType")
_ROW: Final = ("transactionId", "bookingDate", "valueDate")


def routes() -> list[Route]:
    """The routes of the bank, any tenant; each bank of the family is one."""
    root = "/{bank_id}/xs2a-bg/{tenant}/v1"
    consent, account = root + "/consents/{consent_id}", root + "/accounts/{resource_id}"

    def route(path: str, name: str, handler: Handler, method: str = "GET") -> Route:
        return Route(path, endpoint(name, handler, families=FAMILIES), methods=[method])

    return [
        route(root + "/consents", "consent_create", create_consent, "POST"),
        route(consent, "consent_delete", berlin_group.delete_consent, "DELETE"),
        route(consent + "/status", "consent_read", read_status),
        route(consent + "/authorisations/{authorisation_id}", "consent_read", confirm, "PUT"),
        Route("/{bank_id}/auth/{tenant}/v1/auth", authorise, methods=["GET"]),
        route("/{bank_id}/auth/{tenant}/v1/token", "token", give_token, "POST"),
        route(root + "/accounts", "accounts", list_accounts),
        route(account + "/balances", "balances", read_balances),
        route(account + "/transactions", "transactions", read_transactions),
    ]


def create_consent(call: BankCall) -> Answer:
    """Record the wish for accounts the PSU chooses; links are plain text."""
    answer = berlin_group.create_consent(call)
    body = body_of(answer)
    consent = call.simulator.consents.find(call.bank.bank_id, body["consentId"])
    assert consent is not None, "it was made a moment ago"
    if not consent.is_bank_offered:
        raise Refusal(400, "FORMAT_ERROR", "access holds three empty lists")
    tenant = call.request.path_params["tenant"]
    own = f"/{tenant}/v1/consents/{consent.consent_id}"
    links = {
        "scaOAuth": f"{call.base}/auth/{tenant}/.well-known/openid-configuration",
        "scaStatus": f"{own}/authorisations/{consent.authorisation_id}",
        "self": own,
        "status": f"{own}/status",
    }
    return replace(answer, body={**body, "authorisationId": consent.authorisation_id, "_links": links})


def read_status(call: BankCall) -> Answer:
    """The status; approved by the PSU and not confirmed by the TPP is still `received`."""
    answer = berlin_group.read_status(call)
    status = body_of(answer)["consentStatus"]
    return Answer(body={"consentStatus": "received" if status == "partiallyAuthorised" else status})


def confirm(call: BankCall) -> Answer:
    """The TPP confirms what the PSU approved: now the consent is valid."""
    call.require_request_id()
    call.strike()
    consent = call.simulator.consents.find(call.bank.bank_id, call.request.path_params["consent_id"])
    token = call.simulator.consents.access_token((call.header("Authorization") or "").removeprefix("Bearer "))
    if token is None or consent is None or token.consent_id != consent.consent_id:
        raise Refusal(401, "TOKEN_INVALID", "the access token is missing or not known")
    if call.request.path_params["authorisation_id"] != consent.authorisation_id:
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such authorisation")
    if call.simulator.consents.status(consent) == "partiallyAuthorised":
        call.simulator.consents.sign(call.bank, consent)
    return Answer(status=201, body={"scaStatus": "finalised", "authorisationId": consent.authorisation_id})


async def authorise(request: Request) -> Response:
    """To the page of the consent that the scope names, beside those of OpenID."""
    simulator: Simulator = request.app.state.simulator
    bank_id, scopes = request.path_params["bank_id"], request.query_params.get("scope", "").split()
    wanted = next((scope.removeprefix("AIS:") for scope in scopes if scope.startswith("AIS:")), "")
    consent = simulator.consents.find(bank_id, wanted)
    if consent is None or not {"openid", "offline_access"} <= set(scopes):
        return Response("unknown request", 400)
    page = f"/{bank_id}/public/berlingroup/authorize/{consent.authorisation_id}"
    query = urlencode({**dict(request.query_params), "scope": f"AIS:{wanted}"})
    return RedirectResponse(f"{page}?{query}", 303)


def give_token(call: BankCall) -> Answer:
    """Tokens for a client that signs in with its secret."""
    if not (call.header("Authorization") or "").startswith("Basic "):
        return Answer(status=401, body={"error": "invalid_client"})
    answer = berlin_group.give_token(call)
    return (
        replace(answer, body={**body_of(answer), "scope": "openid offline_access"}) if answer.status == 200 else answer
    )


def list_accounts(call: BankCall) -> Answer:
    """The account of the consent."""
    accounts = body_of(account_data.list_accounts(call))["accounts"]
    return Answer(body={"accounts": [_account(call, account) for account in accounts]})


def read_balances(call: BankCall) -> Answer:
    """The booked balance and its day, and the expected one with the credit line."""
    body = body_of(account_data.read_balances(call))
    for balance in body["balances"]:
        balance["creditLimitIncluded"] = balance["balanceType"] != "closingBooked"
        balance.pop("lastChangeDateTime", None)
    return Answer(body=body)


def read_transactions(call: BankCall) -> Answer:
    """One page; the token of the next one holds the whole question."""
    edge = call.request.query_params.get("edgeToken")
    if edge is not None:
        try:
            ask_with(call, dict(parse_qsl(base64.urlsafe_b64decode(edge).decode())))
        except (binascii.Error, ValueError) as error:
            raise Refusal(400, "FORMAT_ERROR", "edgeToken is unknown") from error
    body = body_of(account_data.read_transactions(call))
    report, path = body["transactions"], f"{_tenant(call)}/accounts/{call.request.path_params['resource_id']}"
    links: JSON = {"account": path}
    if "next" in report["_links"]:
        url = report["_links"]["next"]["href"]
        token = base64.urlsafe_b64encode(urlencode(query_of(url)).encode()).decode()
        query = urlencode({"edgeToken": token})
        host = "" if is_at_home(call, url) else f"https://{urlsplit(url).netloc}"
        links["next"] = f"{host}{path}/transactions?{query}"
    lists = {name: [_row(call, row) for row in report[name]] for name in ("booked", "pending") if name in report}
    return Answer(body={"account": body["account"], "transactions": {**lists, "_links": links}})


def _tenant(call: BankCall) -> str:
    return f"/{call.request.path_params['tenant']}/v1"


def _account(call: BankCall, account: JSON) -> JSON:
    body: JSON = {name: account[name] for name in _ACCOUNT if name in account}
    own = f"{_tenant(call)}/accounts/{account.get('resourceId', '')}"
    links = {"transactions": f"{own}/transactions", "balances": f"{own}/balances"}
    holder = company(call.simulator.world.account(account["iban"]).company_id).name
    return {**body, "name": holder, "status": "enabled", "_links": links}


def _row(call: BankCall, row: JSON) -> JSON:
    """The amount without its sign, and the other party on the side that tells it."""
    body: dict[str, Any] = {name: row[name] for name in _ROW if name in row}
    body.setdefault("bookingDate", call.simulator.clock.today.isoformat())
    money = row.get("transactionAmount")
    if money is not None:
        is_debit = money["amount"].startswith("-")
        body["transactionAmount"] = {**money, "amount": money["amount"].removeprefix("-")}
        side = "creditor" if is_debit else "debtor"
        name = row.get("creditorName", row.get("debtorName"))
        if name is not None:
            body[f"{side}Name"] = name
        body[f"{side}Account"] = row.get("creditorAccount", row.get("debtorAccount", {}))
    if wording_of(row):
        body["remittanceInformationUnstructured"] = wording_of(row)
    if "remittanceInformationStructured" in row:
        body["remittanceInformationStructured"] = row["remittanceInformationStructured"]
    body["proprietaryBankTransactionCode"] = "BA" if "CCRD" in str(row.get("bankTransactionCode")) else "OV"
    return body
