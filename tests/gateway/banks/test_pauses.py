"""SYN-13: certificate faults from several clients of a bank stop that bank's schedule; other banks go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session

from connectors.simulator import FaultKind, SimulatorServer
from gateway.assembly import Gateway
from gateway.banks.pauses import CLIENTS_MIN, TRY_AGAIN_AFTER, Pauses, note_accepted, note_refused
from gateway.ids import new_id
from gateway.offices.service import OfficeService
from gateway.transactions import sync
from gateway.transactions.dispatch import Dispatcher
from tests.gateway.bank_to_coda.conftest import banks, linked, running_banks
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import NOW

__all__ = ["banks", "linked", "running_banks"]


def test_one_client_refused_stops_nothing_and_two_stop_the_bank_alone(gateway: Gateway) -> None:
    assert CLIENTS_MIN == 2
    client, other = new_id(), new_id()
    with gateway.database.unit_of_work(None) as session:
        for _ in range(3):
            note_refused(session, "crelan", client, NOW)
        assert not Pauses(session, NOW).holds("crelan")
        note_refused(session, "crelan", other, NOW)
        assert Pauses(session, NOW).holds("crelan")
        assert not Pauses(session, NOW).holds("kbc")
        note_accepted(session, "kbc")
        assert Pauses(session, NOW).holds("crelan")
        note_accepted(session, "crelan")
        assert not Pauses(session, NOW).holds("crelan")


def test_one_reading_is_tried_each_hour_whoever_looks(gateway: Gateway) -> None:
    with gateway.database.unit_of_work(None) as session:
        for client in (new_id(), new_id(), new_id()):
            note_refused(session, "crelan", client, NOW)
        later = NOW + TRY_AGAIN_AFTER
        assert Pauses(session, later - timedelta(seconds=1)).holds("crelan")
        first, second = Pauses(session, later), Pauses(session, later)
        assert not first.holds("crelan")
        assert first.holds("crelan"), "the one that was let through is the only one"
        assert second.holds("crelan"), "somebody else had looked at the same moment"
        assert not Pauses(session, later + TRY_AGAIN_AFTER).holds("crelan")


@pytest.fixture
def stories(linked: Gateway, banks: SimulatorServer) -> list[Story]:
    """Two clients of two offices at one bank, read once, on the day after."""
    found = [Story.begin(linked, banks) for _ in range(2)]
    for story in found:
        story.connect()
        story.work()
    found[0].sleep(days=1)
    OfficeService(linked).move_clock(found[1].office.id, seconds=86_400)
    return found


def planned(stories: list[Story], *, after: timedelta) -> list[int]:
    """How many readings each office plans, so long after the start."""
    moment = stories[0].gateway.real_now() + after
    dispatcher = Dispatcher(replace(stories[0].gateway, real_now=lambda: moment))
    return [dispatcher.run_office(story.office.id) for story in stories]


def test_planned_readings_wait_while_the_bank_refuses_us_and_go_on_by_themselves(
    stories: list[Story], banks: SimulatorServer
) -> None:
    banks.faults.order(
        FaultKind.STATUS, bank_id="crelan", endpoint="transactions", times=None, status=401, code="CERTIFICATE_EXPIRED"
    )
    assert planned(stories, after=timedelta(0)) == [1, 1]
    for story in stories:
        story.work()
    for story in stories:
        # By the clocks of the offices a repeat is due.
        OfficeService(story.gateway).move_clock(story.office.id, seconds=3_600)
    assert planned(stories, after=timedelta(minutes=59)) == [0, 0]
    assert planned(stories, after=timedelta(minutes=61)) == [1, 0]
    banks.faults.clear()
    stories[0].work()
    for story in stories:
        OfficeService(story.gateway).move_clock(story.office.id, seconds=86_400)
    assert planned(stories, after=timedelta(minutes=62)) == [1, 1]


def test_one_client_refused_is_read_again_as_any_other(stories: list[Story], banks: SimulatorServer) -> None:
    banks.faults.order(
        FaultKind.STATUS, bank_id="crelan", endpoint="transactions", times=None, status=401, code="CERTIFICATE_EXPIRED"
    )
    assert planned(stories[:1], after=timedelta(0)) == [1]
    stories[0].work()
    OfficeService(stories[0].gateway).move_clock(stories[0].office.id, seconds=3_600)
    assert planned(stories[:1], after=timedelta(minutes=1)) == [1]


def test_what_a_reading_stored_does_not_depend_on_the_end_of_a_pause(
    stories: list[Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_session: Session, _bank_id: str) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(sync, "note_accepted", broken)
    with pytest.raises(RuntimeError, match="killed"):
        stories[0].read(stories[0].accounts()[0])
    assert [str(one.state) for one in stories[0].queued()] == []
    monkeypatch.undo()
    before = stories[0].accounts()[0].fresh_as_of
    assert before is not None
    assert before.date() == stories[0].act.today


def test_a_reading_that_a_person_asks_for_goes_through(stories: list[Story], banks: SimulatorServer) -> None:
    with stories[0].gateway.database.unit_of_work(None) as session:
        for story in stories:
            note_refused(session, "crelan", story.client.id, story.gateway.real_now())
    assert planned(stories, after=timedelta(minutes=1)) == [0, 0]
    assert str(stories[0].read(stories[0].accounts()[0]).state) == "done"
    assert planned(stories, after=timedelta(minutes=2)) == [0, 1]
