"""The items of a checklist and what each asks next. Pure: facts in, items out (OFF-11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.i18n import _
from gateway.offices.models import Service


class ItemState(StrEnum):
    """Where an item stands."""

    DONE = "done"
    TODO = "todo"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a checklist."""

    key: str
    state: ItemState
    next_step: str = ""
    """English message id of what to do; "" unless `todo`."""


OFFICE_ITEMS: Final = ("data", "consent_cap", "users", "delivery", "clients", "consents", "first_coda")
CLIENT_ITEMS: Final = ("consent", "first_sync", "balance_proof", "numbering", "delivery", "rules", "users")
NAMES: Final[Mapping[str, str]] = {
    "data": _("Data of the office"),
    "consent_cap": _("Longest life of a bank permission"),
    "users": _("People"),
    "delivery": _("Delivery"),
    "clients": _("Clients"),
    "consents": _("Bank permissions"),
    "first_coda": _("First CODA"),
    "consent": _("Bank permission"),
    "first_sync": _("First reading"),
    "balance_proof": _("Balance proven"),
    "numbering": _("First day and numbering"),
    "rules": _("Approval rules"),
}
"""Item to the words people read."""


@dataclass(frozen=True, slots=True)
class OfficeFacts:
    """What is known of an office."""

    services: Collection[str]
    is_reviewed: bool
    """Somebody saved its settings."""
    consent_days_max: int
    admins: int
    has_default_delivery: bool
    has_clients: bool
    has_valid_consent: bool
    has_issued_statement: bool


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """What is known of a client."""

    services: Collection[str]
    """On for the client and for its office."""
    has_valid_consent: bool = False
    has_waiting_consent: bool = False
    accounts: int = 0
    """Connected and visible."""
    accounts_read: int = 0
    accounts_proven: int = 0
    """With a statement that was issued, or days closed without entries."""
    accounts_numbered: int = 0
    """With a first day of statements."""
    channel: str | None = None
    """Its own, its template's or the office's."""
    has_destination: bool = False
    is_destination_confirmed: bool = False
    accounts_waiting: int = 0
    """With an own destination that nobody confirmed yet (OFF-02)."""
    is_process_on: bool = True
    has_rules: bool = False
    has_people: bool = False


NO_DESTINATION: Final = frozenset({"download", "agent", "manual"})
"""Channels that deliver nowhere by themselves."""


def office_items(facts: OfficeFacts) -> list[Item]:
    """The checklist of an office, in the order of `OFFICE_ITEMS`."""
    reads, coda = (
        Service.TRANSACTIONS in facts.services or Service.CODA in facts.services,
        Service.CODA in facts.services,
    )
    return [
        _item("data", facts.is_reviewed, _("Check name and language of the office, and save them.")),
        _item("consent_cap", facts.consent_days_max > 0, _("Set how long a bank permission may last.")),
        _item("users", facts.admins > 1, _("Invite a second administrator: what moves rights takes two people.")),
        _item("delivery", facts.has_default_delivery, _("Choose how files reach your clients' packages."), coda),
        _item("clients", facts.has_clients, _("Add your clients, one by one or from a list.")),
        _item("consents", facts.has_valid_consent, _("Ask a first client for permission to read its accounts."), reads),
        _item(
            "first_coda",
            facts.has_issued_statement,
            _("Wait for a bank permission, a first reading and a balance that proves."),
            coda,
        ),
    ]


def client_items(facts: ClientFacts) -> list[Item]:
    """The checklist of a client, in the order of `CLIENT_ITEMS`."""
    coda, payments = Service.CODA in facts.services, Service.PAYMENTS in facts.services
    reads = coda or Service.TRANSACTIONS in facts.services
    waits_for_destination = facts.has_destination and not facts.is_destination_confirmed
    needs_destination = facts.channel not in NO_DESTINATION
    return [
        _item(
            "consent",
            facts.has_valid_consent,
            _("The link waits for the client; remind it.")
            if facts.has_waiting_consent
            else _("Ask the client for permission to read its accounts."),
            reads,
        ),
        _item(
            "first_sync",
            0 < facts.accounts == facts.accounts_read,
            _("The first reading is under way.") if facts.accounts else _("First comes the bank permission."),
            reads,
        ),
        _item(
            "balance_proof",
            0 < facts.accounts == facts.accounts_proven,
            _("Wait for a day whose balance proves, or look at the statements that are held."),
            coda,
        ),
        _item(
            "numbering",
            0 < facts.accounts == facts.accounts_numbered,
            _("Choose the first day and the next number per account.")
            if facts.accounts
            else _("First comes the bank permission."),
            coda,
        ),
        _item(
            "delivery",
            facts.channel is not None
            and not facts.accounts_waiting
            and (not needs_destination or (facts.has_destination and facts.is_destination_confirmed)),
            _("Another administrator must confirm the destination.")
            if facts.channel is not None and (waits_for_destination or facts.accounts_waiting)
            else _("Choose the channel and destination of the files."),
            coda,
        ),
        _item(
            "rules",
            facts.has_rules,
            _("Let an administrator make a rule that names who approves."),
            payments and facts.is_process_on,
        ),
        _item("users", facts.has_people, _("Invite the people who prepare, approve and export."), payments),
    ]


def _item(key: str, is_done: bool, next_step: str, is_needed: bool = True) -> Item:
    if not is_needed:
        return Item(key, ItemState.NOT_NEEDED)
    return Item(key, ItemState.DONE) if is_done else Item(key, ItemState.TODO, next_step)
