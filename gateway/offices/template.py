"""The template of an office: what each new client begins with (OFF-01). Pure: JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from gateway.offices.models import Service

CONSENT_REMINDERS: Final = (14, 7, 3, 0)
"""Days before the end of a consent (CON-10); 30 is the office's option."""
APPROVAL_REMINDERS: Final = (1, 3)
"""Business days a payment waits before its approvers are reminded (APP-13)."""
APPROVAL_EXPIRY_DAYS: Final = 10


class StatementsFrom(StrEnum):
    """The first day of statements of an account that is newly connected (OFF-10)."""

    ASK = "ask"
    """Chosen per account; no statement is made until then."""
    QUARTER_START = "quarter_start"
    HISTORY_START = "history_start"
    CONNECTION_DAY = "connection_day"


class Part(StrEnum):
    """What of a template can be applied to existing clients."""

    SERVICES = "services"
    DELIVERY = "delivery"
    NUMBERING = "numbering"
    REMINDERS = "reminders"
    APPROVAL_RULES = "approval_rules"


@dataclass(frozen=True, slots=True)
class TemplateRule:
    """An approval rule by the name of its approver group, since a new client has no people yet."""

    name: str
    group: str
    count: int = 1
    """So many different people of the group."""
    amount_from: str | None = None
    """In euro, inclusive; None: every payment."""


@dataclass(frozen=True, slots=True)
class Template:
    """Everything that is copied."""

    services: tuple[str, ...] = tuple(service.value for service in Service)
    portal_shows_transactions: bool = True
    portal_shows_coda: bool = True
    portal_prepares_while_processing: bool = True
    channel: str | None = None
    """None: the office's default delivery."""
    destination: str | None = None
    package: str | None = None
    statements_from: str = StatementsFrom.ASK.value
    first_coda_number: int | None = None
    consent_reminder_days: tuple[int, ...] = CONSENT_REMINDERS
    approval_reminder_days: tuple[int, ...] = APPROVAL_REMINDERS
    approval_expiry_days: int = APPROVAL_EXPIRY_DAYS
    rules: tuple[TemplateRule, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """As stored."""
        document = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in document.items()}

    @property
    def switches(self) -> dict[str, Any]:
        """Columns of a client."""
        return {
            "services": list(self.services),
            "portal_shows_transactions": self.portal_shows_transactions,
            "portal_shows_coda": self.portal_shows_coda,
            "portal_prepares_while_processing": self.portal_prepares_while_processing,
        }

    @property
    def delivery(self) -> dict[str, Any]:
        """Columns of a client's profile that are filled in; what the template leaves open is not touched."""
        values = {"delivery": self.channel, "destination": self.destination, "package": self.package}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def numbering(self) -> dict[str, Any]:
        """Columns of a client's settings."""
        return {"statements_from": self.statements_from, "first_coda_number": self.first_coda_number}

    @property
    def reminders(self) -> dict[str, Any]:
        """Columns of a client's settings."""
        return {
            "consent_reminder_days": list(self.consent_reminder_days),
            "approval_reminder_days": list(self.approval_reminder_days),
            "approval_expiry_days": self.approval_expiry_days,
        }


DEFAULT: Final = Template()
"""What holds for an office that has made none."""


def template_of(document: Mapping[str, Any]) -> Template:
    """A template from its document."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    values["rules"] = rules_of(document["rules"])
    return Template(**values)


def rules_of(rows: Any) -> tuple[TemplateRule, ...]:
    """Rules from their part of a document."""
    return tuple(TemplateRule(**row) for row in rows)


def rules_document(rules: tuple[TemplateRule, ...]) -> list[dict[str, Any]]:
    """Rules as a part of a document."""
    return [asdict(rule) for rule in rules]
