"""CON-16: a delivery of Ponto is taken when it is Ponto's, once, and has the account it names read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.ponto.pages import PATH
from gateway.ponto.service import REAUTHORISED, PontoWebhooks
from tests.gateway.bank_to_coda.conftest import TODAY
from tests.gateway.ponto.scene import CREATED, Scene, running, scene
from tests.gateway.serving import app_of

__all__ = ["running", "scene"]


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
