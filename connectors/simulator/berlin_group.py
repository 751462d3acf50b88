"""Consents and tokens as the banks on the Worldline platform offer them: Berlin Group 1.3 with OAuth.

Routes, below `/{bank_id}`:
- `POST /berlingroup/v1/consents`; `GET` and `DELETE /berlingroup/v1/consents/{id}`; `GET …/{id}/status`;
  `GET …/{id}/authorisations/{authorisation_id}`
- `GET /berlingroup/.well-known/openid-configuration?authorizationId=…`
- `POST /berlingroup/v1/token`
- payments, in `payment_routes`
The account routes are in `account_data`, the pages for the PSU in `consent_pages`.
Source: Berlin Group NextGenPSD2 1.3.11, sections 6.3 and 6.4; RFC 6749; RFC 7636.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.routing import Route

from connectors.simulator import payment_routes
from connectors.simulator.calls import JSON, Answer, BankCall, Refusal, endpoint
from connectors.simulator.consents import OPEN, RIGHTS, Consent, GrantRefused

FREQUENCY_MAX = 4
ALL_ACCOUNTS = frozenset({"allAccounts", "all-accounts"})


def routes() -> list[Route]:
    """The routes of consents, metadata and tokens."""
    consents = "/{bank_id}/berlingroup/v1/consents"
    one = consents + "/{consent_id}"
    return [
        Route(consents, endpoint("consent_create", create_consent), methods=["POST"]),
        Route(one, endpoint("consent_read", read_consent), methods=["GET"]),
        Route(one, endpoint("consent_delete", delete_consent), methods=["DELETE"]),
        Route(one + "/status", endpoint("consent_read", read_status), methods=["GET"]),
        Route(
            one + "/authorisations/{authorisation_id}",
            endpoint("consent_read", read_authorisation),
            methods=["GET"],
        ),
        Route(
            "/{bank_id}/berlingroup/.well-known/openid-configuration",
            endpoint("metadata", read_metadata),
            methods=["GET"],
        ),
        Route("/{bank_id}/berlingroup/v1/token", endpoint("token", give_token), methods=["POST"]),
        *payment_routes.routes("/{bank_id}/berlingroup/v1", None),
    ]


def create_consent(call: BankCall) -> Answer:
    """Record the wish for a consent; the PSU's browser goes on at the `scaOAuth` address."""
    call.require_request_id()
    call.strike()
    try:
        ipaddress.ip_address(call.header("PSU-IP-Address") or "")
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "PSU-IP-Address is missing or no address") from error
    redirect_uri = call.header("TPP-Redirect-URI") or ""
    if urlsplit(redirect_uri).scheme not in {"http", "https"} or not urlsplit(redirect_uri).hostname:
        raise Refusal(400, "FORMAT_ERROR", "TPP-Redirect-URI is missing or no web address")
    if not (call.header("Content-Type") or "").startswith("application/json"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "application/json is expected")
    wish = _json_object(call.content)
    consent = call.simulator.consents.create(
        call.bank,
        redirect_uri=redirect_uri,
        access=_access(wish),
        is_recurring=_recurring(wish),
        frequency_per_day=_frequency(wish),
        valid_until=_valid_until(wish, call.simulator.clock.today),
    )
    own = f"{call.api}/consents/{consent.consent_id}"
    metadata = f"{call.base}/berlingroup/.well-known/openid-configuration"
    body = {
        "consentStatus": consent.status,
        "consentId": consent.consent_id,
        "_links": {
            "scaOAuth": {"href": f"{metadata}?authorizationId={consent.authorisation_id}"},
            "scaStatus": {"href": f"{own}/authorisations/{consent.authorisation_id}"},
            "status": {"href": f"{own}/status"},
            "self": {"href": own},
        },
    }
    return Answer(status=201, body=body, headers={"Location": own, "ASPSP-SCA-Approach": "REDIRECT"})


def read_consent(call: BankCall) -> Answer:
    """The consent as granted, with the end date as the bank cut it."""
    consent = _consent(call)
    own = f"{call.api}/consents/{consent.consent_id}"
    body: JSON = {
        "access": _granted_access(call, consent),
        "recurringIndicator": consent.is_recurring,
        "validUntil": consent.valid_until.isoformat(),
        "frequencyPerDay": consent.frequency_per_day,
        "lastActionDate": consent.last_action_date.isoformat(),
        "consentStatus": call.simulator.consents.status(consent),
        "_links": {"account": {"href": f"{call.api}/accounts"}, "self": {"href": own}},
    }
    return Answer(body=body)


def read_status(call: BankCall) -> Answer:
    """The consent's status alone."""
    return Answer(body={"consentStatus": call.simulator.consents.status(_consent(call))})


def delete_consent(call: BankCall) -> Answer:
    """The TPP ends the consent; one already ended stays as it is."""
    consent = _consent(call)
    if call.simulator.consents.status(consent) in OPEN:
        call.simulator.consents.set_status(consent, "terminatedByTpp")
    return Answer(status=204)


def read_authorisation(call: BankCall) -> Answer:
    """How far the PSU got."""
    consent = _consent(call)
    if call.request.path_params["authorisation_id"] != consent.authorisation_id:
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such authorisation")
    status = call.simulator.consents.status(consent)
    if status == "received":
        return Answer(body={"scaStatus": "received"})
    return Answer(body={"scaStatus": "failed" if consent.holder_id is None else "finalised"})


def read_metadata(call: BankCall) -> Answer:
    """Addresses of the OAuth server; the authorisation address belongs to one consent."""
    call.strike()
    authorisation_id = call.request.query_params.get("authorizationId", "")
    if call.simulator.consents.by_authorisation(call.bank.bank_id, authorisation_id) is not None:
        page = "authorize"
    elif call.simulator.payments.by_authorisation(call.bank.bank_id, authorisation_id) is not None:
        page = "pay"
    else:
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such authorisation")
    body: JSON = {
        "issuer": call.base,
        "authorization_endpoint": f"{call.base}/public/berlingroup/{page}/{authorisation_id}",
        "token_endpoint": f"{call.api}/token",
        "userinfo_endpoint": f"{call.api}/accounts",
        "scopes_supported": ["account", "payment"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
    }
    return Answer(body=body)


def give_token(call: BankCall) -> Answer:
    """Tokens for a code or a refresh token; errors are those of OAuth, not of the Berlin Group."""
    call.strike()
    form = {name: values[0] for name, values in parse_qs(call.content.decode("utf-8", "replace")).items()}
    book = call.simulator.consents
    try:
        if call.simulator.payments.knows_code(form.get("code", "")):
            return _payment_token(call, form)
        match form.get("grant_type"):
            case "authorization_code":
                access, refresh, consent = book.exchange_code(
                    call.bank,
                    code=form.get("code", ""),
                    verifier=form.get("code_verifier", ""),
                    redirect_uri=form.get("redirect_uri", ""),
                    client_id=form.get("client_id"),
                )
            case "refresh_token":
                access, renewed, consent = book.refresh(call.bank, form.get("refresh_token", ""))
                refresh = renewed or ""
            case _:
                raise GrantRefused("unsupported_grant_type", "authorization_code or refresh_token is expected")
    except GrantRefused as refused:
        return Answer(status=400, body={"error": refused.code, "error_description": str(refused)})
    body: JSON = {"access_token": access, "token_type": "Bearer", "expires_in": call.bank.access_token_seconds}
    if refresh:
        body["refresh_token"] = refresh
    body["scope"] = f"AIS:{consent.consent_id}"
    return Answer(body=body, headers={"Cache-Control": "no-store"})


def _payment_token(call: BankCall, form: Mapping[str, str]) -> Answer:
    """A token that shows one payment; it cannot be renewed."""
    access, payment_id = call.simulator.payments.exchange_code(
        code=form.get("code", ""),
        verifier=form.get("code_verifier", ""),
        redirect_uri=form.get("redirect_uri", ""),
        client_id=form.get("client_id"),
    )
    body: JSON = {"access_token": access, "token_type": "Bearer", "expires_in": call.bank.access_token_seconds}
    return Answer(body={**body, "scope": f"PIS:{payment_id}"}, headers={"Cache-Control": "no-store"})


def _consent(call: BankCall) -> Consent:
    call.require_request_id()
    call.strike()
    consent = call.simulator.consents.find(call.bank.bank_id, call.request.path_params["consent_id"])
    if consent is None:
        raise Refusal(403, "CONSENT_UNKNOWN", "no such consent at this bank")
    return consent


def _json_object(content: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "the body is no JSON") from error
    if not isinstance(value, dict):
        raise Refusal(400, "FORMAT_ERROR", "the body is no JSON object")
    return value


def _access(wish: Mapping[str, Any]) -> Mapping[str, Any]:
    access = wish.get("access")
    if not isinstance(access, dict):
        raise Refusal(400, "FORMAT_ERROR", "access is missing")
    if "allPsd2" in access:
        if access["allPsd2"] not in ALL_ACCOUNTS or len(access) > 1:
            raise Refusal(400, "FORMAT_ERROR", "allPsd2 stands alone and is allAccounts")
        return {"allPsd2": "allAccounts"}
    if not access or set(access) - set(RIGHTS):
        raise Refusal(400, "PARAMETER_NOT_SUPPORTED", "access holds allPsd2, or accounts, balances and transactions")
    for references in access.values():
        if not isinstance(references, list) or not all(isinstance(item, dict) for item in references):
            raise Refusal(400, "FORMAT_ERROR", "access holds lists of accounts")
    return access


def _recurring(wish: Mapping[str, Any]) -> bool:
    value = wish.get("recurringIndicator")
    if not isinstance(value, bool):
        raise Refusal(400, "FORMAT_ERROR", "recurringIndicator is missing")
    return value


def _frequency(wish: Mapping[str, Any]) -> int:
    value = wish.get("frequencyPerDay")
    if not isinstance(value, int) or not 1 <= value <= FREQUENCY_MAX:
        raise Refusal(400, "FORMAT_ERROR", f"frequencyPerDay is between 1 and {FREQUENCY_MAX}")
    if value != 1 and wish.get("recurringIndicator") is False:
        raise Refusal(400, "FORMAT_ERROR", "frequencyPerDay is 1 for a one-off consent")
    return value


def _valid_until(wish: Mapping[str, Any], today: date) -> date:
    try:
        day = date.fromisoformat(str(wish.get("validUntil")))
    except ValueError as error:
        raise Refusal(400, "FORMAT_ERROR", "validUntil is missing or no date") from error
    if day < today:
        raise Refusal(400, "PERIOD_INVALID", "validUntil lies in the past")
    return day


def _granted_access(call: BankCall, consent: Consent) -> JSON:
    if consent.is_global or not consent.account_ids:
        return dict(consent.access)
    world = call.simulator.world
    granted: JSON = {}
    for right, account_ids in consent.account_ids.items():
        accounts = [world.account(account_id) for account_id in sorted(account_ids)]
        granted[right] = [{"iban": item.iban, "currency": item.currency} for item in accounts if item.iban]
    return granted
