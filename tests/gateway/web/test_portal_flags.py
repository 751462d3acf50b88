"""OFF-06: what the office shows to people of a client: transactions and CODA; the office itself and auditors see on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from gateway.act import Act
from gateway.api import current_act
from gateway.app import create_app
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.offices.models import Client, Service
from gateway.offices.service import ClientService
from tests.gateway.builders import act_of
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed


@pytest.fixture
def acting(world: World) -> dict[str, Act]:
    return {"now": world.act("approver")}


@pytest.fixture
def http(world: World, acting: dict[str, Act]) -> Iterator[TestClient]:
    app = create_app(world.gateway)
    app.dependency_overrides[current_act] = lambda: acting["now"]
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def show(world: World, *, transactions: bool = True, coda: bool = True, services: Any = tuple(Service)) -> None:
    with world.gateway.database.unit_of_work(world.office.id) as session:
        client = session.get_one(Client, world.clients["textile"].id)
        client.portal_shows_transactions, client.portal_shows_coda = transactions, coda
        client.services = [service.value for service in services]
        session.add(client)


def answers(world: World, http: TestClient) -> dict[str, tuple[int, str | None]]:
    account, statement = (
        typed("account", world.accounts["textile"].id),
        typed("statement", world.statements["textile 231"].id),
    )
    client = typed("client", world.clients["textile"].id)
    paths = {
        "transactions": f"/v1/transactions?client_id={client}",
        "statement": f"/v1/statements/{statement}",
        "coda": f"/v1/statements/{statement}/content",
        "account": f"/v1/accounts/{account}",
    }
    found = {}
    for name, path in paths.items():
        answer = http.get(path)
        is_problem = answer.headers["content-type"].startswith("application/problem")
        found[name] = (answer.status_code, answer.json()["code"] if is_problem else None)
    return found


HIDDEN = (403, "not_shown_in_portal")


def test_people_of_the_client_read_what_the_office_shows(world: World, http: TestClient) -> None:
    """OFF-06: by flag, each alone."""
    assert {status for status, _code in answers(world, http).values()} == {200}
    show(world, coda=False)
    found = answers(world, http)
    assert (found["statement"], found["coda"]) == (HIDDEN, HIDDEN)
    assert (found["transactions"], found["account"]) == ((200, None), (200, None))
    show(world, transactions=False)
    found = answers(world, http)
    assert (found["transactions"], found["coda"]) == (HIDDEN, (200, None))


def test_a_list_leaves_out_what_is_not_shown(world: World, http: TestClient) -> None:
    show(world, coda=False)
    assert http.get("/v1/statements").json()["items"] == []


def test_the_office_and_auditors_see_all_of_it(world: World, http: TestClient, acting: dict[str, Act]) -> None:
    """OFF-08: an auditor is read-only, not a guest; an admin of the office who also approves neither."""
    show(world, transactions=False, coda=False)
    person, client = world.people["approver"], world.clients["textile"]
    for roles in ((OfficeRole.ADMIN, ClientRole.APPROVER), (ClientRole.AUDITOR,)):
        acting["now"] = act_of(person, world.office, *roles, client=client, now=world.clock())
        assert {status for status, _code in answers(world, http).values()} == {200}


def test_an_account_does_not_name_a_statement_that_the_caller_may_not_read(
    world: World, http: TestClient, acting: dict[str, Act]
) -> None:
    """OFF-06: neither while CODA is off, nor when it is not shown."""
    path = f"/v1/accounts/{typed('account', world.accounts['textile'].id)}"
    statement = typed("statement", world.statements["textile 231"].id)
    assert http.get(path).json()["last_statement_id"] == statement
    show(world, coda=False)
    assert http.get(path).json()["last_statement_id"] is None
    acting["now"] = world.act("accountant")
    assert http.get(path).json()["last_statement_id"] == statement
    show(world, services=[Service.TRANSACTIONS])
    for told in (http.get(path).json(), *http.get("/v1/accounts").json()["items"]):
        if told["client_id"] == typed("client", world.clients["textile"].id):
            assert (told["last_statement_id"], told["last_statement_date"]) == (None, None)


def test_the_day_page_shows_no_statement_that_is_not_shown(world: World, browser: Browser) -> None:
    path = f"/statements/{typed('statement', world.statements['textile 231'].id)}"
    browser.sign_in(world.people["approver"])
    assert path in browser.get("/day")
    show(world, coda=False)
    assert path not in browser.get("/day")
    browser.get(path, status=403)


def test_the_flags_are_read_through_the_api(world: World, http: TestClient) -> None:
    """OFF-06: the portal's own program follows them too."""
    show(world, coda=False)
    told = http.get(f"/v1/clients/{typed('client', world.clients['textile'].id)}").json()
    assert told["portal"] == {"show_transactions": True, "show_coda": False, "prepare_while_processing": True}
    assert ClientService(world.gateway).get(world.act("approver"), world.clients["textile"].id)
