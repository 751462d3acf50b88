"""Simulated Belgian banks: real HTTP servers over one invented world, with a movable clock and ordered faults.

In tests: `with SimulatorServer(SimulatorConfig(today=date(2026, 11, 20))) as sim: …`. As a process:
`python -m connectors.simulator --today 2026-11-20`. The PSU's part is in `connectors.simulator.psu`.
"""

from connectors.simulator.app import create_app
from connectors.simulator.banks import DEFAULT_BANKS, BankSettings, every_bank
from connectors.simulator.faults import FaultKind
from connectors.simulator.server import SimulatorServer
from connectors.simulator.simulator import Simulator, SimulatorConfig
from connectors.simulator.tls import TlsFiles

__all__ = [
    "DEFAULT_BANKS",
    "BankSettings",
    "FaultKind",
    "Simulator",
    "SimulatorConfig",
    "SimulatorServer",
    "TlsFiles",
    "create_app",
    "every_bank",
]
