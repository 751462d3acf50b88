"""The demo's processes: database, simulated banks, web and worker; then the story, then serving it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final

from rich.console import Console

from gateway import runtime
from gateway.clock import BRUSSELS, brussels_date, real_now
from gateway.demo import banks
from gateway.demo.sandbox import open_sandbox
from gateway.demo.story import Story
from gateway.embedded import EmbeddedPostgres
from gateway.errors import ConfigError, FieldFault, InputError
from gateway.settings import Settings
from gateway.supervisor import Supervisor, require_free_port, stopping_on_signals

HOST: Final = "127.0.0.1"
READY_SECONDS_MAX: Final = 30
MORNING: Final = time(9, 0)
"""The hour at which the demo's first day begins: after the banks' end of day, whenever the demo is run."""


class DemoRunning(ConfigError):
    """Another demo uses the folder."""

    code = "demo_running"
    title = "A demo is running already"
    detail = "Process {pid} runs a demo in {folder}, at {address}."
    hint = "Stop it (Ctrl-C where it runs), or open that address."


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What `sluis demo` was asked for."""

    once: bool
    port: int
    bank_port: int
    today: date
    folder: Path
    is_sandbox: bool = False
    """An office ready to be called, without the story."""

    @classmethod
    def from_command(
        cls, *, once: bool, port: int, bank_port: int, today: str | None, folder: Path, is_sandbox: bool = False
    ) -> DemoOptions:
        """Options from the command line; raises `InputError` for a day that is none."""
        try:
            day = brussels_date(real_now()) if today is None else date.fromisoformat(today)
        except ValueError as error:
            fault = FieldFault("/today", "date_invalid", "A day has the form YYYY-MM-DD.")
            raise InputError(faults=[fault]) from error
        return cls(once=once, port=port, bank_port=bank_port, today=day, folder=folder, is_sandbox=is_sandbox)

    @property
    def address(self) -> str:
        """Of the pages and the API."""
        return f"http://{HOST}:{self.port}"

    @property
    def bank_address(self) -> str:
        """Of the simulated banks."""
        return f"http://{HOST}:{self.bank_port}"

    @property
    def clock_offset_seconds(self) -> int:
        """From real time to the first morning of the demo."""
        morning = datetime.combine(self.today, MORNING, BRUSSELS).astimezone(UTC)
        return int((morning - real_now()).total_seconds())


class Demo:
    """One run; everything it makes lies in its folder, which is made anew."""

    def __init__(self, options: DemoOptions) -> None:
        self.options = options
        self.console = Console(highlight=False)

    def run(self) -> None:
        """Set up, tell the story, and serve until a signal; with `once`, stop after the story."""
        with stopping_on_signals(), self._alone():
            require_free_port(HOST, self.options.port)
            require_free_port(HOST, self.options.bank_port)
            self._make_folder_anew()
            settings = self._settings()
            with runtime.database_addresses(settings) as addresses:
                runtime.prepare(settings, addresses)
                with Supervisor(self.options.folder / "logs") as supervisor:
                    self._start(supervisor, settings, addresses.application)
                    gateway = runtime.open_gateway(runtime.with_database(settings, addresses))
                    story = Story(self.options, gateway, self.console)
                    if self.options.is_sandbox:
                        open_sandbox(story)
                    else:
                        story.tell()
                    if not self.options.once:
                        self.console.print("\nServing. Stop with Ctrl-C.")
                        supervisor.watch()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder's lock; the system lets go of it when we are killed."""
        folder = self.options.folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        path = folder.parent / f"{folder.name}.lock"
        with path.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                pid, _, address = lock.read().partition(" ")
                raise DemoRunning(pid=pid or "?", folder=folder, address=address or "?") from error
            lock.truncate(0)
            lock.write(f"{os.getpid()} {self.options.address}")
            lock.flush()
            yield

    def _make_folder_anew(self) -> None:
        folder = self.options.folder
        if folder.exists():
            # A killed run leaves a server behind only where the system could not end it with its parent.
            EmbeddedPostgres(folder / runtime.POSTGRES_FOLDER).stop_leftover()
            shutil.rmtree(folder)
        folder.mkdir()

    def _settings(self) -> Settings:
        seal = banks.write_seal(self.options.folder, now=real_now())
        return Settings(
            _env_file=None,
            data_folder=self.options.folder,
            database_url=None,
            database_owner_url=None,
            keys_file=None,
            base_url=self.options.address,
            host=HOST,
            port=self.options.port,
            mode="test",
            banks=banks.access(self.options.bank_address, seal),
            certificates=banks.certificates(seal),
            # One program plays everybody here, faster than people and portals do.
            rate_limit_per_minute=0,
            rate_limit_office_per_minute=0,
            rate_limit_unknown_per_minute=0,
        )

    def _start(self, supervisor: Supervisor, settings: Settings, database_url: str) -> None:
        from gateway.cli import is_healthy  # noqa: PLC0415 - the command imports this package

        ready = self.options.folder / "banks.ready"
        supervisor.start(
            "banks",
            [
                "connectors.simulator",
                f"--port={self.options.bank_port}",
                f"--today={self.options.today.isoformat()}",
                f"--ready-file={ready}",
                "--every-bank",
                f"--seal-file={settings.certificates['qseal'].certificate_file}",
            ],
            {},
        )
        environment = {
            "SLUIS_DATABASE_URL": database_url,
            "SLUIS_KEYS_FILE": str(settings.keys_path),
            "SLUIS_DATA_FOLDER": str(settings.data_folder),
            "SLUIS_BASE_URL": settings.base_url,
            "SLUIS_HOST": HOST,
            "SLUIS_PORT": str(settings.port),
            "SLUIS_MODE": "test",
            "SLUIS_RATE_LIMIT_PER_MINUTE": str(settings.rate_limit_per_minute),
            "SLUIS_RATE_LIMIT_OFFICE_PER_MINUTE": str(settings.rate_limit_office_per_minute),
            "SLUIS_RATE_LIMIT_UNKNOWN_PER_MINUTE": str(settings.rate_limit_unknown_per_minute),
            "SLUIS_BANKS": json.dumps(banks.in_clear(settings.banks)),
            "SLUIS_CERTIFICATES": json.dumps(
                {name: found.model_dump(mode="json") for name, found in settings.certificates.items()}
            ),
        }
        supervisor.start("web", ["gateway", "serve"], environment)
        supervisor.start("worker", ["gateway", "worker"], environment)
        supervisor.wait_until_ready("banks", ready.exists, seconds=READY_SECONDS_MAX)
        supervisor.wait_until_ready("web", lambda: is_healthy(self.options.address), seconds=READY_SECONDS_MAX)
