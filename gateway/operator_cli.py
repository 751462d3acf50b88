"""`sluis operator …`: who runs the installation, and what only they do (OFF-08, SEC-13)."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Final

import segno
import typer

from gateway import runtime
from gateway.assembly import Gateway
from gateway.errors import SignInError
from gateway.files_cli import CANNOT_RUN
from gateway.identity.models import User
from gateway.identity.second_factor import provisioning_uri
from gateway.people.operators import OperatorService
from gateway.settings import Settings

operator_commands = typer.Typer(no_args_is_help=True, help="Operators of this installation: no role, no amounts.")

TRIES_MAX: Final = 3
EmailArgument = Annotated[str, typer.Argument(help="E-mail address.")]
NamedOption = Annotated[
    str | None, typer.Option("--as", help="Your own e-mail address as operator; needed once there are operators.")
]
AsOption = Annotated[str, typer.Option("--as", help="Your own e-mail address as operator.")]


@operator_commands.command("add")
def add(
    email: EmailArgument,
    *,
    first_name: Annotated[str, typer.Option(help="First name.")],
    last_name: Annotated[str, typer.Option(help="Last name.")],
    language: Annotated[str, typer.Option(help="nl, fr, en or de.")] = "nl",
    password: Annotated[
        str,
        typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="SLUIS_OPERATOR_PASSWORD",
                     help="At least 12 characters; asked for when not in the environment."),
    ],
) -> None:  # fmt: skip
    """Add an operator, who sets up an authenticator at once: its QR code is shown here."""
    with runtime.opened_gateway(Settings()) as gateway:
        service = OperatorService(gateway)
        user, secret = service.add(
            email=email, first_name=first_name, last_name=last_name, language=language, password=password
        )
        segno.make(provisioning_uri(user, secret), error="m").terminal(out=sys.stderr, compact=True)
        print(f"Scan this with an authenticator app, or type the key: {secret}", file=sys.stderr)
        for _ in range(TRIES_MAX):
            try:
                service.confirm(user, typer.prompt("First code", err=True).strip())
                break
            except SignInError as error:
                print(f"sluis: {error.english()}", file=sys.stderr)
        else:
            print("sluis: without a right code this operator cannot act; end and add anew", file=sys.stderr)
            raise typer.Exit(CANNOT_RUN)
    print(f"{email} is an operator of this installation.")


@operator_commands.command("list")
def list_(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Operators, and those who were."""
    with runtime.opened_gateway(Settings()) as gateway:
        rows = [
            {"email": user.email, "since": operator.created_at.isoformat(),
             "ended_at": operator.ended_at.isoformat() if operator.ended_at else None,
             "has_second_factor": user.totp_confirmed_at is not None}
            for operator, user in OperatorService(gateway).operators()
        ]  # fmt: skip
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(f"{row['email']}  since {row['since']}  {'ended ' + str(row['ended_at']) if row['ended_at'] else ''}")


@operator_commands.command("end")
def end(email: EmailArgument, *, as_: AsOption) -> None:
    """End an operator; asks for your password and a code."""
    with runtime.opened_gateway(Settings()) as gateway:
        service = OperatorService(gateway)
        service.end(_proven(service, as_), email)
    print(f"{email} is no operator any more.")


@operator_commands.command("reset-second-factor")
def reset_second_factor(email: EmailArgument, *, as_: AsOption) -> None:
    """Take away the second factor of an office's only admin, or of a person of several offices."""
    with runtime.opened_gateway(Settings()) as gateway:
        service = OperatorService(gateway)
        code = service.reset_second_factor(_proven(service, as_), email)
    print("The second factor is gone, all sessions have ended, all administrators are told.")
    if code is not None:
        print(f"Code for the new one, to hand over by telephone or in person: {code}")


@operator_commands.command("enrolment-code")
def enrolment_code(email: EmailArgument, *, as_: AsOption) -> None:
    """A fresh code for the first second factor of an office's only admin; prints it with the address to go to."""
    settings = Settings()
    with runtime.opened_gateway(settings) as gateway:
        service = OperatorService(gateway)
        code = service.issue_code(_proven(service, as_), email)
    print(f"{email} signs in at {settings.base_url.rstrip('/')}/sign-in and sets up a second factor there.")
    print(f"Code for it, to hand over by telephone or in person: {code}")


def acting_operator(gateway: Gateway, email: str | None) -> User | None:
    """The operator who gives a command, after password and code; None where the installation has none yet."""
    service = OperatorService(gateway)
    if email is not None:
        return _proven(service, email)
    if service.has_any():
        raise typer.BadParameter("This installation has operators: name yourself with --as.")
    return None


def _proven(service: OperatorService, email: str) -> User:
    password = typer.prompt("Your password", hide_input=True, err=True)
    return service.authenticate(email, password, typer.prompt("Code of your authenticator", err=True).strip())
