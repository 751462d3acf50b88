"""A stranger adds a bank of a known family by the letter of `docs/add-a-bank.md`: new files, and no edit (CON-03)."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from connectors import banks, listing, registry
from connectors.base import BankEndpoint
from connectors.http import BankHttp
from connectors.model import Access, AccountKind, Redirect
from connectors.profile import Proof
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, psu
from tests.connectors.support import PSU, Keeper, consent_request
from tests.connectors.test_every_bank import test_a_bank_is_walked_from_consent_to_revocation as walk

GUIDE = Path(__file__).parents[2] / "docs" / "add-a-bank.md"
TODAY = date(2026, 11, 21)
LINES_MAX = 60


@pytest.fixture
def bank_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The bank of the guide, in a folder of its own beside ours."""
    (code,) = re.findall(r"```python\n(   \"\"\"Voorbeeldbank.*?)   ```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    card = "# Voorbeeldbank\n\n## Register\n## Certificates\n## Limits\n## Oddities\n## Sources\n"
    (tmp_path / "voorbeeldbank.py").write_text(textwrap.dedent(code), encoding="utf-8")
    (tmp_path / "voorbeeldbank.md").write_text(card, encoding="utf-8")
    monkeypatch.setattr(banks, "__path__", [*banks.__path__, str(tmp_path)])
    registry._classes.cache_clear()
    yield "voorbeeldbank"
    sys.modules.pop("connectors.banks.voorbeeldbank", None)
    registry._classes.cache_clear()


def test_the_guide_stays_short(bank_id: str) -> None:
    (folder,) = [Path(path) for path in banks.__path__ if (Path(path) / f"{bank_id}.py").exists()]
    assert sum(len(path.read_text().splitlines()) for path in folder.iterdir()) < LINES_MAX


def test_the_new_bank_passes_the_walk_and_is_listed(bank_id: str) -> None:
    walk(bank_id)
    profile = registry.connector_class(bank_id).profile
    assert profile.proof is Proof.DESCRIBED
    assert "Voorbeeldbank" in listing.page()


def test_the_new_bank_is_simulated_without_an_edit(bank_id: str) -> None:
    with (
        SimulatorServer(SimulatorConfig(today=TODAY, banks=every_bank())) as server,
        closing(BankHttp(server.base_url(bank_id), bank_id=bank_id, now=lambda: server.clock.now)) as http,
    ):
        endpoint = BankEndpoint(http.base_url, "PSDBE-NBB-0999999922")
        connector = registry.connector_class(bank_id)(
            endpoint, http, now=lambda: server.clock.now, new_id=lambda: str(uuid4())
        )
        started = connector.start_consent(consent_request())
        assert isinstance(started.step, Redirect)
        (code,) = parse_qs(urlsplit(psu.approve(started.step.url)).query)["code"]
        granted = connector.finish_consent(started.handle, {"code": code, "state": "state-123"}, PSU)
        assert granted.tokens is not None
        access = Access(started.handle.bank_consent_id, Keeper(granted.tokens.access_token), PSU)
        current, savings = connector.accounts(access)
        assert (current.kind, savings.kind) == (AccountKind.CURRENT, AccountKind.SAVINGS)
        assert [profile.bank_id for profile in registry.bank_for_iban(current.iban or "")] == [bank_id]
        pages = connector.transaction_pages(
            access, current.bank_account_id, account_iban=current.iban or "", account_holder=None,
            date_from=date(2026, 10, 1), today=TODAY,
        )  # fmt: skip
        assert [row for page in pages for row in page.transactions]
