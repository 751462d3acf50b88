"""Life cycle of a mail in the outbox."""

from __future__ import annotations

from enum import StrEnum


class MailState(StrEnum):
    """What became of a mail; `sending` is also what a killed worker leaves behind, and is sent again."""

    NOT_CONFIGURED = "not_configured"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    RETRYING = "retrying"
    FAILED = "failed"


TRANSITIONS: dict[MailState, frozenset[MailState]] = {
    MailState.NOT_CONFIGURED: frozenset({MailState.QUEUED, MailState.FAILED}),
    MailState.QUEUED: frozenset({MailState.SENDING, MailState.NOT_CONFIGURED, MailState.FAILED}),
    MailState.SENDING: frozenset({MailState.SENDING, MailState.SENT, MailState.RETRYING, MailState.FAILED}),
    MailState.RETRYING: frozenset({MailState.SENDING, MailState.NOT_CONFIGURED, MailState.FAILED}),
    MailState.SENT: frozenset(),
    MailState.FAILED: frozenset(),
}

UNSENT = frozenset({MailState.QUEUED, MailState.SENDING, MailState.RETRYING})
"""States in which a job is on its way."""


def check(state: MailState, wanted: MailState) -> None:
    """A step the table does not know is a defect of ours: no caller can ask for one."""
    assert wanted in TRANSITIONS[state], f"a mail cannot go from {state} to {wanted}"
