"""The banks as a process of their own."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

import pytest

from connectors.issuing import InventedAuthority

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


@pytest.mark.processes
def test_the_command_serves_https_with_the_files_it_is_given(tmp_path: Path) -> None:
    now = datetime.now(UTC)  # TLS looks at the real clock
    authority = InventedAuthority(not_before=now - timedelta(hours=1), not_after=now + timedelta(days=1))
    server, seal = authority.server(), authority.qseal()
    (tmp_path / "authority.pem").write_bytes(authority.root_pem)
    (tmp_path / "server.pem").write_bytes(server.chain_pem + server.key_pem())
    (tmp_path / "seal.pem").write_bytes(seal.chain_pem)
    command = [sys.executable, "-m", "connectors.simulator", "--port", "0", "--today", "2026-11-20"]
    alone = [*command, "--server-file", str(tmp_path / "server.pem")]
    assert subprocess.run(alone, cwd=ROOT, capture_output=True, timeout=20, check=False).returncode == 2
    files = [f"--{name}-file={tmp_path / name}.pem" for name in ("server", "authority", "seal")]
    ready = tmp_path / "ready"
    with subprocess.Popen([*command, *files, "--ready-file", str(ready)], cwd=ROOT, stdout=subprocess.PIPE) as process:
        deadline = monotonic() + 20
        while not ready.exists() and process.poll() is None and monotonic() < deadline:
            sleep(0.01)
        url = ready.read_text().strip()
        assert url.startswith("https://")
        context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
        with build_opener(ProxyHandler({}), HTTPSHandler(context=context)).open(f"{url}/sim", timeout=10) as page:
            assert page.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
