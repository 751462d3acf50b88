"""The entrepreneur's road through the link, on simulated banks: every way it can end, in plain words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from connectors.simulator import DEFAULT_BANKS, SimulatorConfig, SimulatorServer, every_bank
from connectors.simulator.psu import approve, cancel
from gateway.assembly import Gateway
from gateway.consents.inviting import Invitations
from gateway.consents.service import ConsentService
from gateway.cookies import LINK
from tests.gateway.bank_to_coda.conftest import TODAY
from tests.gateway.bank_to_coda.story import HOLDERS, Story, connect_to
from tests.gateway.serving import app_of
from tests.gateway.web.conftest import ORIGIN, Browser


@pytest.fixture(scope="session")
def running_banks() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=DEFAULT_BANKS)) as server:
        yield server


@pytest.fixture
def story(gateway: Gateway, running_banks: SimulatorServer) -> Iterator[Story]:
    """A client with a link to be opened; the call-back leads to this test's browser."""
    running_banks.simulator.reset()
    settings = gateway.settings.model_copy(update={"base_url": ORIGIN})
    linked = connect_to(running_banks, replace(gateway, settings=settings))
    yield Story.begin(linked, running_banks)
    linked.banks.close()


@pytest.fixture
def psu(story: Story) -> Iterator[Browser]:
    """The entrepreneur's browser, which speaks English."""
    headers = {"Accept-Language": "en"}
    with TestClient(app_of(story.gateway), base_url=ORIGIN, client=("203.0.113.9", 50000), headers=headers) as client:
        yield Browser(client, story.gateway)


def leave(psu: Browser, token: str) -> str:
    """Open the link, continue, and give the bank's address."""
    psu.get(f"/link/{token}?language=en")
    text = psu.post(f"/link/{token}")
    found = re.search(r'content="0;url=([^"]+)"', text)
    assert found is not None, text
    return html.unescape(found[1])


def come_back(psu: Browser, url: str, status: int = 200) -> str:
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == ORIGIN
    return psu.get(f"{parts.path}?{parts.query}", status)


def test_the_page_says_who_asks_what_until_when_and_how_to_stop(psu: Browser, story: Story) -> None:
    token = story.invite()
    response = psu.client.get(f"/link/{token}?language=en")
    for words in ("Kantoor Test", story.client.name, "Crelan", "Until when", "How to stop", "What is read"):
        assert words in response.text
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"
    assert "IBAN" not in response.text


def test_the_page_names_who_asks_the_bank_where_it_is_known(
    psu: Browser, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CON-04."""
    assert "Who asks the bank" not in psu.get(f"/link/{story.invite()}?language=en")
    monkeypatch.setattr(story.gateway.banks, "licence_holder", {"crelan": "Verzonnen Partner NV"}.get)
    assert "Verzonnen Partner NV, on its licence, for Kantoor Test." in psu.get(f"/link/{story.invite()}?language=en")


@pytest.fixture
def at_kbc(gateway: Gateway) -> Iterator[Story]:
    """A client of a bank whose consents cannot be read."""
    (kbc,) = [bank for bank in every_bank() if bank.bank_id == "kbc"]
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=(kbc,))) as server:
        settings = gateway.settings.model_copy(update={"base_url": ORIGIN})
        linked = connect_to(server, replace(gateway, settings=settings))
        yield Story.begin(linked, server, "kbc")
        linked.banks.close()


def test_a_second_signatory_is_waited_for_where_the_bank_tells_it_by_the_accounts_alone(at_kbc: Story) -> None:
    """CON-07."""
    simulator = at_kbc.banks.simulator
    simulator.faults.order("joint_signature", bank_id="kbc")
    token = at_kbc.invite()
    headers = {"Accept-Language": "en"}
    app = app_of(at_kbc.gateway)
    with TestClient(app, base_url=ORIGIN, client=("203.0.113.9", 50000), headers=headers) as client:
        psu = Browser(client, at_kbc.gateway)
        address = approve(leave(psu, token))
        assert "somebody else must approve" in come_back(psu, address, 409)
        (consent,) = simulator.consents.listing()
        simulator.consents.sign(simulator.banks["kbc"], consent)
        assert 'name="account"' in psu.get(f"/link/{token}")


def test_the_first_readings_are_shown_to_the_one_who_waits(psu: Browser, story: Story) -> None:
    """SYN-01: count, period and balance check of each account; while one is being read, one can look again."""
    token = story.invite()
    text = come_back(psu, approve(leave(psu, token), HOLDERS["crelan"]))
    ticked = re.findall(r'name="account" value="([0-9a-f-]+)" checked', text)
    text = psu.post(f"/link/{token}/accounts", {"account": ticked})
    assert "Being read" in text
    assert f'/link/{token}/done">See how far it is' in text
    for account in story.accounts():
        story.start(account)
    story.work()
    rows = story.transactions()
    text = psu.get(f"/link/{token}/done")
    assert "See how far it is" not in text
    for account in story.accounts():
        count = sum(row.account_id == account.id for row in rows)
        assert f"{count} transactions from" in text
    assert "The bank’s balance was read; the next reading confirms it." in text
    story.sleep()
    for account in story.accounts():
        story.read(account)
    assert "The bank’s balance confirms them." in psu.get(f"/link/{token}/done")
    other = TestClient(psu.client.app, base_url=ORIGIN, headers={"Accept-Language": "en"})
    assert "transactions from" not in other.get(f"/link/{token}/done").text, "of the browser that chose only"


def test_the_link_speaks_the_language_it_was_made_in(psu: Browser, story: Story) -> None:
    assert '<html lang="nl">' in psu.get(f"/link/{story.invite()}")


def test_accounts_are_chosen_and_read_after_the_permission(psu: Browser, story: Story) -> None:
    story.bank_id = "vanbreda"
    token = story.invite()
    text = come_back(psu, approve(leave(psu, token), HOLDERS["vanbreda"]))
    assert "Which accounts may Kantoor Test read?" in text
    assert "This is a savings account; only current accounts can be connected." in text
    ticked = re.findall(r'name="account" value="([0-9a-f-]+)" checked', text)
    refused = re.findall(r'name="account" value="([0-9a-f-]+)" disabled', text)
    assert ticked
    assert refused
    assert "Choose at least one account" in psu.post(f"/link/{token}/accounts", {"account": []}, 422)
    assert "Only current accounts can be connected" in psu.post(f"/link/{token}/accounts", {"account": refused}, 422)
    assert not story.accounts()
    text = psu.post(f"/link/{token}/accounts", {"account": ticked})
    assert "Done, thank you" in text
    assert len(story.accounts()) == len(ticked)
    assert len(story.queued()) == len(ticked)


def test_the_account_holder_moves_the_accounts_here_on_a_day(psu: Browser, story: Story) -> None:
    """OFF-05: asked of everybody alike, whoever else has the accounts."""
    token = story.invite()
    text = come_back(psu, approve(leave(psu, token), HOLDERS[story.bank_id]))
    ticked = re.findall(r'name="account" value="([^"]+)" checked', text)[:1]
    assert 'value="add" checked' in text
    choice = {"account": ticked, "others": "move"}
    assert "Choose a day of the move" in psu.post(f"/link/{token}/accounts", choice | {"move_on": "soon"}, 422)
    psu.post(f"/link/{token}/accounts", choice | {"move_on": story.act.today.isoformat()})
    (account,) = story.accounts()
    assert account.takes_over_on == story.act.today


def test_a_cancelled_permission_can_be_started_again(psu: Browser, story: Story) -> None:
    token = story.invite()
    text = come_back(psu, cancel(leave(psu, token), HOLDERS["crelan"]))
    assert "The permission was not given." in text
    assert "Continue to Crelan" in text
    assert "Which accounts" in come_back(psu, approve(leave(psu, token), HOLDERS["crelan"]))


def test_a_callback_counts_once_and_in_its_browser_only(psu: Browser, story: Story) -> None:
    back = approve(leave(psu, story.invite()), HOLDERS["crelan"])
    kept = psu.client.cookies[LINK]
    psu.client.cookies.delete(LINK)
    assert "does not belong to an open authorisation" in come_back(psu, back, 400)
    psu.client.cookies.set(LINK, kept, path="/")
    come_back(psu, back)
    assert "does not belong to an open authorisation" in come_back(psu, back, 400)


def test_the_accounts_do_not_open_in_another_browser(psu: Browser, story: Story) -> None:
    token = story.invite()
    come_back(psu, approve(leave(psu, token), HOLDERS["crelan"]))
    psu.client.cookies.delete(LINK)
    assert "Go on in the other browser" in psu.get(f"/link/{token}")
    text = psu.get(f"/link/{token}/accounts", 403)
    assert "This was started in another browser" in text
    assert not re.search(r"BE\d\d", text)


def test_an_unknown_or_used_up_link_says_so(psu: Browser, story: Story) -> None:
    assert "This link does not work any more" in psu.get("/link/nobody?language=en", 404)
    token = story.invite()
    view = ConsentService(story.gateway).view_link(token)
    ConsentService(story.gateway).revoke(story.act, view.consent_id)
    text = psu.get(f"/link/{token}?language=en")
    assert "This permission is over" in text
    assert "Continue to" not in text


@pytest.mark.parametrize("forged", ["token", "origin"])
def test_a_forged_start_reaches_no_bank(psu: Browser, story: Story, forged: str) -> None:
    token = story.invite()
    psu.get(f"/link/{token}")
    if forged == "origin":
        psu.headers = {"Origin": "https://elsewhere.example"}
    psu.post(f"/link/{token}", {"form_token": "x"} if forged == "token" else None, 403)
    assert ConsentService(story.gateway).view_link(token).state == "created"


def test_a_page_without_referrer_is_told_apart_by_fetch_metadata(psu: Browser, story: Story) -> None:
    """Browsers send `Origin: null` from a page that hides its address; Sec-Fetch-Site says the rest."""
    token = story.invite()
    psu.get(f"/link/{token}")
    psu.headers = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}
    psu.post(f"/link/{token}", status=403)
    psu.headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    psu.post(f"/link/{token}")


def renewal_of(story: Story) -> str:
    """The link of a renewal of the consent that reads the only account."""
    (account,) = story.accounts()
    _, url = ConsentService(story.gateway).create(
        story.act, client_id=story.client.id, bank_id=story.bank_id, language="nl", replaces=account.consent_id
    )
    return url.rpartition("/")[2]


def test_a_renewal_says_that_the_present_permission_works_on(psu: Browser, story: Story) -> None:
    """CON-11."""
    account = story.connect()
    story.sleep(days=70)
    token = renewal_of(story)
    text = psu.get(f"/link/{token}?language=en")
    assert "May Kantoor Test read on?" in text
    assert "It works on until the new one is given" in text
    text = come_back(psu, approve(leave(psu, token), HOLDERS[story.bank_id]))
    assert "already connected" in text
    assert "Does another accountant" not in text
    ticked = re.findall(r'name="account" value="([^"]+)" checked', text)
    assert "read on from where they were" in psu.post(f"/link/{token}/accounts", {"account": ticked})
    assert story.account(account.id).consent_id == ConsentService(story.gateway).view_link(token).consent_id


def test_a_changed_account_is_asked_about_at_a_renewal(
    psu: Browser, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CON-11: replaced or added, gone or still wanted; what was said stays on the page after a refusal."""
    account = story.connect()
    story.sleep(days=70)
    token = renewal_of(story)
    connector = story.gateway.banks.connector(story.bank_id)
    original = connector.accounts
    monkeypatch.setattr(
        connector,
        "accounts",
        lambda *given: [
            replace(one, iban="BE71096123456769") if one.iban == account.iban else one for one in original(*given)
        ],
    )
    text = come_back(psu, approve(leave(psu, token), HOLDERS[story.bank_id]))
    digits = account.iban[-4:]
    assert f"The bank no longer shows the account that ends with {digits}" in text
    assert f"replaces the one that ends with {digits}" in text
    assert account.iban not in text.replace(" ", "")
    (offered,) = re.findall(r'name="new-([^"]+)"', text)
    choice = {"account": [offered], f"missing-{account.id}": "wanted", f"new-{offered}": ""}
    text = psu.post(f"/link/{token}/accounts", choice, 422)
    assert "Say of each account that is not as before what became of it" in text
    assert re.search(r'value="wanted" checked', text)
    assert len(story.accounts()) == 1
    assert "Done, thank you" in psu.post(f"/link/{token}/accounts", choice | {f"new-{offered}": "added"})
    assert len(story.accounts()) == 2


def test_an_account_of_another_holder_waits_until_the_code_and_a_word_prove_it(psu: Browser, story: Story) -> None:
    """CON-08: the page says why it waits; the office's page shows nothing of it."""
    story.banks.faults.order("other_holder", bank_id="crelan", name="Verhelst Astrid", times=None)
    token = story.invite()
    text = come_back(psu, approve(leave(psu, token), HOLDERS["crelan"]))
    ticked = re.findall(r'name="account" value="([0-9a-f-]+)" checked', text)
    text = psu.post(f"/link/{token}/accounts", {"account": ticked})
    assert f"Do these accounts belong to {story.client.name}?" in text
    assert "The bank names Verhelst Astrid as its holder." in text
    assert 'name="relation"' not in text, "first the code"
    invited = Invitations(story.gateway).make(story.act, ConsentService(story.gateway).view_link(token).consent_id)
    wrong = f"{(int(invited.code) + 1) % 10**6:06d}"
    assert "these accounts are left out" in psu.post(f"/link/{token}/code", {"code": wrong}, 422)
    text = psu.post(f"/link/{token}/code", {"code": invited.code})
    (address,) = set(re.findall(r'action="(/link/[^"]+/proof/[^"]+)"', text))
    assert "Say how the account belongs to the company" in psu.post(address, {"relation": ""}, 422)
    assert not story.accounts()
    text = psu.post(address, {"relation": "owner"})
    assert "Done, thank you" in text
    assert [account.holder_name for account in story.accounts()] == ["Verhelst Astrid"]


def test_what_does_not_belong_is_left_out(psu: Browser, story: Story) -> None:
    """CON-08."""
    story.banks.faults.order("other_holder", bank_id="crelan", times=None)
    token = story.invite()
    text = come_back(psu, approve(leave(psu, token), HOLDERS["crelan"]))
    ticked = re.findall(r'name="account" value="([0-9a-f-]+)" checked', text)
    text = psu.post(f"/link/{token}/accounts", {"account": ticked})
    (address,) = set(re.findall(r'action="(/link/[^"]+/proof/[^"]+)"', text))
    assert "Almost done" in psu.get(f"/link/{token}/done")
    text = psu.post(address, {"leave_out": "1"})
    assert "Almost done" not in text
    assert not story.accounts()
