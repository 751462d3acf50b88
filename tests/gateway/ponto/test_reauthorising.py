"""CON-16: one account authorised anew: the office asks, its holder does it, and it is read while that one is here."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from connectors.model import PsuContext
from connectors.simulator import SimulatorServer
from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Sync
from gateway.assembly import Gateway
from gateway.consents.errors import CallbackNotValid, ConsentNotValid, LinkNotValid, ReauthorisationNotOffered
from gateway.consents.links import LINK_LIFE
from gateway.consents.models import Consent
from gateway.consents.reauthorising import Reauthorisations
from gateway.consents.service import ConsentService
from gateway.ids import new_id
from tests.gateway.bank_to_coda.conftest import TODAY, banks, linked, running_banks
from tests.gateway.bank_to_coda.story import BROWSER, PSU, Story
from tests.gateway.ponto.scene import Scene, running, scene
from tests.gateway.serving import app_of
from tests.gateway.web.conftest import ORIGIN, Browser

__all__ = ["banks", "linked", "running", "running_banks", "scene"]


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        return None


def decide(url: str, decision: str = "approve") -> str:
    """Where the browser is sent after the page of Ponto."""
    with pytest.raises(HTTPError) as redirect:
        build_opener(_Stay).open(Request(url, urlencode({"decision": decision}).encode(), method="POST"))
    with redirect.value as answer:
        return str(answer.headers["Location"])


def asked(scene: Scene) -> str:
    """The token of a link."""
    found = Reauthorisations(scene.story.gateway).ask(scene.story.act, scene.account.id)
    assert found.url.startswith(f"{scene.story.gateway.settings.base_url}/reauthorise/")
    return found.url.rpartition("/")[2]


def came_back(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def fails(scene: Scene) -> None:
    """The account's bank wants its holder, and a reading has noticed."""
    scene.story.banks.simulator.ponto.fail(scene.account.iban)
    scene.story.read(scene.account)
    assert (scene.present().health, scene.present().health_code) == ("you_act", "account_ended")


def readings(scene: Scene) -> list[Sync]:
    return list(scene.story.queued())


def test_the_holder_authorises_the_account_anew_and_it_is_read_at_once(scene: Scene) -> None:
    story, service = scene.story, Reauthorisations(scene.story.gateway)
    fails(scene)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        row = session.get_one(Consent, scene.consent().id)
        row.valid_until = TODAY + timedelta(days=3)
        session.add(row)
    story.banks.clock.advance(minutes=6)
    tokens = scene.consent().tokens_cipher
    link = asked(scene)
    view = service.view(link)
    assert (view.account_ends_with, view.bank_name, view.can_begin) == (scene.account.iban[-4:], "Ponto", True)
    url = service.begin(link, browser_secret=BROWSER, psu=PSU)
    service.receive(came_back(decide(url)), browser_secret=BROWSER, psu=PSU)
    assert scene.consent().valid_until == TODAY + timedelta(days=89), "as far as the office lets it"
    assert scene.consent().tokens_cipher == tokens, "the tokens stay"
    (sync,) = readings(scene)
    assert (sync.is_attended, sync.reason) == (True, "request")
    before = story.banks.simulator.ponto.begun()
    story.work()
    assert scene.present().health == "ok"
    assert story.banks.simulator.ponto.begun() == before + 1, "asked in the name of the person who is here"
    told = ("account.reauthorisation_asked", "account.reauthorisation_returned", "consent.prolonged")
    assert scene.events(*told) == list(told)


def test_cancelled_at_ponto_the_same_link_begins_again(scene: Scene) -> None:
    story, service = scene.story, Reauthorisations(scene.story.gateway)
    fails(scene)
    link = asked(scene)
    for decision, health in (("cancel", "you_act"), ("approve", "ok")):
        url = service.begin(link, browser_secret=BROWSER, psu=PSU)
        service.receive(came_back(decide(url, decision)), browser_secret=BROWSER, psu=PSU)
        story.work()
        assert scene.present().health == health


def test_the_return_counts_once_in_its_own_browser_and_within_the_hour(scene: Scene) -> None:
    story, service = scene.story, Reauthorisations(scene.story.gateway)
    link = asked(scene)
    params = came_back(decide(service.begin(link, browser_secret=BROWSER, psu=PSU)))
    late = Reauthorisations(replace(story.gateway, real_now=lambda: story.gateway.real_now() + timedelta(minutes=61)))
    for refusing, browser in ((service, "another browser"), (late, BROWSER)):
        with pytest.raises(CallbackNotValid):
            refusing.receive(params, browser_secret=browser, psu=PSU)
    assert not readings(scene)
    service.receive(params, browser_secret=BROWSER, psu=PSU)
    for again in (params, {}, {"state": "invented"}):
        with pytest.raises(CallbackNotValid):
            service.receive(again, browser_secret=BROWSER, psu=PSU)
    with pytest.raises(CallbackNotValid):
        ConsentService(story.gateway).receive(params, browser_secret=BROWSER, psu=PSU)


def test_a_link_ends_after_14_days_and_with_the_permission(scene: Scene) -> None:
    story, service = scene.story, Reauthorisations(scene.story.gateway)
    link = asked(scene)
    moment = story.gateway.real_now() + LINK_LIFE
    late = Reauthorisations(replace(story.gateway, real_now=lambda: moment))
    for refusing, token in ((late, link), (service, "invented")):
        with pytest.raises(LinkNotValid):
            refusing.view(token)
    ConsentService(story.gateway).revoke(story.act, scene.consent().id)
    assert not service.view(link).can_begin
    with pytest.raises(ConsentNotValid):
        service.begin(link, browser_secret=BROWSER, psu=PSU)
    with pytest.raises(ConsentNotValid):
        service.ask(story.act, scene.account.id)


def test_a_link_of_an_account_opens_no_consent_and_the_other_way_round(scene: Scene) -> None:
    story = scene.story
    with pytest.raises(LinkNotValid):
        ConsentService(story.gateway).view_link(asked(scene))
    with pytest.raises(LinkNotValid):
        Reauthorisations(story.gateway).view(story.invite())
    with pytest.raises(AccountNotFound):
        Reauthorisations(story.gateway).ask(story.act, UUID(int=new_id().int))


def test_where_a_permission_covers_its_accounts_together_there_is_none(linked: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(linked, banks, "crelan")
    account = story.connect()
    with pytest.raises(ReauthorisationNotOffered):
        Reauthorisations(linked).ask(story.act, account.id)


@pytest.fixture
def holder(scene: Scene) -> Iterator[Browser]:
    """The account holder's browser, which speaks English."""
    settings = scene.story.gateway.settings.model_copy(update={"base_url": ORIGIN})
    scene.story.gateway = replace(scene.story.gateway, settings=settings)
    headers = {"Accept-Language": "en"}
    with TestClient(
        app_of(scene.story.gateway), base_url=ORIGIN, client=("203.0.113.9", 5000), headers=headers
    ) as client:
        yield Browser(client, scene.story.gateway)


def test_the_pages_lead_there_and_back(scene: Scene, holder: Browser) -> None:
    """The account holder sees office, client and the last digits of the number."""
    fails(scene)
    link = asked(scene)
    response = holder.client.get(f"/reauthorise/{link}?language=en")
    for words in ("Kantoor Test", scene.story.client.name, "Ponto", scene.account.iban[-4:], "Your other accounts"):
        assert words in response.text
    assert scene.account.iban[4:12] not in response.text.replace(" ", "")
    assert (response.headers["referrer-policy"], response.headers["cache-control"]) == ("no-referrer", "no-store")
    holder.get(f"/reauthorise/{link}?language=en")
    holder.post(f"/reauthorise/{link}", {"form_token": "forged"}, status=403)
    holder.get(f"/reauthorise/{link}?language=en")
    found = re.search(r'content="0;url=([^"]+)"', holder.post(f"/reauthorise/{link}"))
    assert found is not None
    parts = urlsplit(decide(html.unescape(found[1])))
    text = holder.get(f"{parts.path}?{parts.query}")
    assert "You are back from Ponto" in text
    assert scene.account.iban[-4:] in text
    assert readings(scene)[0].is_attended
    holder.get(f"{parts.path}?{parts.query}", status=400)
    holder.get("/reauthorise/invented", status=404)


def test_the_link_speaks_the_language_of_its_permission_and_says_when_it_is_over(scene: Scene, holder: Browser) -> None:
    link = asked(scene)
    assert '<html lang="nl">' in holder.get(f"/reauthorise/{link}")
    ConsentService(scene.story.gateway).revoke(scene.story.act, scene.consent().id)
    assert "This permission is over" in holder.get(f"/reauthorise/{link}?language=en")


def test_no_address_is_invented(scene: Scene) -> None:
    """CON-16: what is asked of Ponto is asked in the name of the person whose browser it is."""
    service, kept = Reauthorisations(scene.story.gateway), PsuContext("198.51.100.9", "another browser", "fr")
    link = asked(scene)
    service.receive(
        came_back(decide(service.begin(link, browser_secret=BROWSER, psu=PSU))), browser_secret=BROWSER, psu=kept
    )
    seen: list[PsuContext | None] = []
    connector = scene.story.gateway.banks.connector("ponto")
    start = connector.start_synchronisation

    def noting(access: object, bank_account_id: str) -> object:
        seen.append(getattr(access, "psu", None))
        return start(access, bank_account_id)  # type: ignore[arg-type]

    connector.start_synchronisation = noting  # type: ignore[method-assign, assignment]
    scene.story.work()
    assert seen == [kept]
