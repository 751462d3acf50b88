"""`POST /webhooks/ponto`: where Ponto delivers. No part of our API: the vendor sets shape, signature and answers.

2xx is taken, everything else refused; a repeat and an event nobody here knows are taken as well. Nothing of a delivery
is said back or logged but its type.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from connectors.errors import ConnectorError
from connectors.families.ponto_webhooks import BODY_BYTES_MAX, KeyRing, WebhookRefused
from gateway.assembly import Gateway
from gateway.errors import ConfigError
from gateway.ponto.service import PontoWebhooks, key_ring

PATH: Final = "/webhooks/ponto"

router = APIRouter(include_in_schema=False)


def install(app: FastAPI) -> None:
    """Add the address."""
    app.include_router(router)


@router.post(PATH)
async def receive(request: Request) -> Response:
    """Take one delivery."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return Response(status_code=413)
    signature = request.headers.get("signature", "")
    return Response(status_code=await run_in_threadpool(_taken, request.app, signature, bytes(body)))


def _taken(app: FastAPI, signature: str, body: bytes) -> int:
    gateway: Gateway = app.state.gateway
    try:
        ring = _ring(app, gateway)
        if ring is None:
            return 404
        PontoWebhooks(gateway).receive(ring, signature, body)
    except WebhookRefused:
        return 401
    except (ConnectorError, ConfigError):
        # Not the sender's fault: it may come again.
        return 503
    return 204


def _ring(app: FastAPI, gateway: Gateway) -> KeyRing | None:
    """The keys, kept with the installation they belong to."""
    kept: tuple[Gateway, KeyRing | None] | None = getattr(app.state, "ponto_keys", None)
    if kept is None or kept[0] is not gateway:
        kept = app.state.ponto_keys = (gateway, key_ring(gateway))
    return kept[1]
