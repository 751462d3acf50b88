"""Bodies that nobody sends on purpose (API-01, API-02): refused as a problem, before anybody looks into them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from gateway.api import current_act
from gateway.assembly import Gateway
from gateway.field_faults import SENTENCES, code_of
from gateway.i18n import LANGUAGES, translate
from gateway.ids import encode
from gateway.offices.models import Office
from gateway.payments.baskets import BasketService
from gateway.strict_body import JSON_BYTES_MAX
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.serving import app_of

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def office(gateway: Gateway) -> Office:
    return make_office(gateway)


@pytest.fixture
def http(gateway: Gateway, office: Office) -> Iterator[TestClient]:
    app = app_of(gateway)
    act = act_of_system(office)
    app.dependency_overrides[current_act] = lambda: act
    with TestClient(app, raise_server_exceptions=False, headers={"Authorization": "Bearer of somebody"}) as client:
        yield client


def problem(answer: Any, status: int, code: str) -> Any:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), answer.text
    assert set(document) >= {"type", "title", "status", "code", "detail", "hint", "request_id"}
    assert document["type"] == f"/docs/errors#{code}"
    assert document["request_id"] == answer.headers["X-Request-ID"]
    return document


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"nonsense", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b'{"name": NaN}', b'{"name": Infinity}',
        b'{"name": -Infinity}', b'{"name": 1e999}', b'{"name": ' + b"9" * 5000 + b"}", b'{"name": 1, "name": 2}',
        b"[" * 10_000 + b"]" * 10_000, b"[" * 40 + b"]" * 40, b'{"a":' * 10_000, b'{"name": "\x01"}', b"{'name': 1}",
    ],
    ids=lambda raw: raw[:16].decode("latin-1"),
)  # fmt: skip
def test_what_is_no_strict_json_is_refused(http: TestClient, raw: bytes) -> None:
    """API-02: malformed JSON, NaN, duplicate names, deep nesting, huge numbers are the caller's fault."""
    answer = http.put("/v1/clients", content=raw, headers=JSON)
    if raw:
        problem(answer, 400, "json_invalid")
    else:
        assert problem(answer, 422, "invalid_request")["errors"][0]["code"] == "missing"


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "x\\udfff", "\\uDC00\\ud800"])
def test_texts_that_cannot_be_stored_are_named(http: TestClient, text: str) -> None:
    """API-02: NUL and lone surrogates, with their place."""
    answer = http.put("/v1/clients", content=f'{{"external_id": "e", "name": "{text}"}}', headers=JSON)
    assert problem(answer, 422, "text_invalid")["errors"][0]["pointer"] == "/name"
    in_name = http.put("/v1/clients", content=f'{{"{text}": 1}}', headers=JSON)
    problem(in_name, 422, "text_invalid")


def test_a_large_body_is_not_read_for_a_stranger_and_within_limits_for_others(http: TestClient) -> None:
    """Before anybody is known: ten megabytes of `1,1,1` held up everybody for seconds."""
    large = b"[" + b"1," * 140_000 + b"1]"
    problem(http.put("/v1/clients", content=large, headers=JSON), 422, "invalid_request")
    problem(http.put("/v1/clients", content=b" " * (JSON_BYTES_MAX + 1), headers=JSON), 413, "request_too_large")
    del http.headers["Authorization"]
    problem(http.put("/v1/clients", content=large, headers=JSON), 413, "request_too_large")


def test_a_surrogate_pair_is_a_character(http: TestClient) -> None:
    answer = http.put("/v1/clients", content=b'{"external_id": "e", "name": "\\ud83d\\ude00"}', headers=JSON)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "json"])
def test_another_kind_of_body_is_refused(http: TestClient, kind: str) -> None:
    """API-02: 415."""
    problem(http.put("/v1/clients", content=b"{}", headers={"Content-Type": kind}), 415, "content_type_unsupported")


def test_a_compressed_body_is_never_unpacked(http: TestClient) -> None:
    """API-02: a zip bomb stays packed."""
    bomb = gzip.compress(b" " * 10_000_000)
    answer = http.put("/v1/clients", content=bomb, headers={**JSON, "Content-Encoding": "gzip"})
    problem(answer, 415, "content_encoding_unsupported")


def test_a_body_where_none_belongs_is_refused(http: TestClient, gateway: Gateway, office: Office) -> None:
    """API-01: unknown fields are refused, and every field is unknown where there is no body."""
    client = make_client(gateway, office)
    basket = BasketService(gateway).create(act_of_system(office), client.id, name="Week 47").basket
    path, match = f"/v1/baskets/{encode('basket', basket.id)}/cancellations", {"If-Match": f'"{basket.version}"'}
    problem(http.post(path, json={"force": True}, headers=match), 422, "body_unexpected")
    assert http.post(path, json={}, headers=match).status_code == 201


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", 1, "text_expected"), ("name", None, "text_expected"), ("name", "", "text_too_short"),
        ("name", "x" * 1_000_000, "text_too_long"), ("language", "xx", "choice_unknown"),
        ("enterprise_number", 477472701, "text_expected"), ("unknown", 1, "extra_forbidden"),
        ("financial_year_end", "31-12", "text_form"),
    ],
)  # fmt: skip
def test_nothing_is_coerced(http: TestClient, field: str, value: Any, code: str) -> None:
    """API-01: strict; API-02: JSON Pointer and code, the input is not repeated."""
    answer = http.put("/v1/clients", json={"name": "Bakkerij Voorbeeld BV", "external_id": "e", field: value})
    (fault,) = problem(answer, 422, "invalid_request")["errors"]
    assert (fault["pointer"], fault["code"]) == (f"/{field}", code)
    assert len(answer.content) < 2000


def test_every_faulty_field_is_told_at_once_and_in_the_readers_language(http: TestClient) -> None:
    """API-02."""
    for language in LANGUAGES:
        answer = http.put("/v1/clients", json={"name": 1, "x": 2}, headers={"Accept-Language": language})
        faults = {fault["pointer"]: fault for fault in problem(answer, 422, "invalid_request")["errors"]}
        assert set(faults) == {"/name", "/x"}
        assert faults["/name"]["detail"] == translate(language, SENTENCES["text_expected"])
        assert faults["/name"]["hint"]


def test_every_kind_of_fault_has_a_sentence_of_ours() -> None:
    """API-02: what pydantic may say one day is told at least as a value that is not possible."""
    assert code_of("some_new_type") == "value_not_allowed"
    assert code_of("string_type") == "text_expected"
    assert code_of("invalid_id") == "invalid_id"


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/v1/nothing", 404, "address_not_found"), ("DELETE", "/v1/clients", 405, "method_not_allowed"),
    ("GET", "/v1/clients/", 404, "address_not_found"), ("OPTIONS", "/v1/clients", 405, "method_not_allowed"),
])  # fmt: skip
def test_the_frameworks_own_refusals_are_problems(
    http: TestClient, method: str, path: str, status: int, code: str
) -> None:
    """API-02."""
    answer = http.request(method, path)
    problem(answer, status, code)
    if status == 405:
        assert answer.headers["Allow"]


def test_the_bank_directory_is_sent_again_only_when_it_changed(http: TestClient) -> None:
    """API-05: 304 on the directory; the hints in it follow the language."""
    first = http.get("/v1/banks")
    again = http.get("/v1/banks", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    headers = {"If-None-Match": first.headers["ETag"], "Accept-Language": "fr"}
    assert http.get("/v1/banks", headers=headers).status_code == 200
