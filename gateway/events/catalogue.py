"""Which events exist, who may read them, and which acts of the audit chain are events.

Most events are acts that the audit chain holds anyway; they are taken from there, so that a change cannot have its
entry and lack its event. What has no entry (a reading, the health of an account, a held statement) is recorded where it
happens. A type is a subject, a dot and a word in the past tense.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.audit.log import Change
from gateway.identity.rights import Permission

READERS: Final[Mapping[str, Permission]] = {
    "client": Permission.CLIENTS_READ,
    "consent": Permission.CONSENTS_READ,
    "account": Permission.ACCOUNTS_READ,
    "sync": Permission.ACCOUNTS_READ,
    "transaction": Permission.TRANSACTIONS_READ,
    "statement": Permission.STATEMENTS_READ,
    "coda": Permission.STATEMENTS_READ,
    "delivery": Permission.STATEMENTS_READ,
    "basket": Permission.PAYMENTS_READ,
    "payment": Permission.PAYMENTS_READ,
    "approval": Permission.PAYMENTS_READ,
    "export": Permission.PAYMENTS_READ,
    "duplicate": Permission.PAYMENTS_READ,
    "import": Permission.CLIENTS_READ,
    "audit": Permission.AUDIT_READ,
    "test": Permission.CLIENTS_READ,
}
"""Subjects of events with the permission that reading them needs."""

IMPORT: Final = "client_import"
"""Acts on imports; `client_import.finished` is the event `import.finished`, with what it came to."""

RENAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "consent.valid": ("consent.authorised",),
    "payment.approval_given": ("approval.given",),
    "payment.rejected": ("approval.rejected", "payment.rejected"),
    "statement.issued": ("statement.issued", "coda.ready"),
    "statement.reissued": ("statement.reissued", "coda.ready"),
    "transaction.edited": ("transaction.changed",),
    "transaction.vanished": ("transaction.changed",),
    "transaction.revived": ("transaction.changed",),
    "transaction.remapped": ("transaction.changed",),
}
"""Acts whose event has another name, or that are two events."""

WORDS_OF: Final = ("state", "payment_count", "year", "number", "sha256", "old_sha256")
"""Fields of an act that its event repeats, where they are words or counts."""

TYPE: Final = re.compile(r"[a-z]+\.[a-z_]+")
_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{0,80}|[0-9a-f]{128}")


def types_of(action: str) -> tuple[str, ...]:
    """The events of an act; none when its subject is not one of events."""
    if action in RENAMED:
        return RENAMED[action]
    if action.partition(".")[0] == IMPORT:
        return (f"import.{action.partition('.')[2]}",)
    return (action,) if action.partition(".")[0] in READERS else ()


def data_of(action: str, changes: Mapping[str, Change]) -> dict[str, Any]:
    """What an act's event says besides the ids."""
    data = {name: plain(changes[name].new) for name in WORDS_OF if name in changes}
    if action in RENAMED and RENAMED[action] == ("transaction.changed",):
        data["change"] = action.partition(".")[2]
    if action.partition(".")[0] == IMPORT:
        data |= {name: change.new for name, change in changes.items() if isinstance(change.new, int)}
    return data


def plain(value: Any) -> Any:
    """The value as the log holds it; raises `TypeError` for anything that could be a name, a text or an amount."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str) and _WORD.fullmatch(value):
        return str(value)
    raise TypeError("an event holds ids, states and counts only")
