"""Answers compared with the official description of the Berlin Group (1.3.11); numeric amounts are a known quirk."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from connectors.simulator import psu

SHARED = Path(os.environ.get("SHARED", Path(__file__).parents[2] / ".." / "shared")).resolve()
DESCRIPTION = SHARED / "spec" / "psd2" / "openapi" / "psd2-api_v1.3.11-2021-10-01v1.yaml"

pytestmark = pytest.mark.skipif(not DESCRIPTION.exists(), reason=f"the official description is not at {DESCRIPTION}")


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


def faults(name: str, answer: Any) -> list[str]:
    """What the schema of this name has against the answer; dates and date-times are checked too."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": description()["components"]["schemas"]}}
    validator = jsonschema_rs.Draft4Validator(schema, validate_formats=True)
    return [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(answer)]


def test_the_schemas_are_really_applied() -> None:
    assert faults("consentStatusResponse-200", {"consentStatus": "perhaps"})
    assert faults("balance", {"balanceType": "expected"})


def test_consent_answers_are_as_described(sim, new_tpp, http) -> None:
    tpp = new_tpp(sim, "crelan")
    created = tpp.ask()
    assert faults("consentsResponse-201", created.json) == []
    own = created.json["_links"]["self"]["href"]
    assert faults("consentInformationResponse-200_json", http("GET", own).json) == []
    psu.approve(tpp.authorisation_url)
    assert faults("consentInformationResponse-200_json", http("GET", own).json) == []
    assert faults("consentStatusResponse-200", http("GET", f"{own}/status").json) == []
    assert faults("scaStatusResponse", http("GET", created.json["_links"]["scaStatus"]["href"]).json) == []


@pytest.mark.parametrize("bank_id", ["crelan", "keytrade"])
def test_account_data_is_as_described(sim, new_tpp, bank_id) -> None:
    sim.clock.advance(hours=9)
    tpp = new_tpp(sim, bank_id, "lien.lindenaar")
    listed = tpp.get("/accounts?withBalance=true").json
    assert faults("accountList", listed) == []
    for account in listed["accounts"]:
        path = f"/accounts/{account['resourceId']}"
        assert faults("accountDetails", tpp.get(path).json["account"]) == []
        assert faults("readAccountBalanceResponse-200", tpp.get(f"{path}/balances").json) == []
        page = tpp.get(f"{path}/transactions?bookingStatus=both&dateFrom=2026-08-22")
        while True:
            assert faults("transactionsResponse-200_json", page.json) == []
            following = page.json["transactions"]["_links"].get("next")
            if following is None:
                break
            page = tpp.get(following["href"])


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "PERIOD_INVALID"), (401, "CONSENT_EXPIRED"), (403, "CONSENT_UNKNOWN"), (429, "ACCESS_EXCEEDED")],
)
def test_errors_are_as_described(sim, crelan, status, code) -> None:
    sim.faults.order("status", status=status, code=code)
    assert faults(f"Error{status}_NG_AIS", crelan.get("/accounts").json) == []


def test_rows_with_a_text_in_several_parts_are_as_described(sim, new_tpp) -> None:
    tpp = new_tpp(sim, "nagelmackers", "amelie.beguin")
    page = tpp.transactions("BE37132554091828", dateFrom="2026-11-18", dateTo="2026-11-18", bookingStatus="booked")
    rows = page.json["transactions"]["booked"]
    assert any("remittanceInformationUnstructuredArray" in row for row in rows)
    plain = [row for row in rows if not isinstance(row.get("remittanceInformationStructured"), str)]
    assert [fault for row in plain for fault in faults("transactions", row)] == []
