"""SEC-10: what a bundle holds, its exception lists, and how it is made as a job."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from gateway.assembly import Gateway
from gateway.audit import bundles
from gateway.audit.bundle_check import check
from gateway.audit.bundle_format import packed
from gateway.audit.bundles import BundleService, BundleWish
from gateway.audit.exception_lists import exception_lists
from gateway.audit.models import AuditEntry
from gateway.errors import NotFound, PeriodInvalid
from gateway.ids import new_id
from gateway.jobs.service import JobService
from tests.gateway.builders import act_of_system
from tests.gateway.bundles import DAY, book, bytes_of, fill, lines, make, unpacked
from tests.gateway.payments.scene import make_scene


def test_a_bundle_is_made_once_and_its_bytes_stay(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    fill(scene)
    bundle = make(scene)
    first = bytes_of(scene, bundle)
    again = BundleService(gateway).make(scene.office.id, bundle.id)
    assert (again.state, again.sha256) == ("ready", bundle.sha256)
    assert bytes_of(scene, bundle) == first
    with gateway.database.unit_of_work(scene.office.id) as session:
        actions = [entry.action for entry in session.exec(select(AuditEntry)) if entry.object_id == bundle.id]
    assert actions == [
        "audit_bundle.requested", "audit_bundle.made", "audit_bundle.downloaded", "audit_bundle.downloaded",
    ]  # fmt: skip


def test_a_bundle_is_a_job_with_progress_and_result(gateway: Gateway) -> None:
    """API-05, SEC-10: asked for, followed and cancelled as a job; a chain that does not hold fails it by its code."""
    scene = make_scene(gateway)
    fill(scene)
    act, jobs = act_of_system(scene.office), JobService(gateway)
    bundle = make(scene)
    assert bundle.job_id is not None
    job = jobs.get(act, bundle.job_id)
    assert (job.state, job.done, job.total) == ("succeeded", 3, 3)
    assert job.result is not None
    assert job.result["sha256"] == bundle.sha256
    service = BundleService(gateway)
    wish = BundleWish(client_ids=[scene.client.id], from_date=DAY, until_date=DAY)
    waiting = service.request(act, wish)
    assert waiting.job_id is not None
    jobs.cancel(act, waiting.job_id)
    ended = service.make(scene.office.id, waiting.id)
    assert (ended.state, ended.failure) == ("failed", "cancelled")
    assert jobs.get(act, waiting.job_id).state == "cancelled"


def test_a_defect_while_a_bundle_is_made_is_told_and_not_hidden(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(gateway)
    act, service = act_of_system(scene.office), BundleService(gateway)
    bundle = service.request(act, BundleWish(client_ids=[scene.client.id], from_date=DAY, until_date=DAY))
    monkeypatch.setattr(bundles.bundle_rows, "read", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        service.make(scene.office.id, bundle.id)
    assert service.get(act, bundle.id).failure == "internal_error"
    assert bundle.job_id is not None
    assert [fault["code"] for fault in JobService(gateway).get(act, bundle.job_id).faults] == ["internal_error"]


def test_a_bundle_holds_what_was_booked_and_what_came_back(gateway: Gateway) -> None:
    """SEC-10: booked debits; returns by the end-to-end id of a payment or by the bank's code; others' rows stay out."""
    scene = make_scene(gateway)
    fill(scene)
    (payment,) = scene.submitted(scene.wish())[1]
    book(scene, "-250.00", "00150000")
    book(scene, "250.00", "00150000", end_to_end_id=payment.end_to_end_id)
    book(scene, "99.00", "00154000")
    book(scene, "12.00", "00150000")
    book(scene, "-1.00", "00150000", state="vanished")
    book(scene, "-2.00", "00150000", booking_date=DAY - timedelta(days=1))
    files = unpacked(bytes_of(scene, make(scene)))
    assert [row["amount"] for row in lines(files, "rows/booked_debits.jsonl")] == ["-250.000"]
    assert [row["amount"] for row in lines(files, "rows/returns.jsonl")] == ["250.000", "99.000"]
    assert check(packed(files)).is_intact


def test_an_approval_soon_after_an_iban_change_is_listed(gateway: Gateway) -> None:
    """SEC-10: the number was edited in the payment, or the creditor was paid on another one before."""
    moment = datetime(2026, 11, 21, 9, tzinfo=UTC)
    iso = [(moment + timedelta(days=days)).isoformat() for days in range(12)]
    payment = {"id": "p1", "client_id": "c", "creditor_key": "k", "creditor_iban": "i", "state": "altered",
               "creditor_state": "known", "created_at": iso[0], "submitted_at": None, "approval_round": 1,
               "amount": "1.00", "preparers": []}  # fmt: skip
    changed = {**payment, "id": "p2", "creditor_iban": "j", "creditor_state": "changed", "state": "submitted"}
    approvals = [
        {"id": f"{of}{day}", "payment_id": of, "verdict": "approve", "user_id": "u", "decided_at": iso[day],
         "approval_round": 1}
        for of, day in (("p1", 1), ("p1", 3), ("p1", 11), ("p2", 7), ("p2", 8))
    ]  # fmt: skip
    edit = {"action": "payment.changed", "object_id": "p1", "occurred_at": iso[2], "digests": {"creditor_iban": {}}}
    rows: dict[str, Any] = {
        "payments": [payment, changed], "approvals": approvals, "entries": [edit], "exports": [], "export_payments": [],
        "rule_versions": [],
    }  # fmt: skip
    lists = exception_lists(rows, first_payment_above_cents=0)
    found = [(row["approval_id"], row["change"]) for row in lists["approval_after_iban_change"]]
    assert found == [("p13", "edited"), ("p27", "another_account")]
    assert lists["altered_payments"] == [{"payment_id": "p1"}]


def test_new_and_changed_rules_groups_and_settings_shortly_before_a_payment_are_listed() -> None:
    """SEC-10: whatever decides who approves, within seven days before."""
    moment = datetime(2026, 11, 21, 9, tzinfo=UTC)
    iso = [(moment + timedelta(days=days)).isoformat() for days in range(12)]
    payment = {"id": "p1", "client_id": "c", "creditor_key": "k", "creditor_iban": "i", "state": "submitted",
               "creditor_state": "known", "created_at": iso[0], "submitted_at": iso[8], "approval_round": 1,
               "amount": "1.00", "preparers": []}  # fmt: skip
    versions = [
        {"client_id": client, "rule_id": f"r{day}", "version": 1, "created_at": iso[day]}
        for client, day in (("c", 0), ("c", 1), ("c", 8), ("c", 9), ("other", 7))
    ]
    entries = [
        {"action": action, "client_id": "c", "object_id": "g", "occurred_at": iso[day], "digests": {}}
        for action, day in (
            ("approver_group.changed", 7), ("approval_settings.changed", 0), ("approval_settings.changed", 5),
            ("approver_group.created", 7),
        )
    ]  # fmt: skip
    rows: dict[str, Any] = {
        "payments": [payment], "approvals": [], "entries": entries, "exports": [], "export_payments": [],
        "rule_versions": versions,
    }  # fmt: skip
    found = exception_lists(rows, first_payment_above_cents=0)["rule_change_before_payment"]
    assert [row.get("rule_id") or row["action"] for row in found] == [
        "r1", "r8", "approver_group.changed", "approval_settings.changed",
    ]  # fmt: skip


def test_resets_of_second_factors_stand_in_the_bundles_of_the_clients_a_person_serves(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    fill(scene)
    stranger = new_id()
    with gateway.database.unit_of_work(scene.office.id) as session:
        for user_id in (scene.people["first"].id, stranger):
            act = act_of_system(scene.office)
            gateway.audit.record(session, act, "second_factor.reset", "user", user_id)
    lists = json.loads(unpacked(bytes_of(scene, make(scene)))["lists.json"])
    assert [row["user_id"] for row in lists["reset_second_factors"]] == [str(scene.people["first"].id)]


def test_the_same_rows_give_the_same_bytes(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    fill(scene)
    bundle = make(scene)
    with gateway.database.unit_of_work(scene.office.id) as session:
        from gateway.audit.checkpoints import at  # noqa: PLC0415

        head = at(session, scene.office.id, bundle.head_position or 0)
        assert head is not None
        once, _ = BundleService(gateway)._content(session, bundle, head)
    assert once == bytes_of(scene, bundle)


def test_the_lists_name_what_an_auditor_asks_about(gateway: Gateway) -> None:
    """SEC-10: same person prepared and exported, one person's decision, a rule changed days before, first payments."""
    scene = make_scene(gateway)
    fill(scene)
    bundle = make(scene, sample_size=1, first_payment_above=24_999)
    files = unpacked(bytes_of(scene, bundle))
    lists = json.loads(files["lists.json"])
    payments = {row["id"] for row in lines(files, "rows/payments.jsonl")}
    assert {row["payment_id"] for row in lists["decided_by_one_person"]} == payments
    assert {row["payment_id"] for row in lists["first_payment_above"]} == payments
    assert lists["prepared_and_exported"] == lists["replaced_exports"] == lists["reset_second_factors"] == []
    drawn = json.loads(files["sample.json"])["payment_ids"]
    assert len(drawn) == 1
    assert set(drawn) < payments
    scene.now += timedelta(seconds=1)
    again = make(scene, sample_size=1)
    assert json.loads(unpacked(bytes_of(scene, again))["sample.json"])["payment_ids"] == drawn


def test_a_period_in_the_future_and_a_strangers_client_are_refused(gateway: Gateway) -> None:
    scene, other = make_scene(gateway), make_scene(gateway)
    service, act = BundleService(gateway), act_of_system(scene.office)
    for first, last in ((DAY, DAY - timedelta(days=1)), (DAY, DAY + timedelta(days=1)), (date(2000, 1, 1), DAY)):
        with pytest.raises(PeriodInvalid):
            service.request(act, BundleWish(client_ids=[scene.client.id], from_date=first, until_date=last))
    for client_id in (other.client.id, new_id()):
        with pytest.raises(NotFound):
            service.request(act, BundleWish(client_ids=[client_id], from_date=DAY, until_date=DAY))
    bundle = service.request(act, BundleWish(client_ids=[scene.client.id], from_date=DAY, until_date=DAY))
    for bundle_id in (bundle.id, new_id()):
        with pytest.raises(NotFound):
            service.get(act_of_system(other.office), bundle_id)
