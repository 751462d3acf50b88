"""STA-19, PAY-09: uploads through the API, with what they leave alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from connectors.simulator import SimulatorServer
from gateway.accounts.models import Account, Balance
from gateway.assembly import Gateway
from gateway.foreign_files.reading import SentFile
from gateway.ids import encode, new_id
from gateway.payments.creditors import creditor_facts
from gateway.statement_uploads.service import StatementUploadService
from gateway.transactions.models import BankTransaction
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_rest import sign_in
from tests.gateway.builders import NOW, act_of_system
from tests.gateway.payments.scene import make_scene
from tests.gateway.serving import app_of
from tests.gateway.statement_uploads.files import Stated, as_camt, as_mt940, camt_statement
from tests.gateway.statement_uploads.test_uploads import before_history, begun


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def test_an_upload_is_sent_looked_at_and_confirmed(story: Story) -> None:
    account = begun(story)
    one = before_history(story, account, days=7)
    last = one.closing_day
    client_id = encode("client", story.client.id)
    with TestClient(app_of(story.gateway)) as http:
        headers = sign_in(story.gateway, story.office, "clients", "accounts", "transactions")
        path = f"/v1/clients/{client_id}/statement-uploads"
        files = [("files", ("maart.xml", as_camt(camt_statement(one)))), ("files", ("vreemd.txt", b"hello"))]
        sent = http.post(path, files=files, headers=headers)
        assert sent.status_code == 201, sent.text
        body = sent.json()
        assert body["state"] == "proposed"
        (part,) = body["accounts"]
        assert (part["account_id"], part["added_count"]) == (encode("account", account.id), len(one.entries))
        assert part["closing_balance"] == {"amount": f"{one.closing:.2f}", "currency": "EUR"}
        assert [(file["name"], file["format"]) for file in body["files"]] == [("maart.xml", "camt053")]
        assert [(fault["code"], fault["file"]) for fault in body["refused_files"]] == [
            ("not_a_statement", "vreemd.txt")
        ]
        assert body["uploaded_by"].startswith("key_")
        confirmed = http.post(f"/v1/statement-uploads/{body['id']}/confirmations", headers=headers)
        assert (confirmed.status_code, confirmed.json()["state"]) == (201, "confirmed")
        listed = http.get("/v1/statement-uploads", params={"client_id": client_id}, headers=headers).json()
        assert [item["id"] for item in listed["items"]] == [body["id"]]
        assert http.get(f"/v1/statement-uploads/{body['id']}", headers=headers).json() == confirmed.json()
        rows = http.get(
            "/v1/transactions", params={"account_id": part["account_id"], "limit": 100, "to": last.isoformat()},
            headers=headers,
        )  # fmt: skip
        assert rows.status_code == 200, rows.text
        brought = [row for row in rows.json()["items"] if row["upload_id"] == body["id"]]
        assert len(brought) == len(one.entries)
        again = http.post(path, content=as_camt(camt_statement(one)), headers=headers)
        assert (again.status_code, again.json()["code"]) == (422, "foreign_files_refused")
        assert [fault["code"] for fault in again.json()["errors"]] == ["taken_in_before"]
        empty = http.post(path, files=[("files", ("leeg.sta", b""))], headers=headers)
        assert (empty.status_code, empty.json()["code"]) == (422, "foreign_files_empty")

        large = http.post(
            path, content=b":20:A\r\n" * (200 * 1024 * 1024 // 7), headers=headers | {"Content-Type": "text/plain"}
        )
        assert (large.status_code, large.json()["code"]) == (413, "request_too_large")


def test_an_upload_makes_no_payment_executed_and_no_creditor_known(gateway: Gateway) -> None:
    """PAY-09: the file shows a debit of the payment's amount to its creditor; nobody confirmed that it is the same."""
    scene = make_scene(gateway)
    account, day = scene.accounts[0], NOW.date() - timedelta(days=30)
    with gateway.database.unit_of_work(scene.office.id) as session:
        held = session.get_one(Account, account.id)
        held.history_from, held.complete_until = day - timedelta(days=60), day
        session.add(
            Balance(
                id=new_id(), office_id=scene.office.id, account_id=account.id, kind="closing_booked",
                amount=Decimal("1000.00"), currency="EUR", reference_date=day - timedelta(days=1), read_at=NOW,
                basis="bank",
            )
        )  # fmt: skip
    basket, (payment,) = scene.basket(scene.wish(creditor_iban="BE71096123456769"))
    one = Stated(account.iban, day - timedelta(days=1), Decimal("1000.00"), day, [(day, -payment.amount)])
    before = (scene.payment(payment).state, scene.payment(payment).version)
    service, act = StatementUploadService(gateway), act_of_system(scene.office)
    sent = service.upload(act, scene.client.id, [SentFile("a.sta", as_mt940(one))])
    assert sent.row.state == "proposed"
    service.confirm(act, sent.row.id)
    assert (scene.payment(payment).state, scene.payment(payment).version) == before
    assert scene.fresh_basket(basket.id).state == basket.state
    with gateway.database.unit_of_work(scene.office.id) as session:
        (row,) = session.exec(select(BankTransaction)).all()
        facts = creditor_facts(session, scene.office.id, scene.client.id, [payment], now=NOW + timedelta(days=60))
        assert (row.counterparty_iban, row.amount) == ("BE71096123456769", -payment.amount)
        assert facts.state(payment) == "new"
