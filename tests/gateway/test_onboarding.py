"""OFF-11: what is done, what comes next and what is not needed, per office and per client."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event

from gateway.assembly import Gateway
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.offices.models import Service
from gateway.onboarding.checklist import (
    CLIENT_ITEMS,
    NAMES,
    OFFICE_ITEMS,
    ClientFacts,
    ItemState,
    OfficeFacts,
    client_items,
    office_items,
)
from gateway.onboarding.service import OnboardingService
from gateway.pagination import PageRequest
from tests.gateway.builders import make_client
from tests.gateway.payments.scene import ALL, Scene, make_scene

EVERY = [service.value for service in Service]
OFFICE = OfficeFacts(EVERY, True, 90, 2, True, True, True, True)
CLIENT = ClientFacts(
    EVERY, has_valid_consent=True, accounts=2, accounts_read=2, accounts_proven=2, accounts_numbered=2, channel="sftp",
    has_destination=True, is_destination_confirmed=True, has_rules=True, has_people=True,
)  # fmt: skip


def states(items: object) -> dict[str, str]:
    return {item.key: item.state.value for item in items}  # type: ignore[attr-defined]  # items of a checklist


def test_everything_done_leaves_nothing_to_do() -> None:
    """OFF-11: the items of both lists, in their order."""
    assert states(office_items(OFFICE)) == dict.fromkeys(OFFICE_ITEMS, "done")
    assert states(client_items(CLIENT)) == dict.fromkeys(CLIENT_ITEMS, "done")
    assert set(NAMES) == {*OFFICE_ITEMS, *CLIENT_ITEMS}


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"has_valid_consent": False}, "consent"), ({"accounts_read": 1}, "first_sync"),
        ({"accounts_proven": 0}, "balance_proof"), ({"accounts_numbered": 1}, "numbering"),
        ({"channel": None}, "delivery"),
        ({"is_destination_confirmed": False}, "delivery"), ({"has_destination": False}, "delivery"),
        ({"has_rules": False}, "rules"), ({"has_people": False}, "users"),
    ],
)  # fmt: skip
def test_what_is_missing_at_a_client_has_a_next_step(more: dict[str, object], key: str) -> None:
    """OFF-11, DEL-13: a destination that waits for its confirmation is not done."""
    (item,) = [item for item in client_items(replace(CLIENT, **more)) if item.state is ItemState.TODO]  # type: ignore[arg-type]  # facts by name
    assert item.key == key
    assert item.next_step


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"is_reviewed": False}, "data"), ({"admins": 1}, "users"), ({"has_default_delivery": False}, "delivery"),
        ({"has_clients": False}, "clients"), ({"has_valid_consent": False}, "consents"),
        ({"has_issued_statement": False}, "first_coda"), ({"consent_days_max": 0}, "consent_cap"),
    ],
)  # fmt: skip
def test_what_is_missing_at_an_office_has_a_next_step(more: dict[str, object], key: str) -> None:
    """OFF-11."""
    (item,) = [item for item in office_items(replace(OFFICE, **more)) if item.state is ItemState.TODO]  # type: ignore[arg-type]  # facts by name
    assert item.key == key
    assert item.next_step


def test_a_service_that_is_off_needs_nothing() -> None:
    """OFF-11, OFF-06: with payments only, nothing is read; without payments nobody approves."""
    none = ClientFacts([Service.PAYMENTS.value])
    assert states(client_items(none)) == {
        **dict.fromkeys(("consent", "first_sync", "balance_proof", "numbering", "delivery"), "not_needed"),
        "rules": "todo", "users": "todo",
    }  # fmt: skip
    reading = replace(none, services=[Service.TRANSACTIONS.value])
    found = states(client_items(reading))
    assert (found["consent"], found["balance_proof"], found["rules"], found["users"]) == (
        "todo", "not_needed", "not_needed", "not_needed",
    )  # fmt: skip
    assert states(client_items(replace(none, is_process_on=False)))["rules"] == "not_needed"
    assert states(client_items(replace(CLIENT, channel="download", has_destination=False)))["delivery"] == "done"


@pytest.fixture
def scene(gateway: Gateway) -> Scene:
    scene = make_scene(gateway)
    scene.person("an", OfficeRole.ADMIN)
    return scene


def test_a_client_role_sees_its_own_list_only(scene: Scene) -> None:
    """OFF-09, OFF-11."""
    other = make_client(scene.gateway, scene.office, name="Andere BV")
    service = OnboardingService(scene.gateway)
    own = service.page(scene.act("preparer"), ALL)
    assert own.office is None
    assert [row.client.id for row in own.clients] == [scene.client.id]
    every = service.page(scene.act("an"), ALL)
    assert every.office is not None
    assert {row.client.id for row in every.clients} == {scene.client.id, other.id}
    (one,) = service.page(scene.act("an"), ALL, client_id=other.id).clients
    assert states(one.items)["users"] == "todo"
    assert states(own.clients[0].items)["users"] == "done"


def test_the_number_of_statements_does_not_grow_with_the_clients(scene: Scene) -> None:
    """OFF-11, design §6."""
    scene.person("viewer", ClientRole.VIEWER)
    service = OnboardingService(scene.gateway)

    def statements() -> int:
        with counted(scene.gateway) as found:
            service.page(scene.act("an"), PageRequest(50, None))
        return len(found)

    few = statements()
    for number in range(12):
        make_client(scene.gateway, scene.office, name=f"Klant {number}")
    assert statements() == few
    assert few < 20


class counted:  # noqa: N801  # reads as what it does
    """The statements that the database is sent inside."""

    def __init__(self, gateway: Gateway) -> None:
        self.bind = gateway.database.bind
        self.found: list[str] = []

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.found.append(statement)

    def __enter__(self) -> list[str]:
        event.listen(self.bind, "before_cursor_execute", self._note)
        return self.found

    def __exit__(self, *_: object) -> None:
        event.remove(self.bind, "before_cursor_execute", self._note)
