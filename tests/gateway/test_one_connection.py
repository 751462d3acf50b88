"""A request holds one database connection at a time, so that a burst cannot empty the pool and stop for good."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from gateway.app import create_app
from gateway.assembly import Gateway, build
from gateway.audit.models import AuditEntry
from gateway.crypto import KeyRing
from gateway.database import OFFICE_SETTING, connect, joined
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.identity.rights import OfficeRole
from gateway.machines.models import Credential
from gateway.notices.models import MailMessage
from gateway.offices.models import Office
from gateway.recovery.password import PasswordService
from gateway.settings import Settings
from tests.gateway.builders import Person, act_of, make_office, make_person
from tests.gateway.payments.scene import make_scene
from tests.gateway.test_idempotency import Caller, basket_body, baskets

PARALLEL = 6


@pytest.fixture
def narrow(settings: Settings, postgres: EmbeddedPostgres, own_database: str, keys: KeyRing) -> Iterator[Gateway]:
    """An installation whose pool has one connection: a second one in the same request waits for ever."""
    database = connect(postgres.url(APPLICATION, own_database), pool_size=1, max_overflow=0)
    yield build(settings, database, keys)
    database.bind.engine.dispose()


def at_once(call: Any, things: list[Any]) -> list[Any]:
    ready = Barrier(len(things))

    def one(thing: Any) -> Any:
        ready.wait()
        return call(thing)

    with ThreadPoolExecutor(len(things)) as pool:
        return list(pool.map(one, things))


def test_a_burst_of_posts_with_keys_gets_by_on_one_connection(narrow: Gateway) -> None:
    """API-03: rows of an office and, of keys of programs, global ones, whose transaction marks the key too."""
    scene = make_scene(narrow)
    portal = scene.machine("payments:write")
    person = make_person(narrow, scene.office, OfficeRole.ADMIN)
    admin = act_of(person, scene.office, OfficeRole.ADMIN, now=narrow.real_now())
    caller, maker = Caller(narrow, create_app(narrow)), Caller(narrow, create_app(narrow))
    for one in (caller, maker):
        # The framework finishes its routes when it first looks for one, and not for several threads at once.
        assert one.http.get("/v1/nothing-here").status_code == 404

    def send(number: int) -> Any:
        if number % 2:
            body = {"name": f"Key {number}", "scopes": ["clients"]}
            return maker(admin, "/credentials", body, key=f"key-{number}")
        return caller(portal, "/baskets", basket_body(scene, f"Week {number}"), key=f"key-{number}")

    answers = at_once(send, list(range(PARALLEL)))
    assert [(answer.status_code, answer.text) for answer in answers if answer.status_code != 201] == []
    assert baskets(narrow, scene.office) == PARALLEL // 2
    again = send(0)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == answers[0].json()


def test_mails_to_people_of_several_offices_need_no_connection_more(narrow: Gateway) -> None:
    """SEC-13: what is told of a person is written in each of their offices, with the change or not at all."""
    office = make_office(narrow)
    people: list[Person] = [make_person(narrow, office, OfficeRole.STAFF) for _ in range(PARALLEL)]
    at_once(lambda person: PasswordService(narrow).mail_link(person.user.email), people)
    with narrow.database.unit_of_work(office.id) as session:
        assert len(session.exec(select(MailMessage)).all()) == PARALLEL


def setting(session: Session) -> str:
    return str(session.scalar(text("SELECT current_setting(:name)"), {"name": OFFICE_SETTING}))


def test_a_joined_part_sees_its_office_and_holds_or_fails_with_the_whole(gateway: Gateway) -> None:
    office, other = make_office(gateway), make_office(gateway)

    def write(*, fails: bool) -> None:
        with gateway.database.unit_of_work(None) as session:
            for one in (office, other):
                with joined(session, one.id) as part:
                    assert setting(part) == str(one.id)
                    act = gateway.system_act(one.id, session=part)
                    gateway.audit.record(part, act, "office.tested", "office", one.id)
                assert setting(session) == "", "after it the whole sees no office's rows again"
            if fails:
                raise ZeroDivisionError

    def entries(one: Office) -> int:
        with gateway.database.unit_of_work(one.id) as session:
            return len(session.exec(select(AuditEntry).where(AuditEntry.action == "office.tested")).all())

    with pytest.raises(ZeroDivisionError):
        write(fails=True)
    assert (entries(office), entries(other)) == (0, 0)
    write(fails=False)
    assert (entries(office), entries(other)) == (1, 1)


def test_a_part_that_fails_leaves_the_whole_as_it_was(gateway: Gateway) -> None:
    office = make_office(gateway)

    def fail(session: Session) -> None:
        with joined(session, office.id) as part:
            act = gateway.system_act(office.id, session=part)
            gateway.audit.record(part, act, "office.tested", "office", office.id)
            raise ZeroDivisionError

    with gateway.database.unit_of_work(None) as session:
        with pytest.raises(ZeroDivisionError):
            fail(session)
        assert setting(session) == ""
        assert session.exec(select(Credential)).all() == []
    with gateway.database.unit_of_work(office.id) as session:
        assert session.exec(select(AuditEntry).where(AuditEntry.action == "office.tested")).all() == []
