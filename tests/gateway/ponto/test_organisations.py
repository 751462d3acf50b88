"""CON-14, CON-16: what Ponto tells of an organisation is verified by asking it; it ends once, and is told once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.simulator.ponto_calls import organisation_of
from gateway.consents.models import Consent
from gateway.consents.prolonging import prolong_or_end
from gateway.ponto.service import REVOKED, PontoWebhooks
from gateway.transactions.dispatch import Dispatcher
from tests.gateway.bank_to_coda.conftest import TODAY
from tests.gateway.ponto.scene import Scene, running, scene

__all__ = ["running", "scene"]

ENDED = ("consent.revoked", "consent.expired", "account.health_changed")


def organisation(scene: Scene) -> str:
    return organisation_of(scene.story.banks.simulator, scene.at_ponto())


def end_at_ponto(scene: Scene) -> None:
    scene.story.banks.simulator.consents.set_status(scene.at_ponto(), "revokedByPsu")


def test_an_integration_that_was_revoked_ends_the_permission_once_and_tells_it_once(scene: Scene) -> None:
    named, service = organisation(scene), PontoWebhooks(scene.story.gateway)
    told = scene.events(*ENDED)
    delivery = scene.delivery(REVOKED, is_of_account=False)
    end_at_ponto(scene)
    assert scene.post(*delivery) == 204
    assert service.settle(named, REVOKED) == 1
    consent = scene.consent()
    assert (consent.state, consent.end_code, consent.tokens_cipher) == ("revoked", "consent_revoked", None)
    assert (scene.present().health, scene.present().health_code) == ("you_act", "consent_revoked")
    after = scene.events(*ENDED)
    assert sorted(after[len(told) :]) == ["account.health_changed", "consent.revoked"]
    assert service.settle(named, REVOKED) == 0, "it is not valid any more"
    scene.story.work()
    assert scene.events(*ENDED) == after
    assert not scene.story.queued()


def test_a_delivery_alone_ends_nothing(scene: Scene) -> None:
    """Whoever can make one, or repeats an old one, ends no permission: Ponto is asked."""
    named = organisation(scene)
    assert PontoWebhooks(scene.story.gateway).settle(named, REVOKED) == 1
    assert scene.consent().state == "valid"
    scene.story.banks.faults.order("status", endpoint="accounts", status=503, times=None)
    end_at_ponto(scene)
    PontoWebhooks(scene.story.gateway).settle(named, REVOKED)
    assert scene.consent().state == "revoked", "the token is refused before anything else"


def test_a_ponto_that_does_not_answer_leaves_the_permission_as_it_is(scene: Scene) -> None:
    scene.story.banks.faults.order("status", endpoint="accounts", status=503, times=None)
    PontoWebhooks(scene.story.gateway).settle(organisation(scene), REVOKED)
    assert scene.consent().state == "valid"


@pytest.mark.parametrize("event_type", ["organization.blocked", "organization.unblocked", "integration.accountAdded"])
def test_the_other_events_have_the_accounts_read(scene: Scene, event_type: str) -> None:
    assert scene.post(*scene.delivery(event_type, is_of_account=False)) == 204
    assert PontoWebhooks(scene.story.gateway).settle(organisation(scene), event_type) == 1
    (sync,) = scene.story.queued()
    assert (sync.reason, sync.is_attended) == ("event", False)
    assert PontoWebhooks(scene.story.gateway).settle("another organisation", event_type) == 0


def test_a_block_pauses_the_readings_and_its_end_resumes_them(scene: Scene) -> None:
    """What Ponto answers while it blocks is not known; whatever names nobody else pauses by plan, and is resumed."""
    named, service = organisation(scene), PontoWebhooks(scene.story.gateway)
    scene.story.banks.faults.order("status", endpoint="transactions", status=403, times=1)
    service.settle(named, "organization.blocked")
    scene.story.work()
    assert scene.present().health == "you_act"
    scene.story.sleep(days=1)
    Dispatcher(scene.story.gateway).run_office(scene.story.office.id)
    assert not scene.story.queued(), "nothing is planned while it is paused"
    service.settle(named, "organization.unblocked")
    scene.story.work()
    assert scene.present().health == "ok"


def test_an_account_taken_out_at_ponto_stops_alone(scene: Scene) -> None:
    story = scene.story
    delivery = scene.delivery("integration.accountRevoked")
    story.banks.simulator.ponto.remove(scene.at_ponto().consent_id, scene.account.iban)
    assert scene.post(*delivery) == 204
    assert scene.account.bank_account_id is not None
    told = scene.events("account.health_changed")
    for _ in range(2):
        assert PontoWebhooks(story.gateway).read(scene.account.bank_account_id) == 1
        story.work()
    assert (scene.present().health, scene.present().health_code) == ("you_act", "account_gone")
    assert scene.consent().state == "valid"
    assert scene.events("account.health_changed") == [*told, "account.health_changed"]


def test_an_account_added_again_is_known_by_number_and_currency_and_keeps_its_place(scene: Scene) -> None:
    """CON-16: by the source's id first, then by IBAN and currency; id, numbering and settings stay."""
    story, consent = scene.story, scene.at_ponto()
    before = scene.present()
    story.banks.simulator.ponto.remove(consent.consent_id, scene.account.iban)
    story.banks.simulator.ponto.add_again(consent.consent_id, scene.account.iban)
    rows = len(story.transactions())
    PontoWebhooks(story.gateway).settle(organisation(scene), "integration.accountAdded")
    story.work()
    after = scene.present()
    assert (after.id, after.health, after.iban, after.currency) == (before.id, "ok", before.iban, before.currency)
    assert after.bank_account_id != before.bank_account_id
    assert len(story.transactions()) == rows, "the same rows are the same"
    assert len(story.accounts()) == 1


def a_day_is_over(scene: Scene) -> None:
    with scene.story.gateway.database.unit_of_work(scene.story.office.id) as session:
        row = session.get_one(Consent, scene.consent().id)
        row.valid_until = TODAY - timedelta(days=1)
        session.add(row)


def test_the_day_of_one_account_does_not_end_the_permission_of_the_others(scene: Scene) -> None:
    story, office_id = scene.story, scene.story.office.id
    a_day_is_over(scene)
    Dispatcher(story.gateway).run_office(office_id)
    assert scene.consent().state == "valid", "Ponto is asked first"
    story.banks.faults.order("status", endpoint="accounts", status=503, times=3)
    prolong_or_end(story.gateway, office_id, scene.consent().id)
    assert (scene.consent().state, scene.consent().valid_until) == ("valid", TODAY - timedelta(days=1))
    prolong_or_end(story.gateway, office_id, scene.consent().id)
    assert scene.consent().state == "valid"
    assert (scene.consent().valid_until or TODAY) > TODAY


def test_once_every_account_is_over_the_permission_is(scene: Scene) -> None:
    story, consent = scene.story, scene.at_ponto()
    for account_id in sorted(consent.account_ids["accounts"]):
        page = story.banks.simulator.ponto.ask(consent.consent_id, account_id, "https://gateway.example/back")
        story.banks.simulator.ponto.authorise(page, TODAY - timedelta(days=1))
    a_day_is_over(scene)
    prolong_or_end(story.gateway, story.office.id, scene.consent().id)
    assert (scene.consent().state, scene.consent().end_code) == ("expired", "consent_expired")
    assert scene.present().health == "you_act"
