"""The simulated Ponto and our requests compared with Ponto's own description of version 2; skipped without it.

The description types texts that may be null as objects and never says that they may: both are relaxed. It describes the
attributes of a request without their envelope.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
import pytest

from connectors.http import BankAnswer, BankRequest
from connectors.model import Redirect
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, ponto_access, psu
from connectors.simulator.ponto_calls import organisation_of
from tests.connectors.simulated import PERSON, TODAY, Line, line_to, opened, request_for
from tests.connectors.test_ponto_payments import request, transfer

SCHEMAS = {
    "/accounts": "account_collection",
    "/accounts/{id}": "account_single",
    "/accounts/{id}/transactions": "transaction_collection",
    "/financial-institutions/{id}": "financialInstitution_single",
    "/synchronizations": "synchronization_single",
    "/synchronizations/{id}": "synchronization_single",
    "/synchronizations/{id}/updated-transactions": "transaction_collection",
    "/accounts/{id}/reauthorization-requests": "reauthorizationRequest_single",
    "/accounts/{id}/payments": "payment_single",
    "/accounts/{id}/payments/{id}": "payment_single",
    "/accounts/{id}/bulk-payments": "bulkPayment_single",
    "/accounts/{id}/bulk-payments/{id}": "bulkPayment_single",
    "/payment-activation-requests": "paymentActivationRequest_single",
    "/organizations/{id}/integration": "integration_single",
}
PATHS = {
    "/synchronizations": "/synchronizations",
    "/accounts/{id}/reauthorization-requests": "/accounts/{accountId}/reauthorization-requests",
    "/accounts/{id}/payments": "/accounts/{accountId}/payments",
    "/accounts/{id}/bulk-payments": "/accounts/{accountId}/bulk-payments",
    "/payment-activation-requests": "/payment-activation-requests",
}
"""Where the description says what a request holds."""
NEWER = {"endToEndId"}
"""Known from the official clients only."""
UNDESCRIBED = {
    "/token", "/userinfo", "/accounts/{id}/pending-transactions", "/synchronizations/{id}/updated-pending-transactions"
}  # fmt: skip
"""OAuth; plain JSON; newer than the description."""


def relaxed(schema: Any) -> Any:
    """The schema with what the description is known to leave out."""
    if isinstance(schema, list):
        return [relaxed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: relaxed(value) for name, value in schema.items()}
    kind = found.get("type")
    if kind == "object" and "properties" not in found:
        found.pop("type")
    elif isinstance(kind, str) and kind != "object":
        found["type"] = [kind, "null"]
    return found


@pytest.fixture(scope="module")
def description(shared: Path) -> dict[str, Any]:
    file = shared / "samples" / "ponto" / "openapi" / "ponto-connect-v2.openapi.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def faults(description: dict[str, Any], schema: Any, value: Any) -> list[str]:
    whole = {**relaxed(schema), "components": relaxed(description["components"])}
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(value)]


def named(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    (bank,) = [bank for bank in every_bank() if bank.bank_id == "ponto"]
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=(bank,))) as running:
        yield running


@pytest.fixture
def line(server: SimulatorServer) -> Iterator[Line]:
    found = paying(server)
    yield found
    found.http.close()


def paying(server: SimulatorServer) -> Line:
    line = line_to(server, "ponto")
    started = line.connector.start_consent(replace(request_for("ponto"), may_pay=True))
    assert isinstance(started.step, Redirect)
    callback = dict(parse_qsl(urlsplit(psu.approve(started.step.url)).query))
    granted = line.connector.finish_consent(started.handle, callback, PERSON)
    line.handle, line.tokens = granted.handle, granted.tokens
    return line


def paid(server: SimulatorServer, line: Line, iban: str) -> None:
    """One payment, several payments, and the switch for them."""
    payments = line.connector.payments_with(line.access())
    assert payments is not None
    (consent,) = server.simulator.consents.listing()
    for transfers in ((transfer(),), (transfer(1), transfer(2, text=None))):
        handle = payments.start(request(*transfers, debtor_iban=iban, execution_date=TODAY)).handle
        payments.status(handle, None, PERSON)
    server.simulator.ponto.switch_off(organisation_of(server.simulator, consent))
    assert payments.activation("https://gateway.example/back", PERSON) is not None


def walked(
    server: SimulatorServer, line: Line, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[BankRequest, BankAnswer]]:
    """Every kind of call, with what was answered."""
    kept: list[tuple[BankRequest, BankAnswer]] = []
    send = line.http.send

    def keeping(request: BankRequest) -> BankAnswer:
        answer = send(request)
        kept.append((request, answer))
        return answer

    monkeypatch.setattr(line.http, "send", keeping)
    account = line.current_account()
    line.connector.balances(line.access(), account.bank_account_id)
    line.rows(account)
    begun = line.connector.start_synchronisation(line.access(), account.bank_account_id)
    assert begun is not None
    assert begun.synchronisation_id is not None
    line.connector.synchronisation(line.access(), begun.synchronisation_id)
    updated: Any = line.connector
    list(
        updated.updated_transactions(
            line.access(), begun.synchronisation_id, account_iban="", account_holder=None, today=TODAY
        )
    )
    paid(server, line, account.iban or "")
    line.connector.reauthorise_account(line.access(), account.bank_account_id, "https://gateway.example/back")
    line.connector.revoke_consent(line.access())
    return [(request, answer) for request, answer in kept if answer.is_success]


def test_the_schemas_are_really_applied(description: dict[str, Any]) -> None:
    assert faults(description, named("account_single"), {"data": {"type": "account", "id": "no id"}})
    assert faults(description, named("account"), {"type": "account"})
    assert faults(description, named("account"), {"type": 1, "id": "0df6d359-a2fb-4f41-bc4c-3c824d8a1a03"})


def test_the_recorded_answers_fit_the_description_as_it_is_read_here(description: dict[str, Any], shared: Path) -> None:
    for name, schema in (
        ("listAccounts.response.200", "account_collection"),
        ("listTransactions.response.200", "transaction_collection"),
        ("getSynchronization.response.200", "synchronization_single"),
    ):
        file = shared / "samples" / "ponto" / "recorded-v2" / f"{name}.json"
        assert faults(description, named(schema), json.loads(file.read_text(encoding="utf-8"))) == []


def test_what_is_asked_and_answered_is_as_described(
    description: dict[str, Any], server: SimulatorServer, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges = walked(server, line, monkeypatch)
    templates = {asked.template for asked, _ in exchanges}
    assert templates >= set(SCHEMAS)
    assert templates - set(SCHEMAS) <= UNDESCRIBED
    single = description["paths"][PATHS["/accounts/{id}/payments"]]["post"]["requestBody"]["content"]
    single = single["application/json"]["schema"]
    for asked, answer in exchanges:
        if asked.template in SCHEMAS:
            assert faults(description, named(SCHEMAS[asked.template]), answer.json()) == [], asked.template
        if asked.template in PATHS:
            described = description["paths"][PATHS[asked.template]]["post"]["requestBody"]["content"]
            schema = described["application/json"]["schema"]
            sent = asked.json if asked.content is None else json.loads(asked.content)
            attributes = sent["data"]["attributes"]
            assert set(attributes) <= set(schema["properties"]) | NEWER
            for element in attributes.get("payments", []):
                assert faults(description, single, element) == []
            assert faults(description, schema, attributes) == []


def test_a_simulated_webhook_is_as_described(description: dict[str, Any]) -> None:
    (bank,) = [bank for bank in every_bank() if bank.bank_id == "ponto"]
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=(bank,))) as server:
        line = opened(server, "ponto")
        (consent,) = server.simulator.consents.listing()
        iban = line.current_account().iban or ""
        line.http.close()
        _, body = ponto_access.webhook(
            server.simulator, consent, iban, "account.reauthorized", audience="application-1", now=1_795_244_405
        )
    assert faults(description, named("accountReauthorized"), json.loads(body)["data"]) == []
