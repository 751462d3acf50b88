"""A real SMTP server on loopback that answers as it is told."""

from __future__ import annotations

import contextlib
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from gateway.settings import Settings


@dataclass
class Mailbox:
    """What the server took, and how it answers next; an empty list of answers means yes."""

    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """Answers to RCPT TO, in turn; `cut` closes the connection, `data …` answers the content instead."""
    signed_in: list[str] = field(default_factory=list)
    is_over_tls: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answers and self.answers[0] == "cut":
            self.answers.pop(0)
            server.transport.abort()
            return "421 cut"
        if self.answers and not self.answers[0].startswith("data "):
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0).removeprefix("data ")
        assert isinstance(envelope.content, bytes)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.taken.append(parsed)
        self.recipients.extend(envelope.rcpt_tos)
        self.is_over_tls.append(session.ssl is not None)
        return "250 OK"

    def settings(self, settings: Settings, **more: Any) -> Settings:
        """Settings that hand mail to this server, in the open unless said otherwise."""
        told = {"smtp_host": "127.0.0.1", "smtp_port": self.port, "smtp_tls": "none", **more}
        return settings.model_copy(update=told)


@contextlib.contextmanager
def mail_server(password: str | None = None, **more: Any) -> Iterator[Mailbox]:
    """A server in a thread; with a password it wants a sign-in, with `tls_context` it offers STARTTLS."""
    mailbox = Mailbox()

    def sign_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
        mailbox.signed_in.append(data.login.decode())
        return AuthResult(success=data.password.decode() == password, handled=False)

    if password is not None:
        more.update(authenticator=sign_in, auth_require_tls=False)
    controller = _AnyPort(mailbox, hostname="127.0.0.1", port=0, server_hostname="mail.test", **more)
    controller.start()
    try:
        mailbox.port = controller.port
        yield mailbox
    finally:
        controller.stop()


class _AnyPort(Controller):  # type: ignore[misc]  # aiosmtpd's own types are not complete
    """Takes the port the system gives; aiosmtpd looks whether it answers there."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
