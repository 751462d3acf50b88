"""The banks as a process of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.processes
def test_the_command_serves_until_told_to_stop(tmp_path, http) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "connectors.simulator", "--port", "0", "--today", "2026-11-20", "--seed", "3"]
    with subprocess.Popen([*command, "--ready-file", str(ready)], cwd=ROOT, stderr=subprocess.PIPE) as process:
        deadline = monotonic() + 20
        while not ready.exists() and process.poll() is None and monotonic() < deadline:
            sleep(0.01)
        world = http("GET", f"{ready.read_text().strip()}/sim/api/world").json
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert (world["today"], world["seed"]) == ("2026-11-20", 3)


@pytest.mark.processes
def test_the_command_says_when_the_port_is_taken(sim) -> None:
    port = sim.url.rpartition(":")[2]
    command = [sys.executable, "-m", "connectors.simulator", "--port", port, "--today", "2026-11-20"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "cannot listen" in done.stderr
