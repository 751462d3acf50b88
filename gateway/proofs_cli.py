"""`sluis proofs …`: what an operator does with accounts that wait until they are proven to be the client's (CON-08).

An operator sees no amounts (OFF-08); of the number the last four are shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import typer

from gateway import runtime
from gateway.act import Act
from gateway.consents.proofs import OperatorProofs, WaitingAnywhere
from gateway.consents.states import Relation
from gateway.ids import decode, encode
from gateway.operator_cli import NamedOption, acting_operator
from gateway.people.operators import OperatorService
from gateway.settings import Settings

proof_commands = typer.Typer(no_args_is_help=True, help="Accounts that wait until it is proven whose they are.")

IdArgument = Annotated[str, typer.Argument(help="Id of an account that waits, as `list` shows it.", show_default=False)]


@proof_commands.command("list")
def list_(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """What waits at any office, the oldest first."""
    with runtime.opened_gateway(Settings()) as gateway:
        rows = OperatorProofs(gateway).everywhere()
    if as_json:
        print(json.dumps([_told(row) for row in rows], indent=1))
        return
    for row in rows:
        holder = row.holder or "no holder named"
        print(
            f"{encode('account_proof', row.proof.id)}  {row.office}, {row.client}  {row.bank_id} …{row.iban_end}"
            f"  {holder}  since {row.proof.state_since.date().isoformat()}"
        )
    if not rows:
        print("No account waits.")


@proof_commands.command("accept")
def accept(
    wanted: IdArgument,
    *,
    reason: Annotated[str, typer.Option(help="What proves it, for the audit; no names of persons.")],
    relation: Annotated[
        Relation | None, typer.Option(help="What the holder whom the bank names is to the client.")
    ] = None,
    as_: NamedOption = None,
) -> None:
    """The account belongs to the client: it is connected and read."""
    if not reason.strip():
        raise typer.BadParameter("Say what proves it.")
    with _place(wanted, as_) as (service, act, proof_id):
        account_id = service.prove(act, proof_id, reason=reason.strip()[:200], relation=relation)
    print(f"Connected: {encode('account', account_id)}.")


@proof_commands.command("refuse")
def refuse(wanted: IdArgument, *, as_: NamedOption = None) -> None:
    """The account does not belong to the client: it is left out, and the office never hears of it."""
    with _place(wanted, as_) as (service, act, proof_id):
        service.refuse(act, proof_id)
    print("Left out.")


@contextmanager
def _place(wanted: str, as_: str | None) -> Iterator[tuple[OperatorProofs, Act, UUID]]:
    try:
        proof_id = decode("account_proof", wanted)
    except ValueError:
        raise typer.BadParameter("Give an id that `sluis proofs list` shows.") from None
    with runtime.opened_gateway(Settings()) as gateway:
        operator = acting_operator(gateway, as_)
        service = OperatorProofs(gateway)
        yield service, OperatorService(gateway).act_at(operator, service.office_of(proof_id)), proof_id


def _told(row: WaitingAnywhere) -> dict[str, str | None]:
    return {
        "id": encode("account_proof", row.proof.id),
        "office": row.office,
        "client": row.client,
        "bank_id": row.bank_id,
        "holder": row.holder,
        "iban_end": row.iban_end,
        "doubt": row.proof.doubt,
        "since": row.proof.state_since.isoformat(),
    }
