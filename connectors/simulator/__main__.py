"""`python -m connectors.simulator`: the simulated banks as a process of their own."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from connectors.simulator.banks import DEFAULT_BANKS, every_bank
from connectors.simulator.server import LOOPBACK, listen, uvicorn_server
from connectors.simulator.simulator import Simulator, SimulatorConfig
from connectors.simulator.tls import TlsFiles, signature_keys


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the ready file holds the address once calls are answered."""
    parser = argparse.ArgumentParser(prog="python -m connectors.simulator", description="Simulated Belgian banks.")
    parser.add_argument("--port", type=int, default=8090, help="port on the loopback address; 0 takes a free one")
    parser.add_argument("--today", type=date.fromisoformat, required=True, help="first day of the bank clock")
    parser.add_argument("--seed", type=int, default=1, help="another number gives another history")
    parser.add_argument("--volume", type=int, default=1, help="multiplies the customers' receipts")
    parser.add_argument("--ready-file", type=Path, help="written with the address when the server listens")
    parser.add_argument("--every-bank", action="store_true", help="all banks that can be simulated, not the four alone")
    parser.add_argument("--server-file", type=Path, help="PEM with certificate and key: serve https, not http")
    parser.add_argument("--authority-file", type=Path, help="PEM whose client certificates callers must show on https")
    parser.add_argument("--seal-file", type=Path, help="PEM of the QSEAL that must sign, at banks that want it")
    parser.add_argument("--log-level", default="warning", choices=("critical", "error", "warning", "info", "debug"))
    options = parser.parse_args(arguments)
    if (options.server_file is None) is not (options.authority_file is None):
        parser.error("--server-file and --authority-file go together")
    tls = TlsFiles(options.server_file, options.authority_file) if options.server_file is not None else None
    keys = signature_keys(options.seal_file.read_bytes()) if options.seal_file is not None else None
    # The server finishes what is under way on a signal and then raises it again: that one ends the process quietly.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        listener = listen(options.port)
    except OSError as error:
        print(f"cannot listen on port {options.port}: {error.strerror}", file=sys.stderr)  # noqa: T201  a command
        return 2
    with listener:
        url = f"{'http' if tls is None else 'https'}://{LOOPBACK}:{listener.getsockname()[1]}"
        config = SimulatorConfig(
            today=options.today,
            seed=options.seed,
            banks=every_bank() if options.every_bank else DEFAULT_BANKS,
            volume=options.volume,
            signature_keys=keys,
            # Callers sign by their own clock, wherever the bank clock stands.
            signature_time=lambda: datetime.now(UTC),
            tls=tls,
        )
        simulator = Simulator(config)
        if options.ready_file is not None:
            _write_at_once(options.ready_file, f"{url}\n")
        print(f"simulated banks at {url}, control desk at {url}/sim", flush=True)  # noqa: T201  a command
        uvicorn_server(simulator, log_level=options.log_level).run(sockets=[listener])
    return 0


def _write_at_once(path: Path, text: str) -> None:
    """Write so that no reader ever sees half of it; calls before the first answer wait in the listening socket."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
