"""The pages for all permissions of a client, in a browser without sign-in (CON-10, CON-12, CON-14)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from connectors.simulator import DEFAULT_BANKS, SimulatorConfig, SimulatorServer
from connectors.simulator.psu import approve
from gateway.assembly import Gateway
from gateway.consents.sittings import Sittings
from tests.gateway.bank_to_coda.conftest import TODAY
from tests.gateway.bank_to_coda.story import HOLDERS, Story, connect_to
from tests.gateway.bank_to_coda.test_sittings import connect_at, consents
from tests.gateway.serving import app_of
from tests.gateway.web.conftest import ORIGIN, Browser
from tests.gateway.web.test_link_pages import come_back


@pytest.fixture(scope="module")
def banks() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=DEFAULT_BANKS)) as server:
        yield server


@pytest.fixture
def story(gateway: Gateway, banks: SimulatorServer) -> Iterator[Story]:
    """A client with permissions at two banks."""
    banks.simulator.reset()
    settings = gateway.settings.model_copy(update={"base_url": ORIGIN})
    linked = connect_to(banks, replace(gateway, settings=settings))
    story = Story.begin(linked, banks)
    for bank_id in ("crelan", "keytrade"):
        connect_at(story, bank_id)
    yield story
    linked.banks.close()


@pytest.fixture
def psu(story: Story) -> Iterator[Browser]:
    headers = {"Accept-Language": "en"}
    with TestClient(app_of(story.gateway), base_url=ORIGIN, client=("203.0.113.9", 50000), headers=headers) as client:
        yield Browser(client, story.gateway)


@pytest.fixture
def path(story: Story) -> str:
    return Sittings(story.gateway).ask(story.act, story.client.id).url.removeprefix(ORIGIN)


def first_due(text: str) -> str:
    return re.findall(r'name="consent" value="([^"]+)"', text)[0]


def test_the_page_leads_through_the_banks_one_after_the_other(psu: Browser, story: Story, path: str) -> None:
    """CON-12."""
    text = psu.get(f"{path}?language=en")
    assert "at 2 banks, one after the other" in text
    for bank_id, left in (("crelan", "One bank is left."), ("keytrade", "All done, thank you")):
        ask = psu.post(path, {"consent": first_due(text)})
        assert "May Kantoor Test read on?" in ask
        assert "To all permissions" in ask
        (link,) = set(re.findall(r'action="(/link/[^"]+)"', ask))
        leave = re.search(r'content="0;url=([^"]+)"', psu.post(link))
        assert leave is not None
        choice = come_back(psu, approve(html.unescape(leave[1]), HOLDERS[bank_id]))
        ticked = [
            value
            for value, item in re.findall(r'name="account" value="([^"]+)" checked(.*?)</li>', choice, re.DOTALL)
            if "already connected" in item
        ]
        text = psu.post(f"{link}/accounts", {"account": ticked})
        assert left in text
    assert len({consent.valid_until for consent in consents(story)}) == 1


def test_every_permission_is_shown_and_stopped_there_after_a_question(psu: Browser, story: Story, path: str) -> None:
    """CON-14."""
    assert f'href="{path}/active"' in psu.get(f"{path}?language=en")
    text = psu.get(f"{path}/active")
    assert "What Kantoor Test may read" in text
    links = re.findall(rf'href="({re.escape(path)}/active/con_[^"]+)"', text)
    assert len(links) == 2
    assert "Stop the permission?" in psu.get(links[0])
    assert len(consents(story)) == 2, "looking stops nothing"
    text = psu.post(links[0])
    assert len(re.findall(rf'href="{re.escape(path)}/active/con_', text)) == 1
    assert [consent.state for consent in consents(story, "revoked")] == ["revoked"]
    psu.get(links[0], 404)
    psu.post(links[1])
    assert "Nothing is read" in psu.get(f"{path}/active")


@pytest.mark.parametrize("forged", ["token", "origin"])
def test_a_forged_stop_stops_nothing(psu: Browser, story: Story, path: str, forged: str) -> None:
    (link, *_) = re.findall(rf'href="({re.escape(path)}/active/con_[^"]+)"', psu.get(f"{path}/active"))
    if forged == "origin":
        psu.headers = {"Origin": "https://elsewhere.example"}
    psu.post(link, {"form_token": "x"} if forged == "token" else None, 403)
    assert len(consents(story)) == 2


def test_the_last_days_are_a_calendar_file(psu: Browser, story: Story, path: str) -> None:
    """CON-10."""
    response = psu.client.get(f"{path}/calendar.ics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/calendar")
    assert 'filename="sluis.ics"' in response.headers["content-disposition"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.content.count(b"BEGIN:VEVENT\r\n") == len(consents(story))


def test_a_link_that_does_not_work_says_so_on_every_page(psu: Browser, path: str) -> None:
    wrong = f"{path}x"
    for tail in ("", "/active", "/calendar.ics"):
        assert "This link does not work any more" in psu.get(f"{wrong}{tail}?language=en", 404)
