"""What can go wrong: the service refuses, cannot be reached, or answers something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class SluisError(Exception):
    """Base of everything this library raises."""


class Unreachable(SluisError):
    """No usable answer, after all tries. Whether a POST was carried out is told by repeating it with its key."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty field of a request."""

    pointer: str
    code: str
    detail: str
    hint: str


class Problem(SluisError):
    """The service refused (RFC 9457). `code` is stable; `detail` and `hint` are for people, in their language."""

    def __init__(self, status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.status = status
        self.code = str(document.get("code", "unknown"))
        self.title = str(document.get("title", ""))
        self.detail = str(document.get("detail", ""))
        self.hint = str(document.get("hint", ""))
        self.request_id = document.get("request_id")
        self.faults: Sequence[Fault] = tuple(
            Fault(*(str(fault.get(name, "")) for name in ("pointer", "code", "detail", "hint")))
            for fault in document.get("errors", ())
        )
        self.retry_after_seconds = _seconds(headers.get("retry-after"))
        super().__init__(f"{status} {self.code}: {self.detail or self.title}")


def _seconds(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
