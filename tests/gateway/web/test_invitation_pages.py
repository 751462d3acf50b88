"""The invitation on paper and its code: the office makes them, the entrepreneur opens the link with both (CON-06)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from gateway.consents.inviting import Invitations
from gateway.consents.service import ConsentService
from gateway.identity.rights import OfficeRole
from gateway.ids import encode
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import make_person
from tests.gateway.serving import app_of
from tests.gateway.web.conftest import ORIGIN, Browser
from tests.gateway.web.test_renewal_pages import banks, story

__all__ = ["banks", "story"]


@pytest.fixture
def browser(story: Story) -> Iterator[Browser]:
    headers = {"Accept-Language": "en"}
    with TestClient(app_of(story.gateway), base_url=ORIGIN, client=("203.0.113.9", 50000), headers=headers) as client:
        yield Browser(client, story.gateway)


def test_the_code_opens_the_invitation(browser: Browser, story: Story) -> None:
    token = story.invite()
    invited = Invitations(story.gateway).make(story.act, ConsentService(story.gateway).view_link(token).consent_id)
    text = browser.get(f"/link/{token}?language=en")
    assert "Type the code of Kantoor Test" in text
    assert story.client.name not in text
    wrong = f"{(int(invited.code) + 1) % 10**6:06d}"
    text = browser.post(f"/link/{token}/code", {"code": wrong}, 422)
    assert "4 more wrong codes end the invitation." in text
    text = browser.post(f"/link/{token}/code", {"code": invited.code})
    assert "May Kantoor Test read your accounts?" in text


def test_after_five_wrong_codes_the_page_says_that_it_is_over(browser: Browser, story: Story) -> None:
    token = story.invite()
    invited = Invitations(story.gateway).make(story.act, ConsentService(story.gateway).view_link(token).consent_id)
    wrong = f"{(int(invited.code) + 1) % 10**6:06d}"
    browser.get(f"/link/{token}?language=en")
    for status in (422, 422, 422, 422, 200):
        text = browser.post(f"/link/{token}/code", {"code": wrong}, status)
    assert "This permission is over" in text


def test_the_office_gets_a_page_to_print_and_the_code_apart_from_it(browser: Browser, story: Story) -> None:
    token = story.invite()
    consent_id = ConsentService(story.gateway).view_link(token).consent_id
    path = f"/consents/{encode('consent', consent_id)}/invitation"
    person = make_person(story.gateway, story.office, OfficeRole.ADMIN)
    browser.sign_in(person)
    assert f'action="{path}"' in browser.get(path)
    text = browser.post(path)
    printed = re.sub(r'<section class="sheet noprint".*?</section>', "", text, flags=re.DOTALL)
    (code,) = re.findall(r'<p class="figure">(\d{3} \d{3})</p>', text)
    assert f"{ORIGIN}/link/{token}" in printed
    assert "<svg" in printed
    assert code not in printed
    assert code.replace(" ", "") not in printed
    assert story.client.name in printed
    Invitations(story.gateway).enter(token, code, browser_secret="a browser")


def test_the_office_finds_the_evidence_at_the_permission(browser: Browser, story: Story) -> None:
    """CON-07."""
    account = story.accounts()[0]
    assert account.consent_id is not None
    path = f"/consents/{encode('consent', account.consent_id)}/evidence"
    browser.sign_in(make_person(story.gateway, story.office, OfficeRole.ADMIN))
    assert f'href="{path}"' in browser.get("/day")
    (address,) = re.findall(rf'href="({path}/[^"]+)"', browser.get(path))
    first, second = browser.client.get(address), browser.client.get(address)
    assert first.content.startswith(b"%PDF-")
    assert first.content == second.content
    assert ".pdf" in first.headers["content-disposition"]
