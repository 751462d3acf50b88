"""The command `sluis`. Exit codes: 0 fine, 1 the content has faults, 2 cannot run."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from gateway import logs, migrations, runtime, serving, worker
from gateway.audit.log import Change
from gateway.audit_cli import audit_commands
from gateway.banks_cli import banks_commands
from gateway.certificates_cli import certificates_commands
from gateway.clients_cli import clients_commands
from gateway.coda_cli import coda_commands
from gateway.errors import GatewayError
from gateway.events_cli import events_commands
from gateway.files_cli import CANNOT_RUN, pain_commands
from gateway.identity.enrolment import issue_code
from gateway.identity.people import PeopleService
from gateway.identity.rights import OfficeRole
from gateway.keys_cli import keys_commands
from gateway.machines_cli import application_commands, issuer_commands
from gateway.offices.service import OfficeService
from gateway.operator_cli import NamedOption, acting_operator, operator_commands
from gateway.people.operators import OperatorService
from gateway.proofs_cli import proof_commands
from gateway.sandbox_cli import sandbox_commands
from gateway.settings import Settings
from gateway.supervisor import Stopped, Supervisor, require_free_port, stopping_on_signals
from gateway.traffic_cli import traffic_commands

READY_SECONDS_MAX: Final = 30

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sluis: PSD2 in, CODA out; invoices in, approved pain.001 out.",
)
app.add_typer(banks_commands, name="banks")
app.add_typer(certificates_commands, name="certificates")
app.add_typer(clients_commands, name="clients")
app.add_typer(coda_commands, name="coda")
app.add_typer(pain_commands, name="pain")
app.add_typer(keys_commands, name="keys")
app.add_typer(events_commands, name="events")
app.add_typer(sandbox_commands, name="sandbox")
app.add_typer(audit_commands, name="audit")
office_commands = typer.Typer(no_args_is_help=True, help="Offices of this installation.")
app.add_typer(office_commands, name="office")
app.add_typer(application_commands, name="application")
app.add_typer(issuer_commands, name="issuer")
app.add_typer(operator_commands, name="operator")
app.add_typer(proof_commands, name="proofs")
app.add_typer(traffic_commands, name="traffic")


@app.command()
def serve(
    *,
    all_in_one: Annotated[
        bool,
        typer.Option("--all-in-one", help="Database, web and worker from one process (default without a database)."),
    ] = False,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Web processes.")] = 1,
) -> None:
    """Serve the API and the pages."""
    settings = Settings()
    require_free_port(settings.host, settings.port)
    if settings.database_url is None or all_in_one:
        _serve_all(settings, processes)
    else:
        serving.serve(settings, processes=processes)


@app.command("worker")
def worker_() -> None:
    """Run background jobs: synchronisation, statements, polling."""
    settings = Settings()
    logs.configure(settings.log_level)
    worker.run(runtime.open_gateway(settings), runtime.conninfo(settings))


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; runs once, as the owner of the tables."""
    settings = Settings()
    if settings.database_owner_url is None:
        raise runtime.DatabaseNotNamed(setting="SLUIS_DATABASE_OWNER_URL")
    migrations.upgrade(settings.database_owner_url.get_secret_value())
    print("The database is up to date.")


@office_commands.command("add")
def office_add(
    name: Annotated[str, typer.Argument(help="Name of the office.")],
    *,
    email: Annotated[str, typer.Option(help="E-mail address of the first administrator.")],
    first_name: Annotated[str, typer.Option(help="First name.")],
    last_name: Annotated[str, typer.Option(help="Last name.")],
    password: Annotated[
        str,
        typer.Option(
            prompt=True,
            hide_input=True,
            confirmation_prompt=True,
            envvar="SLUIS_FIRST_PASSWORD",
            help="At least 12 characters; asked for when not in the environment.",
        ),
    ],
    language: Annotated[str, typer.Option(help="nl, fr, en or de.")] = "nl",
    consent_days: Annotated[int, typer.Option(min=1, max=180, help="The office's cap on consents, in days.")] = 90,
    as_: NamedOption = None,
) -> None:
    """Add an office with its first administrator, who sets up a second factor at the first sign-in."""
    settings = Settings()
    with runtime.database_addresses(settings) as addresses:
        runtime.prepare(settings, addresses)
        gateway = runtime.open_gateway(runtime.with_database(settings, addresses))
        operator = acting_operator(gateway, as_)
        office = OfficeService(gateway).create(
            name=name, language=language, mode=settings.mode, consent_days_max=consent_days
        )
        people = PeopleService(gateway)
        user = people.create_user(
            email=email, first_name=first_name, last_name=last_name, language=language, password=password
        )
        people.grant_role(gateway.system_act(office.id), user.id, OfficeRole.ADMIN)
        with gateway.database.unit_of_work(None) as session:
            held = session.merge(user)
            code = issue_code(gateway, held, gateway.real_now())
        with gateway.database.unit_of_work(office.id) as session:
            act = OperatorService(gateway).act_at(operator, office.id)
            changes = {"name": Change(None, name), "admin_id": Change(None, user.id)}
            gateway.audit.record(session, act, "office.created", "office", office.id, changes=changes)
    print(f"Office {name} added; {email} can sign in at {settings.base_url}.")
    print(f"Code for the first second factor, to hand over apart from the password: {code}")


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Do the whole job and stop.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the pages and the API.")] = 8470,
    bank_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the simulated banks.")] = 8471,
    today: Annotated[str | None, typer.Option(help="First day of the demo, YYYY-MM-DD (default: today).")] = None,
    folder: Annotated[Path, typer.Option(help="Made anew by each run.")] = Path("var/demo"),
) -> None:
    """Run the whole job against simulated banks, then serve it."""
    from gateway.demo import Demo, DemoOptions  # noqa: PLC0415 - the simulator is for the demo and the sandbox only

    Demo(DemoOptions.from_command(once=once, port=port, bank_port=bank_port, today=today, folder=folder)).run()


def main() -> None:
    """Entry point: one sentence for what the operator must repair, never a stack trace."""
    try:
        app()
    except Stopped:
        raise SystemExit(0) from None
    except GatewayError as error:
        print(f"sluis: {error.english()}", file=sys.stderr)
        for fault in error.faults:
            print(f"  {fault.pointer}: {fault.detail} {fault.hint}".rstrip(), file=sys.stderr)
        print(f"  {error.hint}", file=sys.stderr)
        raise SystemExit(CANNOT_RUN) from None
    except ValidationError as error:
        print("sluis: the settings have faults", file=sys.stderr)
        for found in error.errors(include_input=False, include_url=False):
            setting = "SLUIS_" + "__".join(str(part) for part in found["loc"]).upper()
            print(f"  {setting}: {found['msg']}; see docs/settings.md", file=sys.stderr)
        raise SystemExit(CANNOT_RUN) from None


def _serve_all(settings: Settings, processes: int) -> None:
    with stopping_on_signals(), runtime.database_addresses(settings) as addresses:
        runtime.prepare(settings, addresses)
        environment = {"SLUIS_DATABASE_URL": addresses.application}
        with Supervisor(settings.data_folder / "logs") as supervisor:
            supervisor.start("web", ["gateway", "serve", f"--processes={processes}"], environment)
            supervisor.start("worker", ["gateway", "worker"], environment)
            address = f"http://{settings.host}:{settings.port}"
            supervisor.wait_until_ready("web", lambda: is_healthy(address), seconds=READY_SECONDS_MAX)
            print(f"Sluis serves {settings.base_url}. Logs: {settings.data_folder / 'logs'}. Stop with Ctrl-C.")
            sys.stdout.flush()
            supervisor.watch()


def is_healthy(address: str) -> bool:
    """Whether the web process answers and reaches its database."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
