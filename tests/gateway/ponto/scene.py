"""One client of an office with an account at the simulated Ponto, and the deliveries that Ponto makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, ponto_access
from connectors.simulator.consents import Consent as BankConsent
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.events.models import Event
from gateway.ponto.models import PontoDelivery
from gateway.ponto.pages import PATH
from tests.gateway.bank_to_coda.conftest import TODAY
from tests.gateway.bank_to_coda.story import Story, connect_to
from tests.gateway.serving import app_of

AUDIENCE = "application-1"
CREATED = "account.transactionsCreated"


@dataclass
class Scene:
    story: Story
    http: TestClient
    account: Account

    def at_ponto(self) -> BankConsent:
        (consent,) = self.story.banks.simulator.consents.listing()
        return consent

    def delivery(
        self, event_type: str = CREATED, *, age: int = 0, audience: str = AUDIENCE, is_of_account: bool = True
    ) -> tuple[str, bytes]:
        now = int(self.story.gateway.real_now().timestamp()) - age
        iban = self.account.iban if is_of_account else None
        return ponto_access.webhook(
            self.story.banks.simulator, self.at_ponto(), iban, event_type, audience=audience, now=now
        )

    def post(self, signature: str, body: bytes) -> int:
        return self.http.post(PATH, content=body, headers={"Signature": signature}).status_code

    def consent(self) -> Consent:
        with self.story.gateway.database.unit_of_work(self.story.office.id) as session:
            return session.exec(select(Consent)).one()

    def present(self) -> Account:
        """The account as it is now."""
        return self.story.account(self.account.id)

    def taken(self) -> list[PontoDelivery]:
        with self.story.gateway.database.unit_of_work(None) as session:
            return list(session.exec(select(PontoDelivery)))

    def events(self, *types: str) -> list[str]:
        """What was told, of these types, in order."""
        with self.story.gateway.database.unit_of_work(self.story.office.id) as session:
            found = session.exec(select(Event).order_by(col(Event.id))).all()
        return [one.type for one in found if one.type in types]


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatorServer]:
    (bank,) = [bank for bank in every_bank() if bank.bank_id == "ponto"]
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=(bank,))) as server:
        yield server


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
