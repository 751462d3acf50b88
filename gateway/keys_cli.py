"""`sluis keys`: the key file of an installation, from its making to the retirement of an old master key."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway import keyfile, runtime
from gateway.crypto import KeyRing
from gateway.custody.rotation import RotationService, request_rewrap
from gateway.files_cli import CANNOT_RUN
from gateway.settings import Settings

keys_commands = typer.Typer(
    invoke_without_command=True, help="The key file: without a further word, make it, once; back it up apart."
)


@keys_commands.callback()
def make(context: typer.Context) -> None:
    """Make the key file of this installation, once; back it up apart from the database."""
    if context.invoked_subcommand is not None:
        return
    settings = Settings()
    if settings.keys_path.exists():
        print(f"{settings.keys_path}: exists already and stays as it is", file=sys.stderr)
        raise typer.Exit(CANNOT_RUN)
    KeyRing.generate(settings.keys_path)
    print(f"Keys written to {settings.keys_path}.")


@keys_commands.command()
def rotate(
    *,
    prepare: Annotated[
        bool,
        typer.Option("--prepare", help="Only add the next key, to copy the file to every machine before it is used."),
    ] = False,
) -> None:
    """Begin to use a new master key; running processes take it over, workers wrap stored secrets anew."""
    settings = Settings()
    with keyfile.changing(settings.keys_path) as held:
        document, key_id = keyfile.prepared(held[-1]) if prepare else keyfile.rotated(held[-1], now=datetime.now(UTC))
        held.append(document)
    if prepare:
        print(f"Key {key_id} is prepared. Copy the file to every machine, then run `sluis keys rotate`.")
        return
    print(f"Key {key_id} is current. Back up {settings.keys_path}, apart from the database.")
    if settings.database_url is None:
        print("The worker wraps stored secrets anew within the hour.")
        return
    with runtime.opened_gateway(settings) as gateway, gateway.database.unit_of_work(None) as session:
        request_rewrap(session)
    print("A worker wraps stored secrets anew now; follow it with `sluis keys status`.")


@keys_commands.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False) -> None:
    """Show which master key holds how many stored secrets, per table and column."""
    with runtime.opened_gateway(Settings()) as gateway:
        usage = RotationService(gateway).usage()
        current, key_ids = gateway.keys.current, sorted(gateway.keys.key_ids)
    if as_json:
        print(json.dumps({"current": current, "keys": key_ids, "usage": [asdict(row) for row in usage]}, indent=1))
        return
    table = Table("Table", "Column", "Key", "Form", "Secrets")
    for row in usage:
        table.add_row(row.table, row.column, row.key_id, str(row.version), str(row.count))
    Console().print(table)
    print(f"Current: {current}. In the file: {', '.join(key_ids)}.")


@keys_commands.command()
def retire(key_id: Annotated[str, typer.Argument(help="Id of the master key, such as k1.")]) -> None:
    """Remove an old master key from the file; refused while one stored secret needs it."""
    settings = Settings()
    with runtime.opened_gateway(settings) as gateway:
        RotationService(gateway).retire(key_id, now=datetime.now(UTC))
    print(f"Key {key_id} is no longer in {settings.keys_path}. Backups made before still need it.")


@keys_commands.command()
def public() -> None:
    """Print the public key that checks audit checkpoints and bundles; keep it outside this installation."""
    print(KeyRing.load(Settings().keys_path).public_key_pem, end="")
