"""`sluis banks`: what the operator sees of banks."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gateway import runtime
from gateway.banks.requests import BankRequestService
from gateway.settings import Settings

banks_commands = typer.Typer(no_args_is_help=True, help="Banks of this installation.")


@banks_commands.callback()
def _banks() -> None:
    """Keeps `requested` a command of its own while it is the only one."""


@banks_commands.command("requested")
def requested(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """Banks that are not on the list and were asked for, with the number of offices; the most wanted first."""
    with runtime.opened_gateway(Settings()) as gateway:
        wanted = BankRequestService(gateway).wanted()
    if as_json:
        print(json.dumps([{"name": one.name, "offices": one.offices} for one in wanted], indent=1, ensure_ascii=False))
        return
    for one in wanted:
        print(f"{one.offices:>5}  {one.name}")
    if not wanted:
        print("No bank was asked for.")
