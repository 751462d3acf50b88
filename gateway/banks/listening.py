"""Who hears the answers of banks: whoever listens in this thread, while it does.

A connector and its line serve all consents of a bank at once, so that what is to be kept of one is told apart here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from connectors.http import BankAnswer, BankRequest

Listener = Callable[[BankRequest, BankAnswer], None]
_LISTENER: Final[ContextVar[Listener | None]] = ContextVar("listener", default=None)


def heard(request: BankRequest, answer: BankAnswer) -> None:
    """Pass an answer to who listens."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(request, answer)


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Have this thread's answers heard, until the end of the block."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
