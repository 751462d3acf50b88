"""The life of a job as callers see it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """API-05."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TRANSITIONS: Final[dict[JobState, frozenset[JobState]]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


def can_move(state: JobState, wanted: JobState) -> bool:
    """Whether a job in `state` may become `wanted`; an ended job never changes."""
    return wanted in TRANSITIONS[state]
