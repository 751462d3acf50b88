"""A sandbox as its developer starts it: database, simulated banks, web and worker, an office that can be called."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.e2e.test_demo import free_port

TODAY = "2026-11-20"
START_SECONDS_MAX = 180


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox and what its file says."""

    folder: Path
    values: dict[str, str]


@contextlib.contextmanager
def running_sandbox(folder: Path) -> Iterator[Sandbox]:
    """Start, wait until the file to begin from is there, and end it with all its processes."""
    ports = [f"--port={free_port()}", f"--bank-port={free_port()}"]
    command = [sys.executable, "-m", "gateway", "sandbox", "serve", f"--today={TODAY}", f"--folder={folder}", *ports]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    log = folder.with_suffix(".log")
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, env=environment)
    try:
        ends = time.monotonic() + START_SECONDS_MAX
        while "docs/quickstart.md" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.2)
        lines = (folder / "sandbox.env").read_text().splitlines()
        given = dict(line.split("=", 1) for line in lines if line.startswith("SLUIS"))
        yield Sandbox(folder, {name: "".join(shlex.split(value)) for name, value in given.items()})
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
