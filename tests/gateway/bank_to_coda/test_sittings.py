"""One link for all permissions of a client: renewed one after the other, ending together, each can be stopped.

Requirements CON-12, CON-14.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from connectors.simulator import FaultKind, SimulatorServer
from gateway.assembly import Gateway
from gateway.consents.errors import ConsentNotFound, LinkNotValid, NothingToRenew
from gateway.consents.links import LINK_LIFE
from gateway.consents.models import Consent, ConsentSitting
from gateway.consents.service import ConsentService
from gateway.consents.sittings import PURPOSE, Sittings
from gateway.errors import NotFound
from gateway.identity.rights import OfficeRole
from gateway.notices.outbox import opened
from gateway.offices.models import ClientState
from gateway.offices.service import ClientService
from gateway.profiles.models import ClientProfile
from tests.gateway.bank_to_coda.story import BROWSER, PSU, Story
from tests.gateway.bank_to_coda.test_renewals import audited, give
from tests.gateway.builders import act_of_system, make_client, make_office, make_person

BANKS = ("crelan", "keytrade")


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    """A client with permissions at two banks, given ten days apart."""
    story = Story.begin(linked, banks)
    for bank_id in BANKS:
        connect_at(story, bank_id)
        story.sleep(days=10)
    return story


def connect_at(story: Story, bank_id: str) -> None:
    story.bank_id = bank_id
    view = story.authorise()
    service = ConsentService(story.gateway)
    rows = [row.id for row in service.offered(view.token, browser_secret=BROWSER) if row.kind == "current"]
    service.choose(view.token, browser_secret=BROWSER, consent_account_ids=rows[:1], psu=PSU)
    story.work()


def consents(story: Story, state: str = "valid") -> list[Consent]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(Consent).where(Consent.state == state).order_by(col(Consent.id))).all())


def link(story: Story) -> str:
    return Sittings(story.gateway).ask(story.act, story.client.id).url.rpartition("/")[2]


def renew_next(story: Story, token: str) -> Consent:
    """The account holder goes on with the first permission of the page."""
    sittings = Sittings(story.gateway)
    item = sittings.view(token).due[0]
    with story.gateway.database.unit_of_work(story.office.id) as session:
        story.bank_id = session.exec(select(Consent.bank_id).where(Consent.id == item.consent_id)).one()
    link_token = sittings.go_on(token, item.consent_id, psu=PSU)
    give(story, link_token)
    view = ConsentService(story.gateway).view_link(link_token)
    return next(consent for consent in consents(story) if consent.id == view.consent_id)


def test_one_link_renews_every_permission_and_they_end_together(story: Story) -> None:
    """CON-12: also those that are not due yet."""
    before = {consent.id: consent.valid_until for consent in consents(story)}
    assert len(set(before.values())) == 2
    token = link(story)
    assert [item.is_renewed for item in Sittings(story.gateway).view(token).items] == [False, False]
    first = renew_next(story, token)
    view = Sittings(story.gateway).view(token)
    assert [item.is_renewed for item in view.items] == [True, False]
    story.sleep(days=5)
    second = renew_next(story, token)
    view = Sittings(story.gateway).view(token)
    assert ([item.is_renewed for item in view.items], view.due) == ([True, True], [])
    assert first.valid_until == second.valid_until
    assert {first.replaces_id, second.replaces_id} == set(before)
    assert sorted(consent.id for consent in consents(story, "replaced")) == sorted(before)
    story.work()
    assert [account.health for account in story.accounts()] == ["ok", "ok"]


def test_permissions_of_banks_with_other_maxima_end_with_the_shortest(story: Story) -> None:
    """The longer one would have to be renewed at another time."""
    directory = story.gateway.banks
    original = directory.profile

    def shorter(bank_id: str) -> object:
        profile = original(bank_id)
        return replace(profile, consent_validity=timedelta(days=60)) if bank_id == "keytrade" else profile

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(directory, "profile", shorter)
        token = link(story)
        ends = {renew_next(story, token).valid_until for _ in BANKS}
    assert ends == {story.act.today + timedelta(days=59)}


def test_the_permission_that_ends_first_comes_first_and_an_ended_one_is_renewed_as_well(story: Story) -> None:
    older, newer = consents(story)
    story.banks.faults.order(FaultKind.CONSENT_REVOKED, bank_id="crelan", endpoint="transactions")
    account = next(row for row in story.accounts() if row.consent_id == older.id)
    assert story.read(account).error_code == "consent_ended"
    token = link(story)
    items = Sittings(story.gateway).view(token).items
    assert [(item.consent_id, item.is_active) for item in items] == [(older.id, False), (newer.id, True)]
    assert next(item.account_ends for item in items) == [account.iban[-4:]]
    story.banks.faults.clear()
    assert renew_next(story, token).replaces_id == older.id


def test_going_on_twice_leads_to_the_same_renewal(story: Story) -> None:
    sittings, token = Sittings(story.gateway), link(story)
    item = sittings.view(token).due[0]
    assert sittings.go_on(token, item.consent_id, psu=PSU) == sittings.go_on(token, item.consent_id, psu=PSU)
    assert len(consents(story, "created")) == 1
    assert sittings.view(token).due[0] == item, "begun is not renewed"


def test_the_link_ends_after_fourteen_days_and_is_kept_as_a_hash(story: Story) -> None:
    token = link(story)
    later = story.gateway.real_now() + LINK_LIFE
    with pytest.raises(LinkNotValid):
        Sittings(replace(story.gateway, real_now=lambda: later)).view(token)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        kept = session.exec(select(ConsentSitting)).one()
    secret = token.partition(".")[2]
    assert kept.token_hash == story.gateway.keys.keyed_hash(PURPOSE, secret)
    assert secret.encode() not in kept.link_cipher


@pytest.mark.parametrize("token", ["", "off_1.x", "wrong", "x" * 300])
def test_a_link_that_is_not_known_is_refused(story: Story, token: str) -> None:
    for wanted in (token, f"{link(story).partition('.')[0]}.{token}"):
        with pytest.raises(LinkNotValid):
            Sittings(story.gateway).view(wanted)


def test_a_link_opens_nothing_of_another_client_or_office(story: Story) -> None:
    sittings = Sittings(story.gateway)
    mine, (theirs, *_) = link(story), consents(story)
    story.client = make_client(story.gateway, story.office, now=story.now)
    connect_other(story)
    other = link(story)
    with pytest.raises(ConsentNotFound):
        sittings.go_on(other, theirs.id, psu=PSU)
    with pytest.raises(ConsentNotFound):
        sittings.stop(other, theirs.id, psu=PSU)
    assert theirs.id not in {item.consent_id for item in sittings.view(other).items}
    elsewhere = make_office(story.gateway)
    with pytest.raises(NotFound):
        sittings.ask(act_of_system(elsewhere, now=story.now), story.client.id)
    with pytest.raises(LinkNotValid):
        sittings.view(f"off_{mine[4:30]}.{other.partition('.')[2]}x")


def connect_other(story: Story) -> None:
    """Another holder at another bank."""
    connect_at(story, "vanbreda")


def test_a_client_without_permissions_has_nothing_to_renew(story: Story) -> None:
    client = make_client(story.gateway, story.office, now=story.now)
    with pytest.raises(NothingToRenew):
        Sittings(story.gateway).ask(story.act, client.id)


def with_contact(story: Story) -> None:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        session.add(
            ClientProfile(
                client_id=story.client.id, office_id=story.office.id, contact_email="an@example.test",
                contact_confirmed_at=story.gateway.real_now(), updated_at=story.gateway.real_now(),
            )
        )  # fmt: skip


def test_the_account_holder_stops_one_permission_and_office_and_contact_hear_of_it_once(story: Story) -> None:
    """CON-14."""
    admin = make_person(story.gateway, story.office, OfficeRole.ADMIN).user
    with_contact(story)
    sittings, token = Sittings(story.gateway), link(story)
    older, newer = consents(story)
    for _ in range(2):
        sittings.stop(token, older.id, psu=PSU)
    (stopped,) = consents(story, "revoked")
    assert (stopped.id, stopped.tokens_cipher, stopped.is_bank_end_due) == (older.id, None, True)
    assert len(audited(story, "consent.revoked")) == 1
    told = [(mail.template, mail.to) for mail in opened(story.gateway, story.office.id)]
    assert sorted(told) == [("consent_stopped", "an@example.test"), ("consent_stopped_office", admin.email)]
    assert [item.consent_id for item in sittings.view(token).active] == [newer.id]
    assert [item.consent_id for item in sittings.view(token).due] == [newer.id], "what was stopped is not offered again"


def test_an_end_at_the_bank_is_told_once(story: Story) -> None:
    """CON-14."""
    with_contact(story)
    older = consents(story)[0]
    story.banks.faults.order(FaultKind.CONSENT_REVOKED, bank_id="crelan", endpoint="transactions")
    account = next(row for row in story.accounts() if row.consent_id == older.id)
    story.read(account)
    assert [mail.template for mail in opened(story.gateway, story.office.id)] == ["consent_stopped"]


def test_a_suspended_client_renews_nothing_and_can_stop_everything(story: Story) -> None:
    sittings, token = Sittings(story.gateway), link(story)
    ClientService(story.gateway).change_state(story.act, story.client.id, ClientState.SUSPENDED)
    item = sittings.view(token).due[0]
    with pytest.raises(Exception, match="client_suspended"):
        sittings.go_on(token, item.consent_id, psu=PSU)
    sittings.stop(token, item.consent_id, psu=PSU)
    assert [consent.id for consent in consents(story, "revoked")] == [item.consent_id]
