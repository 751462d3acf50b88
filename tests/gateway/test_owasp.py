"""The OWASP API Security Top 10 (2023), item by item, where it applies to us; walks of other tests are not repeated.

API1 and API5 (object and function level authorisation) are walked over every route by `test_every_route`; API2
(authentication) by `test_identity` and `web/test_sign_in`; API7 (server-side request forgery) by the tests of
webhooks. Here stand the lines that those do not draw.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from gateway.api import Shape, current_act
from gateway.app import BODY_BYTES_MAX, create_app
from gateway.assembly import Gateway
from gateway.description import METHODS
from gateway.identity.endpoints import PUBLIC_OPERATIONS
from gateway.ids import encode, new_id
from gateway.offices.models import Office
from gateway.pagination import LIMIT_MAX
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.serving import app_of

DOCUMENT: dict[str, Any] = create_app(None).openapi()  # type: ignore[arg-type]  # describing needs no installation
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if method in METHODS
]


@pytest.fixture
def office(gateway: Gateway) -> Office:
    return make_office(gateway)


@pytest.fixture
def http(gateway: Gateway, office: Office) -> Iterator[TestClient]:
    app = app_of(gateway)
    app.dependency_overrides[current_act] = lambda: act_of_system(office)
    with TestClient(app, raise_server_exceptions=False, headers={"Authorization": "Bearer of somebody"}) as client:
        yield client


def test_api1_ids_cannot_be_counted_through(http: TestClient, gateway: Gateway, office: Office) -> None:
    """API1:2023 broken object level authorisation: ids are no numbers, and the next one is nobody's."""
    client = make_client(gateway, office)
    known = encode("client", client.id)
    assert http.get(f"/v1/clients/{known}").status_code == 200
    neighbour = known[:-1] + ("0" if known[-1] != "0" else "1")
    assert http.get(f"/v1/clients/{neighbour}").status_code == 404
    for path, _method, operation in OPERATIONS:
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" and parameter["name"].endswith("_id"):
                schema = parameter["schema"]
                assert schema.get("type") == "string", f"{path}: {parameter['name']} can be counted"


def test_api2_only_signing_in_is_open() -> None:
    """API2:2023 broken authentication: an operation without sign-in is one that is listed as such."""
    open_ones = {operation["operationId"] for _p, _m, operation in OPERATIONS if operation.get("security") == []}
    assert open_ones == PUBLIC_OPERATIONS


def test_api3_no_answer_has_a_secret_and_no_request_sets_what_is_ours(http: TestClient, gateway: Gateway) -> None:
    """API3:2023 broken object property level authorisation: shapes are closed both ways (mass assignment)."""
    secret = re.compile(r"password_hash|secret_hash|token_hash|totp|cipher|raw$|salt$|form_token")
    for name, schema in DOCUMENT["components"]["schemas"].items():
        fields = set(schema.get("properties", ()))
        if not name.endswith(("Write", "Patch")):
            assert not [field for field in fields if secret.search(field)], name
        if name.endswith(("Write", "Patch")):
            assert schema.get("additionalProperties") is False, f"{name} takes fields it does not know"
            assert not fields & {"created_at", "version", "created_by"}, name
    for ours in ({"id": encode("client", new_id())}, {"office_id": encode("office", new_id())}, {"version": 7}):
        answer = http.put("/v1/clients", json={"name": "Bakkerij Voorbeeld BV", "external_id": "e", **ours})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == "extra_forbidden"


def test_api4_everything_that_grows_has_a_limit(http: TestClient) -> None:
    """API4:2023 unrestricted resource consumption: pages, lists, texts and bodies are bounded."""
    for path, method, operation in OPERATIONS:
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == "limit":
                assert parameter["schema"]["maximum"] <= LIMIT_MAX, f"{method} {path}"
    assert http.get(f"/v1/clients?limit={LIMIT_MAX + 1}").status_code == 422
    answer = http.put("/v1/clients", content=b"{}", headers={"Content-Length": str(BODY_BYTES_MAX + 1)})
    assert answer.status_code == 413


def test_api4_odd_bodies_are_refused_cheaply(http: TestClient) -> None:
    """API4:2023: 10,000 brackets or a megabyte of text cost no more than reading them; no clock is measured finely."""
    started = time.monotonic()
    for raw in (b"[" * 10_000, b'{"name": "' + b"x" * 1_000_000 + b'"}', b'{"a":' * 10_000 + b"1" + b"}" * 10_000):
        answer = http.put("/v1/clients", content=raw, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert len(answer.content) < 2_000
    assert time.monotonic() - started < 30


def test_api6_what_moves_money_is_never_sent_twice() -> None:
    """API6:2023 unrestricted access to sensitive business flows: keys are required and machines never decide."""
    by_name = {operation["operationId"]: operation for _p, _m, operation in OPERATIONS}
    for name in ("create_decision", "create_decisions", "create_exports"):
        keys = [p for p in by_name[name]["parameters"] if p["name"] == "Idempotency-Key"]
        assert keys[0]["required"], name
        assert by_name[name]["x-needs-person"], name
        assert by_name[name]["x-scopes"] == [], name


def test_api7_an_address_that_is_given_is_never_called(http: TestClient, gateway: Gateway, office: Office) -> None:
    """API7:2023 server-side request forgery: a return address is compared letter by letter and is for browsers."""
    client = make_client(gateway, office)
    for url in ("http://169.254.169.254/", "http://127.0.0.1:5432/", "file:///etc/passwd", "https://evil.example/"):
        body = {"client_id": encode("client", client.id), "bank_id": "crelan", "return_url": url}
        answer = http.post("/v1/consents", json=body, headers={"Idempotency-Key": str(new_id())})
        assert answer.status_code in (409, 422), url


def test_api8_answers_carry_the_safety_headers_and_tell_nothing_of_the_inside(http: TestClient) -> None:
    """API8:2023 security misconfiguration: headers, no CORS, no trace of the framework, no debug pages."""
    for path in ("/v1/clients", "/v1/nothing", "/docs/api", "/healthz"):
        answer = http.get(path, headers={"Origin": "https://evil.example"})
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "access-control-allow-origin" not in answer.headers
        assert "x-powered-by" not in answer.headers
        assert "Traceback" not in answer.text
    for path in ("/redoc", "/swagger", "/openapi.json", "/.env", "/.git/config"):
        assert http.get(path).status_code == 404, path


def test_api9_every_address_of_the_api_is_in_the_description(http: TestClient) -> None:
    """API9:2023 improper inventory management: one version, and nothing that is served but not described."""
    assert {path.split("/")[1] for path, _m, _o in OPERATIONS} <= {"v1", "oauth"}
    assert DOCUMENT["info"]["version"]
    hidden = [
        context.path
        for context in _routes(http.app)
        if str(context.path).startswith("/v1/") and context.path not in DOCUMENT["paths"]
    ]
    assert hidden in ([], ["/v1/openapi.json"]), hidden


def _routes(app: Any) -> Iterator[Any]:
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting.extend(inner.routes)
        elif hasattr(route, "path"):
            yield route


def test_api10_answers_of_others_are_read_within_limits() -> None:
    """API10:2023 unsafe consumption of APIs: the one HTTP client limits hosts, size, time and redirects.

    `tests/connectors/test_http.py` proves each; here it is proven that nothing goes around it, and that our own shapes
    refuse what they do not know.
    """
    assert Shape.model_config["extra"] == "forbid"
    assert Shape.model_config["strict"] is True
