"""CON-16: a delivery of Ponto is taken when it is Ponto's, once, and has the account it names read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, ponto_access
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.ponto.models import PontoDelivery
from gateway.ponto.pages import PATH
from gateway.ponto.service import REAUTHORISED, PontoWebhooks
from tests.gateway.bank_to_coda.conftest import TODAY
from tests.gateway.bank_to_coda.story import Story, connect_to
from tests.gateway.serving import app_of

AUDIENCE = "application-1"
CREATED = "account.transactionsCreated"


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatorServer]:
    (bank,) = [bank for bank in every_bank() if bank.bank_id == "ponto"]
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=(bank,))) as server:
        yield server


@dataclass
class Scene:
    story: Story
    http: TestClient
    account: Account

    def delivery(self, event_type: str = CREATED, *, age: int = 0, audience: str = AUDIENCE) -> tuple[str, bytes]:
        simulator = self.story.banks.simulator
        (consent,) = simulator.consents.listing()
        now = int(self.story.gateway.real_now().timestamp()) - age
        return ponto_access.webhook(simulator, consent, self.account.iban, event_type, audience=audience, now=now)

    def post(self, signature: str, body: bytes) -> int:
        return self.http.post(PATH, content=body, headers={"Signature": signature}).status_code

    def consent(self) -> Consent:
        with self.story.gateway.database.unit_of_work(self.story.office.id) as session:
            return session.exec(select(Consent)).one()

    def taken(self) -> list[PontoDelivery]:
        with self.story.gateway.database.unit_of_work(None) as session:
            return list(session.exec(select(PontoDelivery)))


@pytest.fixture
def scene(gateway: Gateway, running: SimulatorServer) -> Iterator[Scene]:
    running.simulator.reset()
    connected = connect_to(running, gateway)
    access = connected.settings.banks["ponto"].model_copy(update={"webhook_audience": AUDIENCE})
    settings = connected.settings.model_copy(update={"banks": {"ponto": access}})
    start = running.clock.now.astimezone(UTC)
    serving = replace(connected, settings=settings, real_now=lambda: start)
    story = Story.begin(serving, running, "ponto")
    account = story.connect()
    story.work()
    with TestClient(app_of(serving)) as http:
        yield Scene(story, http, account)
    serving.banks.close()


def test_a_delivery_is_taken_once_and_its_account_read(scene: Scene) -> None:
    delivery = scene.delivery()
    assert [scene.post(*delivery), scene.post(*delivery)] == [204, 204]
    (taken,) = scene.taken()
    assert (taken.event_type, taken.bank_account_id) == (CREATED, scene.account.bank_account_id)
    service = PontoWebhooks(scene.story.gateway)
    assert scene.account.bank_account_id is not None
    assert service.read(scene.account.bank_account_id) == 1
    assert service.read(scene.account.bank_account_id) == 0, "one is under way"
    (sync,) = scene.story.queued()
    assert (sync.reason, sync.is_attended) == ("event", False)
    scene.story.work()
    assert not scene.story.queued()


def test_an_account_authorised_anew_gives_the_permission_a_later_last_day(scene: Scene) -> None:
    story, world = scene.story, scene.story.banks.simulator
    (consent,) = world.consents.listing()
    for account_id in sorted(consent.account_ids["accounts"]):
        page = world.ponto.ask(consent.consent_id, account_id, "https://gateway.example/back")
        world.ponto.authorise(page, TODAY + timedelta(days=30))
    before = scene.consent().valid_until
    assert scene.account.bank_account_id is not None
    read = PontoWebhooks(story.gateway).read
    read(scene.account.bank_account_id, REAUTHORISED)
    assert scene.consent().valid_until == before, "an earlier day is no prolonging"
    with story.gateway.database.unit_of_work(story.office.id) as session:
        row = session.get_one(Consent, scene.consent().id)
        row.valid_until = TODAY + timedelta(days=3)
        session.add(row)
    read(scene.account.bank_account_id, CREATED)
    assert scene.consent().valid_until == TODAY + timedelta(days=3)
    read(scene.account.bank_account_id, REAUTHORISED)
    assert scene.consent().valid_until == TODAY + timedelta(days=30)


def test_an_account_that_is_nobodys_is_read_nowhere(scene: Scene) -> None:
    assert PontoWebhooks(scene.story.gateway).read("another") == 0


def test_a_type_nobody_knows_is_taken_and_leads_to_nothing(scene: Scene) -> None:
    assert scene.post(*scene.delivery("something.new")) == 204
    assert [row.event_type for row in scene.taken()] == ["something.new"]


@pytest.mark.parametrize("changes", [{"age": 200}, {"audience": "another application"}])
def test_a_delivery_that_does_not_hold_is_refused_and_not_kept(scene: Scene, changes: dict[str, Any]) -> None:
    assert scene.post(*scene.delivery(**changes)) == 401
    signature, body = scene.delivery()
    assert scene.post(signature, body + b" ") == 401
    assert scene.post("", body) == 401
    assert scene.post(signature, b" " * 100_000) == 413
    assert scene.taken() == []


def test_keys_that_cannot_be_fetched_are_not_the_senders_fault(scene: Scene) -> None:
    scene.story.banks.faults.order("status", endpoint="metadata", status=404)
    assert scene.post(*scene.delivery()) == 503


def test_deliveries_are_forgotten_after_a_day(scene: Scene) -> None:
    assert scene.post(*scene.delivery()) == 204
    later = scene.story.gateway.real_now() + timedelta(days=1, seconds=1)
    app: Any = scene.http.app
    app.state.gateway = scene.story.gateway = replace(scene.story.gateway, real_now=lambda: later)
    assert scene.post(*scene.delivery("something.new")) == 204
    assert [row.event_type for row in scene.taken()] == ["something.new"]


def test_without_the_setting_there_is_no_such_address(gateway: Gateway) -> None:
    with TestClient(app_of(gateway)) as http:
        assert http.post(PATH, content=b"{}", headers={"Signature": "a.b.c"}).status_code == 404
