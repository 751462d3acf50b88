"""Proving that an account is the client's, or leaving it out: the account holder's and the operator's side (CON-08).

The account holder proves with the code of the invitation, which the office hands to nobody but the client, and says
what the holder whom the bank names is to it. An operator proves with a reason that is kept. Nobody did for 14 days, or
the permission ended: the account is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors.model import PsuContext
from gateway.accounts.states import SyncHealth
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.consents.errors import InvitationCodeNeeded, ProofNotFound, ProofOver, RelationMissing
from gateway.consents.links import Links
from gateway.consents.models import AccountProof, Consent, ConsentAccount
from gateway.consents.proof import prove
from gateway.consents.repository import ConsentRepository, ProofRepository
from gateway.consents.states import Doubt, Relation
from gateway.consents.unproven import leave_out
from gateway.ids import OfficeId
from gateway.offices.models import Client, Office
from gateway.offices.repository import OfficeRepository

LIFE: Final = timedelta(days=14)
LAPSE_TASK: Final = "lapse_account_proofs"

log = logging.getLogger("gateway.consents")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An account that waits, as the account holder sees it."""

    proof: AccountProof
    offered: ConsentAccount


@dataclass(frozen=True, slots=True)
class WaitingAnywhere:
    """An account that waits, as an operator sees it: no amounts (OFF-08)."""

    proof: AccountProof
    office: str
    client: str
    bank_id: str
    holder: str | None
    iban_end: str
    """The last four."""


class ProofSteps(Links):
    """The account holder's side, in a browser that may see the accounts."""

    def waiting(self, token: str, *, browser_secret: str) -> tuple[Sequence[Waiting], bool]:
        """The accounts that wait, and whether this browser has shown the code; raises as `offered`."""
        found = self._link(token)
        act = self._act(found)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._choosable(session, act, found, browser_secret)
            offered = {row.id: row for row in ConsentRepository(session).offered(act.office_id, consent.id)}
            rows = ProofRepository(session).waiting(act.office_id, consent.id)
            return (
                [Waiting(row, offered[row.consent_account_id]) for row in rows],
                self._is_browser(consent.code_browser_hash, browser_secret),
            )

    def prove(
        self,
        token: str,
        proof_id: UUID,
        *,
        browser_secret: str,
        relation: Relation | None,
        psu: PsuContext | None,
    ) -> None:
        """The account holder says how the account belongs to the client, after the code; it is read at once.

        Raises `InvitationCodeNeeded`, `RelationMissing`, `ProofNotFound`, `ProofOver`, and as `offered`.
        """
        found = self._link(token)
        act = self._act(found, psu)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._choosable(session, act, found, browser_secret, is_locked=True)
            proof = _locked(session, act, consent, proof_id)
            if not self._is_browser(consent.code_browser_hash, browser_secret):
                raise InvitationCodeNeeded
            if proof.doubt == Doubt.OTHER_HOLDER and relation is None:
                raise RelationMissing
            prove(self.gateway, session, act, consent, proof, by="client", relation=relation, psu=psu)

    def leave_out(self, token: str, proof_id: UUID, *, browser_secret: str) -> None:
        """The account is not for this office after all; raises as `prove`, without the code."""
        found = self._link(token)
        act = self._act(found)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._choosable(session, act, found, browser_secret, is_locked=True)
            proof = _locked(session, act, consent, proof_id)
            leave_out(self.gateway, session, act, proof, code="left_out")


class OperatorProofs:
    """The operator's side, and time's."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def everywhere(self) -> Sequence[WaitingAnywhere]:
        """What waits at any office, the oldest first."""
        found: list[WaitingAnywhere] = []
        for office_id in self._offices():
            with self.gateway.database.unit_of_work(office_id) as session:
                office = session.get_one(Office, office_id)
                for proof in ProofRepository(session).waiting_since(office_id):
                    offered = session.get_one(ConsentAccount, proof.consent_account_id)
                    found.append(
                        WaitingAnywhere(
                            proof=proof,
                            office=office.name,
                            client=session.get_one(Client, proof.client_id).name,
                            bank_id=session.get_one(Consent, proof.consent_id).bank_id,
                            holder=offered.holder_name,
                            iban_end=(offered.iban or "")[-4:],
                        )
                    )
        return sorted(found, key=lambda one: one.proof.state_since)

    def office_of(self, proof_id: UUID) -> OfficeId:
        """Where an account waits or waited; raises `ProofNotFound`."""
        for office_id in self._offices():
            with self.gateway.database.unit_of_work(office_id) as session:
                if ProofRepository(session).get(office_id, proof_id) is not None:
                    return OfficeId(office_id)
        raise ProofNotFound

    def prove(self, act: Act, proof_id: UUID, *, reason: str, relation: Relation | None = None) -> UUID:
        """The operator has seen that it belongs; the id of the account. Raises `ProofNotFound`, `ProofOver`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent, proof = self._both(session, act, proof_id)
            return prove(self.gateway, session, act, consent, proof, by="operator", relation=relation, reason=reason).id

    def refuse(self, act: Act, proof_id: UUID) -> None:
        """It does not belong; raises `ProofNotFound`, `ProofOver`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            _, proof = self._both(session, act, proof_id)
            if proof.state != SyncHealth.UNPROVEN:
                raise ProofOver(state=proof.state)
            leave_out(self.gateway, session, act, proof, code="refused")

    def lapse(self) -> int:
        """Leave out what nobody proved in time, in every office; how many. Harmless to repeat."""
        count = 0
        for office_id in self._offices():
            try:
                count += self._lapse_office(office_id)
            except Exception:
                # What is wrong in one office must not hold up the others.
                log.exception("proofs not looked at", extra={"office_id": str(office_id)})
        return count

    def _lapse_office(self, office_id: UUID) -> int:
        act, count = self.gateway.system_act(office_id), 0
        with self.gateway.database.unit_of_work(office_id) as session:
            due = [row.id for row in ProofRepository(session).waiting_since(office_id, act.now - LIFE)]
        for proof_id in due:
            with self.gateway.database.unit_of_work(office_id) as session:
                _, proof = self._both(session, act, proof_id)
                if proof.state == SyncHealth.UNPROVEN and proof.state_since <= act.now - LIFE:
                    leave_out(self.gateway, session, act, proof, code="lapsed")
                    count += 1
        return count

    def _both(self, session: Session, act: Act, proof_id: UUID) -> tuple[Consent, AccountProof]:
        """A proof and its consent, locked in the order in which everybody locks them."""
        proof = ProofRepository(session).get(act.office_id, proof_id)
        if proof is None:
            raise ProofNotFound
        consent = ConsentRepository(session).get(act.office_id, proof.consent_id, is_locked=True)
        assert consent is not None, "a proof belongs to a consent that exists"
        return consent, _locked(session, act, consent, proof_id)

    def _offices(self) -> Sequence[UUID]:
        with self.gateway.database.unit_of_work(None) as session:
            return OfficeRepository(session).all_ids()


def _locked(session: Session, act: Act, consent: Consent, proof_id: UUID) -> AccountProof:
    proof = ProofRepository(session).get(act.office_id, proof_id, is_locked=True)
    if proof is None or proof.consent_id != consent.id:
        raise ProofNotFound
    session.refresh(proof)
    return proof
