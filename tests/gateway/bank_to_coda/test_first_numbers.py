"""STA-20, OFF-01: the first file of an account continues the numbers of the package."""

from __future__ import annotations

import pytest

from connectors.simulator import SimulatorServer
from gateway.assembly import Gateway
from gateway.ids import new_id
from gateway.offices.settings import default_settings
from gateway.profiles.models import KnownAccount
from tests.gateway.bank_to_coda.story import Story


@pytest.mark.parametrize(
    ("stated", "years_ago", "wanted"), [(212, 0, 212), (212, 1, 7), (None, 0, 7)],
)  # fmt: skip
def test_files_begin_at_the_number_that_was_stated(
    linked: Gateway, banks: SimulatorServer, stated: int | None, years_ago: int, wanted: int
) -> None:
    """For the IBAN first, then the client's settings; a number stated last year is none of this year's."""
    story = Story.begin(linked, banks)
    account = story.connect()
    with linked.database.unit_of_work(story.office.id) as session:
        settings = default_settings(story.act, story.client.id)
        settings.first_coda_number, settings.version = 7, 1
        created = story.now.replace(year=story.now.year - years_ago)
        known = KnownAccount(
            id=new_id(), office_id=story.office.id, client_id=story.client.id, iban=account.iban,
            next_coda_number=stated, created_at=created,
        )  # fmt: skip
        session.add_all([settings, known])
    story.work()
    story.sleep()
    story.read(story.account(account.id))
    numbers = [row.number for row in story.statements("issued")]
    assert numbers == list(range(wanted, wanted + len(numbers)))
    assert numbers
