"""SEC-09: asking whether the chain holds reads what is new; the whole is proved every night, and faults are named."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from gateway.assembly import Gateway
from gateway.audit import verifying
from gateway.audit.checkpoints import CheckpointService
from gateway.audit.verifying import VerificationService
from gateway.database import libpq_url
from gateway.embedded import SUPERUSER, EmbeddedPostgres
from gateway.machines.service import MachineService
from gateway.offices.models import Office
from tests.gateway.builders import act_of_system, make_office
from tests.gateway.serving import app_of
from tests.gateway.test_statement_counts import counted


def note(gateway: Gateway, office: Office, count: int) -> None:
    act = act_of_system(office, now=gateway.real_now())
    with gateway.database.unit_of_work(office.id) as session:
        for _ in range(count):
            gateway.audit.record(session, act, "office.tested", "office", office.id)


def chain(gateway: Gateway, office: Office) -> dict[str, Any]:
    act = act_of_system(office, now=gateway.real_now())
    _, key = MachineService(gateway).create_credential(act, name="Auditor", scopes=["audit"])
    with TestClient(app_of(gateway), headers={"Authorization": f"Bearer {key}"}) as http:
        answer = http.get("/v1/audit-chain")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def test_only_what_was_added_since_the_signed_head_is_read(gateway: Gateway) -> None:
    office = make_office(gateway)
    note(gateway, office, 30)
    signed = CheckpointService(gateway).make(office.id)
    assert signed is not None
    note(gateway, office, 3)
    with counted(gateway) as statements:
        found = VerificationService(gateway).standing(act_of_system(office))
    assert (found.first_fault, found.verified_from, found.verified_until) == (
        None, signed.position + 1, signed.position + 3,
    )  # fmt: skip
    assert found.entries == signed.position + 3
    assert len(statements) < 10


def test_the_whole_is_proved_by_night_and_told_by_day(gateway: Gateway) -> None:
    office = make_office(gateway)
    note(gateway, office, 3)
    before = chain(gateway, office)
    assert (before["is_intact"], before["whole_verified_at"], before["whole_verified_until"]) == (True, None, None)
    VerificationService(gateway).run()
    after = chain(gateway, office)
    assert after["whole_verified_until"] == before["entries"]
    assert after["whole_verified_at"] is not None
    assert (after["is_intact"], after["first_fault"]) == (True, None)


def test_more_than_a_request_may_prove_is_left_for_the_job(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    office = make_office(gateway)
    note(gateway, office, 12)
    monkeypatch.setattr(verifying, "WALKED_MAX", 5)
    found = VerificationService(gateway).standing(act_of_system(office))
    assert (found.first_fault, found.verified_until) == (None, 5)
    assert found.entries >= 12


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE audit_entry SET action = 'x' WHERE position = {new}", "entry {new} was changed"),
        ("DELETE FROM audit_value; DELETE FROM audit_entry WHERE position = {new}", "entry {new} is missing"),
        ("DELETE FROM audit_value; DELETE FROM audit_entry WHERE position > {new}", "entries after {new} are missing"),
        ("UPDATE audit_checkpoint SET signature = link_hash", "entry {signed} is not the one that was signed"),
        ("UPDATE audit_entry SET action = 'x' WHERE position = {signed}", "entry {signed} is not the one"),
        ("UPDATE office_head SET audit_hash = 'x'", "the head of the chain is not entry"),
        ("UPDATE office_head SET audit_position = 2", "entries after 2 are missing"),
    ],
)
def test_the_first_fault_is_named_at_once(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, sql: str, fault: str
) -> None:
    office = make_office(committed)
    note(committed, office, 4)
    signed = CheckpointService(committed).make(office.id)
    assert signed is not None
    note(committed, office, 5)
    places = {"signed": signed.position, "new": signed.position + 2}
    with psycopg.connect(libpq_url(postgres.url(SUPERUSER, own_database)), autocommit=True) as superuser:
        superuser.execute(sql.format(**places).encode())
    found = VerificationService(committed).standing(act_of_system(office))
    assert fault.format(**places) in (found.first_fault or "")


def test_a_fault_behind_the_signed_head_is_named_after_the_night_until_it_is_gone(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    office = make_office(committed)
    note(committed, office, 4)
    CheckpointService(committed).make(office.id)
    service, act = VerificationService(committed), act_of_system(office)
    with psycopg.connect(libpq_url(postgres.url(SUPERUSER, own_database)), autocommit=True) as superuser:
        superuser.execute("UPDATE audit_entry SET action = 'x' WHERE position = 2")
        service.run()
        assert service.standing(act).first_fault == "entry 2 was changed"
        assert "audit chain broken" in caplog.text
        superuser.execute("UPDATE audit_entry SET action = 'office.tested' WHERE position = 2")
    note(committed, office, 1)
    assert service.standing(act).first_fault == "entry 2 was changed", "until a night finds none"
    service.prove(office.id)
    assert service.standing(act).first_fault is None


def test_another_offices_chain_is_not_read(gateway: Gateway) -> None:
    """SEC-05."""
    office, other = make_office(gateway), make_office(gateway)
    note(gateway, other, 7)
    VerificationService(gateway).prove(other.id)
    found = VerificationService(gateway).standing(act_of_system(office))
    assert (found.whole, found.first_fault) == (None, None)
