"""OFF-08: the monitor of support: what stands still, no amounts, masked IBANs; SEC-09: its looks are recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.api import current_act
from gateway.app import create_app
from gateway.audit.models import AuditEntry
from gateway.identity.rights import OfficeRole, Principal, PrincipalKind
from gateway.ids import new_id
from gateway.jobs.models import Job
from gateway.jobs.states import JobState
from gateway.monitor.service import MonitorService
from gateway.notices.models import MailMessage
from gateway.notices.states import MailState
from gateway.webhooks.models import WebhookDelivery
from gateway.webhooks.service import WebhookService
from gateway.webhooks.states import DeliveryState
from tests.gateway.builders import act_of, make_office
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed
from tests.gateway.webhooks.desk import allowed

AMOUNTS = ("18.432,55", "126.804,17", "18432.55", "126804.17")


@pytest.fixture
def troubled(world: World) -> World:
    """Something of everything that stands still."""
    gateway, now = world.gateway, world.clock()
    WebhookService(allowed(gateway)).create(
        world.act("accountant"), url="http://127.0.0.1:49999/secret-in-path", description="Portaal", event_types=[],
        client_ids=[],
    )  # fmt: skip
    with gateway.database.unit_of_work(world.office.id) as session:
        account = session.get_one(Account, world.accounts["textile"].id)
        account.health, account.health_code, account.health_since = "you_act", "consent_expired", now
        session.add(account)
        session.add(
            Job(id=new_id(), office_id=world.office.id, client_id=world.clients["textile"].id, kind="audit_bundle",
                state=JobState.FAILED, faults=[{"code": "bundle_too_large"}], created_by_kind=PrincipalKind.USER,
                created_by_id=new_id(), created_at=now, ended_at=now)
        )  # fmt: skip
        session.add(
            MailMessage(id=new_id(), office_id=world.office.id, template="invitation", content_cipher=b"-",
                        state=MailState.RETRYING, attempts=2, created_at=now, due_at=now, fault="refused_450")
        )  # fmt: skip
    with gateway.database.unit_of_work(world.office.id) as session:
        act = world.act("accountant")
        gateway.events.record(
            session, act, "client.changed", "client", world.clients["bakery"].id, client_id=world.clients["bakery"].id
        )
    with gateway.database.unit_of_work(world.office.id) as session:
        for row in session.exec(select(WebhookDelivery)):
            row.state, row.attempts, row.last_status = DeliveryState.EXHAUSTED, 10, 503
            session.add(row)
    return world


@pytest.fixture
def acting(world: World) -> dict[str, Act]:
    return {"now": world.act("support")}


@pytest.fixture
def http(world: World, acting: dict[str, Act]) -> Iterator[TestClient]:
    app = create_app(world.gateway)
    app.dependency_overrides[current_act] = lambda: acting["now"]
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_support_sees_what_stands_still_and_no_amount(troubled: World, http: TestClient) -> None:
    """OFF-08: accounts, permissions that end, deliveries, mail, work; IBANs by their last four, no address."""
    answer = http.get("/v1/monitor")
    told = answer.json()
    (account,) = [row for row in told["accounts"] if row["client_name"] == "Leieweve Textiel NV"]
    iban = troubled.accounts["textile"].iban
    assert account["iban"] == "*" * 12 + iban[-4:]
    assert (account["health"], account["health_code"]) == ("you_act", "consent_expired")
    assert account["next_step"]
    assert told["accounts_by_health"]["you_act"] >= 1
    assert [row["client_name"] for row in told["consents_ending"]] == ["Bakkerij Korenhof BV"]
    assert told["deliveries"][0]["last_status"] == 503
    assert told["deliveries_by_state"]["exhausted"] == len(told["deliveries"]) > 0
    assert [(row["template"], row["fault"]) for row in told["mails"]] == [("invitation", "refused_450")]
    assert [row["codes"] for row in told["jobs_failed"]] == [["bundle_too_large"]]
    for hidden in (*AMOUNTS, "secret-in-path", *(one.iban for one in troubled.accounts.values())):
        assert hidden not in answer.text


def test_a_person_of_a_client_has_no_monitor_and_another_office_sees_nothing_of_it(
    troubled: World, http: TestClient, acting: dict[str, Act]
) -> None:
    acting["now"] = troubled.act("approver")
    assert http.get("/v1/monitor").status_code == 403
    other = make_office(troubled.gateway, name="Ander kantoor")
    act = act_of(troubled.people["support"], other, OfficeRole.SUPPORT, now=troubled.clock())
    found = MonitorService(troubled.gateway).look(act)
    assert (found.accounts, found.consents, found.deliveries, found.mails, found.jobs) == ([], [], [], [], [])


def test_support_of_some_clients_sees_those_alone(troubled: World) -> None:
    """OFF-09."""
    act = troubled.act("support")
    limited = Act(principal=_of_clients(act, troubled.clients["garden"].id), now=act.now, real_now=act.real_now)
    found = MonitorService(troubled.gateway).look(limited)
    assert {client.name for _account, client in found.accounts} <= {"Tuinen Béguin SRL"}
    assert (found.consents, found.jobs) == ([], [])
    shown = [row for row in found.deliveries if row.event_type == "client.changed"]
    assert shown == []


def test_old_trouble_is_not_shown(troubled: World) -> None:
    act = troubled.act("support")
    later = Act(principal=act.principal, now=act.now + timedelta(days=8), real_now=act.real_now + timedelta(days=8))
    found = MonitorService(troubled.gateway).look(later)
    assert (found.deliveries, found.mails, found.jobs, found.mail_counts) == ([], [], [], {})


def test_the_page_shows_it_and_the_look_is_recorded(troubled: World, browser: Browser) -> None:
    """SEC-09: looks by support are entries too; those of an admin are not."""
    troubled.speak("en")
    browser.sign_in(troubled.people["support"])
    text = browser.get("/monitor")
    assert "503" in text
    assert "refused_450" in text
    assert "Leieweve Textiel NV" in text
    for hidden in (*AMOUNTS, "secret-in-path"):
        assert hidden not in text
    assert typed("account", troubled.accounts["textile"].id) not in text
    with troubled.gateway.database.unit_of_work(troubled.office.id) as session:
        looks = session.exec(select(AuditEntry).where(AuditEntry.action == "person.looked")).all()
    assert troubled.people["support"].user.id in {entry.actor_id for entry in looks}


def _of_clients(act: Act, *client_ids: UUID) -> Principal:
    return replace(act.principal, office_clients=frozenset(client_ids))
