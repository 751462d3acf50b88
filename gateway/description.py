"""The API's description, OpenAPI 3.1: what the framework knows of the operations, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.api import problem_responses
from gateway.operations import KEY_MARK, NOT_KEPT_MARK

METHODS: Final = ("get", "put", "post", "delete", "patch")


def describe(app: FastAPI) -> dict[str, Any]:
    """The document; computed once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, openapi_version=app.openapi_version, summary=app.summary,
            routes=app.routes,
        )  # fmt: skip
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(_PROBLEM_SCHEMAS)
        for name in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(name, None)
        components["securitySchemes"] = {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API token (`sluis_test_…`, `sluis_live_…`) or a person's session token.",
            }
        }
        document["security"] = [{"bearer": []}]
        for method, operation in operations(document):
            _complete(method, operation)
        app.openapi_schema = document
    return app.openapi_schema


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Method and operation of every operation."""
    for methods in document["paths"].values():
        for method, operation in methods.items():
            if method in METHODS:
                yield method, operation


def _complete(method: str, operation: dict[str, Any]) -> None:
    """What the routes do for every operation: strict bodies, keys."""
    statuses = {400}
    if method != "get":
        statuses |= {413, 415}
    if method == "post":
        statuses.add(409)
        operation.setdefault("parameters", []).append(_key_parameter(is_required=bool(operation.get(KEY_MARK))))
        if operation.get(NOT_KEPT_MARK):
            operation["description"] += _NOT_KEPT
    for name in (KEY_MARK, NOT_KEPT_MARK):
        operation.pop(name, None)
    every = {str(status): response for status, response in problem_responses(*statuses).items() if status in statuses}
    operation["responses"] = {
        status: operation["responses"].get(status) or every[status]
        for status in sorted({*operation["responses"], *every})
    }


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
