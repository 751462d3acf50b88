"""`sluis sandbox`: an installation with simulated banks, to develop against (API-11)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

# The simulator is for the demo and the sandbox only, so each command imports it when it runs.

sandbox_commands = typer.Typer(no_args_is_help=True, help="An office with simulated banks, to develop against.")


@sandbox_commands.command("serve")
def serve(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the pages and the API.")] = 8470,
    bank_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the simulated banks.")] = 8471,
    today: Annotated[str | None, typer.Option(help="First day of the sandbox, YYYY-MM-DD (default: today).")] = None,
    folder: Annotated[Path, typer.Option(help="Made anew by each run; sandbox.env lies in it.")] = Path("var/sandbox"),
) -> None:
    """Open an office with four clients, their people and an API key, and serve it; nothing is linked yet."""
    from gateway.demo import Demo, DemoOptions  # noqa: PLC0415  see above

    options = DemoOptions.from_command(
        once=False, port=port, bank_port=bank_port, today=today, folder=folder, is_sandbox=True
    )
    Demo(options).run()


@sandbox_commands.command("approve")
def approve(
    url: Annotated[str, typer.Argument(help="The authorisation_url of a new consent.")],
    *,
    holder: Annotated[str | None, typer.Option(help="Who signs in at the bank (default: the first holder).")] = None,
    invitation_code: Annotated[
        str | None, typer.Option("--code", help="Code of the invitation, where one was made.")
    ] = None,
) -> None:
    """Be the entrepreneur: open the address, approve at the simulated bank, come back and tick the accounts."""
    from gateway.demo.consent import approve_consent  # noqa: PLC0415  see above

    parts = urlsplit(url)
    if approve_consent(f"{parts.scheme}://{parts.netloc}", url, holder, code=invitation_code):
        print("Approved; the accounts are linked.")
    else:
        print("Approved; accounts wait until it is proven whose they are, with a code or by `sluis proofs accept`.")


@sandbox_commands.command("code")
def code(secret: Annotated[str, typer.Argument(help="A secret from sandbox.env.")]) -> None:
    """Be the authenticator: the six digits that this secret shows now."""
    from gateway.demo.sandbox import code_of  # noqa: PLC0415  see above

    print(code_of(secret))
