"""`python -m connectors.simulator`: the simulated banks as a process of their own."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from datetime import date
from pathlib import Path

from connectors.simulator.server import LOOPBACK, listen, uvicorn_server
from connectors.simulator.simulator import Simulator, SimulatorConfig


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the ready file holds the address once calls are answered."""
    parser = argparse.ArgumentParser(prog="python -m connectors.simulator", description="Simulated Belgian banks.")
    parser.add_argument("--port", type=int, default=8090, help="port on the loopback address; 0 takes a free one")
    parser.add_argument("--today", type=date.fromisoformat, required=True, help="first day of the bank clock")
    parser.add_argument("--seed", type=int, default=1, help="another number gives another history")
    parser.add_argument("--volume", type=int, default=1, help="multiplies the customers' receipts")
    parser.add_argument("--ready-file", type=Path, help="written with the address when the server listens")
    parser.add_argument("--log-level", default="warning", choices=("critical", "error", "warning", "info", "debug"))
    options = parser.parse_args(arguments)
    # The server finishes what is under way on a signal and then raises it again: that one ends the process quietly.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        listener = listen(options.port)
    except OSError as error:
        print(f"cannot listen on port {options.port}: {error.strerror}", file=sys.stderr)  # noqa: T201  a command
        return 2
    with listener:
        url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        simulator = Simulator(SimulatorConfig(today=options.today, seed=options.seed, volume=options.volume))
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
