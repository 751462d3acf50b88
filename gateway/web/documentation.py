"""Documentation from the instance itself, without sign-in and without another host (API-10): the API and its errors.

Made from the description of the running application, so it says what this version does. The address of a problem's
`type` is a place on the page of errors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from gateway.bank_trouble import TEXTS
from gateway.description import METHODS, known_errors
from gateway.field_faults import HINT, SENTENCES
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from sepa.findings import CATALOGUE

router = page_router()

_FIELD_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body, its name with the way to it."""

    name: str
    kind: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    id: str
    tag: str
    method: str
    path: str
    description: str
    parameters: list[Mapping[str, Any]]
    fields: list[Field]
    request: str | None
    status: str
    answer_fields: list[Field]
    answer: str | None
    codes: list[str]
    scopes: list[str]
    permissions: list[str]
    needs_person: bool
    is_public: bool

    def speaks_of(self, words: list[str]) -> bool:
        """Whether every word searched for stands in its name, address, text, fields or codes."""
        held = " ".join(
            [self.id, self.tag, self.method, self.path, self.description, *self.codes, *self.scopes]
            + [one.name for one in (*self.fields, *self.answer_fields)]
            + [parameter["name"] for parameter in self.parameters]
        ).casefold()
        return all(word in held for word in words)


@router.get("/docs")
def documentation(request: Request) -> Response:
    """The documentation begins with the API."""
    return see_other(request, "/docs/api")


@router.get("/docs/api")
def api(request: Request, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Every operation, those with all words of `q` when something is searched for."""
    words = q.casefold().split()
    found = [operation for operation in operations(request.app) if operation.speaks_of(words)]
    tags: dict[str, list[Operation]] = {}
    for operation in found:
        tags.setdefault(operation.tag, []).append(operation)
    about = request.app.openapi()["info"]
    return page(
        request,
        "docs_api.html",
        q=q,
        tags=tags,
        count=len(found),
        about=[" ".join(part.split()) for part in about["description"].split("\n\n")],
        version=about["version"],
        # What is searched for is shown open, and one operation at most is opened otherwise: the page stays readable.
        is_open=bool(words) and len(found) <= 5,
    )


@router.get("/docs/errors")
def errors(request: Request) -> Response:
    """Every code with what it means and what to do, in the reader's language."""
    return page(
        request,
        "docs_errors.html",
        kinds=known_errors(),
        banks=sorted(TEXTS.items()),
        fields=SENTENCES,
        field_hint=HINT,
        findings=sorted(CATALOGUE.items()),
    )


@cache
def operations(app: FastAPI) -> list[Operation]:
    """The operations of the description, in its order."""
    document = app.openapi()
    return [
        _operation(document, path, method, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in METHODS
    ]


def _operation(document: Mapping[str, Any], path: str, method: str, described: Mapping[str, Any]) -> Operation:
    status, answer = next((pair for pair in described["responses"].items() if pair[0].startswith("2")), ("", {}))
    request_media = _json_media(described.get("requestBody", {}))
    answer_media = _json_media(answer)
    return Operation(
        id=described["operationId"],
        tag=str(described["tags"][0]),
        method=method.upper(),
        path=path,
        description=described.get("description", ""),
        parameters=described.get("parameters", []),
        fields=list(_fields(document, request_media.get("schema", {}))),
        request=_shown(request_media),
        status=status,
        answer_fields=list(_fields(document, answer_media.get("schema", {}))),
        answer=_shown(answer_media),
        codes=described.get("x-error-codes", []),
        scopes=described.get("x-scopes", []),
        permissions=described.get("x-permissions", []),
        needs_person=described.get("x-needs-person", False),
        is_public=described.get("security") == [],
    )


def _json_media(body: Mapping[str, Any]) -> Mapping[str, Any]:
    media: Mapping[str, Any] = body.get("content", {}).get("application/json", {})
    return media


def _shown(media: Mapping[str, Any]) -> str | None:
    return json.dumps(media["example"], indent=2, ensure_ascii=False) if "example" in media else None


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any], way: str = "", depth: int = 0) -> Iterator[Field]:
    """Fields from the outside in; a list's are written `items[].name`."""
    schema = _resolved(document, schema)
    if schema.get("type") == "array":
        yield from _fields(document, schema.get("items", {}), f"{way}[]", depth)
        return
    required = set(schema.get("required", ()))
    for name, inner in schema.get("properties", {}).items():
        place = f"{way}.{name}" if way else name
        yield Field(place, _kind(document, inner), name in required, str(inner.get("description", "")))
        if depth < _FIELD_DEPTH:
            yield from _fields(document, inner, place, depth + 1)


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            continue
        filled = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if len(filled) != 1:
            return schema
        schema = filled[0]


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    resolved = _resolved(document, schema)
    can_be_null = any(one.get("type") == "null" for one in schema.get("anyOf", ()))
    if "enum" in resolved:
        kind = " | ".join(str(one) for one in resolved["enum"])
    elif resolved.get("oneOf") or resolved.get("anyOf"):
        kind = "one of several"
    else:
        kind = str(resolved.get("format") or resolved.get("type") or "any")
    return f"{kind} | null" if can_be_null else kind
