"""Queueing mail in the unit of work that makes it necessary, and sending it afterwards.

A mail is written when it is queued and committed together with its cause. Sending is a job: intent (`sending`), the
SMTP server, outcome. A worker killed between the server's yes and our record sends again, with the same Message-ID:
a mail arrives at least once, and the receiving side can tell the repetition.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.database import UNIT_OFFICE
from gateway.ids import new_id
from gateway.jobs import enqueue
from gateway.notices import smtp
from gateway.notices.errors import MailAddressInvalid
from gateway.notices.models import MailMessage
from gateway.notices.repository import MailRepository
from gateway.notices.smtp import Letter, MailDelayed, MailRefused, MailServer, MailTrouble
from gateway.notices.states import UNSENT, MailState, check
from gateway.notices.writing import one_line, write
from gateway.offices.models import Office
from gateway.offices.repository import OfficeRepository

TASK: Final = "send_mail"
WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""After each failed attempt; the last one repeats."""
GIVE_UP_AFTER: Final = timedelta(hours=24)
"""Counted from the first moment it could be sent."""
KEEP_UNCONFIGURED: Final = timedelta(days=7)
"""Links in mails end after 7 days (OFF-07): what waited longer for a mail server says nothing useful any more."""
KEEP_CONTENT: Final = timedelta(days=30)
LOST_AFTER: Final = timedelta(minutes=15)
BATCH: Final = 500

_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")

log = logging.getLogger("gateway.notices")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail with its content opened."""

    id: UUID
    state: MailState
    template: str
    to: str
    language: str
    subject: str
    text: str


def queue_mail(
    session: Session,
    gateway: Gateway,
    office_id: UUID,
    *,
    to: str,
    language: str,
    template: str,
    parameters: Mapping[str, str],
    key: str | None = None,
) -> UUID:
    """Write a mail and have it sent after the commit; returns its id.

    With a `key`, the office gets one such mail, whoever asks again: the id of the first is returned.
    Raises `MailAddressInvalid` for anything but one plain address.
    """
    assert session.info[UNIT_OFFICE] == office_id, "a mail belongs to the office of the unit of work"
    if len(to) > 254 or _ADDRESS.fullmatch(to) is None or ".." in to:
        raise MailAddressInvalid
    office = session.get_one(Office, office_id)
    writing = write(template, language, parameters, office_name=office.name, base_url=gateway.settings.base_url)
    content = {"to": to, "language": language, "subject": writing.subject, "text": writing.text}
    mail_id, now = new_id(), gateway.real_now()
    mail = MailMessage(
        id=mail_id,
        office_id=office_id,
        key=key,
        template=template,
        content_cipher=gateway.keys.encrypt(
            json.dumps(content).encode(), office_id=office_id, table=MailMessage.__tablename__, row_id=mail_id
        ),
        state=MailState.QUEUED if gateway.settings.smtp_host else MailState.NOT_CONFIGURED,
        created_at=now,
        due_at=now,
    )
    mails = MailRepository(session)
    if not mails.add_once(office_id, mail):
        assert key is not None, "only a key can collide"
        return mails.by_key(office_id, key)
    if mail.state == MailState.QUEUED:
        _enqueue(session, mail)
    return mail_id


def mail_operator(
    session: Session,
    gateway: Gateway,
    office_id: UUID,
    *,
    template: str,
    parameters: Mapping[str, str],
    key: str | None = None,
) -> UUID | None:
    """A mail to the operator of this installation; None, and a warning in the log, when none is named."""
    to = gateway.settings.operator_email
    if not to:
        log.warning("no operator to mail", extra={"template": template, "office_id": str(office_id)})
        return None
    return queue_mail(
        session, gateway, office_id, to=to, language=gateway.settings.default_language,
        template=template, parameters=parameters, key=key,
    )  # fmt: skip


def opened(gateway: Gateway, office_id: UUID) -> list[Mail]:
    """The mails of an office whose content is still kept, in order of writing; for the demo and for tests."""
    with gateway.database.unit_of_work(office_id) as session:
        return opened_in(session, gateway, office_id)


def opened_in(session: Session, gateway: Gateway, office_id: UUID) -> list[Mail]:
    """The same within a unit of work."""
    return [
        Mail(id=row.id, state=row.state, template=row.template, **_content(gateway, row))
        for row in MailRepository(session).all(office_id)
        if row.content_cipher is not None
    ]


class MailSender:
    """The job's side of the outbox."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def run(self, office_id: UUID, mail_id: UUID) -> None:
        """Send one mail; does nothing when it was sent meanwhile or is not due."""
        server = MailServer.of(self.gateway.settings)
        letter = self._begin(office_id, mail_id, server)
        if letter is None or server is None:
            return
        trouble: MailTrouble | None = None
        try:
            smtp.send(server, letter)
        except (MailDelayed, MailRefused) as error:
            trouble = error
        self._end(office_id, mail_id, trouble)

    def dispatch(self) -> None:
        """Every few minutes: what waited for a server, what lost its job, what is to be forgotten."""
        with self.gateway.database.unit_of_work(None) as session:
            offices: Sequence[UUID] = OfficeRepository(session).all_ids()
        for office_id in offices:
            with self.gateway.database.unit_of_work(office_id) as session:
                self._dispatch_office(session, office_id)

    def _begin(self, office_id: UUID, mail_id: UUID, server: MailServer | None) -> Letter | None:
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(office_id) as session:
            mail = MailRepository(session).get(office_id, mail_id, is_locked=True)
            if mail is None or mail.state not in UNSENT or mail.due_at > now:
                return None
            if server is None:
                # The server was taken out of the settings; the mail waits for the next one.
                _move(mail, MailState.NOT_CONFIGURED if mail.state != MailState.SENDING else MailState.RETRYING)
                session.add(mail)
                return None
            _move(mail, MailState.SENDING)
            mail.attempts += 1
            mail.due_at = now
            session.add(mail)
            office = session.get_one(Office, office_id)
            content = _content(self.gateway, mail)
        return Letter(id=mail.id, written_at=mail.created_at, sender_name=one_line(office.name), **content)

    def _end(self, office_id: UUID, mail_id: UUID, trouble: MailTrouble | None) -> None:
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(office_id) as session:
            mail = MailRepository(session).get(office_id, mail_id, is_locked=True)
            assert mail is not None, "mails are never deleted"
            mail.fault = trouble.word if trouble else None
            if trouble is None:
                _move(mail, MailState.SENT)
                mail.sent_at = now
            elif isinstance(trouble, MailRefused) or mail.attempts > _attempts_max():
                _move(mail, MailState.FAILED)
            else:
                _move(mail, MailState.RETRYING)
                mail.due_at = now + WAITS[min(mail.attempts, len(WAITS)) - 1]
                _enqueue(session, mail, schedule_in=mail.due_at - now)
            session.add(mail)
            known = {"mail_id": str(mail_id), "template": mail.template, "state": str(mail.state)}
        log.info("mail", extra={**known, "fault": trouble.word if trouble else None})

    def _dispatch_office(self, session: Session, office_id: UUID) -> None:
        now = self.gateway.real_now()
        mails = MailRepository(session)
        for mail in mails.waiting_for_configuration(office_id, limit=BATCH):
            if now - mail.created_at > KEEP_UNCONFIGURED:
                _move(mail, MailState.FAILED)
                mail.fault = "not_configured"
            elif self.gateway.settings.smtp_host:
                _move(mail, MailState.QUEUED)
                mail.due_at = now
                _enqueue(session, mail)
            session.add(mail)
        for mail in mails.lost(office_id, before=now - LOST_AFTER, limit=BATCH):
            mail.due_at = now
            session.add(mail)
            _enqueue(session, mail)
        mails.erase(office_id, before=now - KEEP_CONTENT)


def _attempts_max() -> int:
    """How many attempts fit into the time after which a mail fails."""
    total, attempts = timedelta(0), 0
    while total < GIVE_UP_AFTER:
        total += WAITS[min(attempts, len(WAITS) - 1)]
        attempts += 1
    return attempts


def _move(mail: MailMessage, wanted: MailState) -> None:
    check(mail.state, wanted)
    mail.state = wanted


def _enqueue(session: Session, mail: MailMessage, *, schedule_in: timedelta | None = None) -> None:
    enqueue(
        session, TASK, lock=f"mail:{mail.id}", schedule_in=schedule_in,
        office_id=str(mail.office_id), mail_id=str(mail.id),
    )  # fmt: skip


def _content(gateway: Gateway, mail: MailMessage) -> dict[str, str]:
    assert mail.content_cipher is not None, "content is erased after the end only"
    plain = gateway.keys.decrypt(
        mail.content_cipher, office_id=mail.office_id, table=MailMessage.__tablename__, row_id=mail.id
    )
    content: dict[str, str] = json.loads(plain)
    return content
