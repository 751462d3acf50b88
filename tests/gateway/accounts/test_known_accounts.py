"""OFF-10: what an office sets per account, and account numbers known without a consent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from gateway.accounts.errors import StatementsFromTooEarly
from gateway.accounts.service import AccountService
from gateway.accounts.starts import quarter_start
from gateway.api import current_act
from gateway.assembly import Gateway
from gateway.errors import InputError
from gateway.ids import encode
from gateway.offices.models import Client, Office
from gateway.pagination import PageRequest
from gateway.payments.service import PaymentService
from gateway.profiles.errors import IbanKnown, KnownAccountConnected, KnownAccountNotFound
from gateway.profiles.models import KnownAccount
from gateway.profiles.repository import KnownAccountRepository
from gateway.profiles.service import KnownAccountService
from gateway.statements.service import StatementService
from tests.gateway.bank_to_coda.conftest import banks, linked, running_banks
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.payments.conftest import scene
from tests.gateway.payments.scene import Scene
from tests.gateway.serving import app_of

__all__ = ["banks", "linked", "running_banks", "scene"]

IBAN, OTHER_IBAN = "BE34103071423390", "BE12310291417792"


@pytest.fixture
def office(gateway: Gateway) -> Office:
    return make_office(gateway)


@pytest.fixture
def client(gateway: Gateway, office: Office) -> Client:
    return make_client(gateway, office)


def add(gateway: Gateway, office: Office, client: Client, iban: str = IBAN, **wanted: Any) -> KnownAccount:
    return KnownAccountService(gateway).add(act_of_system(office), client.id, iban=iban, wanted=wanted)


def test_a_number_is_checked_and_known_once_in_its_office(gateway: Gateway, office: Office, client: Client) -> None:
    """OFF-10: Belgian national check digits too; OFF-14: one client per number in an office."""
    assert add(gateway, office, client, "be34 1030 7142 3390").iban == IBAN
    with pytest.raises(IbanKnown):
        add(gateway, office, make_client(gateway, office))
    # Right by the international check digits alone.
    for wrong in ("BE34103071423391", "BE09000000000100", "XX00"):
        with pytest.raises(InputError):
            add(gateway, office, client, wrong)
    with pytest.raises(InputError):
        add(gateway, office, client, OTHER_IBAN, bic="NICABEB")


def test_another_office_may_know_the_same_number_and_learns_nothing(
    gateway: Gateway, office: Office, client: Client
) -> None:
    """OFF-05: typing a number reserves nothing, whoever else holds it."""
    known = add(gateway, office, client)
    other = make_office(gateway, name="Ander kantoor")
    theirs = add(gateway, other, make_client(gateway, other))
    assert theirs.iban == known.iban
    with pytest.raises(KnownAccountNotFound):
        KnownAccountService(gateway).get(act_of_system(other), known.id)


def test_a_client_has_one_default_debtor_account(scene: Scene) -> None:
    """OFF-10: among its connected and its known accounts together."""
    gateway, act, account = scene.gateway, act_of_system(scene.office), scene.accounts[0]
    AccountService(gateway).change(act, account.id, {"is_default_debtor": True, "position": 3})
    known = add(gateway, scene.office, scene.client, is_default_debtor=True)
    assert known.position == 4
    assert not AccountService(gateway).get(act, account.id).account.is_default_debtor
    AccountService(gateway).change(act, account.id, {"is_default_debtor": True})
    assert not KnownAccountService(gateway).get(act, known.id).is_default_debtor


def test_a_payment_leaves_from_a_known_account(scene: Scene) -> None:
    """OFF-10: a known number serves as debtor account, and becomes an account with the same id."""
    gateway = scene.gateway
    known = add(gateway, scene.office, scene.client, is_default_debtor=True, alias="Oude rekening")
    wish = scene.wish(debtor_account_id=None)
    service = PaymentService(gateway)
    basket, _ = scene.basket()
    (checked,) = service.add(scene.act("preparer"), basket.id, [wish], is_dry_run=True)
    assert checked.payment is not None
    assert KnownAccountService(gateway).get(act_of_system(scene.office), known.id).account_id is None

    basket, (payment,) = scene.basket(wish)
    assert (payment.debtor_account_id, payment.debtor_iban) == (known.id, IBAN)
    view = AccountService(gateway).get(scene.act("preparer"), known.id)
    assert (view.account.alias, view.health, view.stale_reason) == ("Oude rekening", "you_act", "not_connected")
    assert view.account.is_default_debtor
    with pytest.raises(KnownAccountConnected):
        KnownAccountService(gateway).remove(act_of_system(scene.office), known.id)
    (again,) = service.add(scene.act("preparer"), basket.id, [wish])
    assert again.payment is not None
    assert again.payment.debtor_account_id == known.id


def test_without_a_default_an_account_must_be_named(scene: Scene) -> None:
    basket, _ = scene.basket()
    wish = scene.wish(debtor_account_id=None)
    (refused,) = PaymentService(scene.gateway).add(scene.act("preparer"), basket.id, [wish])
    assert [fault.code for fault in refused.faults] == ["debtor_account_missing"]


def test_a_known_account_of_another_client_pays_nothing(scene: Scene) -> None:
    other = make_client(scene.gateway, scene.office)
    known = add(scene.gateway, scene.office, other)
    basket, _ = scene.basket()
    wish = scene.wish(debtor_account_id=known.id)
    (refused,) = PaymentService(scene.gateway).add(scene.act("preparer"), basket.id, [wish])
    assert [fault.code for fault in refused.faults] == ["account_not_found"]


@pytest.fixture
def http(gateway: Gateway, office: Office) -> Iterator[TestClient]:
    app = app_of(gateway)
    app.dependency_overrides[current_act] = lambda: act_of_system(office)
    with TestClient(app) as caller:
        yield caller


def test_known_accounts_over_rest(http: TestClient, client: Client) -> None:
    """Made, listed, changed on what was seen, removed; an account number stands in no event."""
    body = {"client_id": encode("client", client.id), "iban": IBAN, "dossier_code": "A1"}
    made = http.post("/v1/known-accounts", json=body, headers={"Idempotency-Key": "k1"})
    assert made.status_code == 201, made.text
    known = made.json()
    assert known["debtor_account_id"][4:] == known["id"][4:]
    address = f"/v1/known-accounts/{known['id']}"
    assert http.patch(address, json={"alias": "Spaar"}).status_code == 428
    assert http.patch(address, json={"alias": "x"}, headers={"If-Match": '"9"'}).status_code == 412
    changed = http.patch(address, json={"alias": "Zicht"}, headers={"If-Match": made.headers["ETag"]}).json()
    assert (changed["alias"], changed["dossier_code"], changed["version"]) == ("Zicht", "A1", 2)
    listed = http.get("/v1/known-accounts", params={"client_id": body["client_id"]}).json()["items"]
    assert [row["id"] for row in listed] == [known["id"]]
    events = [event for event in http.get("/v1/events").json()["items"] if event["type"].startswith("account.known")]
    assert [event["type"] for event in events] == ["account.known_added", "account.known_changed"]
    assert IBAN not in str(events)
    assert http.delete(address).status_code == 204
    assert http.get(address).status_code == 404


def test_a_known_account_goes_on_as_the_connected_one(linked: Gateway, banks: Any) -> None:
    """OFF-10, CON-08: the row becomes the account, with its id, settings and first day of statements."""
    story = Story.begin(linked, banks)
    other = Story.begin(linked, banks)
    iban = other.connect().iban
    first = story.act.today - timedelta(days=20)
    wanted = {"alias": "Hoofdrekening", "position": 7, "statements_from": first, "is_default_debtor": True}
    known = KnownAccountService(linked).add(story.act, story.client.id, iban=iban, wanted=wanted)
    connected = story.connect(is_started=False)
    assert (connected.id, connected.iban) == (known.id, iban)
    assert {name: getattr(connected, name) for name in wanted} == wanted
    with linked.database.unit_of_work(story.office.id) as session:
        assert KnownAccountRepository(session).ibans(story.office.id, story.client.id) == {iban}
    page, _ = KnownAccountService(linked).page(story.act, PageRequest(50, None))
    assert page == []


def test_no_statement_is_made_until_the_office_has_chosen(linked: Gateway, banks: Any) -> None:
    """OFF-10: the start of the quarter is proposed; the choice closes what was read, without another reading."""
    story = Story.begin(linked, banks)
    account = story.connect(is_started=False)
    story.work()
    story.sleep()
    story.read(account)
    assert story.statements() == []
    view = AccountService(linked).get(story.act, account.id)
    assert view.account.history_from is not None
    assert view.proposed_start == max(quarter_start(story.act.today), view.account.history_from)
    (day,) = StatementService(linked).days(
        story.act, view.account, story.act.today - timedelta(days=1), story.act.today - timedelta(days=1)
    )
    assert (day.state, day.cause) == ("before_start", "statements_from_not_chosen")
    with pytest.raises(StatementsFromTooEarly):
        AccountService(linked).change(
            story.act, account.id, {"statements_from": view.account.history_from - timedelta(days=1)}
        )
    chosen = AccountService(linked).change(story.act, account.id, {"statements_from": view.proposed_start})
    assert chosen.proposed_start is None
    StatementService(linked).close_days(story.office.id, account.id)
    assert min(row.day for row in story.statements("issued")) >= view.proposed_start


def test_quarters_begin_where_they_should() -> None:
    assert [quarter_start(date(2026, month, 15)).month for month in (1, 3, 4, 6, 7, 9, 10, 12)] == [
        1,
        1,
        4,
        4,
        7,
        7,
        10,
        10,
    ]
