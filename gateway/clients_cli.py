"""`sluis clients`: clients in bulk on the command line of the installation (API-12, OFF-12)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway import runtime
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.files_cli import CANNOT_RUN, FAULTS, FINE
from gateway.ids import encode
from gateway.imports.readers import BYTES_MAX
from gateway.imports.runs import RunService
from gateway.imports.schemas import import_read, row_read
from gateway.imports.service import ImportService, ImportView
from gateway.offices.models import Office
from gateway.offices.repository import OfficeRepository
from gateway.pagination import PageRequest
from gateway.settings import Settings

clients_commands = typer.Typer(no_args_is_help=True, help="Clients of an office, in bulk.")


@clients_commands.callback()
def clients() -> None:
    """Clients of an office, in bulk."""


@clients_commands.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Excel (.xlsx), CSV in UTF-8 or JSON.", show_default=False)],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Sort the rows and change nothing.")] = False,
    office: Annotated[
        str | None, typer.Option(help="Name or id of the office; needed when there is more than one.")
    ] = None,
    language: Annotated[Literal["nl", "fr", "en", "de"], typer.Option(help="Language of the sentences.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Import clients: valid rows at once, invalid ones are listed and left; exit 1 when there are any. Mails nobody."""
    content = _content(file)
    settings = Settings()
    with runtime.database_addresses(settings) as addresses:
        runtime.prepare(settings, addresses)
        gateway = runtime.open_gateway(runtime.with_database(settings, addresses))
        act = gateway.system_act(_office(gateway, office).id)
        outcome = carry_out(gateway, act, content, file.name, is_dry_run=dry_run)
        _print(gateway, act, outcome, language=language, as_json=as_json)
    raise typer.Exit(FAULTS if outcome.counts["invalid"] else FINE)


def carry_out(gateway: Gateway, act: Act, content: bytes, name: str, *, is_dry_run: bool) -> ImportView:
    """Check the file and, but for a dry run, import its valid rows with a progress bar on standard error."""
    imports = ImportService(gateway)
    view = imports.create(act, content, file_name=name)
    import_id = view.client_import.id
    if is_dry_run or not view.counts["new"] + view.counts["existing"]:
        return view
    runs = RunService(gateway)
    run, _job = runs.start(act, import_id, has_task=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Clients", total=run.total)
        runs.work(act.office_id, run.id, lambda done, total: progress.update(task, completed=done, total=total))
    return imports.get(act, import_id)


def _print(gateway: Gateway, act: Act, view: ImportView, *, language: str, as_json: bool) -> None:
    imports, import_id = ImportService(gateway), view.client_import.id
    invalid: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        rows, cursor = imports.rows(act, import_id, PageRequest(500, cursor), kind="invalid")
        invalid.extend(row_read(row, language).model_dump(mode="json") for row in rows)
        if cursor is None:
            break
    if as_json:
        document = {"import": import_read(view).model_dump(mode="json"), "invalid": invalid}
        print(json.dumps(document, ensure_ascii=False, indent=1))
        return
    for row in invalid:
        for fault in row["faults"]:
            place = f"{fault['column']}{row['number']}" if fault["column"] else f"row {row['number']}"
            print(f"{place}: {fault['header']}: {fault['detail']} [{fault['code']}]")
    counts = view.counts
    print(", ".join(f"{counts[kind]} {kind.replace('_', ' ')}" for kind in ("new", "existing", "only_here", "invalid")))
    if view.run is not None:
        print(", ".join(f"{count} {what}" for what, count in sorted(view.run.counts.items()) if what != "invalid"))
    print(encode("client_import", import_id))


def _content(file: Path) -> bytes:
    if not file.is_file():
        print(f"{file}: there is no such file", file=sys.stderr)
        raise typer.Exit(CANNOT_RUN)
    with file.open("rb") as stream:
        return stream.read(BYTES_MAX + 1)


def _office(gateway: Gateway, wanted: str | None) -> Office:
    with gateway.database.unit_of_work(None) as session:
        offices = OfficeRepository(session)
        found = [office for office_id in offices.all_ids() if (office := offices.get(office_id)) is not None]
    fitting = [office for office in found if wanted in (None, office.name, encode("office", office.id))]
    if len(fitting) != 1:
        known = ", ".join(f"{office.name} ({encode('office', office.id)})" for office in found) or "none"
        print(f"--office: name one of the offices of this installation: {known}", file=sys.stderr)
        raise typer.Exit(CANNOT_RUN)
    return fitting[0]
