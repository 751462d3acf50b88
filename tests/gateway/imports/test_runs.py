"""Importing and undoing: repeatable, resumable, one at a time, within 24 hours (OFF-13, OFF-15)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import select

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit import log as audit
from gateway.client_groups.models import ClientGroup, ClientGroupClient
from gateway.identity.rights import ClientRole
from gateway.ids import new_id
from gateway.imports import applying, errors, runs
from gateway.imports.models import ClientImportRow, Outcome
from gateway.jobs.service import JobService
from gateway.jobs.states import JobState
from gateway.offices.models import AccessGrant
from gateway.offices.service import ClientService, ClientWish
from gateway.profiles.models import ClientProfile, KnownAccount
from tests.gateway.builders import make_person
from tests.gateway.imports.conftest import Desk, desk_of
from tests.gateway.imports.files import HEADERS, clients, iban
from tests.gateway.payments.scene import make_scene

FULL = {
    "Ondernemingsnummer": "0477472701", "Naam": "Bakkerij Voorbeeld BV", "Klantcode": "BAK", "Taal": "fr",
    "Contactpersoon": "An Peeters", "E-mail contact": "an@example.test", "Gsm": "+32470123456", "Labels": "btw;horeca",
    "Boekhoudpakket": "BOB 50", "Einde boekjaar": "30/06", "IBAN 1": iban(1),
    "Bank 1": "KBC", "IBAN 2": iban(2, bank=1),
    "Uittreksels vanaf": "01/01/2026", "Volgend CODA-nummer": "012", "Laatste saldo": "1.250,00",
    "Levering": "E-mail", "Bestemming": "coda@example.test", "Uitnodiging sturen": "ja",
}  # fmt: skip


def profile_of(desk: Desk) -> ClientProfile:
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        return session.exec(select(ClientProfile).where(ClientProfile.office_id == desk.office.id)).one()


def known_accounts(desk: Desk) -> list[KnownAccount]:
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        query = select(KnownAccount).where(KnownAccount.office_id == desk.office.id)
        return sorted(session.exec(query), key=lambda account: account.position)


def test_288_of_300_rows_make_288_clients(desk: Desk) -> None:
    """OFF-13: a file with 12 bad rows of 300 yields 288 clients, and the 12 can follow once repaired."""
    rows = clients(300)
    for row in rows[::25]:
        row[2] = "BE00"
    view = desk.check(HEADERS, *rows)
    run = desk.import_(view)
    assert run.counts == {"created": 288, "changed": 0, "unchanged": 0, "invalid": 0}
    assert len(desk.clients()) == 288
    for number in range(2, 302, 25):
        desk.imports.repair(desk.act, view.client_import.id, number, {"iban_1": iban(1000 + number)})
    assert desk.import_(view).counts["created"] == 12
    assert len(desk.clients()) == 300
    with pytest.raises(errors.NothingToImport):
        desk.import_(view)


def test_every_column_reaches_the_client(desk: Desk) -> None:
    """OFF-12: contact and destination unconfirmed (DEL-13), accounts known without consent (OFF-10)."""
    view = desk.check(list(FULL), list(FULL.values()))
    assert desk.faults(view) == []
    desk.import_(view)
    (client,) = desk.clients()
    assert (client.name, client.language, client.financial_year_end) == ("Bakkerij Voorbeeld BV", "fr", "06-30")
    profile = profile_of(desk)
    assert (profile.client_code, profile.contact_name, profile.mobile) == ("BAK", "An Peeters", "+32470123456")
    assert (profile.labels, profile.package) == (["btw", "horeca"], "bob50")
    assert (profile.delivery, profile.destination) == ("email", "coda@example.test")
    assert profile.contact_confirmed_at is None
    assert profile.destination_confirmed_at is None
    assert profile.send_invitation
    first, second = known_accounts(desk)
    assert (first.iban, first.bic, first.next_coda_number, str(first.last_balance)) == (
        iban(1),
        "KREDBEBB",
        12,
        "1250.000",
    )
    assert (second.iban, second.next_coda_number) == (iban(2, bank=1), None)
    assert {str(account.statements_from) for account in (first, second)} == {"2026-01-01"}
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        grants = session.exec(select(AccessGrant).where(AccessGrant.client_id == client.id)).all()
        assert len(grants) == 1
        assert audit.verify(session, desk.gateway.audit, desk.office.id) is None


def test_repeating_an_import_changes_nothing(desk: Desk) -> None:
    """OFF-15: no double."""
    desk.import_(desk.check(list(FULL), list(FULL.values())))
    before = profile_of(desk), [account.id for account in known_accounts(desk)], desk.clients()
    view = desk.check(list(FULL), list(FULL.values()))
    assert [row.content["changes"] for row in desk.rows(view)] == [[]]
    assert desk.import_(view).counts == {"created": 0, "changed": 0, "unchanged": 1, "invalid": 0}
    assert (profile_of(desk), [account.id for account in known_accounts(desk)], desk.clients()) == before


def test_a_changed_address_waits_for_its_confirmation_again(desk: Desk) -> None:
    """DEL-13, also by import; the undo brings the confirmed address back."""
    desk.import_(desk.check(list(FULL), list(FULL.values())))
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        profile = session.exec(select(ClientProfile).where(ClientProfile.office_id == desk.office.id)).one()
        profile.destination_confirmed_at = profile.contact_confirmed_at = desk.act.now
        session.add(profile)
    view = desk.check(
        ["KBO", "Bestemming", "Laatste saldo", "IBAN"], ["0477472701", "nieuw@example.test", "2,00", iban(1)]
    )
    assert desk.import_(view).counts["changed"] == 1
    changed = profile_of(desk)
    assert changed.destination_confirmed_at is None
    assert changed.contact_confirmed_at is not None
    assert str(known_accounts(desk)[0].last_balance) == "2.000"
    assert desk.undo(view).counts == {"undone": 1, "kept": 0}
    restored = profile_of(desk)
    assert restored.destination == "coda@example.test"
    assert restored.destination_confirmed_at is not None
    assert str(known_accounts(desk)[0].last_balance) == "1250.000"


def test_a_group_is_joined_once_and_left_by_the_undo(desk: Desk) -> None:
    """OFF-12: the office's own groups; OFF-15: nothing of the import stays."""
    row, other = clients(2)
    desk.import_(desk.check(HEADERS, row))
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        group = ClientGroup(id=new_id(), office_id=desk.office.id, name="Team Zuid", created_at=desk.act.now)
        session.add(group)
    headers = ["Naam", "KBO", "Groep"]
    view = desk.check(headers, [row[0], row[1], "team zuid"], [other[0], other[1], "Team Zuid"])
    assert desk.import_(view).counts == {"created": 1, "changed": 1, "unchanged": 0, "invalid": 0}
    assert len(members(desk)) == 2
    assert desk.import_(desk.check(headers, [row[0], row[1], "Team Zuid"])).counts["unchanged"] == 1
    assert desk.undo(view).counts == {"undone": 2, "kept": 0}
    assert members(desk) == []


def members(desk: Desk) -> list[ClientGroupClient]:
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        return list(session.exec(select(ClientGroupClient).where(ClientGroupClient.office_id == desk.office.id)))


def test_some_rows_can_be_imported_before_the_others(desk: Desk) -> None:
    view = desk.check(HEADERS, *clients(5))
    assert desk.import_(view, numbers=[3, 5, 99]).counts["created"] == 2
    assert [client.name for client in desk.clients()] == ["Bakkerij 2 BV", "Bakkerij 4 BV"]
    assert desk.import_(view).counts["created"] == 3


def test_what_changed_since_the_dry_run_is_shown_again(desk: Desk) -> None:
    """Nobody's change is overwritten unseen."""
    row = clients(1)[0]
    desk.import_(desk.check(HEADERS, row))
    view = desk.check(HEADERS, ["Nieuwe naam BV", row[1], "", ""])
    ClientService(desk.gateway).put(desk.act, ClientWish(name="Anders BV", language="nl", enterprise_number=row[1]))
    assert desk.import_(view).counts == {"created": 0, "changed": 0, "unchanged": 0, "invalid": 1}
    assert desk.faults(view) == [(2, "B", "changed_meanwhile")]
    again = desk.imports.repair(desk.act, view.client_import.id, 2, {})
    assert again.content["changes"] == [{"field": "name", "old": "Anders BV", "new": "Nieuwe naam BV"}]
    assert desk.import_(view).counts["changed"] == 1


def test_a_crash_between_chunks_resumes_without_doubles(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 7: killed after the second chunk, worked off by whoever takes the job up."""
    monkeypatch.setattr(runs, "CHUNK", 10)
    view = desk.check(HEADERS, *clients(35))
    run, job = desk.runs.start(desk.act, view.client_import.id, has_task=False)
    done: list[int] = []

    class Killed(BaseException):
        pass

    def progress(count: int, _total: int) -> None:
        done.append(count)
        if count == 20:
            raise Killed

    with pytest.raises(Killed):
        desk.runs.work(desk.office.id, run.id, progress)
    assert len(desk.clients()) == 20
    with pytest.raises(errors.ImportBusy):
        desk.import_(view)
    with pytest.raises(errors.ImportBusy):
        desk.imports.repair(desk.act, view.client_import.id, 30, {})
    desk.runs.work(desk.office.id, run.id)
    desk.runs.work(desk.office.id, run.id)
    assert len(desk.clients()) == 35
    assert done == [10, 20]
    ended = JobService(desk.gateway).get(desk.act, job.id)
    assert (ended.state, ended.done, ended.total) == (JobState.SUCCEEDED, 35, 35)
    assert ended.result is not None
    assert ended.result["created"] == 35


def test_a_crash_inside_a_chunk_leaves_nothing_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    view = desk.check(HEADERS, *clients(3))
    run, _job = desk.runs.start(desk.act, view.client_import.id, has_task=False)
    monkeypatch.setattr(applying, "_record", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        desk.runs.work(desk.office.id, run.id)
    assert desk.clients() == []
    monkeypatch.undo()
    desk.runs.work(desk.office.id, run.id)
    assert len(desk.clients()) == 3


def test_a_cancelled_job_stops_at_its_next_step(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """API-05: what it did stays done, the rest waits."""
    monkeypatch.setattr(runs, "CHUNK", 2)
    view = desk.check(HEADERS, *clients(5))
    run, job = desk.runs.start(desk.act, view.client_import.id, has_task=False)
    desk.runs.work(
        desk.office.id, run.id, lambda done, _total: JobService(desk.gateway).cancel(desk.act, job.id) and None
    )
    assert len(desk.clients()) == 2
    assert JobService(desk.gateway).get(desk.act, job.id).state is JobState.CANCELLED
    assert desk.import_(view).counts["created"] == 3


def test_an_undo_removes_what_it_made_and_restores_what_it_changed(desk: Desk) -> None:
    """OFF-15."""
    row, other = clients(2)
    desk.import_(desk.check(HEADERS, row))
    view = desk.check(HEADERS, ["Nieuwe naam BV", row[1], iban(77), "nieuw@example.test"], other)
    desk.import_(view)
    assert desk.undo(view).counts == {"undone": 2, "kept": 0}
    (client,) = desk.clients()
    assert client.name == row[0]
    assert profile_of(desk).contact_email == row[3]
    assert [account.iban for account in known_accounts(desk)] == [row[2]]
    with pytest.raises(errors.UndoOver):
        desk.undo(view)


def test_a_client_changed_after_the_import_is_kept(desk: Desk) -> None:
    row = clients(1)[0]
    desk.import_(desk.check(HEADERS, row))
    view = desk.check(HEADERS, ["Nieuwe naam BV", row[1], "", ""])
    desk.import_(view)
    ClientService(desk.gateway).put(desk.act, ClientWish(name="Anders BV", language="nl", enterprise_number=row[1]))
    assert desk.undo(view).counts == {"undone": 0, "kept": 1}
    (kept,) = desk.rows(view, outcome=Outcome.KEPT)
    assert kept.row is not None
    assert kept.row.reason == "changed_since"
    assert desk.clients()[0].name == "Anders BV"


def test_an_undo_ends_after_24_hours_and_then_the_rows_are_erased(desk: Desk) -> None:
    """OFF-15; personal data are kept no longer than the undo needs, the counts stay."""
    view = desk.check(HEADERS, *clients(2))
    desk.import_(view)
    later = replace(desk, act=replace(desk.act, now=desk.act.now + timedelta(hours=24, minutes=1)))
    with pytest.raises(errors.UndoOver):
        later.undo(view)
    assert desk.imports.erase_due(desk.act) == 0
    assert later.imports.erase_due(later.act) == 1
    assert later.imports.erase_due(later.act) == 0
    erased = desk.again(view)
    assert erased.client_import.erased_at is not None
    assert erased.counts["imported"] == 2
    assert desk.rows(view) == []
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        assert session.exec(select(ClientImportRow).where(ClientImportRow.office_id == desk.office.id)).all() == []
    with pytest.raises(errors.ImportErased):
        desk.imports.repair(desk.act, view.client_import.id, 2, {})
    with pytest.raises(errors.UndoOver):
        desk.undo(view)


def test_an_undo_keeps_clients_with_anything_linked_and_says_why(gateway: Gateway) -> None:
    """OFF-15: consent, account, payment, people; the others go."""
    scene = make_scene(gateway)
    desk = Desk(gateway, scene.office, scene.machine("clients"))
    desk = replace(desk, act=desk_act(desk))
    busy = scene.client
    view = desk.check(HEADERS, ["Nieuwe naam BV", busy.enterprise_number, "", ""], *clients(2))
    desk.import_(view)
    shared = next(client for client in desk.clients() if client.name == "Bakkerij 2 BV")
    make_person(gateway, desk.office, ClientRole.VIEWER, client=shared, is_enrolled=False)
    scene.basket(scene.wish())
    assert desk.undo(view).counts == {"undone": 1, "kept": 2}
    reasons = {row.content["name"]: row.row and row.row.reason for row in desk.rows(view, outcome=Outcome.KEPT)}
    assert reasons["Bakkerij 2 BV"] == "has_people"
    assert reasons["Nieuwe naam BV"] in ("has_account", "has_payment", "has_consent")
    assert "Bakkerij 1 BV" not in {client.name for client in desk.clients()}
    with gateway.database.unit_of_work(desk.office.id) as session:
        assert session.exec(select(Account).where(Account.client_id == busy.id)).first() is not None


def desk_act(desk: Desk) -> Act:
    """The system of the office, on the scene's clock."""
    return replace(desk.gateway.system_act(desk.office.id), now=desk.act.now)


def test_two_runs_at_once_are_one_run(committed: Gateway) -> None:
    """OFF-15: the second gets 409; the clients are there once."""
    desk = desk_of(committed)
    view = desk.check(HEADERS, *clients(40))

    def start(_: int) -> object:
        try:
            return desk.runs.start(desk.act, view.client_import.id, has_task=False)[0]
        except errors.ImportBusy:
            return None

    with ThreadPoolExecutor(4) as pool:
        begun = [run for run in pool.map(start, range(4)) if run is not None]
        assert len(begun) == 1
        list(pool.map(lambda _: desk.runs.work(desk.office.id, begun[0].id), range(3)))  # type: ignore[attr-defined]
    assert len(desk.clients()) == 40
    assert desk.again(view).counts["imported"] == 40


def test_two_imports_of_the_same_file_at_once_make_each_client_once(committed: Gateway) -> None:
    """OFF-15: no double, whoever is first."""
    desk = desk_of(committed)
    views = [desk.check(HEADERS, *clients(60)) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        counts = [run.counts for run in pool.map(desk.import_, views)]
    assert sum(count["created"] for count in counts) == 60
    assert sum(count["unchanged"] for count in counts) == 60
    assert len(desk.clients()) == 60


@pytest.fixture
def statements(desk: Desk) -> Iterator[list[str]]:
    seen: list[str] = []
    engine = desk.gateway.database.bind.engine
    assert isinstance(engine, Engine)

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_the_number_of_statements_does_not_grow_with_the_rows(desk: Desk, statements: list[str]) -> None:
    """OFF-12: thousands of rows in seconds, so no query per row."""
    counts = []
    for start, size in ((1, 10), (1000, 400)):
        statements.clear()
        view = desk.check(HEADERS, *clients(size, start=start))
        desk.import_(view)
        desk.undo(view)
        counts.append(len(statements))
    assert counts[1] <= counts[0] + 6, counts


def test_importing_mails_nobody(desk: Desk) -> None:
    """OFF-15: the wish to be invited is stored; no job but the run is begun."""
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        before = session.connection().execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()
    view = desk.check(list(FULL), list(FULL.values()))
    run, _job = desk.runs.start(desk.act, view.client_import.id)
    desk.runs.work(desk.office.id, run.id)
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        tasks = session.connection().execute(text("SELECT task_name FROM procrastinate_jobs")).scalars().all()
    assert len(tasks) == before + 1
    assert runs.TASK in tasks
