"""Handing one mail to an SMTP server: a synchronous face on aiosmtplib.

Every failure is one of two kinds. `MailRefused`: the server said no for good (5xx), trying again changes nothing.
`MailDelayed`: everything else, also a server that is away, a certificate that does not hold or a sign-in that fails,
since those end when the operator repairs them. Both carry a word and a code, never the server's sentence: it may repeat
the address.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

import aiosmtplib

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from gateway.settings import Settings

TIMEOUT_SECONDS: Final = 30
PERMANENT: Final = range(500, 600)


class MailTrouble(Exception):
    """The mail was not taken; `word` says why."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(word)


class MailRefused(MailTrouble):
    """For good."""


class MailDelayed(MailTrouble):
    """For now."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    sender: str
    greeting: str
    """Our name as we say it to the server; not the machine's."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> MailServer | None:
        """The server of the settings; None when mail is not configured."""
        if settings.smtp_host is None:
            return None
        host = urlsplit(settings.base_url).hostname or "localhost"
        return cls(
            host=settings.smtp_host,
            port=settings.smtp_port,
            tls=settings.smtp_tls,
            sender=settings.smtp_sender or f"sluis@{host}",
            greeting=host,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            ca_file=settings.smtp_ca_file,
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one address."""

    id: UUID
    to: str
    language: str
    subject: str
    text: str = field(repr=False)
    written_at: datetime
    sender_name: str

    def message(self, sender: str) -> EmailMessage:
        """The message; the same for every attempt, Message-ID and date included."""
        made = EmailMessage(policy=SMTP)
        made["From"] = Address(self.sender_name, addr_spec=sender)
        made["To"] = Address(addr_spec=self.to)
        made["Subject"] = self.subject
        made["Date"] = format_datetime(self.written_at)
        # A repetition after a crash carries the same id, so that the receiving side can see that it is one.
        made["Message-ID"] = f"<{self.id.hex}@{sender.rpartition('@')[2]}>"
        made["Content-Language"] = self.language
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(self.text, charset="utf-8", cte="quoted-printable")
        return made


def send(server: MailServer, letter: Letter, *, timeout_seconds: int = TIMEOUT_SECONDS) -> None:
    """Hand the letter over; returns when the server has taken it. Raises `MailRefused` and `MailDelayed`."""
    asyncio.run(_send(server, letter, timeout_seconds))


async def _send(server: MailServer, letter: Letter, timeout_seconds: int) -> None:
    try:
        context = None if server.tls == "none" else ssl.create_default_context(cafile=server.ca_file)
        async with asyncio.timeout(4 * timeout_seconds):
            await aiosmtplib.send(
                letter.message(server.sender),
                sender=server.sender,
                recipients=[letter.to],
                local_hostname=server.greeting,
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                timeout=timeout_seconds,
                use_tls=server.tls == "tls",
                start_tls=server.tls == "starttls",
                tls_context=context,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _of_code("recipient", error.recipients[0].code) from error
    except aiosmtplib.SMTPAuthenticationError as error:
        raise MailDelayed(f"sign_in_{error.code}") from error
    except aiosmtplib.SMTPConnectResponseError as error:
        raise MailDelayed(f"greeting_{error.code}") from error
    except aiosmtplib.SMTPSenderRefused as error:
        raise _of_code("sender", error.code) from error
    except aiosmtplib.SMTPDataError as error:
        raise _of_code("content", error.code) from error
    except aiosmtplib.SMTPResponseException as error:
        raise MailDelayed(f"answer_{error.code}") from error
    except (aiosmtplib.SMTPTimeoutError, TimeoutError) as error:
        raise MailDelayed("timeout") from error
    except ssl.SSLError as error:
        raise MailDelayed("certificate") from error
    except OSError as error:
        raise MailDelayed("connection") from error
    except aiosmtplib.SMTPException as error:
        # Such as a server without STARTTLS: the mail waits rather than travels in the open.
        raise MailDelayed("not_supported") from error


def _of_code(what: str, code: int) -> MailTrouble:
    kind = MailRefused if code in PERMANENT else MailDelayed
    return kind(f"{what}_{code}")
