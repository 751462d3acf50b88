"""What every call at the simulated Ponto needs: routes of both doors, error bodies, the token, the account.

Source: Ponto Connect, API version 2.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from starlette.routing import Route

from connectors.simulator.calls import JSON, Answer, BankCall, Handler, Refusal, endpoint
from connectors.simulator.companies import SimulatedAccount
from connectors.simulator.consents import Consent
from connectors.simulator.faults import FaultKind, first
from connectors.simulator.ponto_book import uuid_of
from connectors.simulator.simulator import Simulator

FAMILIES: Final = frozenset({"ponto"})
ROOTS: Final = ("/{bank_id}/ponto-connect", "/{bank_id}")
CODES: Final = {
    "TOKEN_EXPIRED": "invalidAccessToken",
    "RESOURCE_UNKNOWN": "resourceNotFound",
    "ACCESS_EXCEEDED": "tooManyRequests",
    "FORMAT_ERROR": "invalidAttribute",
}
"""Codes of ordered faults in Ponto's words; others stay as they are."""


def error_body(status: int, code: str, text: str) -> JSON:  # noqa: ARG001  the shape of `ErrorBody`
    """The error body of JSON:API as Ponto writes it; a plain 403 names nothing."""
    if code == "SERVICE_BLOCKED":
        return {"errors": []}
    return {"errors": [{"code": CODES.get(code, code), "detail": text, "meta": {}}]}


def route(path: str, name: str, handler: Handler, method: str = "GET") -> list[Route]:
    """A route of both doors, with and without the slash that some clients leave at the end."""
    served = endpoint(name, handler, families=FAMILIES, error_body=error_body)
    return [Route(f"{root}{path}{end}", served, methods=[method]) for root in ROOTS for end in ("", "/")]


def session(call: BankCall) -> Consent:
    """The consent behind the bearer token; raises `Refusal`."""
    known = call.simulator.consents.access_token(bearer(call))
    consent = call.simulator.consents.find(call.bank.bank_id, known.consent_id) if known else None
    if known is None or consent is None or known.expires_at <= call.simulator.clock.now.astimezone(UTC):
        raise Refusal(401, "invalidAccessToken", "the access token is not known or has run out")
    _refuse_ended(call, consent)
    return consent


def bearer(call: BankCall) -> str:
    """The token of a call, empty without one."""
    scheme, _, token = (call.header("Authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def strike(call: BankCall, consent: Consent, *, account_id: str | None = None, page: int | None = None) -> None:
    """Ordered faults; one that ends the consent ends it for good."""
    call.strike(account_id=account_id, page=page)
    if first(call.faults, FaultKind.CONSENT_EXPIRED):
        call.simulator.consents.set_status(consent, "expired")
    if first(call.faults, FaultKind.CONSENT_REVOKED):
        call.simulator.consents.set_status(consent, "revokedByPsu")
    _refuse_ended(call, consent)


def _refuse_ended(call: BankCall, consent: Consent) -> None:
    if call.simulator.consents.status(consent) != "valid":
        raise Refusal(401, "invalidAccessToken", "the integration has ended")


def accounts_of(call: BankCall, consent: Consent) -> list[SimulatedAccount]:
    """The accounts the PSU chose."""
    covered, book = consent.account_ids.get("accounts", frozenset()), call.simulator.ponto
    found = [account for account in call.simulator.world.accounts if account.account_id in covered]
    return [account for account in found if not book.is_removed(consent.consent_id, account.account_id)]


def account_uuid(simulator: Simulator, consent: Consent, account: SimulatedAccount) -> str:
    """Ponto's id of an account: another one when the organisation is linked anew, or the account added again."""
    times = simulator.ponto.additions(consent.consent_id, account.account_id)
    return uuid_of(f"{consent.resource_id(account)}{f'|{times}' if times else ''}")


def addressed(call: BankCall, consent: Consent, *, is_struck: bool = True) -> SimulatedAccount:
    """The account named in the path; raises `Refusal`."""
    account = known(call, consent, call.request.path_params["resource_id"])
    if is_struck:
        strike(call, consent, account_id=account.account_id)
    return account


def known(call: BankCall, consent: Consent, resource_id: str) -> SimulatedAccount:
    """The account with this id; raises `Refusal`."""
    found = next(
        (one for one in accounts_of(call, consent) if account_uuid(call.simulator, consent, one) == resource_id), None
    )
    if found is None:
        raise Refusal(404, "RESOURCE_UNKNOWN", "no such account in this integration")
    return found


def attributes_of(call: BankCall, kind: str) -> dict[str, Any]:
    """The attributes of the resource that is to be made; raises `Refusal`."""
    try:
        data = json.loads(call.content)["data"]
        if data["type"] != kind:
            raise Refusal(400, "invalidAttribute", "another type")
        return dict(data["attributes"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(400, "invalidAttribute", "the body is no such resource") from error


def key_of(call: BankCall) -> str | None:
    """The idempotency key of a call."""
    return call.header("Ibanity-Idempotency-Key")


def organisation_of(simulator: Simulator, consent: Consent) -> str:
    """Ponto's id of the organisation behind a consent."""
    company_id = simulator.world.holder(consent.holder_id).company_id if consent.holder_id else ""
    return uuid_of(f"organisation|{company_id}")


def created(call: BankCall, body: JSON) -> Answer:
    """201 with the new resource; the same again under the same idempotency key."""
    try:
        kept = call.simulator.ponto.once(key_of(call), call.content, body)
    except ValueError as error:
        raise Refusal(409, "idempotencyConflict", str(error)) from error
    return Answer(status=201, body=kept)


def stamp(moment: datetime) -> str:
    """An instant as Ponto writes it: milliseconds and `Z`, always."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def errors_of(code: str | None) -> list[JSON]:
    """What a failed reading of an account's bank says."""
    return [] if code is None else [{"code": code, "detail": "ordered at the simulator", "meta": {}}]
