"""`sluis application …` and `sluis issuer …`: what only the operator does with machines (SEC-03, SEC-04)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlmodel import select

from gateway import runtime
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound
from gateway.identity.repository import IdentityRepository
from gateway.ids import decode, encode
from gateway.machines.applications import ApplicationService
from gateway.machines.errors import IssuerUnusable
from gateway.machines.issuers import IssuerService
from gateway.offices.models import Office
from gateway.operator_cli import NamedOption, acting_operator
from gateway.people.operators import OperatorService
from gateway.settings import Settings

application_commands = typer.Typer(no_args_is_help=True, help="Applications that call the API, such as the portal.")
issuer_commands = typer.Typer(no_args_is_help=True, help="Identity providers that vouch for people who decide.")

OfficeOption = Annotated[str, typer.Option("--office", help="The office: its id (off_…) or its exact name.")]
ScopeOption = Annotated[list[str], typer.Option("--scope", help="A scope; repeat for more.")]
ClientIdArgument = Annotated[str, typer.Argument(help="The client_id, app_….")]
IssuerArgument = Annotated[str, typer.Argument(help="The iss claim, letter by letter.")]


@application_commands.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Name of the application.")],
    *,
    office: OfficeOption,
    scope: ScopeOption,
    address: Annotated[list[str] | None, typer.Option("--address", help="A network it may call from.")] = None,
    as_: NamedOption = None,
) -> None:
    """Add an application for an office; prints its client_id and its secret, which is shown this once."""
    with _office(office, as_) as (gateway, act):
        application, _, secret = ApplicationService(gateway).create(
            act, name=name, scopes=scope, allowed_addresses=address or []
        )
    print(f"client_id      {encode('application', application.id)}")
    print(f"client_secret  {secret}")


@application_commands.command("grant")
def grant(client_id: ClientIdArgument, *, office: OfficeOption, scope: ScopeOption, as_: NamedOption = None) -> None:
    """Have an application serve an office with exactly these scopes."""
    with _office(office, as_) as (gateway, act):
        ApplicationService(gateway).grant(act, _application(client_id), scope)
    print("Granted.")


@application_commands.command("list")
def list_(*, office: OfficeOption, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Applications that serve an office, with their scopes and last use."""
    with _office(office, is_reading=True) as (gateway, act):
        rows: list[dict[str, Any]] = [
            {
                "client_id": encode("application", held.application.id),
                "name": held.application.name,
                "scopes": held.link.scopes,
                "secrets": len(held.secrets),
                "last_used_at": held.application.last_used_at.isoformat() if held.application.last_used_at else None,
            }
            for held in ApplicationService(gateway).held(act)
        ]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(f"{row['client_id']}  {row['name']}  {' '.join(row['scopes'])}  {row['last_used_at'] or 'never used'}")


@application_commands.command("secret")
def secret(client_id: ClientIdArgument, *, office: OfficeOption, as_: NamedOption = None) -> None:
    """Make a second secret beside the one in use; prints it, this once."""
    with _office(office, as_) as (gateway, act):
        _, text = ApplicationService(gateway).add_secret(act, _application(client_id))
    print(f"client_secret  {text}")


@application_commands.command("revoke")
def revoke(client_id: ClientIdArgument, *, office: OfficeOption, as_: NamedOption = None) -> None:
    """End an application for an office at once."""
    with _office(office, as_) as (gateway, act):
        ApplicationService(gateway).revoke(act, _application(client_id))
    print("Revoked.")


@issuer_commands.command("add")
def issuer_add(
    issuer: IssuerArgument,
    *,
    office: OfficeOption,
    jwks: Annotated[str, typer.Option(help="Its public keys: a JWKS file, or the JSON itself.")],
    as_: NamedOption = None,
) -> None:
    """Trust an identity provider to say who decides at an office, or replace its keys."""
    try:
        document = json.loads(jwks if jwks.lstrip().startswith("{") else Path(jwks).read_text())
    except (OSError, ValueError) as error:
        raise IssuerUnusable(reason="The JWKS cannot be read.") from error
    with _office(office, as_) as (gateway, act):
        row = IssuerService(gateway).put(act, issuer, document)
    print(f"Registered {len(row.thumbprints)} key(s) of {issuer}.")


@issuer_commands.command("list")
def issuer_list(
    *, office: OfficeOption, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Identity providers of an office, with the thumbprints of their keys."""
    with _office(office, is_reading=True) as (gateway, act):
        rows = [{"issuer": row.issuer, "thumbprints": row.thumbprints} for row in IssuerService(gateway).all(act)]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(f"{row['issuer']}  {' '.join(row['thumbprints'])}")


@issuer_commands.command("link")
def issuer_link(
    issuer: IssuerArgument,
    subject: Annotated[str, typer.Argument(help="The sub claim.")],
    email: Annotated[str, typer.Argument(help="E-mail address with which the person signs in here.")],
    *,
    office: OfficeOption,
    as_: NamedOption = None,
) -> None:
    """Say which person of the office a subject is."""
    with _office(office, as_) as (gateway, act):
        with gateway.database.unit_of_work(None) as session:
            user = IdentityRepository(session).user_by_email(email.strip().lower())
        if user is None:
            raise NotFound
        IssuerService(gateway).link(act, issuer, subject, user.id)
    print("Linked.")


@issuer_commands.command("end")
def issuer_end(issuer: IssuerArgument, *, office: OfficeOption, as_: NamedOption = None) -> None:
    """Trust an identity provider no longer."""
    with _office(office, as_) as (gateway, act):
        IssuerService(gateway).end(act, issuer)
    print("Ended.")


@contextlib.contextmanager
def _office(named: str, as_: str | None = None, *, is_reading: bool = False) -> Iterator[tuple[Gateway, Act]]:
    """The installation, and the operator acting for one of its offices, by name unless it only reads.

    Raises `NotFound`, `SignInRefused`.
    """
    settings = Settings()
    with runtime.database_addresses(settings) as addresses:
        runtime.prepare(settings, addresses)
        gateway = runtime.open_gateway(runtime.with_database(settings, addresses))
        with gateway.database.unit_of_work(None) as session:
            try:
                query = select(Office).where(Office.id == decode("office", named))
            except ValueError:
                query = select(Office).where(Office.name == named)
            found = session.exec(query).all()
        if len(found) != 1:
            raise NotFound
        operator = None if is_reading else acting_operator(gateway, as_)
        yield gateway, OperatorService(gateway).act_at(operator, found[0].id)


def _application(client_id: str) -> UUID:
    try:
        return decode("application", client_id)
    except ValueError:
        raise NotFound from None
