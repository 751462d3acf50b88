"""CON-10: reminders some days before the end, each once, one mail per client and day."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from sqlmodel import col, select

from connectors.simulator import SimulatorServer
from gateway.assembly import Gateway
from gateway.consents.calendar_file import calendar_file
from gateway.consents.reminding import HOUR, Reminders, calendar_entries, nearest_step
from gateway.consents.sittings import Sittings
from gateway.events.models import Event
from gateway.notices.outbox import Mail, opened
from gateway.offices.models import Client, ClientSettings, ClientState, Office
from gateway.offices.service import ClientService
from gateway.offices.template import APPROVAL_EXPIRY_DAYS, APPROVAL_REMINDERS
from gateway.profiles.models import ClientProfile
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_sittings import connect_at, consents, link, renew_next, with_contact


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    """A client with a confirmed contact and one permission."""
    story = Story.begin(linked, banks)
    with_contact(story)
    connect_at(story, "crelan")
    return story


def to_days_before_the_end(story: Story, days: int) -> None:
    """The clock goes there, at an hour at which people are awake."""
    (last,) = {consent.valid_until for consent in consents(story)} or {None}
    assert last is not None
    story.sleep(days=(last - story.act.today).days - days)


def remind(story: Story) -> int:
    return Reminders(story.gateway).run_office(story.office.id)


def mails(story: Story) -> Sequence[Mail]:
    return [mail for mail in opened(story.gateway, story.office.id) if mail.template == "consents_end"]


def events(story: Story) -> list[dict[str, object]]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        rows = session.exec(select(Event).where(Event.type == "consent.expiring").order_by(col(Event.position))).all()
    return [dict(row.data) for row in rows]


@pytest.mark.parametrize(
    ("days_left", "steps", "due"),
    [
        (15, (14, 7, 3, 0), None),
        (14, (14, 7, 3, 0), 14),
        (13, (14, 7, 3, 0), 14),
        (7, (14, 7, 3, 0), 7),
        (5, (14, 7, 3, 0), 7),
        (1, (14, 7, 3, 0), 3),
        (0, (14, 7, 3, 0), 0),
        (-1, (14, 7, 3, 0), None),
        (30, (30, 14), 30),
        (5, (), None),
        (2, (0,), None),
    ],
)
def test_the_nearest_step_is_due(days_left: int, steps: tuple[int, ...], due: int | None) -> None:
    assert nearest_step(days_left, steps) == due


def test_fourteen_seven_three_and_no_days_before_the_end_it_is_said_once_each(story: Story) -> None:
    to_days_before_the_end(story, 15)
    assert remind(story) == 0
    counts = []
    for _ in range(17):
        story.sleep()
        counts.append(remind(story))
        assert remind(story) == 0, "each once"
    assert [15 - 1 - index for index, count in enumerate(counts) if count] == [14, 7, 3, 0]
    assert [event["days_left"] for event in events(story)] == [14, 7, 3, 0]
    assert len(mails(story)) == 4


def test_the_mail_names_every_permission_and_leads_to_renewal_calendar_and_stop(story: Story) -> None:
    story.sleep(days=3)
    connect_at(story, "keytrade")
    first, second = consents(story)
    assert first.valid_until is not None
    assert second.valid_until is not None
    story.sleep(days=(first.valid_until - story.act.today).days - 14)
    assert remind(story) == 1, "the other one is not due yet"
    (mail,) = mails(story)
    assert (mail.to, mail.language) == ("an@example.test", story.client.language)
    for consent, name in ((first, "Crelan"), (second, "Keytrade")):
        assert re.search(rf"- {name}[^\n]*: {consent.valid_until:%d/%m/%Y}\n", mail.text)
    (token,) = set(re.findall(r"/renewal/([^/\s]+)", mail.text))
    assert len(Sittings(story.gateway).view(token).due) == 2
    assert f"/renewal/{token}/calendar.ics" in mail.text
    assert f"/renewal/{token}/active" in mail.text


def test_two_permissions_due_on_one_day_are_one_mail(story: Story) -> None:
    connect_at(story, "keytrade")
    to_days_before_the_end(story, 7)
    assert remind(story) == 2
    assert len(events(story)) == 2
    assert len(mails(story)) == 1


def test_after_a_standstill_only_the_nearest_step_is_made_up_for(story: Story) -> None:
    to_days_before_the_end(story, 5)
    assert remind(story) == 1
    assert [event["days_left"] for event in events(story)] == [5]
    story.sleep()
    assert remind(story) == 0
    story.sleep()
    assert remind(story) == 1, "the next step is its own"


def test_a_renewal_stops_those_that_are_outstanding(story: Story) -> None:
    to_days_before_the_end(story, 14)
    assert remind(story) == 1
    renew_next(story, link(story))
    for _ in range(15):
        story.sleep()
        assert remind(story) == 0
    assert len(mails(story)) == 1


def test_thirty_days_before_is_an_option_of_the_office_and_none_is_one_too(story: Story) -> None:
    settings = ClientSettings(
        client_id=story.client.id, office_id=story.office.id, statements_from="ask",
        consent_reminder_days=[30], approval_reminder_days=list(APPROVAL_REMINDERS),
        approval_expiry_days=APPROVAL_EXPIRY_DAYS, changed_at=story.now,
    )  # fmt: skip
    with story.gateway.database.unit_of_work(story.office.id) as session:
        session.add(settings)
    to_days_before_the_end(story, 30)
    assert remind(story) == 1
    story.sleep(days=30)
    assert remind(story) == 0


@pytest.mark.parametrize("why", ["suspended", "client service off", "office service off"])
def test_what_is_off_says_nothing(story: Story, why: str) -> None:
    to_days_before_the_end(story, 7)
    if why == "suspended":
        ClientService(story.gateway).change_state(story.act, story.client.id, ClientState.SUSPENDED)
    else:
        kind, row = (Client, story.client.id) if why.startswith("client") else (Office, story.office.id)
        with story.gateway.database.unit_of_work(story.office.id) as session:
            found = session.get_one(kind, row)
            found.services = ["payments"]
            session.add(found)
    assert remind(story) == 0
    assert (events(story), mails(story)) == ([], [])


def test_an_unconfirmed_contact_gets_no_mail_and_the_portal_its_event(story: Story) -> None:
    """DEL-13."""
    with story.gateway.database.unit_of_work(story.office.id) as session:
        profile = session.get_one(ClientProfile, story.client.id)
        profile.contact_confirmed_at = None
        session.add(profile)
    to_days_before_the_end(story, 7)
    assert remind(story) == 1
    assert (len(events(story)), mails(story)) == (1, [])


def test_a_permission_that_reads_no_account_any_more_is_not_reminded_of(story: Story) -> None:
    story.authorise()
    (chosen, unchosen) = consents(story)
    assert (chosen.chosen_at is not None, unchosen.chosen_at) == (True, None)
    to_days_before_the_end(story, 7)
    assert remind(story) == 1


def test_nothing_is_sent_at_night(story: Story) -> None:
    to_days_before_the_end(story, 7)
    hours = (24 - story.act.now.hour) % 24
    story.sleep(days=0, hours=hours)
    assert story.act.now.hour < HOUR
    assert remind(story) == 0


def test_the_calendar_file_holds_the_last_day_of_each_permission(story: Story) -> None:
    view = Sittings(story.gateway).view(link(story))
    text = calendar_file(calendar_entries(view, host="sluis.example"), now=story.now, language=view.language).decode()
    (consent,) = consents(story)
    assert consent.valid_until is not None
    assert f"DTSTART;VALUE=DATE:{consent.valid_until:%Y%m%d}\r\n" in text
    assert "Crelan" in text
    assert view.token not in text
    assert text.count("BEGIN:VEVENT") == 1
