"""Recorded traffic: bounded, encrypted, audited, and a replay that finds a changed rule (OPS-08, SYN-10)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from connectors.families.berlin_group import BerlinGroupConnector
from connectors.model import RejectedRow, Transaction
from connectors.simulator import SimulatorServer
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry, AuditValue
from gateway.consents.errors import ConsentNotFound
from gateway.consents.service import ConsentService
from gateway.custody.columns import ENCRYPTED
from gateway.identity.rights import OFFICE_PERMISSIONS, OfficeRole, Principal, PrincipalKind, SecondFactorRequired
from gateway.ids import new_id
from gateway.traffic.content import unpacked
from gateway.traffic.errors import (
    RecordedReadingNotFound,
    TrafficAlreadyRecorded,
    TrafficNotRecordable,
    TrafficRecordingNotFound,
)
from gateway.traffic.models import READING_BINDING, RecordedReading, TrafficRecording
from gateway.traffic.replay import Comparison, DifferenceKind, Outcome
from gateway.traffic.service import MEGABYTE, TrafficService
from gateway.transactions.models import BankTransaction
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.builders import make_client, make_office

LIMITS: dict[str, Any] = {"reason": "references are missing", "days": 7, "calls_max": 100, "megabytes_max": 5}


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


def recorded(story: Story, **limits: Any) -> tuple[Account, TrafficRecording]:
    """An account that was read while its consent was recorded."""
    account = story.connect()
    assert account.consent_id is not None
    recording = TrafficService(story.gateway).start(story.act, account.consent_id, **(LIMITS | limits))
    story.work()
    return account, recording


def replayed(story: Story, recording: TrafficRecording) -> Comparison:
    (only,) = TrafficService(story.gateway).replay(story.act, recording.id)
    return only.comparison


def rows_of(gateway: Gateway, story: Story) -> list[dict[str, Any]]:
    with gateway.database.unit_of_work(story.office.id) as session:
        query = select(BankTransaction).order_by(col(BankTransaction.id))
        return [row.model_dump() for row in session.exec(query)]


def actions(story: Story) -> list[str]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        query = select(AuditEntry).where(AuditEntry.object_kind == "traffic_recording")
        return [entry.action for entry in session.exec(query.order_by(col(AuditEntry.position)))]


def test_a_replay_of_what_was_just_read_finds_nothing_and_calls_nobody(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    _account, recording = recorded(story)
    before = rows_of(story.gateway, story)
    assert before

    def nobody(*_: object, **__: object) -> None:
        raise AssertionError("a bank was called")

    monkeypatch.setattr("connectors.http.BankHttp._exchange", nobody)
    comparison = replayed(story, recording)
    assert (comparison.outcome, comparison.unchanged, dict(comparison.counts)) == (Outcome.COMPARED, len(before), {})
    assert rows_of(story.gateway, story) == before
    assert actions(story) == ["traffic.recording_started", "traffic.replayed"]


Change = Callable[[Transaction], Transaction | RejectedRow]


def change_rule(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """The connector of another version, which maps each row otherwise."""
    original = BerlinGroupConnector.transaction

    def transaction(self: BerlinGroupConnector, raw: Any, **values: Any) -> Transaction | RejectedRow:
        found = original(self, raw, **values)
        return change(found) if isinstance(found, Transaction) else found

    monkeypatch.setattr(BerlinGroupConnector, "transaction", transaction)


def test_a_replay_finds_a_changed_rule_field_by_field_and_changes_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    _account, recording = recorded(story)
    before = rows_of(story.gateway, story)
    change_rule(monkeypatch, lambda row: replace(row, fingerprint="new rule", counterparty_name="SLUIS"))
    comparison = replayed(story, recording)
    assert comparison.counts == {DifferenceKind.CHANGED: len(before)}
    by_id = {row["id"]: row for row in before}
    for difference in comparison.differences:
        (name,) = difference.fields
        assert difference.transaction_id is not None
        assert (name.name, name.replayed) == ("counterparty_name", "SLUIS")
        assert name.stored == by_id[difference.transaction_id]["counterparty_name"]
    assert rows_of(story.gateway, story) == before


def test_a_rule_that_refuses_rows_shows_them_as_gone_and_by_reason(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    _account, recording = recorded(story)
    count = len(rows_of(story.gateway, story))
    change_rule(monkeypatch, lambda row: RejectedRow("not_liked", row.raw))
    comparison = replayed(story, recording)
    assert (dict(comparison.counts), comparison.unchanged) == ({DifferenceKind.GONE: count}, 0)
    assert comparison.rejected["not_liked"] >= count


def test_rows_that_are_not_stored_are_added(story: Story) -> None:
    account, recording = recorded(story)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        for row in session.exec(select(BankTransaction).where(BankTransaction.account_id == account.id)):
            # As if the reading had come later than the recording: then nothing of it was there.
            row.created_at = row.created_at + timedelta(days=1)
            session.add(row)
    comparison = replayed(story, recording)
    assert set(comparison.counts) == {DifferenceKind.ADDED}
    assert all(difference.transaction_id is None for difference in comparison.differences)


def test_what_the_bank_changed_after_the_recording_is_left_out(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    _account, recording = recorded(story)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        row = session.exec(select(BankTransaction).order_by(col(BankTransaction.id))).first()
        assert row is not None
        row.changed_at = row.changed_at + timedelta(days=1)
        session.add(row)
    change_rule(monkeypatch, lambda form: replace(form, counterparty_name="SLUIS"))
    assert replayed(story, recording).changed_since == 1


def test_a_failed_reading_is_recorded_and_its_replay_fails_alike(story: Story, banks: SimulatorServer) -> None:
    banks.faults.order("html", endpoint="transactions", times=None)
    _account, recording = recorded(story)
    (reading,) = TrafficService(story.gateway).get(story.act, recording.id).readings
    assert reading.error_code == "bank_answer_invalid"
    comparison = replayed(story, recording)
    assert (comparison.outcome, comparison.code) == (Outcome.FAILED, "bank_answer_invalid")


def test_a_rule_that_asks_more_than_was_asked_says_so(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    _account, recording = recorded(story)

    def pages(self: Any, access: Any, bank_account_id: str, **_: Any) -> Any:
        self.consent_details(access)
        yield None

    monkeypatch.setattr(BerlinGroupConnector, "transaction_pages", pages)
    assert replayed(story, recording).outcome is Outcome.NOT_RECORDED


# Law 6


def test_what_is_kept_is_encrypted_and_holds_no_token(story: Story) -> None:
    _account, recording = recorded(story)
    with story.gateway.database.unit_of_work(story.office.id) as session:
        reading = session.exec(select(RecordedReading)).one()
        cipher = reading.content_cipher
        plain = story.gateway.keys.decrypt(cipher, office_id=story.office.id, table=READING_BINDING, row_id=reading.id)
        consents = ConsentService(story.gateway)
        assert recording.consent_id is not None
        tokens = consents.secrets.tokens(consents.get(story.act, recording.consent_id).consent)
    content = unpacked(plain)
    assert tokens is not None
    assert content.question.iban.encode() not in cipher
    assert {str(answer.kind) for answer in content.answers} <= {"accounts", "balances", "transactions"}
    everything = json.dumps([[answer.url, dict(answer.headers), answer.body.decode()] for answer in content.answers])
    for secret in (tokens.access_token, tokens.refresh_token, "Bearer"):
        assert secret is not None
        assert secret not in everything
    assert content.question.iban not in repr(content)
    # A ciphertext of one row does not open as another's.
    with pytest.raises(Exception, match="does not open"):
        story.gateway.keys.decrypt(cipher, office_id=story.office.id, table=READING_BINDING, row_id=recording.id)


def test_a_recorded_reading_is_wrapped_anew_under_a_new_master_key() -> None:
    assert ("recorded_reading", "content_cipher") in {(one.table, one.column) for one in ENCRYPTED}


def test_the_audit_names_who_and_why_and_nothing_of_the_answers(story: Story) -> None:
    _account, recording = recorded(story)
    TrafficService(story.gateway).stop(story.act, recording.id, is_erased=True)
    assert actions(story) == ["traffic.recording_started", "traffic.recording_ended", "traffic.erased"]
    with story.gateway.database.unit_of_work(story.office.id) as session:
        values = " ".join(str(value.new_value) for value in session.exec(select(AuditValue)))
    assert "references are missing" in values


# Limits


def test_only_what_is_asked_for_is_recorded_and_only_while_it_is(story: Story) -> None:
    account, recording = recorded(story)
    service = TrafficService(story.gateway)
    service.stop(story.act, recording.id, is_erased=False)
    service.stop(story.act, recording.id, is_erased=False)
    story.read(account)
    view = service.get(story.act, recording.id)
    assert (len(view.readings), view.recording.end_code) == (1, "stopped")
    assert actions(story) == ["traffic.recording_started", "traffic.recording_ended"]


def test_without_a_recording_nothing_is_kept(story: Story) -> None:
    story.read(story.connect())
    with story.gateway.database.unit_of_work(story.office.id) as session:
        assert session.exec(select(RecordedReading)).all() == []


def test_a_recording_ends_with_the_calls_it_may_keep(story: Story) -> None:
    _account, recording = recorded(story, calls_max=1)
    view = TrafficService(story.gateway).get(story.act, recording.id)
    assert (view.recording.end_code, view.recording.calls) == ("calls_reached", 1)
    assert [reading.is_whole for reading in view.readings] == [False]
    assert replayed(story, recording).outcome is Outcome.NOT_WHOLE


def test_a_recording_ends_with_the_bytes_it_may_keep(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.traffic.service.MEGABYTE", MEGABYTE // 2048)
    _account, recording = recorded(story, megabytes_max=1)
    view = TrafficService(story.gateway).get(story.act, recording.id)
    assert view.recording.end_code == "bytes_reached"
    assert view.recording.body_bytes <= view.recording.bytes_max


def later(gateway: Gateway, moment: datetime) -> Gateway:
    return replace(gateway, real_now=lambda: moment)


def test_a_recording_ends_with_its_time_and_its_content_goes_after_the_retention(story: Story) -> None:
    account, recording = recorded(story)
    gateway = story.gateway
    kept = timedelta(days=gateway.settings.traffic_retention_days)
    story.gateway = later(gateway, recording.expires_at)
    TrafficService(story.gateway).prune()
    view = TrafficService(story.gateway).get(story.act, recording.id)
    assert (view.recording.end_code, len(view.readings)) == ("expired", 1)
    story.gateway = later(gateway, view.readings[0].recorded_at + kept + timedelta(seconds=1))
    TrafficService(story.gateway).prune()
    assert TrafficService(story.gateway).get(story.act, recording.id).readings == []
    assert actions(story)[-1] == "traffic.recording_ended"
    assert account.consent_id == recording.consent_id


def test_a_reading_after_the_time_is_not_recorded_even_before_the_nightly_job(story: Story) -> None:
    account, recording = recorded(story, days=1)
    story.banks.clock.advance(days=1)
    story.gateway = later(story.gateway, recording.expires_at)
    story.read(account)
    view = TrafficService(story.gateway).get(story.act, recording.id)
    assert (view.recording.end_code, len(view.readings)) == ("expired", 1)


def test_a_consent_is_recorded_once_at_a_time_and_only_while_it_is_valid(story: Story) -> None:
    _account, recording = recorded(story)
    service = TrafficService(story.gateway)
    with pytest.raises(TrafficAlreadyRecorded):
        service.start(story.act, recording.consent_id, **LIMITS)
    service.stop(story.act, recording.id, is_erased=False)
    service.start(story.act, recording.consent_id, **LIMITS)
    ConsentService(story.gateway).revoke(story.act, recording.consent_id)
    with pytest.raises(TrafficNotRecordable):
        service.start(story.act, recording.consent_id, **LIMITS)


# Who


def test_another_office_finds_nothing(story: Story) -> None:
    _account, recording = recorded(story)
    other = make_office(story.gateway, name="Ander kantoor")
    make_client(story.gateway, other, now=story.gateway.real_now())
    act, service = story.gateway.system_act(other.id), TrafficService(story.gateway)
    (reading,) = service.get(story.act, recording.id).readings
    with pytest.raises(ConsentNotFound):
        service.start(act, recording.consent_id, **LIMITS)
    for call in (
        lambda: service.get(act, recording.id),
        lambda: service.stop(act, recording.id, is_erased=True),
        lambda: service.reading(act, recording.id, reading.id),
        lambda: service.replay(act, recording.id),
    ):
        with pytest.raises(TrafficRecordingNotFound):
            call()
    assert len(service.get(story.act, recording.id).readings) == 1


def test_switching_on_and_reading_want_a_person_with_a_fresh_second_factor(story: Story) -> None:
    _account, recording = recorded(story)
    service = TrafficService(story.gateway)
    admin = Principal(
        PrincipalKind.USER, new_id(), story.office.id, OFFICE_PERMISSIONS[OfficeRole.ADMIN],
        second_factor_at=story.act.real_now,
    )  # fmt: skip
    act = replace(story.act, principal=admin)
    stale = replace(act, principal=replace(act.principal, second_factor_at=act.real_now - timedelta(hours=1)))
    (reading,) = service.get(stale, recording.id).readings
    with pytest.raises(SecondFactorRequired):
        service.reading(stale, recording.id, reading.id)
    found, content = service.reading(act, recording.id, reading.id)
    assert (found.id, len(content.answers)) == (reading.id, reading.calls)
    assert actions(story)[-1] == "traffic.read"
    with pytest.raises(RecordedReadingNotFound):
        service.reading(act, recording.id, recording.id)
    service.stop(stale, recording.id, is_erased=False)
    with pytest.raises(SecondFactorRequired):
        service.start(stale, recording.consent_id, **LIMITS)
    assert service.start(act, recording.consent_id, **LIMITS).id != recording.id
