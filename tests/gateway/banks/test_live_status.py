"""CON-01: the directory says how each bank works just now."""

from __future__ import annotations

from connectors.simulator import FaultKind, SimulatorServer
from gateway.assembly import Gateway
from gateway.banks.pauses import note_refused
from gateway.banks.status import LiveState, live_statuses
from gateway.ids import new_id
from tests.gateway.bank_to_coda.conftest import banks, linked, running_banks  # noqa: F401  fixtures
from tests.gateway.bank_to_coda.story import Story


def state(story: Story) -> LiveState | None:
    act = story.act
    with story.gateway.database.unit_of_work(story.office.id) as session:
        found = live_statuses(session, act.office_id, now=act.now, real_now=act.real_now).get("crelan")
    return found.state if found is not None else None


def test_a_bank_is_as_its_newest_readings_found_it(linked: Gateway, banks: SimulatorServer) -> None:  # noqa: F811
    story = Story.begin(linked, banks)
    assert state(story) is None, "nothing was read there"
    account = story.connect()
    story.work()
    assert state(story) is LiveState.WORKING
    story.sleep(days=0, hours=1)
    banks.faults.order(FaultKind.STATUS, bank_id="crelan", endpoint="transactions", times=None, status=503)
    story.read(account)
    assert state(story) is LiveState.DISTURBED
    stranger = Story.begin(linked, banks)
    assert state(stranger) is None, "another office's readings tell nothing here"
    banks.faults.clear()
    story.sleep(days=0, hours=1)
    story.read(account)
    assert state(story) is LiveState.WORKING
    with linked.database.unit_of_work(None) as session:
        for _ in range(2):
            note_refused(session, "crelan", new_id(), linked.real_now())
    assert state(story) is LiveState.REFUSED
    assert state(stranger) is LiveState.REFUSED
