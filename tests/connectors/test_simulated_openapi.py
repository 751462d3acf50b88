"""Answers of the simulated STET banks compared with the official description 1.5.0.43, but for what banks do otherwise.

Amounts are strings at every bank, as in published answers, where the description has numbers. The brands of BNP Paribas
Fortis write plain days where it has moments.
"""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from connectors.http import BankAnswer, BankRequest
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank
from tests.connectors.simulated import KEY, TODAY, opened

SHARED = Path(os.environ.get("SHARED", Path(__file__).parents[2] / ".." / "shared")).resolve()
DESCRIPTION = SHARED / "spec" / "psd2" / "openapi" / "stet-ais-pis-1.5.0.43.json"
SCHEMAS = {
    "/accounts": "HalAccounts",
    "/accounts/{id}/balances": "HalBalances",
    "/accounts/{id}/transactions": "HalTransactions",
}
PLAIN_DAYS = ("bookingDate", "valueDate", "referenceDate")

pytestmark = pytest.mark.skipif(not DESCRIPTION.exists(), reason=f"the official description is not at {DESCRIPTION}")


def faults(name: str, body: Any, *, has_plain_days: bool) -> list[str]:
    """What the schema of this name has against an answer, without the known differences."""
    described = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["components"]["schemas"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": described}}
    known = ("amount", *(PLAIN_DAYS if has_plain_days else ()))
    found = jsonschema_rs.Draft4Validator(schema, validate_formats=True).iter_errors(body)
    return [
        f"{error.instance_path}: {error.message}" for error in found if error.instance_path[-1:] not in _ends(known)
    ]


def _ends(names: tuple[str, ...]) -> list[list[str]]:
    return [[name] for name in names]


def test_the_schemas_are_really_applied() -> None:
    assert faults("HalAccounts", {"accounts": []}, has_plain_days=False)
    assert faults("HalBalances", {"balances": [{"balanceType": "closing"}], "_links": {}}, has_plain_days=False)


@pytest.mark.parametrize("bank_id", ["beobank", "bnppf"])
def test_account_data_is_as_described(bank_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = SimulatorConfig(today=TODAY, banks=every_bank(), signature_keys={KEY.key_id: KEY.key.public_key()})
    seen: list[tuple[str, BankAnswer]] = []
    with SimulatorServer(config) as server:
        line = opened(server, bank_id)
        send = line.http.send

        def watched(request: BankRequest) -> BankAnswer:
            answer = send(request)
            seen.append((request.template, answer))
            return answer

        monkeypatch.setattr(line.http, "send", watched)
        with closing(line.http):
            for account in line.connector.accounts(line.access()):
                line.connector.balances(line.access(), account.bank_account_id)
                if account.iban is not None:
                    line.rows(account)
    bodies = [(template, json.loads(answer.body)) for template, answer in seen if answer.status == 200]
    assert {template for template, _ in bodies} == set(SCHEMAS)
    has_plain_days = bank_id != "beobank"
    assert [
        fault for template, body in bodies for fault in faults(SCHEMAS[template], body, has_plain_days=has_plain_days)
    ] == []
