"""SEC-06: every encrypted column is known to the rotation; it runs beside the service and can be stopped anywhere."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import LargeBinary, text
from typer.testing import CliRunner

from gateway import keyfile
from gateway.accounts.models import Account, Sync
from gateway.assembly import Gateway, build
from gateway.cli import app
from gateway.crypto import KeyRing, key_id_of
from gateway.custody.columns import ENCRYPTED
from gateway.custody.rotation import RotationService, request_rewrap
from gateway.database import Base
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.identity.models import User
from gateway.identity.people import PeopleService
from gateway.identity.service import IdentityService
from gateway.ids import new_id
from gateway.keyfile import KeyStillNeeded
from gateway.models import import_all
from gateway.offices.models import Office
from gateway.settings import Settings
from tests.gateway.builders import NOW, make_client, make_office

PLAIN_BYTES = (
    "hash", "mac", "fingerprint", "salt", "digest", "content", "sha256", "signature", "public_key", "credential_id",
    "key", "token_id", "nonce", "authenticator_data", "client_data",
)  # fmt: skip
"""Endings of names of binary columns that hold no secret of ours: keyed hashes, proofs, files as they were issued."""


def test_every_binary_column_is_encrypted_and_listed_or_says_what_it_is() -> None:
    """SEC-06: an encrypted column that rotation does not know would be lost with the old key."""
    import_all()
    listed = {(column.table, column.column) for column in ENCRYPTED}
    assert len(listed) == len(ENCRYPTED)
    binary = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) or isinstance(getattr(column.type, "impl", None), LargeBinary)
    }
    assert listed <= binary, "a column is listed that does not exist"
    forgotten = {(table, name) for table, name in binary - listed if not name.endswith(PLAIN_BYTES)}
    assert not forgotten, f"add these to gateway/custody/columns.py: {sorted(forgotten)}"
    for column in ENCRYPTED:
        assert column.row in Base.metadata.tables[column.table].columns


@pytest.fixture
def installation(settings: Settings, postgres: EmbeddedPostgres, committed: Gateway, tmp_path: Path) -> Gateway:
    """A committed database with a key file of its own."""
    path = tmp_path / "keys.json"
    own = settings.model_copy(update={"keys_file": path})
    return build(own, committed.database, KeyRing.generate(path))


def rotate(gateway: Gateway, *, now: datetime = NOW) -> None:
    with keyfile.changing(gateway.settings.keys_path) as held:
        held.append(keyfile.rotated(held[-1], now=now)[0])
    gateway.keys._look(is_now=True)


def fill(gateway: Gateway, count: int) -> tuple[Office, User, dict[UUID, bytes]]:
    """An office with readings that hold an address, and a person with a second factor."""
    office = make_office(gateway)
    client = make_client(gateway, office)
    identity = IdentityService(gateway)
    user = PeopleService(gateway).create_user(
        email=f"{new_id()}@example.test", first_name="Piet", last_name="Voorbeeld", language="nl",
        password="correct horse battery",
    )  # fmt: skip
    identity.enrol_second_factor(user.id)
    account = Account(
        id=new_id(), office_id=office.id, client_id=client.id, bank_id="crelan", iban="BE12310291417792",
        currency="EUR", kind="current", bic="NICABEBB", health="ok", health_since=NOW, created_at=NOW,
    )  # fmt: skip
    ciphers = {}
    with gateway.database.unit_of_work(office.id) as session:
        session.add(account)
        session.flush()
        for _ in range(count):
            sync = Sync(
                id=new_id(), office_id=office.id, account_id=account.id, state="queued", reason="planned",
                is_attended=True, requested_at=NOW, counts={},
            )  # fmt: skip
            sync.psu_cipher = gateway.keys.encrypt(b"address", office_id=office.id, table="sync.psu", row_id=sync.id)
            ciphers[sync.id] = sync.psu_cipher
            session.add(sync)
    return office, user, ciphers


def stored(gateway: Gateway, office: Office) -> dict[UUID, bytes]:
    with gateway.database.unit_of_work(office.id) as session:
        rows = session.connection().execute(text("SELECT id, psu_cipher FROM sync"))
        return {row[0]: bytes(row[1]) for row in rows}


def test_a_rotation_reaches_every_office_and_the_people_and_then_the_old_key_can_go(installation: Gateway) -> None:
    first, user, _ = fill(installation, 7)
    second, _, _ = fill(installation, 3)
    service = RotationService(installation)
    assert service.rewrap() == 0, "nothing to do before a rotation"
    rotate(installation)
    with pytest.raises(KeyStillNeeded, match="12 stored secrets"):
        service.retire("k1", now=NOW + timedelta(hours=1))
    assert service.rewrap(batch=2) == 12
    assert service.rewrap() == 0
    assert {(usage.table, usage.key_id, usage.version) for usage in service.usage()} == {
        ("app_user", "k2", 2),
        ("sync", "k2", 2),
    }
    service.retire("k1", now=NOW + timedelta(hours=1))
    keys = KeyRing.load(installation.settings.keys_path)
    assert keys.key_ids == {"k2"}
    for office in (first, second):
        for row_id, cipher in stored(installation, office).items():
            assert keys.decrypt(cipher, office_id=office.id, table="sync.psu", row_id=row_id) == b"address"
    with installation.database.unit_of_work(None) as session:
        secret = session.get_one(User, user.id).totp_secret
    assert secret is not None
    assert keys.decrypt(secret, office_id=None, table="app_user", row_id=user.id)


def test_two_workers_share_the_work_and_a_stopped_one_loses_nothing(installation: Gateway) -> None:
    office, _, _ = fill(installation, 60)
    rotate(installation)
    failures: list[Exception] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        try:
            RotationService(installation).rewrap(batch=5)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says so
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    RotationService(installation).rewrap()
    assert {key_id_of(cipher) for cipher in stored(installation, office).values()} == {"k2"}


def test_a_row_in_use_is_left_for_later_and_a_new_secret_is_never_overwritten(installation: Gateway) -> None:
    office, _, ciphers = fill(installation, 2)
    held, other = ciphers
    rotate(installation)
    with installation.database.unit_of_work(office.id) as session:
        sync = session.get_one(Sync, held, with_for_update=True)
        RotationService(installation).rewrap()
        sync.psu_cipher = installation.keys.encrypt(b"newer", office_id=office.id, table="sync.psu", row_id=held)
        session.add(sync)
    now = stored(installation, office)
    assert key_id_of(now[other]) == "k2"
    assert installation.keys.decrypt(now[held], office_id=office.id, table="sync.psu", row_id=held) == b"newer"


def test_a_secret_that_does_not_open_keeps_its_key_and_stops_no_other(installation: Gateway) -> None:
    office, _, ciphers = fill(installation, 3)
    broken = next(iter(ciphers))
    with installation.database.unit_of_work(office.id) as session:
        session.get_one(Sync, broken).psu_cipher = ciphers[broken][:20] + bytes(48) + ciphers[broken][68:]
    rotate(installation)
    service = RotationService(installation)
    assert service.rewrap() == 3
    with pytest.raises(KeyStillNeeded, match="1 stored secrets"):
        service.retire("k1", now=NOW + timedelta(hours=1))


def test_the_commands_rotate_watch_and_retire(
    installation: Gateway,
    postgres: EmbeddedPostgres,
    own_database: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """API-12: `sluis keys` with its exit codes and `--json`."""
    fill(installation, 1)
    monkeypatch.chdir(tmp_path)
    url = postgres.url(APPLICATION, own_database).render_as_string(hide_password=False)
    monkeypatch.setenv("SLUIS_DATABASE_URL", url)
    monkeypatch.setenv("SLUIS_KEYS_FILE", str(installation.settings.keys_path))
    run = CliRunner()
    answer = run.invoke(app, ["keys"])
    assert (answer.exit_code, "exists already" in answer.output) == (2, True)
    answer = run.invoke(app, ["keys", "rotate"])
    assert answer.exit_code == 0, answer.output
    with installation.database.unit_of_work(None) as session:
        jobs = session.connection().execute(
            text("SELECT args FROM procrastinate_jobs WHERE task_name = 'rewrap_secrets'")
        )
        assert [row[0] for row in jobs] == [{}]
    answer = run.invoke(app, ["keys", "status", "--json"])
    document = json.loads(answer.stdout)
    assert (document["current"], document["keys"]) == ("k2", ["k1", "k2"])
    assert {row["key_id"] for row in document["usage"]} == {"k1"}
    answer = run.invoke(app, ["keys", "retire", "k1"])
    assert isinstance(answer.exception, KeyStillNeeded)
    assert run.invoke(app, ["keys", "public"]).stdout.startswith("-----BEGIN PUBLIC KEY-----")
    assert "secret" not in answer.output


def test_a_rewrap_is_asked_for_in_the_unit_of_work(gateway: Gateway) -> None:
    with gateway.database.unit_of_work(None) as session:
        request_rewrap(session)
        found = session.connection().execute(
            text("SELECT lock FROM procrastinate_jobs WHERE task_name = 'rewrap_secrets'")
        )
        assert [row[0] for row in found] == ["rewrap_secrets"]


def test_a_failing_statement_does_not_tell_its_values(installation: Gateway) -> None:
    """SEC-07: an exception of the database layer may reach a log or a trace; values stay out of it."""
    with (
        pytest.raises(Exception, match="hidden due to hide_parameters") as raised,
        installation.database.unit_of_work(None) as session,
    ):
        session.connection().execute(text("SELECT 1 / :zero, :name"), {"zero": 0, "name": "Geheim Voorbeeld"})
    assert "Geheim" not in str(raised.value)


def test_moments_of_the_key_file_are_utc(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keyfile.create(path, keyfile.KeyDocument.fresh(now=NOW))
    assert keyfile.load(path).current_since == NOW.astimezone(UTC)
