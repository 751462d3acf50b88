"""SEC-09: heads of the chain are signed and leave; nothing is signed when the database was changed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlmodel import select

from gateway.assembly import Gateway
from gateway.audit.bundle_check import check
from gateway.audit.bundles import BundleNotReady
from gateway.audit.checkpoints import AuditChainBroken, CheckpointService
from gateway.audit.leaving import leaving
from gateway.database import libpq_url
from gateway.embedded import SUPERUSER, EmbeddedPostgres
from gateway.events.models import Event
from gateway.notices.outbox import opened
from tests.gateway.builders import act_of_system, make_office
from tests.gateway.bundles import bytes_of, fill, make
from tests.gateway.payments.scene import make_scene


def test_a_head_leaves_as_an_event_and_once_a_day_by_mail(gateway: Gateway) -> None:
    """SEC-09: what left is enough to check a bundle against, and names nobody."""
    settings = gateway.settings.model_copy(update={"audit_heads_email": "heads@auditor.example"})
    gateway = replace(gateway, settings=settings)
    scene = make_scene(gateway)
    fill(scene)
    service = CheckpointService(gateway, leaving(gateway))
    for _ in range(2):
        service.make(scene.office.id)
        with gateway.database.unit_of_work(scene.office.id) as session:
            gateway.audit.record(session, act_of_system(scene.office), "client.changed", "client", scene.client.id)
    with gateway.database.unit_of_work(scene.office.id) as session:
        events = session.exec(select(Event).where(Event.type == "audit.head_signed")).all()
    mails = [mail for mail in opened(gateway, scene.office.id) if mail.template == "audit_head"]
    assert (len(events), len(mails), mails[0].to) == (2, 1, "heads@auditor.example")
    (line,) = [line for line in mails[0].text.splitlines() if line.startswith("{")]
    kept = [json.loads(line), *(event.data for event in events)]
    report = check(bytes_of(scene, make(scene)), public_key=gateway.keys.public_key, heads=kept)
    assert (report.faults, report.outside_heads) == ([], 3)


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE audit_entry SET action = 'x' WHERE position = 3", "entry 3 was changed"),
        ("DELETE FROM audit_value; DELETE FROM audit_entry WHERE position = 3", "entry 3 is missing"),
        ("UPDATE audit_value SET new_value = '\"x\"' WHERE field = 'name'", "the value of name in entry"),
        ("UPDATE payment SET amount = amount + 1000", "is not what was sealed"),
        ("UPDATE approval SET verdict = 'reject'", "is not what was decided"),
        ("UPDATE export_file SET content = content || ' '", "is not what was made"),
        ("UPDATE audit_checkpoint SET link_hash = signature", "is not the one that was signed"),
    ],
)
def test_nothing_is_signed_when_the_database_was_changed(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, sql: str, fault: str
) -> None:
    scene = make_scene(committed)
    fill(scene)
    with psycopg.connect(libpq_url(postgres.url(SUPERUSER, own_database)), autocommit=True) as superuser:
        superuser.execute(sql)
    bundle = make(scene)
    assert bundle.state == "failed"
    assert fault in (bundle.failure or "")
    with pytest.raises(BundleNotReady):
        bytes_of(scene, bundle)


def test_entries_cut_off_behind_a_signed_head_are_missed(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str
) -> None:
    """SEC-09: with the head row rolled back as well, only the signed head still tells."""
    scene = make_scene(committed)
    fill(scene)
    CheckpointService(committed).make(scene.office.id)
    with psycopg.connect(libpq_url(postgres.url(SUPERUSER, own_database)), autocommit=True) as superuser:
        superuser.execute("DELETE FROM audit_value")
        superuser.execute("DELETE FROM audit_entry WHERE position > 4")
        superuser.execute(
            "UPDATE office_head SET audit_position = 4, audit_hash = (SELECT mac FROM audit_entry WHERE position = 4)"
        )
    bundle = make(scene)
    assert bundle.failure == "entries after 5 are missing"
    with pytest.raises(AuditChainBroken):
        CheckpointService(committed).make(scene.office.id)


def test_heads_are_signed_daily_and_after_many_entries(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = make_scene(gateway)
    service, now = CheckpointService(gateway), gateway.real_now()
    assert service.is_due(scene.office.id, now)
    service.run()
    assert not service.is_due(scene.office.id, now), "nothing happened since"
    scene.rule("every payment", scene.user("first"))
    assert not service.is_due(scene.office.id, now)
    assert service.is_due(scene.office.id, now + timedelta(days=1))
    monkeypatch.setattr("gateway.audit.checkpoints.ENTRIES_MAX", 1)
    assert service.is_due(scene.office.id, now)
    empty = make_office(gateway)
    assert service.make(empty.id) is None, "an office without entries has no head"
    assert not service.is_due(empty.id, now)


def test_the_service_cannot_change_a_head_or_a_bundle(gateway: Gateway) -> None:
    for table in ("audit_checkpoint", "audit_bundle_file"):
        with gateway.database.unit_of_work(None) as session:
            held = session.connection().execute(
                text(f"SELECT has_table_privilege('{table}', 'UPDATE') OR has_table_privilege('{table}', 'DELETE')")
            )
            assert held.scalar_one() is False
