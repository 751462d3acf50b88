"""The page about the simulated banks names what there is."""

from __future__ import annotations

from pathlib import Path

from connectors.simulator import DEFAULT_BANKS
from connectors.simulator.companies import ACCOUNTS, COMPANIES, HOLDERS
from connectors.simulator.faults import ENDPOINTS, FaultKind

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_every_fault_and_endpoint_is_documented() -> None:
    assert [name for name in (*FaultKind, *ENDPOINTS) if f"`{name}`" not in PAGE] == []


def test_every_bank_holder_company_and_account_is_documented() -> None:
    names = [bank.bank_id for bank in DEFAULT_BANKS]
    names += [holder.holder_id for holder in HOLDERS] + [company.name for company in COMPANIES]
    names += [account.account_id for account in ACCOUNTS]
    assert [name for name in names if name not in PAGE and name not in PAGE.replace(" ", "")] == []
