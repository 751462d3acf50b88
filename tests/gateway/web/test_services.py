"""OFF-06: a service that is off is off everywhere: every operation, page, job and export; and switching it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select
from starlette.testclient import TestClient

import gateway
from gateway.account_sources.files import BankFileService
from gateway.accounts.models import Sync
from gateway.accounts.syncs import queue_sync
from gateway.act import Act
from gateway.api import current_act
from gateway.foreign_files.reading import SentFile
from gateway.identity.rights import ClientRole, OfficeRole, Permission, Principal, PrincipalKind, person_permissions
from gateway.ids import new_id
from gateway.offices.models import Client, Office, Service
from gateway.offices.services import SERVICE_OF
from gateway.pagination import PageRequest
from gateway.payments.exports import ExportService
from gateway.payments.models import Export
from gateway.statement_uploads.service import StatementUploadService
from gateway.statements.closing import DayCloser
from gateway.statements.models import BankDocument
from gateway.transactions.dispatch import Dispatcher
from gateway.transactions.models import BankTransaction
from gateway.transactions.sync import SyncService
from tests.gateway.builders import act_of_system
from tests.gateway.foreign_files.files import bank_file
from tests.gateway.serving import app_of
from tests.gateway.statement_uploads.files import Stated, as_mt940
from tests.gateway.test_every_route import OPERATIONS, body_of, waiting_review
from tests.gateway.test_roles_and_operations import OPERATIONS as RIGHTS
from tests.gateway.test_roles_and_operations import undone
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed

EVERY = tuple(Service)
BY_OTHER_RIGHTS = {
    "put_transaction_labels": (Service.TRANSACTIONS,),
    "create_sync": (Service.TRANSACTIONS, Service.CODA),
    "create_review_decision": (Service.TRANSACTIONS, Service.CODA),
    "create_mapping_application": (Service.TRANSACTIONS, Service.CODA),
    "create_statement_upload": (Service.TRANSACTIONS, Service.CODA),
    "confirm_statement_upload": (Service.TRANSACTIONS, Service.CODA),
    "put_payment_settings": (Service.PAYMENTS,),
}
"""Operations of a service that ask for a right of no service; each names what it needs, one of them being enough."""


def service_operations() -> dict[str, tuple[Service, ...]]:
    """Every operation of a service, by the right it asks for: each operation must say that, or a test fails."""
    services = {permission.value: service for permission, service in SERVICE_OF.items()}
    found = {
        operation: (services[right],)
        for operation, asked in RIGHTS.items()
        if (right := asked.removesuffix(" of the office")) in services and operation in OPERATIONS
    }
    return found | BY_OTHER_RIGHTS


def switch(world: World, services: Collection[Service], *, client: str | None = None) -> None:
    """Switch without asking whether it may be."""
    with world.gateway.database.unit_of_work(world.office.id) as session:
        row: Any = (
            session.get(Office, world.office.id) if client is None else session.get(Client, world.clients[client].id)
        )
        row.services = [service.value for service in services]
        session.add(row)


def without(*services: Service) -> list[Service]:
    return [service for service in Service if service not in services]


@pytest.fixture
def everybody(world: World) -> Act:
    """Somebody with every right, at the office and at the textile company."""
    office, clients = person_permissions(
        [*((None, role) for role in OfficeRole), *((world.clients["textile"].id, role) for role in ClientRole)]
    )
    principal = Principal(
        kind=PrincipalKind.USER, id=world.people["director"].user.id, office_id=world.office.id,
        office_permissions=office, client_permissions=clients, second_factor_at=world.clock(),
    )  # fmt: skip
    return Act(principal=principal, now=world.clock(), real_now=world.clock())


@pytest.fixture
def http(world: World, everybody: Act) -> Iterator[TestClient]:
    app = app_of(world.gateway)
    app.dependency_overrides[current_act] = lambda: everybody
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def ids(world: World) -> dict[str, str]:
    """Things of the textile company."""
    nobody = {name: typed(name.removesuffix("_id"), new_id()) for name in ("consent_id", "session_id", "job_id")}
    with world.gateway.database.unit_of_work(world.office.id) as session:
        transaction = session.exec(select(BankTransaction).filter_by(account_id=world.accounts["textile"].id)).first()
        export = session.exec(select(Export)).first()
    assert transaction is not None
    assert export is not None
    document = BankDocument(
        id=new_id(), office_id=world.office.id, account_id=world.accounts["textile"].id, document_cipher=b"-",
        document_sha256="0" * 64, document_type="application/pdf", uploaded_by=new_id(), uploaded_at=world.clock(),
    )  # fmt: skip
    world.save(document)
    content = bank_file(
        world.accounts["textile"].iban, date(2026, 11, 20), number=1, opening=Decimal(0), amounts=[Decimal(1)]
    )
    system = act_of_system(world.office)
    (made,), _ = BankFileService(world.gateway).upload(
        system, world.accounts["textile"].id, [SentFile("a.cod", content)]
    )
    stated = Stated(world.accounts["textile"].iban, date(2026, 11, 19), Decimal(0), date(2026, 11, 20))
    sent = StatementUploadService(world.gateway).upload(
        system, world.clients["textile"].id, [SentFile("a.sta", as_mt940(stated))]
    )
    found = {
        "client_id": typed("client", world.clients["textile"].id),
        "upload_id": typed("statement_upload", sent.row.id),
        "account_id": typed("account", world.accounts["textile"].id),
        "statement_id": typed("statement", world.statements["textile 231"].id),
        "document_id": typed("bank_document", document.id),
        "bank_file_id": typed("bank_file", made.row.id),
        "transaction_id": typed("transaction", transaction.id),
        "review_item_id": waiting_review(world.gateway, world.accounts["textile"]),
        "basket_id": typed("basket", world.baskets["waiting"].id),
        "payment_id": typed("payment", world.payments("waiting", by="preparer")[0].id),
        "export_id": typed("export", export.id),
        "office_id": typed("office", world.office.id),
    }
    others = ("group", "rule", "user", "membership", "proposal", "client_group", "invitation", "sync")
    kinds = {"group": "approver_group", "rule": "approval_rule"}
    return Ids(nobody | {f"{name}_id": typed(kinds.get(name, name), new_id()) for name in others} | found)


class Ids(dict[str, str]):
    """Bodies of other operations name ids that are nothing of this test."""

    def __missing__(self, name: str) -> str:
        return "x"


def call(http: TestClient, operation: str, ids: dict[str, str], query: str = "") -> Any:
    route = OPERATIONS[operation]
    headers = {"If-Match": '"1"', "Idempotency-Key": str(new_id())}
    return http.request(route.method, route.at(ids) + query, json=body_of(operation, ids), headers=headers)


def refusal(answer: Any) -> tuple[Any, ...]:
    # A file is no refusal.
    problem = answer.json() if "json" in answer.headers["Content-Type"] else {}
    return answer.status_code, problem.get("code"), problem.get("service"), problem.get("level")


def test_every_operation_of_a_service_is_refused_while_it_is_off(
    world: World, http: TestClient, ids: dict[str, str]
) -> None:
    """OFF-06: at the office 403 with that level; at the client 403 with that level, or absent from a list of all."""
    walked = service_operations()
    assert {"list_transactions", "get_statement_content", "create_decision", "get_export_content"} <= set(walked)
    faults = []
    for level in ("office", "client"):
        for services in {*walked.values()}:
            with undone(world.gateway):
                switch(world, without(*services), client=None if level == "office" else "textile")
                for operation in (name for name, needed in walked.items() if needed == services):
                    answer = call(http, operation, ids)
                    if refusal(answer) == (403, "service_disabled", services[0].value, level):
                        continue
                    is_list_of_all = OPERATIONS[operation].method == "GET" and not OPERATIONS[operation].has_id
                    if level == "client" and is_list_of_all and answer.status_code == 200:
                        narrowed = refusal(call(http, operation, ids, f"?client_id={ids['client_id']}"))
                        if ids["account_id"] not in answer.text and narrowed[0] in (200, 403):
                            continue
                    faults.append(f"{operation} off for the {level}: {answer.status_code} {answer.text[:150]}")
    assert not faults, "\n".join(faults)


def test_a_service_that_is_on_serves(world: World, http: TestClient, ids: dict[str, str]) -> None:
    """OFF-06: the other services go on while one is off."""
    switch(world, without(Service.CODA))
    assert call(http, "list_transactions", ids, f"?client_id={ids['client_id']}").json()["items"]
    assert call(http, "get_transaction", ids).status_code == 200
    assert call(http, "get_payment", ids).status_code == 200
    switch(world, EVERY)
    switch(world, without(Service.TRANSACTIONS), client="textile")
    assert call(http, "get_statement_content", ids).status_code == 200
    shown = http.get("/v1/transactions").json()["items"]
    assert shown, "other clients keep their transactions"
    assert not [row for row in shown if row["account_id"] == ids["account_id"]]


def test_a_page_of_a_service_that_is_off_says_so(world: World, browser: Browser, ids: dict[str, str]) -> None:
    """OFF-06: pages as well, and the menu offers none of them; the day page keeps the accounts."""
    browser.sign_in(world.people["director"])
    statement, basket = ids["statement_id"], ids["basket_id"]
    assert "/baskets" in browser.get("/baskets")
    switch(world, without(Service.PAYMENTS))
    for path in ("/baskets", f"/baskets/{basket}", "/to-approve", "/exports"):
        assert "uitgeschakeld" in browser.get(path, status=403), path
    day = browser.get("/")
    assert 'href="/baskets"' not in day
    assert statement in day
    switch(world, [Service.TRANSACTIONS])
    day = browser.get("/day")
    assert statement not in day
    assert "Leieweve" in day


def test_decisions_are_refused_one_by_one(world: World, http: TestClient, ids: dict[str, str]) -> None:
    """OFF-06: a bulk decision names the reason per payment."""
    switch(world, without(Service.PAYMENTS), client="textile")
    (item,) = call(http, "create_decisions", ids).json()["items"]
    assert item["code"] == "service_disabled"


def test_events_of_a_service_that_is_off_are_not_shown(world: World, http: TestClient) -> None:
    """OFF-06: the log shows what is left; a caller who may read nothing else is refused."""

    def subjects() -> set[str]:
        items = http.get("/v1/events", params={"limit": 500}).json()["items"]
        return {item["type"].partition(".")[0] for item in items}

    assert {"payment", "client"} <= subjects()
    switch(world, without(Service.PAYMENTS), client="textile")
    assert "payment" not in subjects()
    assert "client" in subjects()
    switch(world, [])
    assert "payment" not in subjects()
    machine = Principal(
        PrincipalKind.MACHINE, new_id(), world.office.id, office_permissions=frozenset({Permission.TRANSACTIONS_READ})
    )
    only = Act(principal=machine, now=world.clock(), real_now=world.clock())
    http.app.dependency_overrides[current_act] = lambda: only  # type: ignore[attr-defined]  # a FastAPI application
    assert refusal(http.get("/v1/events")) == (403, "service_disabled", "transactions", "office")


# Jobs ---------------------------------------------------------------------------------------------------------------


def queued(world: World) -> UUID:
    with world.gateway.database.unit_of_work(world.office.id) as session:
        return queue_sync(
            session, world.gateway.keys, world.accounts["textile"], reason="planned", now=world.clock()
        ).id


@pytest.mark.parametrize("client", [None, "textile"])
def test_a_reading_stops_when_no_service_needs_it(world: World, client: str | None) -> None:
    """OFF-06: with transactions and CODA off nothing is planned and what was queued asks no bank."""
    sync_id = queued(world)
    switch(world, [Service.PAYMENTS], client=client)
    SyncService(world.gateway).run(world.office.id, sync_id)
    with world.gateway.database.unit_of_work(world.office.id) as session:
        sync = session.get(Sync, sync_id)
        assert sync is not None
        assert (sync.state, sync.error_code) == ("failed", "service_disabled")


def test_the_dispatcher_plans_readings_for_services_that_are_on(world: World) -> None:
    """OFF-06: one service of the two is enough."""

    def planned() -> int:
        with undone(world.gateway):
            with world.gateway.database.unit_of_work(world.office.id) as session:
                for sync in session.exec(select(Sync)):
                    session.delete(sync)
            return Dispatcher(world.gateway).run_office(world.office.id)

    with world.gateway.database.unit_of_work(world.office.id) as session:
        session.execute(text("DELETE FROM balance"))
    every = planned()
    assert every > 1
    switch(world, without(Service.TRANSACTIONS))
    assert planned() == every
    switch(world, [Service.PAYMENTS], client="textile")
    assert planned() < every
    switch(world, [Service.PAYMENTS])
    assert planned() == 0


def test_no_statement_is_closed_while_coda_is_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """OFF-06: closing goes on where it stood once the service is on again."""
    judged = []
    monkeypatch.setattr(DayCloser, "judge", lambda self, *_: judged.append(self) or _no_opening())

    def close() -> int:
        before = len(judged)
        with world.gateway.database.unit_of_work(world.office.id) as session:
            act = act_of_system(world.office, now=world.clock())
            DayCloser(world.gateway, session, act).close(world.accounts["textile"].id)
        return len(judged) - before

    monkeypatch.setattr(DayCloser, "_no_balance", lambda *_: None)
    monkeypatch.setattr("gateway.statements.closing.first_day", lambda _account: world.clock().date())
    assert close() == 1
    for client in (None, "textile"):
        with undone(world.gateway):
            switch(world, without(Service.CODA), client=client)
            assert close() == 0


def _no_opening() -> Any:
    class NoOpening:
        opening = None

    return NoOpening()


def test_an_export_cannot_be_downloaded_while_payments_are_off(world: World, everybody: Act) -> None:
    """OFF-06: the service, not only its address, refuses."""
    switch(world, without(Service.PAYMENTS), client="textile")
    rows, _ = ExportService(world.gateway).page(everybody, PageRequest(50, None))
    assert rows == []


# Switching ----------------------------------------------------------------------------------------------------------


def portal(**flags: bool) -> dict[str, bool]:
    return {"show_transactions": True, "show_coda": True, "prepare_while_processing": True} | flags


def test_payments_cannot_go_off_while_some_are_under_way(world: World, http: TestClient, ids: dict[str, str]) -> None:
    """OFF-06: 409 with the count, at the office and at the client; other services go off."""
    body = {"services": ["transactions", "coda"], "portal": portal()}
    for path in ("/v1/office/services", f"/v1/clients/{ids['client_id']}/services"):
        answer = http.put(path, json=body if "clients" in path else {"services": body["services"]})
        assert (answer.status_code, answer.json()["code"]) == (409, "payments_under_way")
        assert answer.json()["count"] == 6
    answer = http.put("/v1/office/services", json={"services": ["payments"]})
    assert (answer.status_code, answer.json()["services"]) == (200, ["payments"])


def test_services_and_flags_of_a_client_are_switched_and_audited(world: World, http: TestClient) -> None:
    """OFF-06: the bakery has no payments; repeated, nothing changes; every change is in the chain."""
    path = f"/v1/clients/{typed('client', world.clients['bakery'].id)}"
    body = {"services": ["coda", "transactions"], "portal": portal(show_coda=False)}
    answer = http.put(f"{path}/services", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["services"] == ["transactions", "coda"]
    assert http.get(path).json()["portal"] == portal(show_coda=False)
    http.put(f"{path}/services", json=body)
    entries = [e for e in http.get("/v1/audit-entries", params={"limit": 500}).json()["items"]
               if e["action"] == "client.services_changed"]  # fmt: skip
    assert len(entries) == 1
    answer = http.put(f"{path}/services", json={"services": ["cards"], "portal": portal()})
    assert answer.status_code == 422


def test_clients_begin_with_everything_on(world: World, http: TestClient) -> None:
    """OFF-06: as all that were there before."""
    first = http.get("/v1/clients").json()["items"][0]
    assert first["services"] == http.get("/v1/office").json()["services"] == ["transactions", "coda", "payments"]
    assert first["portal"] == portal()


def test_a_refusal_is_told_in_the_readers_language(world: World, http: TestClient, ids: dict[str, str]) -> None:
    """Law 9."""
    switch(world, without(Service.CODA))
    path = OPERATIONS["get_statement"].at(ids)
    details = {
        language: http.get(path, headers={"Accept-Language": language}).json()["detail"]
        for language in ("nl", "fr", "de", "en")
    }
    assert len(set(details.values())) == 4, details


def test_no_list_of_a_service_goes_around_the_place_that_asks_for_it() -> None:
    """OFF-06: rights of a service are asked for through `require_client` and `clients_open` only."""
    names = "|".join(permission.name for permission in SERVICE_OF)
    around = re.compile(rf"visible_clients\(\s*Permission\.({names})|get_granted\([^)]*Permission\.({names})")
    folder = Path(gateway.__file__).parent
    faults = [str(path) for path in folder.rglob("*.py") if around.search(path.read_text())]
    assert faults == []
