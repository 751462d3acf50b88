"""Ending on a signal, wherever it meets the main thread."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable

import pytest

from gateway.supervisor import Stopped, stopping_on_signals


class Dying:
    """Is told to end while it is being finalised, where Python drops exceptions."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def finalise() -> None:
    Dying()
    gc.collect()


def meanwhile(act: Callable[[], None]) -> None:
    """Do this with signals ending us, and go on for a while."""
    with stopping_on_signals():
        act()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            time.sleep(0.01)


def test_a_signal_ends_the_main_thread_where_it_is() -> None:
    with pytest.raises(Stopped):
        meanwhile(lambda: signal.raise_signal(signal.SIGTERM))


def test_a_signal_during_a_finaliser_is_not_lost() -> None:
    with pytest.raises(Stopped):
        meanwhile(finalise)


def test_afterwards_signals_and_other_exceptions_go_where_they_went() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)]
    with stopping_on_signals():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
