"""Starts the processes of an installation and ends them all together.

Children are tied to us twice: we end them on the way out, and Linux ends them when we are killed without one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from gateway.errors import ConfigError

STOP_SECONDS_MAX: Final = 15
RESTARTS_MAX: Final = 5
RESTART_WINDOW_SECONDS: Final = 60


class PortTaken(ConfigError):
    """Another program listens there."""

    code = "port_taken"
    title = "The port is in use"
    detail = "Another program listens on {host}:{port}."
    hint = "Stop that program, or choose another port."


class ChildFailed(ConfigError):
    """A process of ours ended or did not become ready."""

    code = "child_failed"
    title = "A process of the installation failed"
    detail = "The process {name} {reason}; its log is {log}."
    hint = "Read the last lines of that log."


class Stopped(Exception):
    """SIGTERM or SIGINT asked us to end."""


def require_free_port(host: str, port: int) -> None:
    """Raise `PortTaken` when something listens there already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host=host, port=port) from error


AGAIN_SECONDS: Final = 0.05


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGINT into `Stopped`, raised where the main thread is, so that every `finally` runs."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # A second signal while we are ending would leave children behind.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    def unraisable(lost: sys.UnraisableHookArgs) -> None:
        # Where the main thread was in a finaliser or a callback of a weak reference, Python drops the exception.
        if issubclass(lost.exc_type, Stopped):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        else:
            hook_before(lost)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    hook_before, sys.unraisablehook = sys.unraisablehook, unraisable
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = hook_before
        for number, handler in before.items():
            signal.signal(number, handler)


class Supervisor:
    """A handful of child processes; use as a context manager."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._children: dict[str, _Child] = {}

    def __enter__(self) -> Supervisor:
        self._log_folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `python -m <arguments>`; its output goes to `<name>.log`."""
        child = _Child(name, [sys.executable, "-m", *arguments], environment, self._log_folder / f"{name}.log")
        child.start()
        self._children[name] = child

    def wait_until_ready(self, name: str, is_ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait for a child; raises `ChildFailed` when it ends or takes longer."""
        child = self._children[name]
        deadline = time.monotonic() + seconds
        while not is_ready():
            if child.has_ended():
                raise ChildFailed(name=name, reason="ended at once", log=str(child.log))
            if time.monotonic() > deadline:
                raise ChildFailed(name=name, reason=f"was not ready after {seconds:.0f} seconds", log=str(child.log))
            time.sleep(0.05)

    def watch(self) -> None:
        """Keep the children running until a signal; one that keeps dying ends everything."""
        while True:
            for child in self._children.values():
                if child.has_ended():
                    child.restart()
            time.sleep(0.5)

    def stop(self) -> None:
        """End all children, newest first."""
        children = list(reversed(self._children.values()))
        self._children = {}
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.wait()


class _Child:
    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts: list[float] = []

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self._environment},
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def restart(self) -> None:
        now = time.monotonic()
        self._restarts = [moment for moment in self._restarts if now - moment < RESTART_WINDOW_SECONDS] + [now]
        if len(self._restarts) > RESTARTS_MAX:
            raise ChildFailed(name=self.name, reason="keeps ending", log=str(self.log))
        self.start()

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
