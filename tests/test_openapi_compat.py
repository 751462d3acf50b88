"""A breaking difference to the released description fails the build; deprecation gives twelve months (API-09)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from gateway.compatibility import breaches
from gateway.deprecation import deprecated

ROOT = Path(__file__).parents[1]
RELEASED = ROOT / "openapi" / "released.yaml"

OLD: dict[str, Any] = {
    "paths": {
        "/v1/things": {
            "post": {
                "operationId": "create_thing",
                "parameters": [
                    {"in": "query", "name": "dry_run", "required": False, "schema": {"type": "boolean"}},
                    {"in": "query", "name": "limit", "required": False, "schema": {"type": "integer", "maximum": 500}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Write"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Read"}}}}
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Write": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 70, "minLength": 1},
                    "kind": {"type": "string", "enum": ["one", "two"]},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "rows": {"type": "array", "items": {"type": "object", "properties": {"sum": {"type": "string"}}}},
                },
            },
            "Read": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {"id": {"type": "string"}, "state": {"type": "string", "enum": ["new", "done"]}},
            },
        }
    },
}


def changed(change: Callable[[Any], None]) -> list[str]:
    new = copy.deepcopy(OLD)
    change(new)
    return breaches(OLD, new)


def post(new: Any) -> Any:
    return new["paths"]["/v1/things"]["post"]


def write(new: Any) -> Any:
    return new["components"]["schemas"]["Write"]


def read(new: Any) -> Any:
    return new["components"]["schemas"]["Read"]


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        (lambda new: new["paths"].clear(), "POST /v1/things is gone"),
        (lambda new: post(new).update(operationId="make_thing"), "has another operationId"),
        (lambda new: post(new)["parameters"].pop(0), "does not know the query parameter dry_run"),
        (lambda new: post(new)["parameters"][0].update(required=True), "needs the query parameter dry_run"),
        (lambda new: post(new)["parameters"][1]["schema"].update(maximum=100), "limit has a lower maximum"),
        (lambda new: post(new)["responses"].update({"202": post(new)["responses"].pop("201")}), "201 any more"),
        (lambda new: post(new).pop("requestBody"), "takes no JSON body"),
        (lambda new: write(new)["required"].append("kind"), "request.kind is needed now"),
        (lambda new: write(new)["properties"].pop("note"), "request.note is gone"),
        (lambda new: write(new)["properties"]["name"].update(type="integer"), "is integer instead of string"),
        (lambda new: write(new)["properties"]["name"].update(maxLength=35), "has a lower maxLength"),
        (lambda new: write(new)["properties"]["name"].update(minLength=3), "has a higher minLength"),
        (lambda new: write(new)["properties"]["name"].update(pattern="^a"), "has another pattern"),
        (lambda new: write(new)["properties"]["name"].update(enum=["a"]), "is limited to some values"),
        (lambda new: write(new)["properties"]["kind"]["enum"].remove("two"), "may not be two any more"),
        (lambda new: write(new)["properties"]["note"].update(anyOf=[{"type": "string"}]), "may not be null"),
        (lambda new: write(new)["properties"]["rows"]["items"]["properties"].clear(), "request.rows[].sum is gone"),
        (lambda new: write(new).update(additionalProperties=False), "refuses unknown fields"),
        (lambda new: read(new)["properties"].pop("state"), "201.state is gone"),
        (lambda new: read(new)["required"].remove("state"), "201.state may be missing"),
        (lambda new: read(new)["properties"].update(id={"type": "integer"}), "201.id is integer"),
        (lambda new: read(new)["properties"].update(id={"type": "string", "format": "uuid"}), "has the format uuid"),
        (
            lambda new: read(new)["properties"].update(id={"anyOf": [{"type": "string"}, {"type": "null"}]}),
            "may be null now",
        ),
    ],
)
def test_a_breaking_difference_is_found(change: Callable[[Any], None], breach: str) -> None:
    assert [line for line in changed(change) if breach in line]


@pytest.mark.parametrize(
    "change",
    [
        lambda new: new["paths"].update({"/v1/more": {"get": {"operationId": "list_more", "responses": {}}}}),
        lambda new: post(new)["parameters"].append({"in": "query", "name": "q", "schema": {"type": "string"}}),
        lambda new: write(new)["properties"].update(extra={"type": "string"}),
        lambda new: write(new)["required"].clear(),
        lambda new: write(new)["properties"]["name"].update(maxLength=140, minLength=0),
        lambda new: write(new)["properties"]["kind"]["enum"].append("three"),
        lambda new: read(new)["properties"].update(more={"type": "string"}),
        lambda new: read(new)["properties"]["state"]["enum"].append("gone"),
        lambda new: post(new)["responses"].update({"409": {}}),
        lambda new: post(new).update(deprecated=True),
    ],
)
def test_an_extension_is_no_breach(change: Callable[[Any], None]) -> None:
    assert changed(change) == []


def test_the_committed_description_breaks_no_released_one() -> None:
    """API-09: a breaking difference fails the build. Only a release replaces `openapi/released.yaml`."""
    paths = (RELEASED, ROOT / "openapi" / "gateway.yaml")
    old, new = (yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) for path in paths)
    assert breaches(old, new) == []
    # The comparison sees what goes: without this it could compare nothing and pass.
    del new["paths"]["/v1/transactions"]
    assert breaches(old, new) != []


def test_a_deprecated_operation_says_when_it_goes() -> None:
    """API-09: `Deprecation` and `Sunset` give 12 months."""
    app = FastAPI()
    say = deprecated(since=date(2026, 12, 1), successor="/v1/new")

    @app.get("/v1/old", deprecated=True, dependencies=[Depends(say)])
    def old() -> dict[str, str]:
        return {}

    answer = TestClient(app).get("/v1/old")
    assert answer.headers["Deprecation"] == "@1796083200"
    assert answer.headers["Sunset"] == "Thu, 02 Dec 2027 00:00:00 GMT"
    assert answer.headers["Link"] == '</v1/new>; rel="successor-version"'
    with pytest.raises(ValueError, match="twelve months"):
        deprecated(since=date(2026, 12, 1), sunset=date(2027, 6, 1), successor="/v1/new")
