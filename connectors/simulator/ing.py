"""ING: the same accounts and rows behind an application token, with scopes in place of a consent.

Routes, below `/{bank_id}/ing`: `POST /oauth2/token` for the TPP's own token, for a code and for a refresh token;
`GET /oauth2/authorization-server-url`; `GET /granting/{id}` for the PSU's browser; `GET /v3/accounts`,
`/v3/accounts/{id}/balances[?balanceTypes=…][&currency=…]`,
`/v2/accounts/{id}/transactions?dateFrom=…&currency=…` and, for the pages after the first, `?next=…`; payments are in
`ing_payments`.

Every call is signed: the first under the certificate's name, in `Authorization`, the others under the `client_id` that
came with the application token. One `resourceId` stands for all currencies of a number. Which codes an ended access is
told with is not published; here they are those of the Berlin Group. Source: published answers; see the bank's card.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors import signing
from connectors.simulator import account_data, berlin_group, ing_payments
from connectors.simulator.authorising import REFUSED, open_consent
from connectors.simulator.calls import JSON, Answer, BankCall, Handler, Refusal, client_id_of, endpoint
from connectors.simulator.companies import company
from connectors.simulator.rewriting import ask_about, ask_with, body_of, is_at_home, pending_days, query_of, wording_of
from connectors.simulator.simulator import Simulator

FAMILIES: Final = frozenset({"ing"})
SCOPES: Final = frozenset({"payment-accounts:balances:view", "payment-accounts:transactions:view"})
APPLICATION_SECONDS: Final = 905
_SIGNATURE: Final = "Signature "
_ROW: Final = ("transactionId", "endToEndId", "bookingDate", "valueDate", "transactionAmount")
_TYPES: Final = {
    "PMNT-CCRD-POSD": "Betaalautomaat",
    "PMNT-ICDT-ESCT": "Overschrijving",
    "PMNT-RCDT-ESCT": "Overschrijving",
}
"""The bank's words for what a row is, as far as published answers show them."""


def routes() -> list[Route]:
    """The routes of the bank, whose versions differ per resource."""
    account = "/accounts/{resource_id}"

    def route(path: str, name: str, handler: Handler, method: str = "GET") -> Route:
        return Route(f"/{{bank_id}}/ing{path}", endpoint(name, handler, families=FAMILIES), methods=[method])

    return [
        route("/oauth2/token", "token", give_token, "POST"),
        route("/oauth2/authorization-server-url", "metadata", name_page),
        Route("/{bank_id}/ing/granting/{request_id}", authorise, methods=["GET"]),
        route("/v3/accounts", "accounts", list_accounts),
        route(f"/v3{account}/balances", "balances", read_balances),
        route(f"/v2{account}/transactions", "transactions", read_transactions),
        *ing_payments.routes("/{bank_id}/ing", FAMILIES),
    ]


def give_token(call: BankCall) -> Answer:
    """The TPP's own token, or with it those of a customer, and until when the access can be renewed."""
    form = parse_qs(call.content.decode("utf-8", "replace"))
    if form.get("grant_type") == ["client_credentials"]:
        return _application(call)
    _require_application(call)
    answer = berlin_group.give_token(call)
    if answer.status != 200:
        return answer
    body = body_of(answer)
    known = call.simulator.consents.access_token(body["access_token"])
    consent = None if known is None else call.simulator.consents.find(call.bank.bank_id, known.consent_id)
    assert consent is not None, "the token was given a moment ago"
    now = call.simulator.clock.now
    end = datetime.combine(consent.valid_until + timedelta(days=1), time.min, tzinfo=now.tzinfo)
    # Two times on one wall clock differ by an hour too little or too much when summer time lies between them.
    left = end.astimezone(UTC) - now.astimezone(UTC)
    body |= {"refresh_token_expires_in": int(left.total_seconds()) - 1, "scope": " ".join(sorted(SCOPES))}
    if form.get("grant_type") == ["authorization_code"]:
        # As published; a renewed one is a bearer token by name too.
        body |= {"token_type": "access"}
    return Answer(body=body, headers=answer.headers)


def name_page(call: BankCall) -> Answer:
    """Where the PSU signs in; the TPP adds its request to this address."""
    call.require_request_id()
    _require_application(call)
    call.strike()
    query = call.request.query_params
    if set(query.get("scope", "").split()) != SCOPES or not query.get("redirect_uri"):
        raise Refusal(400, "FORMAT_ERROR", "scope and redirect_uri are wanted")
    if not query.get("country_code"):
        raise Refusal(400, "FORMAT_ERROR", "country_code is wanted")
    return Answer(body={"location": f"{call.api}/granting/{uuid4()}"})


async def authorise(request: Request) -> Response:
    """The PSU gives access to everything the scopes name."""
    simulator: Simulator = request.app.state.simulator
    bank, query = simulator.banks.get(request.path_params["bank_id"]), request.query_params
    if bank is None or bank.family not in FAMILIES or set(query.get("scope", "").split()) != SCOPES:
        return Response(REFUSED, 400)
    return open_consent(request, bank, {"allPsd2": "allAccounts"}, needs_challenge=False)


def list_accounts(call: BankCall) -> Answer:
    """Every account, a number once for each of its currencies."""
    accounts = body_of(account_data.list_accounts(call))["accounts"]
    first: dict[str, str] = {}
    for account in accounts:
        first.setdefault(account.get("iban", ""), account.get("resourceId", ""))
    return Answer(body={"accounts": [_account(call, one, first[one.get("iban", "")]) for one in accounts]})


def read_balances(call: BankCall) -> Answer:
    """The balances of one currency, of the types asked for."""
    _address(call)
    body = body_of(account_data.read_balances(call))
    wanted = call.request.query_params.get("balanceTypes")
    if wanted is not None:
        types = wanted.split(",")
        body["balances"] = [one for one in body["balances"] if one.get("balanceType") in types]
    return Answer(body=body)


def read_transactions(call: BankCall) -> Answer:
    """One page of one currency; the token of the next one holds the whole question."""
    query = dict(call.request.query_params)
    if "next" in query:
        try:
            query = dict(parse_qsl(base64.urlsafe_b64decode(query["next"]).decode()))
        except (binascii.Error, ValueError) as error:
            raise Refusal(400, "FORMAT_ERROR", "next is unknown") from error
    oldest = call.simulator.clock.today - timedelta(days=call.bank.history_days)
    query = {"dateFrom": oldest.isoformat(), **query, "bookingStatus": "both"}
    path = f"{_root(call)}/v2/accounts/{call.request.path_params['resource_id']}/transactions"
    ask_with(call, query)
    _address(call)
    body = body_of(account_data.read_transactions(call))
    report = body["transactions"]
    links: JSON = {}
    if "next" in report["_links"]:
        url = report["_links"]["next"]["href"]
        token = base64.urlsafe_b64encode(urlencode(query_of(url)).encode()).decode()
        host = "" if is_at_home(call, url) else f"https://{urlsplit(url).netloc}"
        links["next"] = {"href": f"{host}{path}?{urlencode({'next': token})}"}
    lists: JSON = {"booked": [_row(row) for row in report["booked"]], "pending": []}
    # A later page has no pending rows, and so needs none of their days.
    for row, (ordered, _) in zip(report["pending"], pending_days(call, body["account"]), strict=False):
        lists["pending"].append(_row({**row, "bookingDate": ordered.isoformat()}))
    return Answer(body={"account": body["account"], "transactions": {**lists, "info": [], "_links": links}})


def _application(call: BankCall) -> Answer:
    """The TPP's own token and the name it has from now on."""
    call.strike()
    given = call.header("Authorization") or ""
    key_id = ""
    if given.startswith(_SIGNATURE):
        try:
            key_id = signing.read_signature(given.removeprefix(_SIGNATURE)).key_id
        except signing.SignatureRefused as refused:
            raise Refusal(401, "SIGNATURE_INVALID", str(refused)) from refused
        if call.header("TPP-Signature-Certificate") is None:
            raise Refusal(401, "CERTIFICATE_MISSING", "TPP-Signature-Certificate is missing")
    # Without the check of signatures everybody is the same TPP.
    client_id = client_id_of(key_id)
    token = call.simulator.consents.new_application_token(client_id, APPLICATION_SECONDS)
    body: JSON = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": APPLICATION_SECONDS,
        "scope": " ".join(sorted(SCOPES)),
        "client_id": client_id,
        "keys": [],
    }
    return Answer(body=body, headers={"Cache-Control": "no-store"})


def _require_application(call: BankCall) -> None:
    if call.simulator.consents.application(call.bearer or "") is None:
        raise Refusal(401, "TOKEN_INVALID", "the application token is missing or too old")


def _address(call: BankCall) -> None:
    """Let the common code see the account of the currency asked for; the address names the number alone."""
    known = call.simulator.consents.access_token(call.bearer or "")
    consent = None if known is None else call.simulator.consents.find(call.bank.bank_id, known.consent_id)
    currency, resource_id = call.request.query_params.get("currency"), call.request.path_params["resource_id"]
    if consent is None or currency is None:
        return
    mine = [one for one in call.simulator.world.accounts if one.bank_id == call.bank.bank_id]
    named = next((one for one in mine if consent.resource_id(one) == resource_id), None)
    if named is None:
        return
    same = [one for one in mine if one.iban is not None and one.iban == named.iban and one.currency == currency]
    # A currency the number does not have is no account.
    ask_about(call, consent.resource_id(same[0]) if same else "")


def _root(call: BankCall) -> str:
    """What stands before the version in links, which are relative to the host."""
    return urlsplit(call.api).path


def _account(call: BankCall, account: JSON, resource_id: str) -> JSON:
    accounts = f"accounts/{resource_id}"
    query = urlencode({"currency": account.get("currency", "")})
    body: JSON = {
        "maskedPan": "",
        **{name: account[name] for name in ("iban", "currency") if name in account},
        # The kind of an account is told by its product alone.
        "product": account.get("name", ""),
        "_links": {
            "balances": {"href": f"{_root(call)}/v3/{accounts}/balances"},
            "transactions": {"href": f"{_root(call)}/v2/{accounts}/transactions?{query}"},
        },
    }
    if "resourceId" in account:
        body["resourceId"] = resource_id
    if "iban" in account:
        body["name"] = company(call.simulator.world.account(account["iban"]).company_id).name
    return body


def _row(row: JSON) -> JSON:
    """The other party with an account that may be empty, the kind in words, and labelled text."""
    body: dict[str, Any] = {name: row[name] for name in _ROW if name in row}
    labels = []
    for side in ("creditor", "debtor"):
        if f"{side}Name" in row:
            body[f"{side}Name"] = row[f"{side}Name"]
            body[f"{side}Account"] = row.get(f"{side}Account", {})
            labels.append(f"Naam: {row[f'{side}Name']}")
    if wording_of(row):
        labels.append(f"Omschrijving: {wording_of(row)}")
    for side in ("creditor", "debtor"):
        if f"{side}Account" in row:
            labels.append(f"IBAN: {row[f'{side}Account']['iban']}")
    if "valueDate" in row:
        labels.append(f"Valutadatum: {'-'.join(reversed(row['valueDate'].split('-')))}")
    structured = row.get("remittanceInformationStructured")
    if structured is not None:
        given = {"type": "SCOR", "issuer": structured["referenceIssuer"], "reference": structured["reference"]}
        body["remittanceInformationStructured"] = given
    if row.get("bankTransactionCode") in _TYPES:
        body["transactionType"] = _TYPES[row["bankTransactionCode"]]
    return {**body, "remittanceInformationUnstructured": "<br>".join(labels)}
