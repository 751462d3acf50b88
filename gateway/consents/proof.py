"""Whether an account that was ticked is the client's, and what becomes of one that does not show it (CON-08).

It fits when its number is known of the client, or when its holder has the client's name or a near one. Where the bank
names no holder, the code of the invitation says it: the office hands it to nobody but the client. Anything else waits
as `unproven`. There is no account of the office yet: no list, job, event or file of the office can find it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors.model import PsuContext
from gateway.accounts.models import Account
from gateway.accounts.states import SyncHealth, check_step
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents import renewing
from gateway.consents.connecting import connect_one
from gateway.consents.errors import ProofOver
from gateway.consents.evidence import keep_evidence
from gateway.consents.models import AccountProof, Consent, ConsentAccount
from gateway.consents.repository import ProofRepository
from gateway.consents.states import ConsentState, Doubt, Relation, RenewalAnswer
from gateway.consents.unproven import record
from gateway.ids import new_id
from gateway.moves.requesting import request_move
from gateway.offices.models import Client
from gateway.offices.service import require_open
from gateway.profiles.repository import KnownAccountRepository
from sepa.names import is_near_name

FINAL: Final = frozenset({"refused", "codes_wrong"})
"""Why an account was left out that cannot be ticked again under the same permission."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What else was chosen with the account, for the day on which it is proven."""

    move_on: date | None = None
    with_rules: bool = False
    answer: RenewalAnswer | None = None
    instead_of_id: UUID | None = None


def doubts(
    session: Session, consent: Consent, rows: Sequence[ConsentAccount], *, is_code_shown: bool
) -> Mapping[UUID, Doubt]:
    """Why the offered accounts that do not fit do not, by their id."""
    client = session.get_one(Client, consent.client_id)
    known = KnownAccountRepository(session).ibans(consent.office_id, consent.client_id)
    found: dict[UUID, Doubt] = {}
    for row in rows:
        if row.iban in known:
            continue
        if row.holder_name is None:
            if not is_code_shown:
                found[row.id] = Doubt.NO_HOLDER
        elif not is_near_name(row.holder_name, client.name):
            found[row.id] = Doubt.OTHER_HOLDER
    return found


def await_proof(
    gateway: Gateway, session: Session, act: Act, *, consent: Consent, row: ConsentAccount, doubt: Doubt, wish: Wish
) -> None:
    """Have a ticked account wait; ticked again after it was left out, it waits anew.

    Raises `ProofOver` for one that an operator refused, or for which five codes were wrong.
    """
    proof = ProofRepository(session).of_offered(act.office_id, row.id)
    if proof is None:
        proof = AccountProof(
            id=new_id(),
            office_id=act.office_id,
            client_id=consent.client_id,
            consent_id=consent.id,
            consent_account_id=row.id,
            state=SyncHealth.UNPROVEN,
            state_since=act.now,
            doubt=doubt,
        )
    elif proof.end_code in FINAL:
        raise ProofOver(state=proof.state)
    elif proof.state == SyncHealth.UNPROVEN:
        return
    else:
        check_step(proof.state, SyncHealth.UNPROVEN)
        proof.state, proof.state_since, proof.end_code = SyncHealth.UNPROVEN, act.now, None
    proof.move_on, proof.with_rules = wish.move_on, wish.with_rules
    proof.answer, proof.instead_of_id = wish.answer, wish.instead_of_id
    session.add(proof)
    session.flush()
    record(gateway, session, act, proof, action="account_proof.awaited", changes={"doubt": Change(None, str(doubt))})


def note_fitting(session: Session, act: Act, row: ConsentAccount) -> None:
    """What waited fits by now, since its number became known: ticked again, it was connected."""
    proof = ProofRepository(session).of_offered(act.office_id, row.id)
    if proof is not None and proof.state == SyncHealth.UNPROVEN:
        proof.state, proof.state_since = SyncHealth.NEW, act.now
        session.add(proof)


def prove(
    gateway: Gateway,
    session: Session,
    act: Act,
    consent: Consent,
    proof: AccountProof,
    *,
    by: str,
    relation: Relation | None = None,
    reason: str | None = None,
    psu: PsuContext | None = None,
) -> Account:
    """The account belongs to the client: it becomes an account of the office and is read; both rows are locked.

    `by` is `client` or `operator`. Raises `ProofOver`, `AccountElsewhere`, and what `require_open` raises.
    """
    if proof.state != SyncHealth.UNPROVEN or consent.state != ConsentState.VALID:
        raise ProofOver(state=proof.state)
    require_open(session.get_one(Client, consent.client_id))
    check_step(proof.state, SyncHealth.NEW)
    row = session.get_one(ConsentAccount, proof.consent_account_id)
    account = connect_one(gateway, session, act, consent, row, psu=psu)
    proof.state, proof.state_since = SyncHealth.NEW, act.now
    proof.proven_by, proof.relation, proof.reason = by, relation, reason
    session.add(proof)
    said = {"account": str(account.id), "by": by}
    said |= ({"relation": str(relation)} if relation else {}) | ({"reason": reason} if reason else {})
    record(
        gateway, session, act, proof, action="account_proof.given",
        changes={name: Change(None, value) for name, value in said.items()},
    )  # fmt: skip
    if proof.answer is not None:
        renewing.keep(session, act, consent, account, RenewalAnswer(proof.answer), instead_of=proof.instead_of_id)
    if proof.move_on is not None:
        request_move(
            gateway, session, act, [account],
            # The day it was wished for may have passed by now.
            move_on=max(proof.move_on, act.today), proof="authorisation", chosen_by=consent.id,
            with_rules=proof.with_rules,
        )  # fmt: skip
    keep_evidence(gateway, session, act, consent, [account], by_operator=by == "operator", relation=relation)
    session.flush()
    return account
