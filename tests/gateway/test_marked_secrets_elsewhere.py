"""SEC-06, SEC-07 beside the API: imports, mail, webhooks, jobs that fail in a worker, commands.

Each flow is fed with marks where names, addresses, secrets and payloads go, once well and once broken; logs, job
arguments, events and the output of commands are searched for them. Metrics and traces do not exist yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway import worker
from gateway.assembly import Gateway
from gateway.cli import app
from gateway.database import libpq_url
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.identity.rights import Permission
from gateway.metadata.service import CLIENT, MetadataService
from gateway.notices.outbox import MailSender, queue_mail
from gateway.webhooks.sending import WebhookSender
from gateway.webhooks.service import WebhookService
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.imports.conftest import desk_of
from tests.gateway.leaks import found_in, output, stored_leaks
from tests.gateway.webhooks.desk import admin, allowed
from tests.gateway.webhooks.receiver import receiver

NAME, EMAIL, MOBILE = "Merkteken Geheimhouder BV", "merkteken.geheim@voorbeeld.test", "+32470998877"
KEY, BODY, VALUE = "merk-sleutel-5d21", "merk-antwoord-93fe", "merk-waarde-77aa"
MARKS = {NAME, EMAIL, MOBILE, KEY, BODY, VALUE}


@pytest.fixture
def written() -> Iterator[StringIO]:
    with output() as buffer:
        yield buffer


def leaks(gateway: Gateway, written: StringIO, *more: str) -> set[str]:
    marks = MARKS | set(more)
    return {f"the log holds {mark}" for mark in found_in(written.getvalue(), marks)} | set(stored_leaks(gateway, marks))


def test_imports_tell_nobody_who_is_in_them(gateway: Gateway, written: StringIO) -> None:
    desk = desk_of(gateway)
    headers = ("Naam", "Ondernemingsnummer", "IBAN 1", "E-mail contact", "Mobiel")
    view = desk.check(
        headers,
        [NAME, "0477472701", "", EMAIL, MOBILE],
        [f"{NAME} 2", "0477472702", "BE00 0000", EMAIL, MOBILE],
        [f"{NAME} 3", KEY, BODY, VALUE, NAME],
    )
    desk.import_(view)
    desk.undo(desk.again(view))
    assert leaks(gateway, written) == set()


def test_mail_that_fails_is_logged_without_address_and_text(
    gateway: Gateway, written: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = replace(gateway, settings=gateway.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": 1}))
    office = make_office(mailing)
    with mailing.database.unit_of_work(office.id) as session:
        mail_id = queue_mail(
            session, mailing, office.id, to=EMAIL, language="nl", template="password_reset",
            parameters={"name": NAME, "link": f"https://x.example/{KEY}", "minutes": "30", "hours": "1"},
        )  # fmt: skip
    MailSender(mailing).run(office.id, mail_id)
    assert '"event": "mail"' in written.getvalue()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"{EMAIL} {KEY} {NAME}")

    monkeypatch.setattr("gateway.notices.smtp.send", broken)
    with pytest.raises(RuntimeError):
        MailSender(replace(mailing, real_now=lambda: gateway.real_now().replace(year=2099))).run(office.id, mail_id)
    assert leaks(gateway, written) == set()


def test_webhooks_tell_neither_address_nor_secret_nor_answer(gateway: Gateway, written: StringIO) -> None:
    """SEC-06, API-07: receivers put keys into addresses; what they answer is shown to the office alone."""
    hooked = allowed(gateway)
    office = make_office(hooked)
    with receiver() as there:
        there.answers, there.text = [503, 200], BODY.encode()
        url = f"{there.url}&{KEY}"
        view = WebhookService(hooked).create(
            admin(hooked, office), url=url, description=NAME, event_types=[], client_ids=[]
        )
        client = make_client(hooked, office, name=NAME)
        MetadataService(hooked).put(
            act_of_system(office), CLIENT, client.id, Permission.CLIENTS_WRITE, {"crm": VALUE, "mail": EMAIL}
        )
        sender = WebhookSender(hooked, draw=lambda _: 0)
        sender.run(office.id, view.endpoint.id, 1)
        sender.run(office.id, view.endpoint.id, 2)
        assert len(there.received) >= 2
        sent = b"".join(message.body for message in there.received).decode()
    assert view.secret is not None
    assert found_in(sent, MARKS | {view.secret}) == set()
    assert found_in(repr(view) + repr(view.endpoint), MARKS | {view.secret}) == set()
    assert leaks(gateway, written, view.secret, url) == set()


@pytest.mark.processes
def test_a_job_that_breaks_in_a_worker_is_logged_without_what_it_held(
    committed: Gateway,
    postgres: EmbeddedPostgres,
    own_database: str,
    written: StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker's own log of a failure: the kind and place of a defect, never its message."""
    office = make_office(committed)
    mailing = replace(committed, settings=committed.settings.model_copy(update={"smtp_host": "127.0.0.1"}))
    with mailing.database.unit_of_work(office.id) as session:
        queue_mail(session, mailing, office.id, to=EMAIL, language="nl", template="webhook_disabled",
                   parameters={"endpoint": KEY})  # fmt: skip

    def broken(*_: Any, **__: Any) -> None:
        held = f"{EMAIL} {NAME} {BODY}"
        raise RuntimeError(held)

    monkeypatch.setattr(MailSender, "_begin", broken)
    worker.run(mailing, libpq_url(postgres.url(APPLICATION, own_database)), is_until_idle=True)
    assert "RuntimeError" in written.getvalue(), "that it broke is said"
    assert leaks(committed, written) == set()


def test_commands_print_no_key_and_no_persons_data(tmp_path: Path, written: StringIO) -> None:
    """What a command prints when it cannot do its work."""
    run = CliRunner()
    key = f"sluis_test_{KEY}"
    said = ""
    for arguments in (
        ["events", "tail", "--url", "http://127.0.0.1:1", "--api-key", key],
        ["events", "trigger", "client.changed", "--url", "http://127.0.0.1:1", "--api-key", key],
        ["events", "tail", "--url", f"ftp://{KEY}", "--api-key", key],
        ["audit", "verify", str(tmp_path / "none.zip")],
    ):
        answer = run.invoke(app, arguments)
        assert answer.exit_code != 0
        said += answer.output
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(json.dumps({"name": NAME, "email": EMAIL}).encode())
    said += run.invoke(app, ["audit", "verify", str(bundle)]).output
    assert found_in(said + written.getvalue(), {key, NAME, EMAIL}) == set()
