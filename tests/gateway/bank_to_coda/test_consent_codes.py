"""An invitation opens with a code, in one browser, and five wrong codes in all end it (CON-06)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from connectors.simulator import SimulatorServer
from gateway.assembly import Gateway
from gateway.consents.errors import (
    AuthorisationNotOpen,
    ConsentNotFound,
    ContactMissing,
    InvitationCodeNeeded,
    InvitationCodeWrong,
    LinkNotValid,
    OtherBrowser,
)
from gateway.consents.inviting import TRIES_MAX, Invitations, Invited
from gateway.consents.links import LINK_LIFE
from gateway.consents.service import ConsentService
from gateway.ids import encode
from gateway.notices.outbox import opened
from tests.gateway.bank_to_coda.story import BROWSER, PSU, Story
from tests.gateway.bank_to_coda.test_renewals import audited, consent_of
from tests.gateway.bank_to_coda.test_rest import keyed, sign_in
from tests.gateway.bank_to_coda.test_sittings import with_contact
from tests.gateway.builders import act_of_system, make_office
from tests.gateway.serving import app_of


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def token(story: Story) -> str:
    return story.invite()


def invite(story: Story, token: str) -> Invited:
    consent_id = ConsentService(story.gateway).view_link(token).consent_id
    return Invitations(story.gateway).make(story.act, consent_id)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def enter(story: Story, token: str, code: str, browser: str = BROWSER) -> None:
    Invitations(story.gateway).enter(token, code, browser_secret=browser)


def test_a_link_without_invitation_needs_no_code(story: Story, token: str) -> None:
    assert not ConsentService(story.gateway).view_link(token, browser_secret=BROWSER).needs_code
    assert story.authorise(token).state == "valid"


def test_an_invitation_opens_with_its_code_only_and_in_that_browser(story: Story, token: str) -> None:
    invited, service = invite(story, token), ConsentService(story.gateway)
    assert invited.url.endswith(f"/link/{token}")
    assert len(invited.code) == 6
    assert invited.code.isdigit()
    assert service.view_link(token, browser_secret=BROWSER).needs_code
    with pytest.raises(InvitationCodeNeeded):
        service.begin(token, browser_secret=BROWSER, psu=PSU)
    enter(story, token, f"{invited.code[:3]} {invited.code[3:]}")
    assert not service.view_link(token, browser_secret=BROWSER).needs_code
    assert service.view_link(token, browser_secret="another browser").needs_code
    assert story.authorise(token).state == "valid"


def test_a_code_is_used_up_and_another_browser_needs_another_one(story: Story, token: str) -> None:
    invited = invite(story, token)
    enter(story, token, invited.code)
    with pytest.raises(InvitationCodeWrong):
        enter(story, token, invited.code, "another browser")
    enter(story, token, invite(story, token).code, "another browser")
    assert not ConsentService(story.gateway).view_link(token, browser_secret="another browser").needs_code


def test_what_the_bank_found_opens_in_another_browser_after_its_code(story: Story, token: str) -> None:
    """CON-07."""
    service = ConsentService(story.gateway)
    story.authorise(token)
    with pytest.raises(OtherBrowser):
        service.offered(token, browser_secret="another browser")
    enter(story, token, invite(story, token).code, "another browser")
    assert service.offered(token, browser_secret="another browser")
    assert service.offered(token, browser_secret=BROWSER), "and still where it was given"


@pytest.mark.parametrize("is_given", [False, True])
def test_five_wrong_codes_in_all_end_the_invitation(story: Story, token: str, is_given: bool) -> None:
    if is_given:
        story.authorise(token)
    codes = [invite(story, token).code for _ in range(2)]
    for number in range(1, TRIES_MAX):
        with pytest.raises(InvitationCodeWrong) as refused:
            enter(story, token, wrong(codes[-1]) if number > 1 else codes[0])
        assert refused.value.parameters["left"] == TRIES_MAX - number
        if number == 3:
            codes.append(invite(story, token).code)
    with pytest.raises(InvitationCodeWrong):
        enter(story, token, wrong(codes[-1]))
    consent_id = ConsentService(story.gateway).view_link(token).consent_id
    assert consent_of(story, consent_id).state == ("revoked" if is_given else "abandoned")
    with pytest.raises(LinkNotValid):
        enter(story, token, codes[-1])
    with pytest.raises(AuthorisationNotOpen):
        invite(story, token)
    assert len(audited(story, "consent.code_refused")) == TRIES_MAX


def test_the_code_of_one_invitation_opens_no_other(story: Story, token: str) -> None:
    mine, other = invite(story, token), story.invite()
    theirs = invite(story, other)
    if mine.code == theirs.code:
        theirs = invite(story, other)
    with pytest.raises(InvitationCodeWrong):
        enter(story, other, mine.code)
    assert mine.code.encode() not in (consent_of(story, mine.consent.id).code_hash or b"")


def test_an_invitation_ends_with_its_link(story: Story, token: str) -> None:
    invited = invite(story, token)
    assert invited.expires_at == story.gateway.real_now() + LINK_LIFE
    later = Invitations(replace(story.gateway, real_now=lambda: invited.expires_at))
    with pytest.raises(LinkNotValid):
        later.enter(token, invited.code, browser_secret=BROWSER)
    with pytest.raises(AuthorisationNotOpen):
        later.make(later.gateway.system_act(story.office.id), invited.consent.id)


def test_once_the_accounts_are_chosen_there_is_nothing_to_invite_to(story: Story) -> None:
    account = story.connect()
    assert account.consent_id is not None
    with pytest.raises(AuthorisationNotOpen):
        Invitations(story.gateway).make(story.act, account.consent_id)


def test_another_office_makes_no_code(story: Story, token: str) -> None:
    consent_id = ConsentService(story.gateway).view_link(token).consent_id
    with pytest.raises(ConsentNotFound):
        Invitations(story.gateway).make(act_of_system(make_office(story.gateway), now=story.now), consent_id)


def at_once(*works: Callable[[], None]) -> list[type[Exception] | None]:
    """What each ends with, begun together."""

    def end(work: Callable[[], None]) -> type[Exception] | None:
        try:
            work()
        except InvitationCodeWrong as error:
            return type(error)
        return None

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(end, works))


def test_of_two_browsers_that_give_a_code_at_once_one_gets_in(live: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(live, banks)
    token = story.invite()
    code = invite(story, token).code
    ends = at_once(lambda: enter(story, token, code, "one"), lambda: enter(story, token, code, "two"))
    assert sorted(map(str, ends)) == sorted([str(None), str(InvitationCodeWrong)])
    service = ConsentService(live)
    assert [service.view_link(token, browser_secret=name).needs_code for name in ("one", "two")].count(False) == 1


def test_wrong_codes_given_at_once_all_count(live: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(live, banks)
    token = story.invite()
    invited = invite(story, token)
    at_once(*[lambda: enter(story, token, wrong(invited.code))] * TRIES_MAX)
    assert consent_of(story, invited.consent.id).state == "abandoned"
    assert consent_of(story, invited.consent.id).code_tries == TRIES_MAX


def test_the_link_goes_to_the_confirmed_contact_and_the_code_never(story: Story, token: str) -> None:
    consent_id = ConsentService(story.gateway).view_link(token).consent_id
    with pytest.raises(ContactMissing):
        Invitations(story.gateway).make(story.act, consent_id, is_mailed=True)
    with_contact(story)
    invited = Invitations(story.gateway).make(story.act, consent_id, is_mailed=True)
    (mail,) = [one for one in opened(story.gateway, story.office.id) if one.template == "consent_invitation"]
    assert (mail.to, mail.language) == ("an@example.test", "nl")
    assert invited.url in mail.text
    assert invited.code not in mail.subject + mail.text


def test_over_rest_an_invitation_gives_address_and_code_once(story: Story, token: str) -> None:
    consent_id = encode("consent", ConsentService(story.gateway).view_link(token).consent_id)
    address = f"/v1/consents/{consent_id}/invitations"
    with TestClient(app_of(story.gateway)) as client:
        assert client.post(address, json={}).status_code == 401
        foreign = sign_in(story.gateway, make_office(story.gateway, name="Ander kantoor"), "consents")
        assert client.post(address, json={}, headers=keyed(foreign)).status_code == 404
        headers = sign_in(story.gateway, story.office, "consents")
        answer = client.post(address, json={}, headers=keyed(headers))
        assert answer.status_code == 201, answer.text
        assert answer.headers["cache-control"] == "no-store"
        told = answer.json()
        assert (told["consent_id"], told["is_mailed"]) == (consent_id, False)
        assert told["authorisation_url"].endswith(token)
        refused = client.post(address, json={"mail": True}, headers=keyed(headers))
        assert (refused.status_code, refused.json()["code"]) == (409, "contact_missing")
        assert told["code"] not in client.get(f"/v1/consents/{consent_id}", headers=headers).text
        enter(story, token, told["code"])
        story.choose(story.authorise(token))
        over = client.post(address, json={}, headers=keyed(headers))
        assert (over.status_code, over.json()["code"]) == (409, "authorisation_not_open")


def test_the_portal_hears_of_the_invitation_and_never_the_code(story: Story, token: str) -> None:
    invited = invite(story, token)
    enter(story, token, invited.code)
    for action in ("consent.invitation_made", "consent.invitation_opened"):
        (entry,) = audited(story, action)
        assert invited.code not in str(entry)
