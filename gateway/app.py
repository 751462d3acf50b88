"""The web application: every subject's endpoints, the pages, problems, request ids, health."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
import time
from functools import cache
from typing import Any, Final

import structlog
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import text
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import gateway
from gateway import problems
from gateway.api import GatewayDep, refuse_unknown_query
from gateway.assembly import Gateway
from gateway.description import describe
from gateway.entrance import Entrance
from gateway.ids import new_id
from gateway.machines.limits import RateFrame, RateLimits
from gateway.problems import RequestTooLarge
from gateway.routing import adopt
from gateway.settings import Settings

VERSION: Final = "0.1.0"
BODY_BYTES_MAX: Final = 20 * 1024 * 1024
"""The largest body any operation accepts; each operation has its own limits on top."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.-]{8,64}")

_ASKED_MOST: Final = frozenset(f"gateway.{name}.endpoints" for name in ("transactions", "statements", "accounts"))

log = structlog.get_logger("gateway.access")

health = APIRouter(tags=["health"], include_in_schema=False)


@health.get("/healthz")
def healthz(gateway_: GatewayDep) -> dict[str, str]:
    """Alive and able to reach the database."""
    with gateway_.database.unit_of_work(None) as session:
        session.execute(text("SELECT 1"))
    return {"status": "ok"}


def create_app(installation: Gateway) -> FastAPI:
    """The application of one installation; `make_app` in `gateway.serving` builds it from the settings."""
    app = FastAPI(
        title="Sluis",
        version=VERSION,
        summary="PSD2 in, CODA out; invoices in, approved pain.001 out.",
        # The framework's documentation pages load scripts from other hosts; ours come with the API backbone.
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,
    )
    problems.install(app)
    app.include_router(health)
    asked_most = []
    for module in subject_modules("endpoints"):
        adopt(module.router)
        app.include_router(module.router, dependencies=[Depends(refuse_unknown_query)])
        if module.__name__ in _ASKED_MOST:
            asked_most.append(app.router.routes[-1])
    for module in subject_modules("pages"):
        module.install(app)
    app.add_middleware(RateFrame)
    app.add_middleware(Entrance)
    app.add_middleware(RequestFrame)
    described = list(app.routes)
    app.openapi = lambda: describe(app, described)  # type: ignore[method-assign]  # the framework's own way to extend it
    # Addresses are compared router by router: those that portals call all day come first.
    app.router.routes.sort(key=lambda route: route not in asked_most)
    serve(app, installation)
    return app


def serve(app: FastAPI, installation: Gateway) -> None:
    """Let the application serve this installation; routes and frames know it by the application's state alone."""
    app.state.gateway = installation
    app.state.limits = RateLimits(installation)


@cache
def subject_modules(name: str) -> tuple[Any, ...]:
    """`gateway.<subject>.<name>` of every subject that has one, in alphabetical order."""
    found = []
    for subject in pkgutil.iter_modules(gateway.__path__):
        full_name = f"gateway.{subject.name}.{name}"
        if subject.ispkg and importlib.util.find_spec(full_name) is not None:
            found.append(importlib.import_module(full_name))
    return tuple(found)


class RequestFrame:
    """Gives every request an id, limits its body, logs it without query string, and sets the safety headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        started, status, is_answered = time.perf_counter(), 500, False

        async def send_framed(message: Message) -> None:
            nonlocal status, is_answered
            if message["type"] == "http.response.start":
                status, is_answered = message["status"], True
                answer = MutableHeaders(scope=message)
                answer["X-Request-ID"] = request_id
                for name, value in _SAFETY_HEADERS.items():
                    answer.setdefault(name, value)
                settings: Settings = scope["app"].state.gateway.settings
                if settings.is_https and settings.hsts_days:
                    # Of this host alone: other hosts of the domain are not ours to decide about.
                    answer["Strict-Transport-Security"] = f"max-age={settings.hsts_days * 86400}"
            await send(message)

        try:
            if int(headers.get("content-length") or 0) > BODY_BYTES_MAX:
                # Answered before the body is read; a body without a length is cut off by `_limited`.
                await _refuse_large(scope, send_framed)
            else:
                await self.app(scope, _limited(receive), send_framed)
        except Exception as error:
            # Answered here, so that a defect has its id, its headers and its line in the log like everything else.
            if not is_answered:
                response = await problems.defect(Request(scope), error)
                await response(scope, _nothing, send_framed)
            raise
        finally:
            log.info(
                "request",
                request_id=request_id,
                method=scope["method"],
                route=getattr(scope.get("route"), "path", None) or "unknown",
                status=status,
                milliseconds=round((time.perf_counter() - started) * 1000),
            )


def _limited(receive: Receive) -> Receive:
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_BYTES_MAX:
            # The framework lets its own exception through while it reads a body; every other one it takes for bad JSON.
            raise HTTPException(413)
        return message

    return limited


async def _refuse_large(scope: Scope, send: Send) -> None:
    response = problems.problem(Request(scope), RequestTooLarge())
    await response(scope, _nothing, send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


_SAFETY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
