"""Every failure as `application/problem+json` (RFC 9457), the framework's own included (API-02).

Bank trouble is told by who must act and answers 409, 429, 502 or 503, never 500. A 500 says nothing but its request id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from connectors.errors import ConnectorError
from gateway.bank_trouble import BankTrouble
from gateway.errors import GatewayError, InputError, Words
from gateway.field_faults import validation_faults
from gateway.i18n import choose, sentence, translate

MEDIA_TYPE: Final = "application/problem+json"
TYPE_BASE: Final = "/docs/errors#"

log = logging.getLogger("gateway.problems")


class MethodNotAllowed(GatewayError):
    """The address exists, the method does not."""

    code = "method_not_allowed"
    http_status = 405
    title = "This method is not possible here"
    hint = "Look at the methods named in the Allow header."


class AddressNotFound(GatewayError):
    """No such address."""

    code = "address_not_found"
    http_status = 404
    title = "There is nothing at this address"
    hint = "Compare the address with the documentation."


class InternalError(GatewayError):
    """A defect of ours."""

    code = "internal_error"
    http_status = 500
    title = "Something went wrong on our side"
    hint = "Nothing was stored by half. Give the request id to the operator."


class RequestTooLarge(GatewayError):
    """The body is above the limit."""

    code = "request_too_large"
    http_status = 413
    title = "The request is too large"
    hint = "Send less at once."


class RequestUnreadable(GatewayError):
    """Not HTTP as we read it, or a form that cannot be taken apart."""

    code = "request_unreadable"
    http_status = 400
    title = "The request cannot be read"
    hint = "Send HTTP/1.1 with a body as its Content-Type and Content-Length say."


class HeadersTooLarge(GatewayError):
    """The address and headers together are above the limit."""

    code = "headers_too_large"
    http_status = 431
    title = "The headers of the request are too large"
    hint = "Send fewer or shorter headers, cookies included; 32 KiB are read."


_FRAMEWORK: Final[Mapping[int, type[GatewayError]]] = {
    400: RequestUnreadable,
    404: AddressNotFound,
    405: MethodNotAllowed,
    413: RequestTooLarge,
    431: HeadersTooLarge,
    500: InternalError,
}


def install(app: FastAPI) -> None:
    """Have every exception answered as a problem."""
    app.add_exception_handler(GatewayError, _gateway)
    app.add_exception_handler(ConnectorError, _connector)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, defect)


def problem(request: Request, error: GatewayError) -> Response:
    """The answer for an error, in the caller's language."""
    language = language_of(request)
    title = translate(language, error.title)
    detail = translate(language, error.detail)
    document = {
        "type": f"{TYPE_BASE}{error.code}",
        "title": title,
        "status": error.http_status,
        "code": error.code,
        "detail": detail.format_map(_Missing(told(error.parameters, language))) if detail else title,
        "hint": translate(language, error.hint),
        "request_id": getattr(request.state, "request_id", None),
        **{name: error.parameters[name] for name in error.members if name in error.parameters},
    }
    if error.faults:
        document["errors"] = [
            {
                "pointer": fault.pointer,
                "code": fault.code,
                "detail": sentence(language, fault.detail, fault.parameters),
                "hint": sentence(language, fault.hint, fault.parameters),
            }
            for fault in error.faults
        ]
    headers = {"Cache-Control": "no-store", "Content-Language": language, **error.headers}
    if error.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(document, status_code=error.http_status, media_type=MEDIA_TYPE, headers=headers)


def language_of(request: Request) -> str:
    """The person's language when signed in, else that of the header, else the installation's."""
    known: str | None = getattr(request.state, "language", None)
    default = request.app.state.gateway.settings.default_language
    return choose(request.headers.get("accept-language"), known or default)


def told(parameters: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The parameters of a detail, those that are words of ours in the reader's language."""
    return {
        name: translate(language, value) if isinstance(value, Words) else value for name, value in parameters.items()
    }


class _Missing(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


async def _gateway(request: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError), "registered for GatewayError"
    return problem(request, error)


async def _connector(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConnectorError), "registered for ConnectorError"
    log.warning("bank trouble", extra={"code": error.code, "bank_id": error.bank_id, "bank_code": error.bank_code})
    return problem(request, BankTrouble(error))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for RequestValidationError"
    return problem(request, InputError(faults=validation_faults(error.errors())))


async def _unstorable(request: Request, error: Exception) -> Response:
    # A text with U+0000, which JSON can carry and PostgreSQL cannot; whatever else the database cannot hold as well.
    log.warning("not storable", extra={"kind": type(getattr(error, "orig", error)).__name__})
    return problem(request, InputError())


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for HTTPException"
    kind = _FRAMEWORK.get(error.status_code)
    if kind is None:
        other = InputError()
        other.http_status = error.status_code
        return problem(request, other)
    return problem(request, kind(headers=dict(error.headers or {})))


async def _gone(_request: Request, _error: Exception) -> Response:
    """The caller hung up before the whole body had come: nobody reads this, and nothing is wrong here."""
    return Response(status_code=RequestUnreadable.http_status)


async def defect(request: Request, error: Exception) -> Response:
    """The answer for a defect of ours."""
    # The message of an unknown exception may hold anything; its kind and place are enough to find the defect.
    log.error("defect", extra={"kind": type(error).__name__, "request_id": getattr(request.state, "request_id", None)})
    return problem(request, InternalError())
