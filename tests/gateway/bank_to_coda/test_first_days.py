"""OFF-10: without a day chosen per account, the client's settings, copied from the office's template, choose it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from connectors.simulator import SimulatorServer
from gateway.accounts.models import Account
from gateway.accounts.starts import quarter_start
from gateway.assembly import Gateway
from gateway.offices.settings import default_settings
from gateway.offices.template import StatementsFrom
from tests.gateway.bank_to_coda.story import Story


def read_with(story: Story, choice: StatementsFrom, *, chosen: int | None = None) -> Account:
    """The account after its first reading, with this choice in the client's settings."""
    with story.gateway.database.unit_of_work(story.office.id) as session:
        settings = default_settings(story.act, story.client.id)
        settings.statements_from, settings.version = choice.value, 1
        session.add(settings)
    account = story.connect(is_started=False)
    if chosen is not None:
        story.start(account, days=chosen)
    story.work()
    account = story.account(account.id)
    assert account.history_from is not None
    return account


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (StatementsFrom.ASK, lambda _first, _today: None),
        (StatementsFrom.QUARTER_START, lambda first, today: max(first, quarter_start(today))),
        (StatementsFrom.HISTORY_START, lambda first, _today: first),
        (StatementsFrom.CONNECTION_DAY, lambda _first, today: today),
    ],
)
def test_statements_begin_as_the_settings_of_the_client_say(
    linked: Gateway, banks: SimulatorServer, choice: StatementsFrom, wanted: Callable[[date, date], date | None]
) -> None:
    story = Story.begin(linked, banks)
    account = read_with(story, choice)
    assert account.history_from is not None
    assert account.statements_from == wanted(account.history_from, story.act.today)


def test_a_day_chosen_for_the_account_stays(linked: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(linked, banks)
    account = read_with(story, StatementsFrom.HISTORY_START, chosen=10)
    assert account.statements_from is not None
    assert (story.act.today - account.statements_from).days == 10
