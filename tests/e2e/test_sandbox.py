"""A developer's first hour: the quick start as it is printed, and the whole job by the Python client."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyotp
import pytest

import coda
from gateway.clock import real_now
from gateway.demo.consent import approve_consent
from sepa import pain_check
from sluis_client import Problem, Sluis, models
from tests.conftest import ROOT
from tests.e2e.sandbox import Sandbox, running_sandbox

pytestmark = pytest.mark.processes

NUMBER = re.compile(r'"name": "([^"]+)", "enterprise_number": "([0-9]{10})"')


@pytest.fixture(scope="module")
def sandbox(worker_folder: Path) -> Iterator[Sandbox]:
    with running_sandbox(worker_folder / "sandbox") as sandbox:
        yield sandbox


def shell_blocks() -> list[str]:
    """What the page tells people to copy, in its order."""
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "quickstart.md").read_text(), re.DOTALL | re.MULTILINE)


def test_the_quick_start_works_as_it_is_printed(sandbox: Sandbox) -> None:
    """API-10: copied and pasted into one shell, from the first call to the CODA file and the approved pain.001."""
    blocks = shell_blocks()
    assert len(blocks) == 11, "one to begin from and ten commands"
    script = "set -euo pipefail\n" + "\n".join(blocks)
    # Only where things lie differs between a person's checkout and this test.
    script = script.replace("var/sandbox", str(sandbox.folder)).replace(".venv/bin/python", "PYTHON")
    script = script.replace(".venv/bin/sluis", "PYTHON -m gateway").replace("PYTHON", sys.executable)
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert coda.check(sandbox.folder / "quickstart.cod").ok
    assert pain_check.check_file(sandbox.folder / "quickstart.xml").ok, "valid by schema and by our rules"
    assert "approved" in done.stdout


def signed_in(sandbox: Sandbox, who: str) -> Sluis:
    """A person, with password and authenticator."""
    values = sandbox.values
    with Sluis(values["SLUIS"], token="nobody") as anybody:
        session = anybody.create_session(
            models.SessionWrite(
                email=f"{who}@sluis.example",
                password=values["SLUIS_PASSWORD"],
                # A code works once: the quick start used that of this half minute.
                code=pyotp.TOTP(values[f"SLUIS_SECRET_{who.upper()}"]).at(real_now() + timedelta(seconds=30)),
            )
        )
    return Sluis(values["SLUIS"], token=session.token)


def test_the_client_does_the_whole_job(sandbox: Sandbox) -> None:
    """API-10: from the client company to the downloaded pain.001, by the generated client against a running service."""
    address = sandbox.values["SLUIS"]
    with Sluis(address, token=sandbox.values["SLUIS_TOKEN"]) as portal:
        company = next(row for row in portal.iter_clients() if row.name.startswith("Leieweve"))
        assert company.enterprise_number is not None
        same = models.ClientWrite(name=company.name, enterprise_number=company.enterprise_number, language="nl")
        assert portal.put_client(same).id == company.id

        consent = portal.create_consent(models.ConsentWrite(client_id=company.id, bank_id="nagelmackers"))
        approve_consent(address, consent.authorisation_url, "pieter.dhaenekint")
        assert portal.get_consent(consent.consent.id).state == "valid"
        account = next(row for row in portal.iter_accounts(client_id=company.id) if row.bank_id == "nagelmackers")
        first = portal.wait_for_sync(portal.create_sync(account.id).id)
        assert first.state == "done"

        pages = list(portal.follow_transactions(account_id=account.id))
        listed = {row.id for row in portal.iter_transactions(account_id=account.id, page_size=7)}
        assert {row.id for page in pages for row in page.added if row.state == "booked"} == listed
        assert listed

        # Statements begin where the office says: here with all that the bank gave (OFF-10).
        first = portal.get_account(account.id).history_from
        assert portal.patch_account(account.id, models.AccountWrite(statements_from=first)).statements_from == first
        with Sluis(sandbox.values["SLUIS_BANKS_AT"], token="anybody") as banks:
            banks._call("POST", "/sim/api/clock", body={"days": 1})
        portal.move_test_clock(models.ClockWrite(advance_days=1))
        assert portal.wait_for_sync(portal.create_sync(account.id).id).state == "done"
        assert all(
            not page.removed for page in portal.follow_transactions(pages[-1].next_cursor, account_id=account.id)
        )
        statements = list(portal.iter_statements(account_id=account.id, state="issued"))
        for statement in statements:
            file = portal.get_statement_content(statement.id)
            (read,) = coda.read(file)
            assert statement.closing_balance is not None
            assert read.closing_balance == Decimal(statement.closing_balance.amount)
        assert [row.number for row in sorted(statements, key=lambda row: row.number or 0)][:2] == [1, 2]

        money = models.MoneyShape(amount="415.00", currency="EUR")
        basket = portal.create_basket(models.BasketWrite(client_id=company.id, name="By the client"))
        payment = models.PaymentWrite(
            debtor_account_id=account.id,
            creditor=models.CreditorWrite(name="Drukkerij Voorbeeld BV", iban="BE12310291417792"),
            amount=money,
            remittance=models.UnstructuredRemittance(kind="unstructured", text="Factuur 2026-119"),
        )
        key = "the-same-key-in-both-tries"
        for _ in range(2):
            (row,) = portal.add_payments(basket.id, {"items": [payment]}, idempotency_key=key).items
            assert row.payment is not None
        assert len(list(portal.iter_basket_payments(basket.id))) == 1, "the same key adds it once"
        with pytest.raises(Problem) as refused:
            portal.create_decision(row.payment.id, {"verdict": "approve"}, if_match='"v1:0"')
        assert (refused.value.status, refused.value.code) == (403, "person_required")
        assert refused.value.hint
        assert refused.value.request_id

    approve_and_export(sandbox, company.id, basket.id)


def approve_and_export(sandbox: Sandbox, client_id: str, basket_id: str) -> None:
    """What people do: a rule, the submission, the decision, the file."""
    with signed_in(sandbox, "an") as an, signed_in(sandbox, "karel") as karel:
        # Once payments were submitted a rule of one administrator alone waits two days (APP-12); then one is there.
        if not list(an.iter_approval_rules(client_id)):
            approvers = [models.ApproverShape(user_id=karel.get_me().id)]
            wish = models.RuleWrite(name="By the client: Karel", approvers=approvers)
            assert isinstance(an.create_approval_rule(client_id, wish), models.RuleRead)
            settings = an.get_approval_settings(client_id)
            an.put_approval_settings(client_id, {"is_payment_process_on": True}, if_match=settings.etag)
        with signed_in(sandbox, "lotte") as lotte:
            shown = lotte.get_basket(basket_id)
            findings = [found.code for row in lotte.iter_basket_payments(basket_id) for found in row.findings]
            lotte.submit_basket(basket_id, {"accepted_findings": findings}, if_match=shown.etag)
        waiting = [row.payment for row in karel.iter_approval_requests(view="by_me", client_id=client_id)]
        for row in waiting:
            karel.create_decision(row.id, models.DecisionWrite(verdict="approve"), if_match=f'"{row.seal}"')
    with signed_in(sandbox, "mieke") as mieke:
        (export,) = mieke.create_exports(basket_id, {}).items
        file = mieke.get_export_content(export.id)
        assert file == mieke.get_export_content(export.id)
        assert pain_check.check_file(file).ok
