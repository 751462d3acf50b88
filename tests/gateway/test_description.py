"""The description is complete (API-09), and the pages made from it are there without another host (API-10)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.description import METHODS
from gateway.i18n import LANGUAGES
from gateway.identity.rights import Permission
from gateway.reach import reached
from sepa.accounts import compact_iban, iban_fault
from tests.gateway.serving import app_of

DOCUMENT: dict[str, Any] = create_app(None).openapi()  # type: ignore[arg-type]  # describing needs no installation
OPERATIONS = {
    operation["operationId"]: operation
    for methods in DOCUMENT["paths"].values()
    for method, operation in methods.items()
    if method in METHODS
}


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "requestBody" in operation:
        yield "request", operation["requestBody"]
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            yield status, answer


def examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    for name, operation in OPERATIONS.items():
        for place, body in bodies(operation):
            media = body.get("content", {}).get("application/json")
            if media is not None:
                yield f"{name} {place}", media["schema"], media.get("example")


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from texts(inner, key)
        case list():
            for inner in value:
                yield from texts(inner, name)
        case str():
            yield name, value


def test_every_operation_is_described() -> None:
    """API-09: operationId, description, errors and scope for each operation."""
    assert DOCUMENT["openapi"].startswith("3.1")
    for name, operation in OPERATIONS.items():
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name), name
        assert operation["description"].endswith("."), f"{name} is not described in sentences"
        assert operation["x-error-codes"], name
        assert set(operation["x-error-codes"]) <= set(DOCUMENT["x-error-codes"]), name
        if operation.get("security") != []:
            assert "x-permissions" in operation, name
            assert "x-scopes" in operation, name


def test_every_example_is_there_and_fits_its_schema() -> None:
    """API-09: an example of request and answer for each operation, valid against the schemas."""
    faults = []
    for place, schema, example in examples():
        if example is None:
            faults.append(f"{place}: no example; give its field a value in gateway/examples.py")
            continue
        validator = Draft202012Validator(
            {**schema, "components": DOCUMENT["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        faults += [f"{place} {list(fault.path)}: {fault.message[:200]}" for fault in validator.iter_errors(example)]
    assert not faults, "\n".join(faults)


def test_account_numbers_and_references_of_examples_have_valid_check_digits() -> None:
    """API-09: valid check digits."""
    seen = set()
    for _place, _schema, example in examples():
        for name, text in texts(example):
            if name.endswith("iban"):
                assert iban_fault(compact_iban(text)) is None, text
                seen.add("iban")
            if name == "enterprise_number":
                assert 97 - int(text[:8]) % 97 == int(text[8:]), text
                seen.add("enterprise_number")
            if text.startswith("+++"):
                digits = re.sub(r"\D", "", text)
                assert (int(digits[:10]) % 97 or 97) == int(digits[10:]), text
                seen.add("reference")
    assert seen >= {"iban", "enterprise_number"}


def test_rights_and_codes_are_read_from_the_code_that_an_operation_reaches() -> None:
    """API-09: errors and scope."""
    decide = OPERATIONS["create_decision"]
    assert decide["x-permissions"] == [Permission.PAYMENTS_APPROVE]
    assert (decide["x-scopes"], decide["x-needs-person"]) == ([], True)
    assert {"seal_changed", "person_required", "idempotency_key_required"} <= set(decide["x-error-codes"])
    assert "basket_empty" not in decide["x-error-codes"]
    assert "bank_unavailable" in OPERATIONS["create_consent"]["x-error-codes"]
    assert "clients" in OPERATIONS["put_client"]["x-scopes"]
    assert OPERATIONS["create_session"]["security"] == []
    assert "x-scopes" not in OPERATIONS["create_session"]


def test_an_operation_of_which_a_part_wants_a_person_is_open_to_a_token() -> None:
    """API-09: a key may set the office's template and apply parts of it; other approval rules need a person."""
    for name in ("put_office_template", "create_template_application", "patch_account", "get_export_content"):
        assert not OPERATIONS[name]["x-needs-person"], name
    assert OPERATIONS["put_office_template"]["x-scopes"] == ["admin"]
    for name in ("create_credential", "create_application_secret", "create_passkey", "create_exports", "create_role"):
        assert OPERATIONS[name]["x-needs-person"], name
        assert OPERATIONS[name]["x-scopes"] == [], name


def test_what_is_compared_is_not_asked_for() -> None:
    def looks(held: set[Permission]) -> bool:
        return Permission.ADMIN in held

    assert looks(set(Permission))
    assert reached(looks).permissions == set()


@pytest.fixture
def http(gateway: Gateway) -> Iterator[TestClient]:
    with TestClient(app_of(gateway), raise_server_exceptions=False) as client:
        yield client


def test_the_documentation_is_open_to_all_and_calls_no_other_host(http: TestClient) -> None:
    """API-10: offline documentation from the instance."""
    answer = http.get("/docs", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.url.path == "/docs/api"
    for name in OPERATIONS:
        assert f'id="{name}"' in answer.text, name
    for page in (answer.text, http.get("/docs/errors").text):
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', page):
            assert address.startswith(("/", "#")), address
        assert "<script>" not in page
        assert "style=" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_type_of_every_problem_is_a_place_on_the_page_of_errors(http: TestClient, language: str) -> None:
    """API-02: `type` leads to what it means and what to do, in the reader's language."""
    page = http.get("/docs/errors", headers={"Accept-Language": language}).text
    assert f'<html lang="{language}">' in page
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids)), "an id stands twice"
    assert set(DOCUMENT["x-error-codes"]) <= set(ids)
    problem = http.get("/v1/me").json()
    assert problem["type"] == "/docs/errors#not_signed_in"


def test_the_documentation_is_searched_without_scripts(http: TestClient) -> None:
    found = http.get("/docs/api", params={"q": "seal_changed decision"}).text
    assert 'id="create_decision"' in found
    assert 'id="list_banks"' not in found
    nothing = http.get("/docs/api", params={"q": "<script>alert(1)</script>"})
    assert nothing.status_code == 200
    assert "<script>alert" not in nothing.text
    assert http.get("/docs/api", params={"q": "x" * 101}).status_code == 404
