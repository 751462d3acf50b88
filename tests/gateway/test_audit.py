"""The audit chain: what was changed, removed or reordered is named; nothing can be changed by the service."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlmodel import Session, col, select

from gateway.assembly import Gateway
from gateway.audit.log import Change, canonical, digest, verify
from gateway.audit.models import AuditEntry, AuditValue
from gateway.database import libpq_url
from gateway.embedded import SUPERUSER, EmbeddedPostgres
from gateway.ids import new_id
from gateway.offices.models import Office
from tests.gateway.builders import act_of_system, make_office


def fill(gateway: Gateway, count: int) -> Office:
    office = make_office(gateway)
    act = act_of_system(office)
    for number in range(count):
        with gateway.database.unit_of_work(office.id) as session:
            gateway.audit.record(
                session, act, "client.changed", "client", new_id(), changes={"name": Change(f"A{number}", f"B{number}")}
            )
    return office


def test_entries_get_positions_without_gaps_and_prove(gateway: Gateway) -> None:
    office = fill(gateway, 5)
    with gateway.database.unit_of_work(office.id) as session:
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.position))).all()
        assert [entry.position for entry in entries] == [1, 2, 3, 4, 5]
        assert verify(session, gateway.audit, office.id) is None
        value = session.exec(select(AuditValue).where(AuditValue.entry_id == entries[0].id)).one()
        assert entries[0].digests["name"] == {"old": digest("A0", value.salt), "new": digest("B0", value.salt)}
        assert b"A0" not in canonical(entries[0])


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE audit_entry SET action = 'client.created' WHERE position = 2", "entry 2 was changed"),
        ("DELETE FROM audit_value; DELETE FROM audit_entry WHERE position = 2", "entry 2 is missing"),
        ("DELETE FROM audit_value; DELETE FROM audit_entry WHERE position = 3", "entries after 2 are missing"),
        ("UPDATE audit_entry SET position = position + 10 WHERE position = 1", "entry 1 is missing"),
        (
            "UPDATE audit_value SET new_value = '\"C\"' WHERE new_value = '\"B1\"'",
            "the value of name in entry 2 was changed",
        ),
    ],
)
def test_the_first_broken_entry_is_named(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, sql: str, fault: str
) -> None:
    office = fill(committed, 3)
    with psycopg.connect(libpq_url(postgres.url(SUPERUSER, own_database)), autocommit=True) as superuser:
        superuser.execute(sql)
    with committed.database.unit_of_work(office.id) as session:
        assert verify(session, committed.audit, office.id) == fault


def test_the_service_cannot_change_an_entry(gateway: Gateway) -> None:
    office = fill(gateway, 1)
    with gateway.database.unit_of_work(office.id) as session:
        entry = session.exec(select(AuditEntry)).one()
        entry.action = "nothing.happened"
        session.add(entry)
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.flush()
        session.rollback()


def test_two_at_once_are_written_one_after_the_other(committed: Gateway) -> None:
    office = make_office(committed)
    act = act_of_system(office)
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        for _ in range(5):
            with committed.database.unit_of_work(office.id) as session:
                committed.audit.record(session, act, "client.changed", "client", new_id())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with committed.database.unit_of_work(office.id) as session:
        assert verify(session, committed.audit, office.id) is None
        assert len(session.exec(select(AuditEntry)).all()) == 20


@pytest.mark.parametrize("is_event", [False, True])
def test_who_changes_the_office_and_who_writes_an_entry_do_not_wait_for_one_another(
    committed: Gateway, is_event: bool
) -> None:
    """Law 7: the one holds the office's row and wants the head, the other held the head and wanted the office's row."""
    office = make_office(committed)
    act, faults = act_of_system(office), []

    def write(session: Session) -> None:
        if is_event:
            committed.events.record(session, act, "client.changed", "client", new_id())
        else:
            committed.audit.record(session, act, "person.looked", "user", new_id())

    def small() -> None:
        try:
            with committed.database.unit_of_work(office.id) as session:
                write(session)
        except DBAPIError as error:
            faults.append(error)

    other = threading.Thread(target=small)
    with committed.database.unit_of_work(office.id) as session:
        session.get(Office, office.id, with_for_update=True)
        other.start()
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        for _ in range(500):
            if session.execute(waiting).scalar_one():
                break
            time.sleep(0.01)
        write(session)
    other.join()
    assert faults == []


def test_an_act_that_rolls_back_leaves_no_entry(gateway: Gateway) -> None:
    office = make_office(gateway)

    def fail() -> None:
        with gateway.database.unit_of_work(office.id) as session:
            gateway.audit.record(session, act_of_system(office), "client.changed", "client", new_id())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with gateway.database.unit_of_work(office.id) as session:
        assert session.exec(select(AuditEntry)).all() == []


def test_an_act_on_brussels_time_proves_as_well(gateway: Gateway) -> None:
    office = make_office(gateway)
    act = act_of_system(office, now=datetime(2026, 7, 1, 12, 0, tzinfo=ZoneInfo("Europe/Brussels")))
    with gateway.database.unit_of_work(office.id) as session:
        gateway.audit.record(session, act, "client.changed", "client", new_id())
    with gateway.database.unit_of_work(office.id) as session:
        assert verify(session, gateway.audit, office.id) is None
