"""Plumbing of the bank's interface: headers every call needs, error bodies, and the faults that spoil an answer."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from connectors import signing
from connectors.simulator.banks import BankSettings
from connectors.simulator.faults import DEFAULT_STATUS_CODES, Call, Fault, FaultKind, first
from connectors.simulator.simulator import Simulator
from connectors.simulator.tls import CallerRefused, check_caller

JSON = dict[str, Any]
MAINTENANCE_PAGE = (
    "<!doctype html><html lang=en><title>Maintenance</title><h1>Scheduled maintenance</h1>"
    "<p>Please try again later.</p></html>"
)
OWN_ROUTES = frozenset({"argenta", "belfius", "ing", "kbc", "n26", "ponto", "stet", "triodos"})
"""Families that answer at routes of their own, not at those of the Worldline platform."""
UNSIGNED = frozenset({"token", "metadata"})
PAYMENTS = frozenset({"payment_create", "payment_read"})
AMOUNT = re.compile(r'"(amount|balance|currentBalance|availableBalance)": ?"(-?\d+)\.(\d\d)"')


class Refusal(Exception):
    """The bank answers an error; `code` is one of the Berlin Group's message codes."""

    def __init__(self, status: int, code: str, text: str, *, retry_after: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler gives back; `body` None is an empty body."""

    status: int = 200
    body: JSON | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class BankCall:
    """One call of a TPP at one bank."""

    simulator: Simulator
    bank: BankSettings
    request: Request
    endpoint: str
    content: bytes
    faults: list[Fault] = field(default_factory=list)

    @property
    def base(self) -> str:
        """Address of this bank as the caller reached it, without a slash at the end."""
        return f"{str(self.request.base_url).rstrip('/')}/{self.bank.bank_id}"

    @property
    def api(self) -> str:
        """Address of the interface, up to and including the version."""
        return f"{self.base}{self.bank.api_path}"

    def header(self, name: str) -> str | None:
        """A header without blanks around it, None when absent or empty."""
        return (self.request.headers.get(name) or "").strip() or None

    @property
    def bearer(self) -> str | None:
        """The bearer token that came with the call."""
        scheme, _, token = (self.header("Authorization") or "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def require_request_id(self) -> None:
        """Refuse a call without an `X-Request-ID` that is a UUID."""
        if not _is_uuid(self.header("X-Request-ID")):
            raise Refusal(400, "FORMAT_ERROR", "X-Request-ID must be a UUID")

    def strike(self, *, account_id: str | None = None, page: int | None = None) -> None:
        """Look up the ordered faults of this call; an ordered status is raised as `Refusal`."""
        self.faults = self.simulator.faults.take(Call(self.bank.bank_id, self.endpoint, account_id, page))
        ordered = first(self.faults, FaultKind.STATUS)
        if ordered is not None:
            status = int(ordered.params["status"])
            code = str(ordered.params.get("code") or DEFAULT_STATUS_CODES.get(status, "INTERNAL_SERVER_ERROR"))
            retry_after = ordered.params.get("retry_after")
            raise Refusal(
                status,
                code,
                "ordered at the simulator",
                retry_after=None if retry_after is None else int(retry_after),
            )


Handler = Callable[[BankCall], Answer]
ErrorBody = Callable[[int, str, str], JSON]
"""Status, code and text of a refusal to the body this bank's family answers."""


class CutResponse(Response):
    """Announces the whole body, sends half of it, and leaves: the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  shape of ASGI
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body)[: len(self.body) // 2], "more_body": True})


def tpp_messages(status: int, code: str, text: str) -> JSON:  # noqa: ARG001  the shape of `ErrorBody`
    """The error body of the Berlin Group."""
    return {"tppMessages": [{"category": "ERROR", "code": code, "text": text}]}


def endpoint(
    name: str, handler: Handler, *, families: frozenset[str] | None = None, error_body: ErrorBody = tpp_messages
) -> Callable[[Request], Awaitable[Response]]:
    """The route's function: finds the bank, runs the handler, and applies the faults of transport.

    `families` are those whose banks have this route, None all that have no routes of their own.
    """

    async def serve(request: Request) -> Response:
        simulator: Simulator = request.app.state.simulator
        bank = simulator.banks.get(request.path_params["bank_id"])
        if bank is None or (bank.family not in families if families else bank.family in OWN_ROUTES):
            return JSONResponse(error_body(404, "RESOURCE_UNKNOWN", "no such bank"), 404)
        call = BankCall(simulator, bank, request, name, await request.body())
        headers = {"X-Request-ID": request.headers.get("X-Request-ID", "")}
        try:
            _check_caller(call)
            _check_signature(call)
            answer = handler(call)
        except Refusal as refusal:
            if refusal.retry_after is not None:
                headers["Retry-After"] = str(refusal.retry_after)
            answer = Answer(status=refusal.status, body=error_body(refusal.status, refusal.code, refusal.text))
        slow = first(call.faults, FaultKind.SLOW)
        if slow is not None:
            await asyncio.sleep(slow.params["seconds"])
        return _response(call, answer, headers | answer.headers)

    return serve


def _check_caller(call: BankCall) -> None:
    """Refuse a caller without a fitting client certificate, where mutual TLS is switched on."""
    if call.simulator.config.tls is None or not call.bank.asks_for_certificate:
        return
    try:
        check_caller(call.request.scope, call.simulator.clock.now, reads_roles=call.bank.reads_roles)
    except CallerRefused as refused:
        raise Refusal(401, refused.code, str(refused)) from refused


def _check_signature(call: BankCall) -> None:
    """Refuse a call that is not signed as this bank wants it; most take calls for tokens and metadata unsigned."""
    keys, profile = call.simulator.config.signature_keys, call.bank.signature
    if keys is None or profile is None or (call.endpoint in UNSIGNED and not call.bank.signs_everything):
        return
    if call.bank.signs_payments_only and call.endpoint not in PAYMENTS:
        return
    if call.bank.signs_everything and call.bearer is not None:
        # The TPP has a token, and with it a name: that of the certificate is over.
        keys = {client_id_of(key_id): key for key_id, key in keys.items()}
    query = call.request.url.query
    told = call.simulator.config.signature_time
    now = call.simulator.clock.now if told is None else told()
    try:
        signing.verify(
            profile,
            keys.get,
            method=call.request.method,
            target=f"{call.request.url.path}?{query}" if query else call.request.url.path,
            headers=dict(call.request.headers),
            body=call.content,
            now=int(now.timestamp()),
        )
    except signing.SignatureRefused as refused:
        raise Refusal(401, "SIGNATURE_INVALID", str(refused)) from refused


def client_id_of(key_id: str) -> str:
    """The name a bank gives to the TPP that signs with this key, where it gives one."""
    return str(uuid5(NAMESPACE_URL, key_id))


def _response(call: BankCall, answer: Answer, headers: dict[str, str]) -> Response:
    struck = {fault.kind for fault in call.faults}
    if FaultKind.HTML in struck:
        return HTMLResponse(MAINTENANCE_PAGE, 200, headers)
    if FaultKind.NO_CONTENT in struck or answer.body is None:
        return Response(status_code=204 if FaultKind.NO_CONTENT in struck else answer.status, headers=headers)
    text = json.dumps(answer.body, ensure_ascii=False)
    if call.bank.has_numeric_amounts:
        text = AMOUNT.sub(_number, text)
    content, media_type = text.encode(), "application/json"
    if FaultKind.CUT in struck:
        return CutResponse(content, answer.status, headers, media_type)
    if FaultKind.BROKEN_JSON in struck:
        content = content[: len(content) * 2 // 3]
    return Response(content, answer.status, headers, media_type)


def _number(match: re.Match[str]) -> str:
    """The amount as a JSON number, written as the platform does: `-256.6`, `50.0`."""
    name, whole, cents = match.groups()
    return f'"{name}": {whole}.{cents[0] if cents[1] == "0" else cents}'


def _is_uuid(value: str | None) -> bool:
    try:
        return str(UUID(value)) == (value or "").lower()
    except (ValueError, TypeError, AttributeError):
        return False
