"""The simulated banks as a real HTTP server, in this process or in a thread of a test."""

from __future__ import annotations

import socket
from threading import Thread
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import uvicorn

from connectors.simulator.app import create_app
from connectors.simulator.clock import BankClock
from connectors.simulator.faults import FaultBoard
from connectors.simulator.simulator import Simulator, SimulatorConfig
from connectors.simulator.tls import CertificateProtocol
from connectors.simulator.world import World

DEFAULT_API_PATH = "/berlingroup/v1"
LOOPBACK = "127.0.0.1"
START_SECONDS_MAX = 10


def listen(port: int = 0) -> socket.socket:
    """A listening socket on the loopback address; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def uvicorn_server(simulator: Simulator, *, log_level: str = "critical") -> uvicorn.Server:
    """A server for these banks; it listens where `run(sockets=…)` says."""
    tls = simulator.config.tls
    config = uvicorn.Config(
        create_app(simulator),
        http=CertificateProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level=log_level,
        server_header=False,
        timeout_graceful_shutdown=2,
        **(tls.options() if tls is not None else {}),
    )
    return uvicorn.Server(config)


class SimulatorServer:
    """`with SimulatorServer(config) as sim:` runs the banks in a thread on a free port of the loopback address."""

    def __init__(self, config: SimulatorConfig, *, port: int = 0) -> None:
        self.simulator = Simulator(config)
        self._port = port
        self._listener: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or with https, without a slash at the end."""
        assert self._listener is not None, "the server is not running"
        scheme = "http" if self.simulator.config.tls is None else "https"
        return f"{scheme}://{LOOPBACK}:{self._listener.getsockname()[1]}"

    @property
    def world(self) -> World:
        """Accounts and rows: the truth to compare with."""
        return self.simulator.world

    @property
    def clock(self) -> BankClock:
        """The banks' clock."""
        return self.simulator.clock

    @property
    def faults(self) -> FaultBoard:
        """Where faults are ordered."""
        return self.simulator.faults

    def base_url(self, bank_id: str) -> str:
        """The base address of one bank's interface, as a connector wants it."""
        bank = self.simulator.banks.get(bank_id)
        return f"{self.url}/{bank_id}{bank.api_path if bank is not None else DEFAULT_API_PATH}"

    def start(self) -> None:
        """Listen and serve; returns when the first call can be answered."""
        self._listener = listen(self._port)
        server = uvicorn_server(self.simulator)
        thread = Thread(target=server.run, kwargs={"sockets": [self._listener]}, name="simulated-banks", daemon=True)
        self._server, self._thread = server, thread
        thread.start()
        deadline = monotonic() + START_SECONDS_MAX
        while not server.started:
            if not thread.is_alive() or monotonic() > deadline:
                raise RuntimeError("the simulated banks did not start")
            sleep(0.002)

    def stop(self) -> None:
        """Answer what is under way, then close."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(START_SECONDS_MAX)
        if self._listener is not None:
            self._listener.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
