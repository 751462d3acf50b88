"""The API's description, OpenAPI 3.1: what the framework knows of the operations, and what holds for all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from connectors.errors import Fault
from gateway.api import problem_responses
from gateway.bank_trouble import TEXTS, BankTrouble
from gateway.errors import GatewayError
from gateway.examples import ExampleMissing, Examples
from gateway.identity.rights import SCOPE_PERMISSIONS
from gateway.metadata.filters import LISTS as METADATA_LISTS
from gateway.operations import KEY_MARK, NOT_KEPT_MARK
from gateway.reach import reached

_BEFORE_ANY_OPERATION: Final = {"address_not_found", "method_not_allowed", "headers_too_large"}
METHODS: Final = ("get", "put", "post", "delete", "patch")


def describe(app: FastAPI, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document, its operations in the order of `routes`; computed once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, openapi_version=app.openapi_version, summary=app.summary,
            routes=routes,
        )  # fmt: skip
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(_PROBLEM_SCHEMAS)
        for name in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(name, None)
        components["securitySchemes"] = security_schemes()
        document["security"] = [{"bearer": []}, {"oauth2": []}]
        document["info"]["description"] = _ABOUT
        endpoints = dict(_endpoints(app))
        examples = Examples(components["schemas"])
        for method, operation in operations(document):
            _complete(method, operation)
            _say_rights_and_codes(operation, endpoints[operation["operationId"]])
            _add_examples(operation, examples)
        named = {code for _method, operation in operations(document) for code in operation["x-error-codes"]}
        document["x-error-codes"] = catalogue(named | _BEFORE_ANY_OPERATION)
        app.openapi_schema = document
    return app.openapi_schema


def security_schemes() -> dict[str, Any]:
    """The ways to sign in."""
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token (`sluis_test_…`, `sluis_live_…`) or a person's session token.",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "Short-lived tokens for machines, bound to one office.",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": "/oauth/token",
                    "scopes": {
                        scope: ", ".join(sorted(permissions)) for scope, permissions in SCOPE_PERMISSIONS.items()
                    },
                }
            },
        },
    }


def known_errors() -> list[type[GatewayError]]:
    """Every refusal of this process, once per code, by code; those of commands are among them."""
    found: dict[str, type[GatewayError]] = {}
    # In an order of its own: the classes come in that of the imports, which is another in each process.
    for kind in sorted(_kinds_below(GatewayError), key=lambda kind: (kind.__module__, kind.__qualname__), reverse=True):
        if kind is not BankTrouble and kind.hint:
            found.setdefault(kind.code, kind)
    return [found[code] for code in sorted(found)]


def catalogue(codes: set[str]) -> dict[str, Any]:
    """Status and English texts of these codes."""
    ours = {kind.code: {"status": kind.http_status, "title": kind.title, "hint": kind.hint} for kind in known_errors()}
    banks = {code: {"status": 502, "title": title, "hint": hint} for code, (title, hint) in TEXTS.items()}
    return {code: (ours | banks)[code] for code in sorted(codes)}


def codes_of(endpoint: Callable[..., Any], statuses: set[str], method_codes: set[str]) -> list[str]:
    """The codes an operation may answer with, of the statuses it declares."""
    found = reached(endpoint)
    codes = {kind.code for kind in found.errors if str(kind.http_status) in statuses and kind is not BankTrouble}
    if found.calls_banks:
        codes |= set(TEXTS) | {"bank_not_configured", "bank_unknown"}
    return sorted(codes | method_codes)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Method and operation of every operation."""
    for methods in document["paths"].values():
        for method, operation in methods.items():
            if method in METHODS:
                yield method, operation


def _complete(method: str, operation: dict[str, Any]) -> None:
    """What the routes do for every operation: strict bodies, keys. An operation may name codes that `reach` misses."""
    statuses, codes = {400}, {"query_unknown", "invalid_request", "request_unreadable", "internal_error"}
    codes |= set(operation.get("x-error-codes", ()))
    if operation.get("security") != []:
        codes |= {"not_signed_in", "second_factor_required", "not_allowed", "not_found"}
    if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ())):
        codes.add("cursor_invalid")
    if operation["operationId"] in METADATA_LISTS:
        operation["parameters"].append(_METADATA_PARAMETER)
    if method != "get":
        statuses |= {413, 415}
        codes |= {"content_encoding_unsupported", "content_type_unsupported", "json_invalid", "request_too_large"}
        codes |= {"text_invalid", "body_unexpected"}
    if method == "post":
        statuses.add(409)
        operation.setdefault("parameters", []).append(_key_parameter(is_required=bool(operation.get(KEY_MARK))))
        if operation.get(NOT_KEPT_MARK):
            operation["description"] += _NOT_KEPT
        codes |= {"idempotency_key_invalid", "idempotency_key_reused", "idempotency_key_in_use"}
        codes |= {"idempotency_outcome_unknown", "idempotency_answer_not_kept"}
        if operation.get(KEY_MARK):
            codes.add("idempotency_key_required")
    for name in (KEY_MARK, NOT_KEPT_MARK):
        operation.pop(name, None)
    operation["x-error-codes"] = sorted(codes)
    every = {str(status): response for status, response in problem_responses(*statuses).items() if status in statuses}
    operation["responses"] = {
        status: operation["responses"].get(status) or every[status]
        for status in sorted({*operation["responses"], *every})
    }


def _say_rights_and_codes(operation: dict[str, Any], endpoint: Callable[..., Any]) -> None:
    found = reached(endpoint)
    held = {permission.value for permission in found.permissions}
    # Named by hand where the code asks a person in words of its own.
    needs_person = operation.pop("x-needs-person", found.needs_person)
    if operation.get("security") != []:
        operation["x-permissions"] = sorted(held)
        # A token whose one scope gives every permission; none for what only a person may do.
        operation["x-scopes"] = [] if needs_person else sorted(
            scope for scope, permissions in SCOPE_PERMISSIONS.items() if held <= {p.value for p in permissions}
        )  # fmt: skip
        operation["x-needs-person"] = needs_person
    operation["x-error-codes"] = codes_of(endpoint, set(operation["responses"]), set(operation["x-error-codes"]))


def _add_examples(operation: dict[str, Any], examples: Examples) -> None:
    """One request and one answer, where they are JSON."""
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    bodies += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    for body in bodies:
        media = body.get("content", {}).get("application/json")
        if media is not None and "example" not in media and "examples" not in media:
            # Without a fitting value there is no example, and a test says so; the service starts all the same.
            with contextlib.suppress(ExampleMissing):
                media["example"] = examples.of(media["schema"])


def _endpoints(app: FastAPI) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Operation id and endpoint of every operation."""
    waiting: list[Any] = list(app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting.extend(inner.routes)
        elif isinstance(route, APIRoute) and route.operation_id is not None:
            yield route.operation_id, route.endpoint


def _kinds_below(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    # By name: the order of import must not decide which of two classes with one code is described.
    for child in sorted(kind.__subclasses__(), key=lambda child: (child.__module__, child.__qualname__)):
        if child.__module__.startswith("gateway."):
            yield child
        yield from _kinds_below(child)


def _key_parameter(*, is_required: bool) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": is_required,
        "description": (
            "A new random key per request, the same one when it is repeated: it is then done once, and the answer "
            "of the first is given again for seven days with `Idempotency-Replayed: true`."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        "example": "0b9c4a56-6d0e-4a55-9a52-7d3f1b0c2f11",
    }


_METADATA_PARAMETER: Final[dict[str, Any]] = {
    "name": "metadata",
    "in": "query",
    "required": False,
    "style": "deepObject",
    "explode": True,
    "description": "Only what has all these pairs: `metadata[key]=value`.",
    "schema": {
        "type": "object",
        "maxProperties": 20,
        "propertyNames": {"pattern": "^[A-Za-z0-9_.:-]{1,40}$"},
        "additionalProperties": {"type": "string", "maxLength": 500},
    },
    "example": {"dossier": "2026-118"},
}

_ABOUT: Final = """Bank data in, CODA out; invoices in, approved pain.001 out.

Amounts are decimal texts with a currency, `*_date` is a day in Brussels, `*_at` a moment in UTC. Lists are
`{"items": […], "next_cursor": …}`; unknown fields of answers are to be ignored, since new ones come without notice.
Every failure is `application/problem+json` with a stable `code`; `x-error-codes` lists those of an operation, and
`/docs/errors` explains each. `x-scopes` names the scopes of a token of which one suffices, `x-permissions` what a
person must hold; an operation with `x-needs-person` is never open to a token; without it, a part of it may
still want a person with a fresh second factor, and its description says which."""

_NOT_KEPT: Final = " The answer shows a secret once: a repetition with the same key is told that the first succeeded."

_PROBLEM_SCHEMAS: Final = {
    "Problem": {
        "title": "Problem",
        "description": "RFC 9457: what was refused, why, and who must act.",
        "type": "object",
        "required": ["type", "title", "status", "code", "detail", "hint", "request_id"],
        "properties": {
            "type": {"type": "string", "examples": ["/docs/errors#not_found"]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "Stable; listed in docs/errors.md.", "examples": ["not_found"]},
            "detail": {"type": "string"},
            "hint": {"type": "string", "description": "What to do, in the language of Accept-Language."},
            "request_id": {"type": ["string", "null"]},
            "service": {"type": "string", "description": "With `service_disabled`: which service is off."},
            "level": {
                "type": "string",
                "enum": ["office", "client"],
                "description": "With `service_disabled`: where it is off.",
            },
            "count": {"type": "integer", "description": "With `payments_under_way`: how many."},
            "bank_fault": {
                "type": "string",
                "enum": [fault.value for fault in Fault],
                "description": "With trouble at a bank: which of seven kinds it is; `detail` says what happens next.",
            },
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemField"}},
        },
    },
    "ProblemField": {
        "title": "ProblemField",
        "type": "object",
        "required": ["pointer", "code", "detail", "hint"],
        "properties": {
            "pointer": {"type": "string", "description": "JSON Pointer.", "examples": ["/payments/0/amount"]},
            "code": {"type": "string"},
            "detail": {"type": "string"},
            "hint": {"type": "string"},
        },
    },
}
