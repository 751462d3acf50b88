"""API-08: each change is one event, in its own transaction, in order, without personal data."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import col, select

from connectors.simulator import FaultKind, SimulatorServer
from gateway.approvals.schemas import Verdict
from gateway.assembly import Gateway
from gateway.embedded import OWNER, EmbeddedPostgres
from gateway.errors import NotFound, RightsError
from gateway.events import catalogue
from gateway.events.errors import CursorExpired, EventNotFound
from gateway.events.models import Event
from gateway.events.service import EventService
from gateway.ids import new_id
from gateway.offices.models import ClientState, Office
from gateway.offices.service import ClientService
from gateway.pagination import PageRequest
from gateway.transactions.dispatch import Dispatcher
from tests.gateway.bank_to_coda.conftest import banks, linked, running_banks
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.payments.scene import Scene, make_scene

__all__ = ["banks", "linked", "running_banks"]

ALL = PageRequest(500, None)


def log_of(gateway: Gateway, office: Office) -> Sequence[Event]:
    with gateway.database.unit_of_work(office.id) as session:
        return session.exec(select(Event).order_by(col(Event.position))).all()


def counts(gateway: Gateway, office: Office) -> Counter[str]:
    return Counter(event.type for event in log_of(gateway, office))


def test_the_road_from_bank_to_coda_tells_each_step_once(linked: Gateway, banks: SimulatorServer) -> None:
    """API-08: client, consent, account, sync, transaction, statement, coda."""
    story = Story.begin(linked, banks)
    account = story.connect()
    story.work()
    story.sleep(days=1)
    assert story.read(account).state == "done"
    told = counts(linked, story.office)
    for once in ("client.created", "consent.created", "consent.authorised", "account.connected"):  # fmt: skip
        assert told[once] == 1, once
    assert told["sync.succeeded"] == 2
    issued = story.statements("issued")
    assert issued
    assert told["statement.issued"] == told["coda.ready"] == len(issued)
    assert told["sync.failed"] == 0
    added = [event for event in log_of(linked, story.office) if event.type == "transaction.added"]
    assert sum(event.data["count"] for event in added) == len(story.transactions())
    assert {event.client_id for event in added} == {story.client.id}


def test_a_failed_reading_and_a_held_day_are_told(linked: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(linked, banks)
    account = story.connect()
    story.work()
    story.banks.faults.order(FaultKind.WRONG_BALANCE, account=account.iban, amount="0.07", times=None)
    story.sleep(days=1)
    story.read(account)
    held = story.statements("held")
    told = counts(linked, story.office)
    assert told["statement.held"] == len(held) > 0
    story.banks.faults.order("status", bank_id="crelan", endpoint="transactions", status=503, times=None)
    assert story.read(account).state == "failed"
    (failed,) = (event for event in log_of(linked, story.office) if event.type == "sync.failed")
    assert failed.data["code"] == "bank_unavailable"
    assert counts(linked, story.office)["statement.held"] == len(held), "told once"


def test_an_ended_consent_is_told(linked: Gateway, banks: SimulatorServer) -> None:
    story = Story.begin(linked, banks)
    story.connect()
    story.work()
    story.sleep(days=200)
    Dispatcher(linked).run_office(story.office.id)
    told = counts(linked, story.office)
    assert told["consent.expired"] + told["consent.revoked"] == 1
    assert told["account.health_changed"] >= 2


def test_the_road_from_basket_to_export_tells_each_step_once(gateway: Gateway) -> None:
    """API-08: basket, payment, approval, export."""
    scene = _ruled(gateway)
    basket, payments = scene.submitted(scene.wish(), scene.wish(), scene.wish())
    scene.approve("first", *payments[:2])
    scene.approve("second", *payments[:2])
    scene.decide("first", payments[2], Verdict.REJECT)
    (export,) = scene.export(basket)
    scene.download(export)
    told = counts(gateway, scene.office)
    assert {name: told[name] for name in told if name.partition(".")[0] not in ("client", "account")} == {
        "basket.created": 1,
        "payment.created": 3,
        "basket.submitted": 1,
        "payment.submitted": 3,
        "approval.requested": 3,
        "basket.approved": 1,
        "basket.processing": 1,
        "approval.given": 4,
        "payment.approved": 2,
        "approval.rejected": 1,
        "payment.rejected": 1,
        "export.created": 1,
        "payment.exported": 2,
        "export.downloaded": 1,
    }


def test_the_events_of_an_object_are_in_the_order_of_its_changes(gateway: Gateway) -> None:
    scene = _ruled(gateway)
    basket, (payment,) = scene.submitted()
    scene.approve("first", payment)
    scene.approve("second", payment)
    scene.export(basket)
    of_payment = [event.type for event in log_of(gateway, scene.office) if event.object_id == payment.id]
    assert of_payment == [
        "payment.created", "approval.requested", "payment.submitted", "approval.given", "approval.given",
        "payment.approved", "payment.exported",
    ]  # fmt: skip
    positions = [event.position for event in log_of(gateway, scene.office)]
    assert positions == list(range(1, len(positions) + 1))


def test_no_event_holds_personal_data(gateway: Gateway) -> None:
    """SEC-07: no names, account numbers, amounts, texts."""
    scene = _ruled(gateway)
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    scene.approve("first", *payments)
    scene.approve("second", *payments)
    scene.export(basket)
    rows = json.dumps([event.model_dump(mode="json") for event in log_of(gateway, scene.office)])
    secrets = [scene.client.name, "Leveranciers", "Factuur", "250.00", "example.test"]
    secrets += [scene.accounts[0].iban, *(payment.creditor_iban for payment in payments)]
    secrets += [payment.creditor_name for payment in payments]
    assert not [secret for secret in secrets if secret in rows]


@pytest.mark.parametrize("value", ["Bakkerij Voorbeeld BV", "a@b.example", 1.5, object(), "x" * 81, "Ünal", {"a": 1}])
def test_a_value_that_could_be_personal_is_refused_where_it_is_recorded(gateway: Gateway, value: Any) -> None:
    office = make_office(gateway)
    with gateway.database.unit_of_work(office.id) as session, pytest.raises(TypeError):
        gateway.events.record(
            session, act_of_system(office), "client.changed", "client", new_id(), data={"value": value}
        )


def test_what_is_rolled_back_has_no_event(gateway: Gateway) -> None:
    office = make_office(gateway)

    def fail() -> None:
        with gateway.database.unit_of_work(office.id) as session:
            gateway.events.record(session, act_of_system(office), "client.changed", "client", new_id())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert log_of(gateway, office) == []
    client = make_client(gateway, office)
    assert [event.position for event in log_of(gateway, office)] == [1], "the position was not used up"
    with pytest.raises(RightsError):
        ClientService(gateway).change_state(_nobody(gateway, office), client.id, ClientState.SUSPENDED)
    assert len(log_of(gateway, office)) == 1


def test_a_reader_never_skips_a_late_commit(committed: Gateway) -> None:
    """A position is given at the end, under the lock of the head row: what is seen has nothing unseen before it."""
    office = make_office(committed)
    act = act_of_system(office)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with committed.database.unit_of_work(office.id) as session:
            committed.events.record(session, act, "client.changed", "client", new_id())
            session.connection().execute(text("SELECT 1"))
            begun.set()
            assert go_on.wait(10)

    late = threading.Thread(target=slow)
    late.start()
    assert begun.wait(10)
    with committed.database.unit_of_work(office.id) as session:
        quick = committed.events.record(session, act, "client.changed", "client", new_id())
    (seen,) = log_of(committed, office)
    assert seen.id == quick
    go_on.set()
    late.join()
    after, _ = EventService(committed).page(act, ALL, after=seen.id)
    assert [event.position for event in after] == [2]


def test_two_at_once_get_positions_without_gap(committed: Gateway) -> None:
    office = make_office(committed)
    act = act_of_system(office)

    def record() -> None:
        for _ in range(5):
            with committed.database.unit_of_work(office.id) as session:
                committed.events.record(session, act, "client.changed", "client", new_id())
                committed.events.record(session, act, "client.changed", "client", new_id())

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.position for event in log_of(committed, office)] == list(range(1, 41))


def test_the_log_is_read_page_by_page_and_by_filter(gateway: Gateway) -> None:
    office = make_office(gateway)
    clients = [make_client(gateway, office) for _ in range(5)]
    act = act_of_system(office)
    service = EventService(gateway)
    first, cursor = service.page(act, PageRequest(2, None))
    make_client(gateway, office)
    second, cursor = service.page(act, PageRequest(2, cursor))
    third, cursor = service.page(act, PageRequest(2, cursor))
    assert [event.position for event in [*first, *second, *third]] == [1, 2, 3, 4, 5, 6]
    assert cursor is None
    later, _ = service.page(act, ALL, after=third[-1].id)
    assert later == []
    of_client, _ = service.page(act, ALL, client_id=clients[1].id)
    assert [event.object_id for event in of_client] == [clients[1].id]
    of_type, _ = service.page(act, ALL, event_type="client.suspended")
    assert of_type == []


def test_events_of_an_office_are_its_own(gateway: Gateway) -> None:
    """Law 5."""
    office, other = make_office(gateway), make_office(gateway)
    make_client(gateway, office)
    (event,) = log_of(gateway, office)
    assert EventService(gateway).page(act_of_system(other), ALL) == ([], None)
    with pytest.raises(EventNotFound):
        EventService(gateway).page(act_of_system(other), ALL, after=event.id)


def test_a_reader_sees_the_subjects_and_clients_it_may_read(gateway: Gateway) -> None:
    """SEC-05, OFF-04: a scope opens its subjects only; a client without grant today is silent."""
    scene = _ruled(gateway)
    scene.submitted()
    service = EventService(gateway)

    def subjects(*scopes: str) -> set[str]:
        return {event.subject for event in service.page(scene.machine(*scopes), ALL)[0]}

    assert subjects("clients") == {"client"}
    assert subjects("payments:write") == {"approval", "basket", "payment"}
    assert subjects("audit") == set()
    with pytest.raises(RightsError):
        subjects()
    stranger = make_client(gateway, scene.office)
    visible = {event.client_id for event in service.page(scene.act("preparer"), ALL)[0]}
    assert visible == {scene.client.id}
    assert stranger.id in {event.client_id for event in service.page(scene.machine("clients"), ALL)[0]}
    before = replace(scene.machine("clients"), now=scene.now - timedelta(days=30))
    assert service.page(before, ALL) == ([], None), "no grant was valid that day"


def test_an_event_says_live_or_test(gateway: Gateway) -> None:
    """API-11."""
    for mode in ("live", "test"):
        office = make_office(gateway, mode=mode)
        make_client(gateway, office)
        assert [event.mode for event in log_of(gateway, office)] == [mode]


def test_what_is_older_than_ninety_days_goes_and_a_cursor_to_it_says_so(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str
) -> None:
    office, other = make_office(committed), make_office(committed)
    for _ in range(4):
        make_client(committed, office)
    make_client(committed, other)
    act = act_of_system(office)
    service = EventService(committed)
    page, cursor = service.page(act, PageRequest(1, None))
    assert cursor is not None
    engine = create_engine(postgres.url(OWNER, own_database))
    with engine.begin() as connection:
        connection.execute(text("UPDATE event SET recorded_at = now() - interval '91 days' WHERE position <= 2"))
        connection.execute(text("UPDATE event SET recorded_at = now() WHERE position > 2"))
    engine.dispose()
    service.prune()
    assert [event.position for event in log_of(committed, office)] == [3, 4]
    assert log_of(committed, other) == []
    with pytest.raises(CursorExpired):
        service.page(act, PageRequest(1, cursor))
    with pytest.raises(EventNotFound):
        service.page(act, ALL, after=page[0].id)
    with pytest.raises(CursorExpired):
        service.page(act, ALL, after=_made(days=120))
    make_client(committed, office)
    assert [event.position for event in log_of(committed, office)] == [3, 4, 5]


def test_the_service_itself_cannot_change_or_delete_an_event(committed: Gateway) -> None:
    office = make_office(committed)
    make_client(committed, office)
    for statement in ("UPDATE event SET type = 'x.y'", "DELETE FROM event"):
        with pytest.raises(Exception, match="permission denied"), committed.database.unit_of_work(office.id) as session:
            session.connection().execute(text(statement))


def test_a_missing_event_and_a_foreign_one_answer_alike(gateway: Gateway) -> None:
    office = make_office(gateway)
    with pytest.raises(NotFound):
        EventService(gateway).page(act_of_system(office), ALL, after=new_id())


def test_every_type_named_in_the_catalogue_can_be_read_by_somebody() -> None:
    for types in catalogue.RENAMED.values():
        for name in types:
            assert catalogue.TYPE.fullmatch(name)
            assert name.partition(".")[0] in catalogue.READERS


def _ruled(gateway: Gateway) -> Scene:
    scene = make_scene(gateway)
    scene.rule("Two", scene.user("first"), scene.user("second"))
    return scene


def _nobody(gateway: Gateway, office: Office) -> Any:
    act = act_of_system(office)
    return replace(act, principal=replace(act.principal, office_permissions=frozenset()))


def _made(*, days: int) -> UUID:
    """An id made that long ago."""
    milliseconds = (new_id().int >> 80) - days * 24 * 3600 * 1000
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62)
