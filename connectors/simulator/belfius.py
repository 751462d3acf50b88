"""Belfius: the page for the PSU is asked from the bank, accounts are read one by one, pages follow a key.

Routes, below `/{bank_id}/belfius`: `GET /consent-uris?scope=AIS`, `POST /token`, `GET /accounts`,
`GET /accounts/{logical-id}`, `GET /accounts/{logical-id}/transactions?date_from=…[&date_to=…][&currency=…][&next=…]`.
Payments stand in `belfius_payments`.

Every call wants its version in `Accept`, one of two languages, `Client-ID`, `Redirect-URI` and `Request-ID`; the PSU is
present where the query says so. Invented, since no text of the bank shows them: the list of accounts as `accounts`, the
type `STRUCTURED` of a communication, the balance of the main compartment as that of an account in several currencies.
Sources: see the bank's card.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final, cast
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.routing import Route

from connectors.simulator import account_data, berlin_group
from connectors.simulator.calls import JSON, Answer, BankCall, Handler, Refusal, endpoint
from connectors.simulator.companies import SimulatedAccount
from connectors.simulator.consent_pages import CHALLENGE
from connectors.simulator.consents import Consent
from connectors.simulator.references import printed
from connectors.simulator.rewriting import ask_about, ask_with, body_of, is_at_home, query_of, wording_of

FAMILIES: Final = frozenset({"belfius"})
SCOPE: Final = "AIS"
LANGUAGES: Final = ("fr", "nl")
VERSIONS: Final = {
    "consent_create": 4, "token": 3, "accounts": 3, "balances": 3, "transactions": 3,
    "payment_create": 1, "payment_read": 1,
}  # fmt: skip
DEFAULT_PERIOD: Final = timedelta(days=90)
TYPES: Final = {"CACC": "current-account", "SVGS": "savings-account", "CARD": "card-account"}

_MEDIA: Final = re.compile(r"application/vnd\.belfius\.api\+json; ?version=([0-9]+)")
_PRESENT: Final = b"psu-ip-address"
_CODES: Final = {
    "FORMAT_ERROR": "GEN-1202-100001",
    "PERIOD_INVALID": "GEN-1202-100001",
    "TOKEN_INVALID": "GEN-1203-100003",
    "TOKEN_EXPIRED": "GEN-1203-100003",
    "CONSENT_INVALID": "B14800ZZ-3013",
    "CONSENT_EXPIRED": "B14800ZZ-3013",
    "CONSENT_UNKNOWN": "B14800ZZ-3013",
    "SERVICE_BLOCKED": "B14800ZZ-3004",
    "RESOURCE_UNKNOWN": "B14800ZZ-3002",
    "SCA_REQUIRED": "B14800ZZ-0PLC-REDRCT",
    "EXECUTION_DATE_INVALID": "B14821ZZ-2101",
    "CERTIFICATE_MISSING": "B14663ZZ-2100",
    "CERTIFICATE_EXPIRED": "B14663ZZ-2100",
    "CERTIFICATE_INVALID": "B14663ZZ-2100",
    "ROLE_INVALID": "B14663ZZ-2100",
}


def route(path: str, name: str, handler: Handler, method: str = "GET") -> Route:
    """A route that wants the headers of this family."""
    served = endpoint(name, _with_headers(name, handler), families=FAMILIES, error_body=error_body)
    return Route(f"/{{bank_id}}/belfius{path}", served, methods=[method])


def routes() -> list[Route]:
    """The routes of the family."""
    return [
        route("/consent-uris", "consent_create", list_consent_uris),
        route("/token", "token", give_token, "POST"),
        route("/accounts", "accounts", list_accounts),
        route("/accounts/{resource_id}", "balances", read_account),
        route("/accounts/{resource_id}/transactions", "transactions", read_transactions),
    ]


def error_body(status: int, code: str, text: str) -> JSON:  # noqa: ARG001  the shape of `ErrorBody`
    """The error body of the bank; what it writes for its limits and outages is not known, so these carry no code."""
    body: JSON = {"error": code, "error_description": text}
    return body | {"error_code": _CODES[code]} if code in _CODES else body


def list_consent_uris(call: BankCall) -> Answer:
    """The pages on which the PSU signs in and chooses the accounts, one for each language."""
    call.strike()
    if call.request.query_params.get("scope") != SCOPE:
        raise Refusal(400, "FORMAT_ERROR", "scope is AIS")
    redirect_uri, challenge = return_of(call)
    consent = call.simulator.consents.create(
        call.bank,
        access={},
        redirect_uri=redirect_uri,
        is_recurring=True,
        valid_until=call.simulator.clock.today + timedelta(days=call.bank.consent_days_max),
        frequency_per_day=call.bank.unattended_calls_max or 1,
    )
    uris = pages(
        call, f"authorize/{consent.authorisation_id}", f"AIS:{consent.consent_id}", redirect_uri, challenge
    )  # fmt: skip
    # The one answer of a simulated bank that is a bare list.
    return Answer(body=cast("JSON", uris))


def return_of(call: BankCall) -> tuple[str, str]:
    """The address to send the browser back to, and the PKCE challenge."""
    redirect_uri, challenge = call.header("Redirect-URI") or "", call.header("Code-Challenge") or ""
    if urlsplit(redirect_uri).scheme not in {"http", "https"} or not urlsplit(redirect_uri).hostname:
        raise Refusal(400, "FORMAT_ERROR", "Redirect-URI is no web address")
    if not CHALLENGE.fullmatch(challenge) or call.header("Code-Challenge-Method") != "S256":
        raise Refusal(400, "FORMAT_ERROR", "Code-Challenge is missing or not S256")
    return redirect_uri, challenge


def pages(call: BankCall, page: str, scope: str, redirect_uri: str, challenge: str) -> list[JSON]:
    """The addresses of one page for the PSU, one for each language."""
    query = {
        "response_type": "code",
        "client_id": call.header("Client-ID") or "",
        "scope": scope,
        "redirect_uri": redirect_uri,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    address = f"{call.base}/public/berlingroup/{page}"
    return [
        {"language": language, "consent_uri": f"{address}?{urlencode({**query, 'language': language})}"}
        for language in LANGUAGES
    ]


def give_token(call: BankCall) -> Answer:
    """A pair of tokens; a new one kills the previous pair."""
    scheme, _, secret = (call.header("Authorization") or "").partition(" ")
    if scheme != "Basic" or not _is_client(secret, call.header("Client-ID") or ""):
        return Answer(status=401, body={"error": "invalid_client", "error_code": "GEN-1203-100008"})
    form = parse_qs(call.content.decode("utf-8", "replace"))
    is_renewal = form.get("grant_type") == ["refresh_token"]
    if is_renewal:
        call.simulator.consents.drop_access(form.get("refresh_token", [""])[0])
    answer = berlin_group.give_token(call)
    if answer.status == 200:
        return Answer(body={**body_of(answer), "scope": SCOPE}, headers=answer.headers)
    if is_renewal:
        return Answer(status=answer.status, body={**body_of(answer), "error_code": "GEN-1203-100004"})
    return answer


def list_accounts(call: BankCall) -> Answer:
    """IBAN and logical id of each account; one in several currencies is listed once."""
    account_data.list_accounts(call)
    consent = _consent_of(call)
    main = {account.iban: account for account in reversed(_covered(call, consent))}
    entries = [
        {"logical-id": consent.resource_id(account), "iban": account.iban} for account in reversed(main.values())
    ]
    return Answer(body={"accounts": entries})


def read_account(call: BankCall) -> Answer:
    """Type, name and balance of one account, and the balance of each of its other currencies."""
    _ask(call, call.request.path_params["resource_id"], {"withBalance": "true"})
    given = body_of(account_data.read_account(call))["account"]
    own = f"{call.api}/accounts/{call.request.path_params['resource_id']}"
    others = [
        {"currency": account.currency, "balance": f"{call.simulator.world.balance(account):.2f}"}
        for account in _covered(call, _consent_of(call))
        if account.iban == given.get("iban") and account.currency != given.get("currency")
    ]
    balances = given.get("balances") or [{}]
    body: JSON = {
        "type": TYPES.get(given.get("cashAccountType", "")),
        "iban": given.get("iban"),
        "currency": given.get("currency"),
        "balance": balances[0].get("balanceAmount", {}).get("amount"),
        "multicurrency": "True" if others else "False",
        "accountName": given.get("name"),
        "other_compartments": others,
        "_links": {
            "self": {"href": own, "templated": "false"},
            "transactions": {"href": f"{own}/transactions", "templated": "false"},
        },
    }
    return Answer(body={name: value for name, value in body.items() if value is not None})


def read_transactions(call: BankCall) -> Answer:
    """One page of booked rows of one currency."""
    query, resource_id = dict(call.request.query_params), call.request.path_params["resource_id"]
    number, _, first_day = _opened(query["next"]).partition("|") if "next" in query else ("", "", "")
    today = call.simulator.clock.today
    first_day = first_day or query.get("date_from") or (today - DEFAULT_PERIOD).isoformat()
    asked = {"bookingStatus": "booked", "dateFrom": first_day, "page": number or f"{call.bank.first_page}"}
    if "date_to" in query:
        asked["dateTo"] = query["date_to"]
    _ask(call, _in_currency(call, resource_id, query.get("currency", "EUR")), asked)
    report = body_of(account_data.read_transactions(call))["transactions"]
    if first_day < (today - timedelta(days=call.bank.history_days)).isoformat():
        raise Refusal(401, "SCA_REQUIRED", "more than the history of the access wants the PSU")
    embedded: JSON = {"transactions": [_row(row) for row in report["booked"]]}
    if "next" in report["_links"]:
        url = report["_links"]["next"]["href"]
        # A fault that leads elsewhere can only be a key that is an address.
        embedded["next_page_key"] = _sealed(f"{query_of(url)['page']}|{first_day}") if is_at_home(call, url) else url
    own = f"{call.api}/accounts/{resource_id}"
    links = {
        "self": {"href": f"{own}/transactions", "templated": "false"},
        "account": {"href": own, "templated": "false"},
    }
    return Answer(body={"_embedded": embedded, "_links": links})


def _with_headers(name: str, handler: Handler) -> Callable[[BankCall], Answer]:
    """Refuse a call without the bank's headers, and read from the query whether the PSU is present."""

    def served(call: BankCall) -> Answer:
        if call.header("Accept-Language") not in LANGUAGES:
            raise Refusal(406, "FORMAT_ERROR", "Accept-Language is fr or nl")
        media = _MEDIA.fullmatch(call.header("Accept") or "")
        if media is None or int(media[1]) != VERSIONS[name]:
            raise Refusal(406, "FORMAT_ERROR", f"Accept asks for version {VERSIONS[name]}")
        if call.header("Client-ID") is None or call.header("Redirect-URI") is None:
            raise Refusal(400, "FORMAT_ERROR", "Client-ID or Redirect-URI is missing")
        try:
            UUID(call.header("Request-ID") or "")
        except ValueError as error:
            raise Refusal(400, "FORMAT_ERROR", "Request-ID must be a UUID") from error
        headers = [(key, value) for key, value in call.request.scope["headers"] if key != _PRESENT]
        if call.request.query_params.get("psu_involved") == "true":
            headers.append((_PRESENT, b"192.0.2.1"))
        call.request = Request({**call.request.scope, "headers": headers})
        return handler(call)

    return served


def _is_client(secret: str, client_id: str) -> bool:
    try:
        name, _, password = base64.b64decode(secret, validate=True).decode().partition(":")
    except ValueError:
        return False
    return name == client_id and bool(password)


def _consent_of(call: BankCall) -> Consent:
    """The consent behind the token, which must name the address it was given for."""
    known = call.simulator.consents.access_token(call.bearer or "")
    consent = call.simulator.consents.find(call.bank.bank_id, known.consent_id) if known else None
    if consent is None:
        raise Refusal(401, "TOKEN_INVALID", "the access token is missing or not known")
    if consent.redirect_uri != call.header("Redirect-URI"):
        raise Refusal(400, "FORMAT_ERROR", "Redirect-URI is not that of the authorisation")
    return consent


def _covered(call: BankCall, consent: Consent) -> list[SimulatedAccount]:
    covered = consent.account_ids.get("accounts", frozenset())
    return [account for account in call.simulator.world.accounts if account.account_id in covered]


def _in_currency(call: BankCall, resource_id: str, currency: str) -> str:
    """The common code's id of a compartment; one that does not exist stays as it is, to be refused there."""
    consent = _consent_of(call)
    covered = _covered(call, consent)
    main = next((account for account in covered if consent.resource_id(account) == resource_id), None)
    if main is None:
        return resource_id
    found = [account for account in covered if (account.iban, account.currency) == (main.iban, currency)]
    return consent.resource_id(found[0]) if found else "no-such-currency"


def _ask(call: BankCall, resource_id: str, query: dict[str, str]) -> None:
    """Let the common code see this account and query."""
    ask_with(call, query)
    ask_about(call, resource_id)


def _row(row: JSON) -> JSON:
    """One booked row: one party, one communication, and the line as it is printed where nothing else tells more."""
    money = row.get("transactionAmount", {})
    found: JSON = {
        "transaction_ref": row.get("transactionId"),
        "amount": money.get("amount"),
        "currency": money.get("currency"),
        "execution_date": row.get("bookingDate"),
        "value_date": row.get("valueDate"),
        "counterparty_account": "",
    }
    for side in ("creditor", "debtor"):
        if f"{side}Account" in row:
            found["counterparty_account"] = row[f"{side}Account"]["iban"]
        if f"{side}Name" in row:
            found["counterparty_info"] = row[f"{side}Name"]
    given = row.get("remittanceInformationStructured")
    reference = given["reference"] if given is not None else None
    if reference is not None and not reference.startswith("RF"):
        found |= {"communication": printed(reference), "communication_type": "STRUCTURED"}
    else:
        found |= {"communication": reference or wording_of(row), "communication_type": "FREETEXT"}
    if not found["counterparty_account"]:
        # Cards, costs and the like have no account on the other side: the printed line tells what they are.
        found["remittance_info"] = wording_of(row)
    return {name: value for name, value in found.items() if value is not None}


def _sealed(mark: str) -> str:
    return base64.urlsafe_b64encode(mark.encode()).decode().rstrip("=")


def _opened(key: str) -> str:
    try:
        return base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode()
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "next is no key of a page") from error
