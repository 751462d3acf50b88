"""An account that waits for a proof is left out; also where its permission ends (CON-08)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session

from gateway.accounts.states import SyncHealth, check_step
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents.models import AccountProof


def leave_out(gateway: Gateway, session: Session, act: Act, proof: AccountProof, *, code: str) -> None:
    """A locked proof that is not given: the account is nobody's concern any more."""
    check_step(proof.state, SyncHealth.ENDED)
    if proof.state == SyncHealth.ENDED:
        return
    proof.state, proof.state_since, proof.end_code = SyncHealth.ENDED, act.now, code
    session.add(proof)
    record(gateway, session, act, proof, action="account_proof.ended", changes={"code": Change(None, code)})


def record(
    gateway: Gateway, session: Session, act: Act, proof: AccountProof, *, action: str, changes: Mapping[str, Change]
) -> None:
    """Note it in the audit of the office, without number, holder or bank: nobody learns of the account there."""
    gateway.audit.record(session, act, action, "account_proof", proof.id, client_id=proof.client_id, changes=changes)
