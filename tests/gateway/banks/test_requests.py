"""CON-02: a missing bank can be asked for; requests are counted per bank and shown to the operator."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from uuid import UUID

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from gateway import banks_cli
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.banks.requests import (
    REQUESTS_MAX,
    BankListed,
    BankNameEmpty,
    BankRequestService,
    BankRequestsFull,
    Wanted,
    key_of,
)
from gateway.banks_cli import banks_commands
from gateway.errors import RightsError
from gateway.identity.rights import OfficeRole
from gateway.pagination import PageRequest
from tests.gateway.builders import NOW, act_of, act_of_system, make_office, make_person


@pytest.fixture
def service(gateway: Gateway) -> BankRequestService:
    return BankRequestService(gateway)


def test_the_operator_sees_how_many_offices_want_which_bank(gateway: Gateway, service: BankRequestService) -> None:
    one, other = (act_of_system(make_office(gateway), now=NOW) for _ in range(2))
    first, is_new = service.ask(one, "Bank  Degroof-Petercam")
    assert is_new
    again, is_new = service.ask(one, "BANK DEGROOF PETERCAM")
    assert (again.id, again.name, is_new) == (first.id, "Bank  Degroof-Petercam", False)
    service.ask(other, "bank degroof petercam")
    service.ask(other, "Crédit Imaginaire")
    mine = {key_of(name) for name in ("Bank Degroof Petercam", "Credit imaginaire")}
    assert [one for one in service.wanted() if key_of(one.name) in mine] == [
        Wanted("Bank  Degroof-Petercam", 2), Wanted("Crédit Imaginaire", 1),
    ]  # fmt: skip
    rows, cursor = service.page(one, PageRequest(limit=10, cursor=None))
    assert ([row.name for row in rows], cursor) == (["Bank  Degroof-Petercam"], None)
    rows, cursor = service.page(other, PageRequest(limit=1, cursor=None))
    assert [row.name for row in rows] == ["Crédit Imaginaire"]
    assert cursor is not None


@pytest.mark.parametrize(("name", "bank_id"), [("kbc", "kbc"), ("AXA Bank Belgium", "crelan"), ("Wise", "wise")])
def test_a_bank_on_the_list_is_not_asked_for(
    gateway: Gateway, service: BankRequestService, name: str, bank_id: str
) -> None:
    act = act_of_system(make_office(gateway), now=NOW)
    with pytest.raises(BankListed) as refused:
        service.ask(act, name)
    assert refused.value.parameters["bank_id"] == bank_id


def test_a_name_of_signs_alone_is_none_and_no_office_asks_for_ever(
    gateway: Gateway, service: BankRequestService
) -> None:
    act = act_of_system(make_office(gateway), now=NOW)
    with pytest.raises(BankNameEmpty):
        service.ask(act, "... !")
    for number in range(REQUESTS_MAX):
        service.ask(act, f"Invented bank {number}")
    with pytest.raises(BankRequestsFull):
        service.ask(act, "One more")
    assert service.ask(act, "invented BANK 7")[1] is False


def test_asking_is_noted_in_the_audit_once(gateway: Gateway, service: BankRequestService) -> None:
    office = make_office(gateway)
    act = act_of(make_person(gateway, office, OfficeRole.STAFF), office, OfficeRole.STAFF)
    found, _ = service.ask(act, "Bank van de Maan")
    service.ask(act, "Bank van de Maan")
    with gateway.database.unit_of_work(office.id) as session:
        entries = select(AuditEntry).where(AuditEntry.office_id == office.id, AuditEntry.action == "bank.requested")
        assert [entry.object_id for entry in session.exec(entries)] == [found.id]


def test_who_may_not_ask_for_permissions_asks_for_no_bank(gateway: Gateway, service: BankRequestService) -> None:
    office = make_office(gateway)
    act = act_of(make_person(gateway, office, OfficeRole.SUPPORT), office, OfficeRole.SUPPORT)
    with pytest.raises(RightsError):
        service.ask(act, "Bank van de Maan")


def test_two_who_ask_at_once_get_the_same_request(committed: Gateway) -> None:
    act = act_of_system(make_office(committed), now=NOW)
    gate = threading.Barrier(4)
    answers: list[tuple[UUID, bool]] = []

    def ask() -> None:
        gate.wait(timeout=10)
        found, is_new = BankRequestService(committed).ask(act, "Bank van de Maan")
        answers.append((found.id, is_new))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len({found for found, _ in answers}) == 1
    assert sorted(is_new for _, is_new in answers) == [False, False, False, True]


def test_the_command_prints_names_and_numbers(
    gateway: Gateway, service: BankRequestService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.ask(act_of_system(make_office(gateway), now=NOW), "Bank van de Maan")
    monkeypatch.setattr(banks_cli.runtime, "opened_gateway", lambda _settings: nullcontext(gateway))
    told = CliRunner().invoke(banks_commands, ["requested", "--json"])
    assert {"name": "Bank van de Maan", "offices": 1} in json.loads(told.stdout)
    assert "    1  Bank van de Maan" in CliRunner().invoke(banks_commands, ["requested"]).stdout
