"""`POST /oauth/token` (RFC 6749 §4.4): client credentials for an access token of one office.

Refusals carry the members of RFC 6749 §5.2 beside those of our problems, as `application/json`, which that RFC asks.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, Final
from urllib.parse import unquote_plus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import FormData

from gateway import problems
from gateway.api import GatewayDep, source_of
from gateway.errors import GatewayError
from gateway.ids import decode, encode
from gateway.machines.applications import TOKEN_LIFE, ApplicationService
from gateway.machines.errors import ClientInvalid, GrantUnsupported, OfficeNotServed, TokenRequestInvalid

router = APIRouter(tags=["machines"])

FORM: Final = "application/x-www-form-urlencoded"
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


async def token_form(request: Request) -> FormData | None:
    """The posted form; None when the body is something else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return None
    return await request.form(max_files=0, max_fields=20)


@router.post(
    "/oauth/token",
    operation_id="create_access_token",
    openapi_extra={
        "security": [],
        "requestBody": {
            "required": True,
            "content": {
                FORM: {
                    "schema": {
                        "type": "object",
                        "required": ["grant_type"],
                        "properties": {
                            "grant_type": {"type": "string", "enum": ["client_credentials"]},
                            "client_id": {"type": "string", "description": "Unless sent by HTTP Basic."},
                            "client_secret": {"type": "string", "description": "Unless sent by HTTP Basic."},
                            "scope": {"type": "string", "description": "Space-separated; left out: all there are."},
                            "office": {
                                "type": "string",
                                "description": "Needed when the application serves several offices.",
                            },
                        },
                    }
                }
            },
        },
    },
    responses={
        200: {
            "description": "A token for one office.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["access_token", "token_type", "expires_in", "scope", "office_id"],
                        "properties": {
                            "access_token": {"type": "string"},
                            "token_type": {"type": "string", "enum": ["Bearer"]},
                            "expires_in": {"type": "integer"},
                            "scope": {"type": "string"},
                            "office_id": {"type": "string"},
                        },
                    }
                }
            },
        },
        400: {"description": "The request is not one that gives a token.", "content": {"application/json": {}}},
        401: {"description": "The application cannot be recognised.", "content": {"application/json": {}}},
        403: {"description": "Not from this address.", "content": {"application/json": {}}},
    },
    response_class=Response,
)
def create_access_token(
    request: Request, gateway: GatewayDep, form: Annotated[FormData | None, Depends(token_form)]
) -> Response:
    """An access token for one office, for fifteen minutes (OAuth 2.0 client credentials)."""
    try:
        return JSONResponse(_token(request, gateway, form), headers=NO_STORE)
    except GatewayError as error:
        refused = problems.problem(request, error)
        document = json.loads(bytes(refused.body))
        document |= {"error": getattr(error, "oauth", "invalid_request"), "error_description": error.english()}
        headers = {**NO_STORE, "Content-Language": refused.headers["content-language"]}
        if error.http_status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="sluis"'
        return JSONResponse(document, status_code=error.http_status, headers=headers)


def _token(request: Request, gateway: GatewayDep, form: FormData | None) -> dict[str, Any]:
    fields = _fields(form)
    client_id, secret = _client(request, fields)
    if fields.get("grant_type") != "client_credentials":
        raise GrantUnsupported if "grant_type" in fields else TokenRequestInvalid
    try:
        application = decode("application", client_id)
    except ValueError:
        raise ClientInvalid from None
    try:
        office = decode("office", fields["office"]) if "office" in fields else None
    except ValueError:
        raise OfficeNotServed from None
    issued = ApplicationService(gateway).issue(
        client_id=application,
        secret=secret,
        scopes=fields["scope"].split() if "scope" in fields else None,
        office_id=office,
        source=source_of(request),
    )
    return {
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFE.total_seconds()),
        "scope": " ".join(issued.scopes),
        "office_id": encode("office", issued.office_id),
    }


def _fields(form: FormData | None) -> dict[str, str]:
    """Each parameter once; one without a value counts as left out (RFC 6749 §3.2)."""
    items = [] if form is None else form.multi_items()
    if form is None or len(items) != len({name for name, _ in items}):
        raise TokenRequestInvalid
    return {name: value for name, value in items if isinstance(value, str) and value}


def _client(request: Request, fields: dict[str, str]) -> tuple[str, str]:
    """Who asks, by HTTP Basic or in the form, not both (RFC 6749 §2.3.1)."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        if "client_id" not in fields or "client_secret" not in fields:
            raise ClientInvalid
        return fields["client_id"], fields["client_secret"]
    scheme, _, value = authorization.partition(" ")
    if "client_secret" in fields:
        raise TokenRequestInvalid
    try:
        name, colon, secret = base64.b64decode(value, validate=True).decode("ascii").partition(":")
    except (ValueError, binascii.Error):
        raise ClientInvalid from None
    name, secret = unquote_plus(name), unquote_plus(secret)
    if scheme.lower() != "basic" or not colon or fields.get("client_id", name) != name:
        raise ClientInvalid
    return name, secret
