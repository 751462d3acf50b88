"""Mail: written with its cause, once per key, sent at least once, secret at rest (API-07, UIX-02, UIX-09, OPS-08)."""

from __future__ import annotations

import datetime as dt
import gc
import ipaddress
import logging
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from jinja2 import meta
from sqlalchemy import text

from gateway import worker
from gateway.assembly import Gateway
from gateway.database import libpq_url
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.i18n import LANGUAGES
from gateway.notices import outbox, smtp, writing
from gateway.notices.errors import MailAddressInvalid
from gateway.notices.models import MailMessage
from gateway.notices.outbox import MailSender, mail_operator, opened, queue_mail
from gateway.notices.smtp import MailServer
from gateway.notices.states import TRANSITIONS, MailState
from gateway.offices.models import Office
from tests.gateway.builders import make_office
from tests.gateway.notices.mailbox import Mailbox, mail_server

PARAMETERS = {"endpoint": "whe_1", "attempts": "10", "answer": "503", "event": "evt_1"}
TO = "operator@kantoor.example"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
def mailing(gateway: Gateway, mailbox: Mailbox) -> Gateway:
    """The rolled-back installation, with a mail server."""
    return replace(gateway, settings=mailbox.settings(gateway.settings))


def at(gateway: Gateway, moment: datetime) -> Gateway:
    return replace(gateway, real_now=lambda: moment)


def queue(gateway: Gateway, office: Office, **more: Any) -> UUID:
    wanted = {"to": TO, "language": "nl", "template": "webhook_given_up", "parameters": PARAMETERS, **more}
    with gateway.database.unit_of_work(office.id) as session:
        return queue_mail(session, gateway, office.id, **wanted)


def row(gateway: Gateway, office: Office, mail_id: UUID) -> MailMessage:
    with gateway.database.unit_of_work(office.id) as session:
        return session.get_one(MailMessage, mail_id)


def jobs(gateway: Gateway) -> int:
    with gateway.database.unit_of_work(None) as session:
        counted = session.connection().execute(
            text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_mail'")
        )
        number: int = counted.scalar_one()
        return number


def test_a_mail_is_sent_as_plain_text_that_says_why(mailing: Gateway, mailbox: Mailbox) -> None:
    """UIX-09: readable as plain text, with the office and the reason."""
    office = make_office(mailing)
    mail_id = queue(mailing, office)
    MailSender(mailing).run(office.id, mail_id)
    (mail,) = mailbox.taken
    assert mailbox.recipients == [TO]
    assert mail["Subject"] == "Sluis: een webhook van Kantoor Test komt niet aan"
    assert mail["From"] == "Kantoor Test <sluis@127.0.0.1>"
    assert mail["Message-ID"] == f"<{mail_id.hex}@127.0.0.1>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    body = mail.get_content()
    assert "Het webhookadres whe_1 van Kantoor Test heeft een bericht na 10 pogingen niet aangenomen." in body
    assert "U krijgt deze mail omdat u" in body
    assert "http://127.0.0.1:8000" in body
    sent = row(mailing, office, mail_id)
    assert (sent.state, sent.attempts, sent.fault) == (MailState.SENT, 1, None)
    assert sent.sent_at is not None
    MailSender(mailing).run(office.id, mail_id)
    assert len(mailbox.taken) == 1, "a job that runs again sends nothing"


def test_a_mail_commits_with_its_cause_or_not_at_all(mailing: Gateway) -> None:
    office = make_office(mailing)

    def fail() -> None:
        with mailing.database.unit_of_work(office.id) as session:
            queue_mail(
                session, mailing, office.id, to=TO, language="nl", template="webhook_given_up", parameters=PARAMETERS
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert opened(mailing, office.id) == []
    assert jobs(mailing) == 0


def test_one_key_is_one_mail(mailing: Gateway) -> None:
    office, other = make_office(mailing), make_office(mailing)
    first = queue(mailing, office, key="given_up:1")
    assert queue(mailing, office, key="given_up:1") == first
    assert queue(mailing, office, key="given_up:2") != first
    assert queue(mailing, other, key="given_up:1") != first, "keys belong to an office"
    assert jobs(mailing) == 3


def test_two_at_once_with_one_key_queue_one_mail(committed: Gateway) -> None:
    office = make_office(committed)
    found: list[UUID] = []
    threads = [threading.Thread(target=lambda: found.append(queue(committed, office, key="same"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(opened(committed, office.id)) == 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no-at.example",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example, c@d.example",
        "Name <a@b.example>",
        "a b@c.example",
        "a@b..example",
        "a@-b.example",
        f"{'a' * 65}@b.example",
        "a@b.example\x00",
        "a@b.example\n",
    ],
)
def test_what_is_not_one_plain_address_is_refused(mailing: Gateway, address: str) -> None:
    office = make_office(mailing)
    with pytest.raises(MailAddressInvalid):
        queue(mailing, office, to=address)
    assert opened(mailing, office.id) == []


def test_a_parameter_cannot_add_a_header(mailing: Gateway, mailbox: Mailbox) -> None:
    with mailing.database.unit_of_work(None) as session:
        office = make_office(mailing, name="Kantoor\r\nBcc: thief@example.test\r\n\r\nHello")
        assert session.is_active
    mail_id = queue(mailing, office)
    MailSender(mailing).run(office.id, mail_id)
    (mail,) = mailbox.taken
    assert mail["Bcc"] is None
    assert mailbox.recipients == [TO]
    assert mail["Subject"].strip().startswith("Sluis: een webhook van Kantoor Bcc: thief@example.test Hello")


def test_address_and_text_are_encrypted_at_rest(mailing: Gateway) -> None:
    """SEC-06."""
    office = make_office(mailing)
    stored = row(mailing, office, queue(mailing, office))
    assert stored.content_cipher is not None
    assert b"operator" not in stored.content_cipher
    assert opened(mailing, office.id)[0].to == TO


def test_a_temporary_refusal_is_tried_again_later(mailing: Gateway, mailbox: Mailbox) -> None:
    """DEL-05: temporary refusals are retried, after 1, 5, 15 and 60 minutes, then hourly."""
    office = make_office(mailing)
    now = mailing.real_now()
    mail_id = queue(at(mailing, now), office)
    mailbox.answers = ["451 greylisted", "data 452 disk full", "cut"]
    faults = []
    for minutes in (1, 5, 15):
        MailSender(at(mailing, now)).run(office.id, mail_id)
        waiting = row(mailing, office, mail_id)
        faults.append(waiting.fault)
        assert waiting.state == MailState.RETRYING
        assert waiting.due_at == now + timedelta(minutes=minutes)
        MailSender(at(mailing, now)).run(office.id, mail_id)
        assert row(mailing, office, mail_id).attempts == waiting.attempts, "not before it is due"
        now = waiting.due_at
    assert faults == ["recipient_451", "content_452", "connection"]
    MailSender(at(mailing, now)).run(office.id, mail_id)
    assert row(mailing, office, mail_id).state == MailState.SENT
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize(("answer", "fault"), [("550 no such user", "recipient_550"), ("data 554 spam", "content_554")])
def test_a_permanent_refusal_fails_at_once(mailing: Gateway, mailbox: Mailbox, answer: str, fault: str) -> None:
    """DEL-05: permanent refusals become `failed`."""
    office = make_office(mailing)
    mail_id = queue(mailing, office)
    mailbox.answers = [answer]
    MailSender(mailing).run(office.id, mail_id)
    failed = row(mailing, office, mail_id)
    assert (failed.state, failed.fault) == (MailState.FAILED, fault)
    assert jobs(mailing) == 1, "no further job"


def test_a_mail_is_given_up_after_a_day(mailing: Gateway, mailbox: Mailbox) -> None:
    office = make_office(mailing)
    started = now = mailing.real_now()
    mail_id = queue(at(mailing, now), office)
    mailbox.answers = ["451 later"] * 60
    for _ in range(60):
        MailSender(at(mailing, now)).run(office.id, mail_id)
        stored = row(mailing, office, mail_id)
        if stored.state == MailState.FAILED:
            break
        now = stored.due_at
    assert stored.state == MailState.FAILED
    assert timedelta(hours=24) <= now - started <= timedelta(hours=26)


def test_a_crash_between_the_servers_yes_and_our_record_repeats_the_same_message(
    mailing: Gateway, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 7: at least once, and the repetition has the same Message-ID."""
    office = make_office(mailing)
    mail_id = queue(mailing, office)
    with monkeypatch.context() as killed:
        killed.setattr(MailSender, "_end", lambda *_: None)
        MailSender(mailing).run(office.id, mail_id)
    assert row(mailing, office, mail_id).state == MailState.SENDING
    MailSender(mailing).run(office.id, mail_id)
    assert row(mailing, office, mail_id).state == MailState.SENT
    assert len(mailbox.taken) == 2
    assert mailbox.taken[0].as_bytes() == mailbox.taken[1].as_bytes()


def test_without_a_server_mail_is_kept_until_there_is_one(gateway: Gateway, mailbox: Mailbox) -> None:
    """OPS-08: mail down loses nothing."""
    office = make_office(gateway)
    mail_id = queue(gateway, office)
    assert row(gateway, office, mail_id).state == MailState.NOT_CONFIGURED
    assert jobs(gateway) == 0
    MailSender(gateway).dispatch()
    assert row(gateway, office, mail_id).state == MailState.NOT_CONFIGURED
    mailing = replace(gateway, settings=mailbox.settings(gateway.settings))
    MailSender(mailing).dispatch()
    assert jobs(gateway) == 1
    MailSender(mailing).run(office.id, mail_id)
    assert [mail["To"] for mail in mailbox.taken] == [TO]


def test_a_server_taken_out_of_the_settings_lets_the_mail_wait(mailing: Gateway, gateway: Gateway) -> None:
    office = make_office(mailing)
    mail_id = queue(mailing, office)
    MailSender(gateway).run(office.id, mail_id)
    assert row(mailing, office, mail_id).state == MailState.NOT_CONFIGURED


def test_what_waited_a_week_for_a_server_is_not_sent_any_more(gateway: Gateway, mailbox: Mailbox) -> None:
    office = make_office(gateway)
    mail_id = queue(gateway, office)
    mailing = replace(gateway, settings=mailbox.settings(gateway.settings))
    MailSender(at(mailing, mailing.real_now() + timedelta(days=8))).dispatch()
    assert row(gateway, office, mail_id).state == MailState.FAILED
    assert jobs(gateway) == 0


def test_a_mail_whose_job_was_lost_gets_another(mailing: Gateway) -> None:
    office = make_office(mailing)
    mail_id = queue(mailing, office)
    with mailing.database.unit_of_work(None) as session:
        session.connection().execute(text("DELETE FROM procrastinate_jobs"))
    MailSender(mailing).dispatch()
    assert jobs(mailing) == 0, "not while its first job may still run"
    MailSender(at(mailing, mailing.real_now() + timedelta(minutes=20))).dispatch()
    assert jobs(mailing) == 1
    assert row(mailing, office, mail_id).state == MailState.QUEUED


def test_the_text_is_forgotten_after_a_month(mailing: Gateway) -> None:
    """SEC-06: nothing personal is kept longer than it serves."""
    office = make_office(mailing)
    mail_id = queue(mailing, office)
    MailSender(mailing).run(office.id, mail_id)
    MailSender(at(mailing, mailing.real_now() + timedelta(days=29))).dispatch()
    assert row(mailing, office, mail_id).content_cipher is not None
    MailSender(at(mailing, mailing.real_now() + timedelta(days=31))).dispatch()
    assert row(mailing, office, mail_id).content_cipher is None
    assert opened(mailing, office.id) == []


def test_the_operator_is_mailed_when_one_is_named(mailing: Gateway) -> None:
    office = make_office(mailing)
    named = replace(mailing, settings=mailing.settings.model_copy(update={"operator_email": TO}))
    for installation in (mailing, named):
        with mailing.database.unit_of_work(office.id) as session:
            mail_operator(session, installation, office.id, template="webhook_given_up", parameters=PARAMETERS)
    (mail,) = opened(mailing, office.id)
    assert (mail.to, mail.language) == (TO, "en")


def test_a_wrong_password_is_the_operators_to_repair(gateway: Gateway) -> None:
    office = make_office(gateway)
    with mail_server(password="right") as mailbox:
        for password, fault in (("wrong", "sign_in_535"), ("right", None)):
            settings = mailbox.settings(gateway.settings, smtp_user="sluis", smtp_password=_secret(password))
            mailing = replace(gateway, settings=settings)
            mail_id = queue(mailing, office)
            MailSender(mailing).run(office.id, mail_id)
            assert row(gateway, office, mail_id).fault == fault
        assert set(mailbox.signed_in) == {"sluis"}
        assert len(mailbox.taken) == 1
    assert "right" not in repr(MailServer.of(settings))


# aiosmtpd leaves the connection of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_mail_travels_over_tls_or_not_at_all(gateway: Gateway, tmp_path: Path) -> None:
    office = make_office(gateway)
    context, ca_file = _certificate(tmp_path)
    cases = (
        ({"tls_context": context}, {"smtp_ca_file": ca_file}, None),
        ({"tls_context": context}, {}, "certificate"),
        ({}, {}, "not_supported"),
    )
    for offered, told, fault in cases:
        with mail_server(**offered) as mailbox:
            mailing = replace(gateway, settings=mailbox.settings(gateway.settings, smtp_tls="starttls", **told))
            mail_id = queue(mailing, office)
            MailSender(mailing).run(office.id, mail_id)
            stored = row(gateway, office, mail_id)
            # Who notices first that the certificate does not hold, decides whether we see it or a cut connection.
            assert stored.fault == fault or (fault, stored.fault) == ("certificate", "connection")
            assert stored.state == (MailState.SENT if fault is None else MailState.RETRYING)
            assert mailbox.is_over_tls == ([True] if fault is None else [])
    # Here, where the warning is silenced, and not in whichever test comes later.
    gc.collect()


def test_a_server_that_is_away_or_silent_delays_the_mail(gateway: Gateway) -> None:
    office = make_office(gateway)
    with mail_server() as mailbox:
        settings = mailbox.settings(gateway.settings)
    mailing = replace(gateway, settings=settings)
    mail_id = queue(mailing, office)
    MailSender(mailing).run(office.id, mail_id)
    assert row(gateway, office, mail_id).fault == "connection"


def test_the_log_names_no_address(mailing: Gateway, mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    """SEC-07."""
    office = make_office(mailing)
    mailbox.answers = [f"550 {TO} is unknown"]
    with caplog.at_level(logging.DEBUG):
        MailSender(mailing).run(office.id, queue(mailing, office))
    ours = [vars(record) for record in caplog.records if record.name.startswith("gateway")]
    assert ours
    assert TO not in str(ours)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", writing.names())
def test_every_template_reads_well_in_every_language(template: str, language: str) -> None:
    """UIX-02, UIX-09: subject on one line, text, reason, no place left empty."""
    source = (writing.TEMPLATES / f"{template}.txt").read_text()
    environment = writing._environment(language)
    names = meta.find_undeclared_variables(environment.parse(source)) - {"office_name", "base_url"}
    made = writing.write(
        template, language, {name: f"<{name}>" for name in names}, office_name="Kantoor", base_url="https://s.example"
    )
    assert made.subject
    assert "\n" not in made.subject
    assert "\n-- \n" in made.text
    assert all(f"<{name}>" in made.subject + made.text for name in names)
    assert "None" not in made.text


def test_the_life_cycle_ends_where_it_says() -> None:
    assert {state for state, following in TRANSITIONS.items() if not following} == {MailState.SENT, MailState.FAILED}
    assert set(TRANSITIONS) == set(MailState)


@pytest.mark.processes
def test_the_worker_sends_what_was_committed(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, mailbox: Mailbox
) -> None:
    mailing = replace(committed, settings=mailbox.settings(committed.settings))
    office = make_office(mailing)
    for number in range(3):
        queue(mailing, office, key=f"mail:{number}")
    worker.run(mailing, libpq_url(postgres.url(APPLICATION, own_database)), is_until_idle=True)
    assert len(mailbox.taken) == 3
    assert {mail["Message-ID"] for mail in mailbox.taken} == {
        f"<{mail.id.hex}@127.0.0.1>" for mail in opened(mailing, office.id)
    }


def test_attempts_end_with_the_day() -> None:
    assert sum((outbox.WAITS[min(n, 3)] for n in range(outbox._attempts_max())), timedelta()) >= outbox.GIVE_UP_AFTER
    assert smtp.TIMEOUT_SECONDS < 60


def _secret(value: str) -> Any:
    from pydantic import SecretStr  # noqa: PLC0415

    return SecretStr(value)


def _certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.pem", folder / "server.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public
