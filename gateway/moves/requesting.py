"""Writing down that a client moves accounts here; inside the unit of work in which it chose so (OFF-05)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway import jobs
from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault
from gateway.ids import encode, new_id
from gateway.moves.errors import MoveDateInvalid
from gateway.moves.models import ClientMove, ClientMoveAccount, MoveState

TASK: Final = "run_client_move"
AHEAD_MAX: Final = timedelta(days=366)


def check_day(move_on: date, today: date) -> None:
    """Raise `MoveDateInvalid` unless it is today or within a year."""
    if not today <= move_on <= today + AHEAD_MAX:
        raise MoveDateInvalid(faults=[FieldFault("/move_on", MoveDateInvalid.code, MoveDateInvalid.title)])


def request_move(
    gateway: Gateway,
    session: Session,
    act: Act,
    accounts: Sequence[Account],
    *,
    move_on: date,
    proof: str,
    chosen_by: UUID,
    with_rules: bool = False,
) -> ClientMove:
    """A move of these locked accounts of one client. Until it is done, no statement of them is made here.

    Nothing is asked of other offices here: the answer, and what is asked of the database, are the same whether or not
    somebody else has these accounts.
    """
    check_day(move_on, act.today)
    move = ClientMove(
        id=new_id(),
        office_id=act.office_id,
        client_id=accounts[0].client_id,
        move_on=move_on,
        state=MoveState.REQUESTED,
        proof=proof,
        chosen_by=chosen_by,
        created_at=act.now,
        with_rules=with_rules,
    )
    session.add(move)
    session.flush()
    for account in accounts:
        account.takes_over_on = move_on
        session.add(account)
        session.add(ClientMoveAccount(id=new_id(), office_id=act.office_id, move_id=move.id, account_id=account.id))
    gateway.audit.record(
        session,
        act,
        "client.move_requested",
        "client_move",
        move.id,
        client_id=move.client_id,
        changes={
            "move_on": Change(None, move_on),
            "proof": Change(None, proof),
            "with_rules": Change(None, with_rules),
            "accounts": Change(None, [encode("account", account.id) for account in accounts]),
        },
    )
    session.flush()
    jobs.enqueue(session, TASK, lock=f"client-move:{move.id}", office_id=str(act.office_id), move_id=str(move.id))
    return move
