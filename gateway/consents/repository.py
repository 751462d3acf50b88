"""Queries on consents, offered accounts and the global table of token hashes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import SelectBase, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.states import SyncHealth
from gateway.consents.models import (
    AccountProof,
    CallbackToken,
    Consent,
    ConsentAccount,
    ConsentAnswer,
    ConsentEvidence,
    ConsentSitting,
)
from gateway.consents.states import WAITING, ConsentState


class CallbackTokenRepository:
    """Global: finds the office of a link or a call-back. Only hashes are asked for."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, purpose: str, token_hash: bytes, *, is_locked: bool = False) -> CallbackToken | None:
        """The token with this hash, whatever its age; locked, so that it is used once."""
        query = select(CallbackToken).where(CallbackToken.token_hash == token_hash, CallbackToken.purpose == purpose)
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def last_used_at(self, consent_id: UUID) -> datetime | None:
        """When the newest call-back of a consent was taken."""
        query = select(CallbackToken.used_at).where(
            CallbackToken.consent_id == consent_id, col(CallbackToken.used_at).is_not(None)
        )
        return self.session.exec(query.order_by(col(CallbackToken.used_at).desc()).limit(1)).first()


class ConsentRepository:
    """Consents of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, consent_id: UUID, *, is_locked: bool = False) -> Consent | None:
        """One consent; locked until the unit of work ends when it is to change."""
        query = select(Consent).where(Consent.office_id == office_id, Consent.id == consent_id)
        if is_locked:
            query = query.with_for_update()
        return self.session.exec(query).one_or_none()

    def visible(self, office_id: UUID, clients: SelectBase) -> SelectOfScalar[Consent]:
        """Query over the consents of these clients."""
        return select(Consent).where(Consent.office_id == office_id, col(Consent.client_id).in_(clients))

    def of_ids(self, office_id: UUID, consent_ids: Sequence[UUID]) -> Sequence[Consent]:
        """These consents."""
        query = select(Consent).where(Consent.office_id == office_id, col(Consent.id).in_(consent_ids))
        return self.session.exec(query.order_by(col(Consent.id))).all()

    def clients_ending(self, office_id: UUID, first: date, last: date) -> Sequence[UUID]:
        """Clients with a valid consent whose last day lies in this period."""
        query = select(Consent.client_id).where(
            Consent.office_id == office_id,
            Consent.state == ConsentState.VALID,
            col(Consent.valid_until) >= first,
            col(Consent.valid_until) <= last,
        )
        return self.session.exec(query.distinct()).all()

    def offered(self, office_id: UUID, consent_id: UUID) -> Sequence[ConsentAccount]:
        """The accounts the bank listed, in its order."""
        return self.session.exec(
            select(ConsentAccount)
            .where(ConsentAccount.office_id == office_id, ConsentAccount.consent_id == consent_id)
            .order_by(col(ConsentAccount.id))
        ).all()

    def offered_of(self, office_id: UUID, consent_ids: Sequence[UUID]) -> Sequence[ConsentAccount]:
        """The accounts of several consents in one query."""
        return self.session.exec(
            select(ConsentAccount)
            .where(ConsentAccount.office_id == office_id, col(ConsentAccount.consent_id).in_(consent_ids))
            .order_by(col(ConsentAccount.id))
        ).all()

    def valid_others(self, office_id: UUID, consent: Consent) -> Sequence[Consent]:
        """Other valid consents of the same client at the same bank."""
        return self.session.exec(
            select(Consent)
            .where(
                Consent.office_id == office_id,
                Consent.client_id == consent.client_id,
                Consent.bank_id == consent.bank_id,
                Consent.state == ConsentState.VALID,
                Consent.id != consent.id,
            )
            .order_by(col(Consent.id))
            .with_for_update()
        ).all()

    def lock_valid(self, office_id: UUID, client_id: UUID, bank_id: str) -> None:
        """Lock a client's valid consents at a bank in a fixed order, before one takes another's accounts."""
        self.session.exec(
            select(Consent.id)
            .where(
                Consent.office_id == office_id,
                Consent.client_id == client_id,
                Consent.bank_id == bank_id,
                Consent.state == ConsentState.VALID,
            )
            .order_by(col(Consent.id))
            .with_for_update()
        ).all()

    def answers_of(self, office_id: UUID, consent_ids: Sequence[UUID]) -> Sequence[ConsentAnswer]:
        """What account holders said at these renewals."""
        return self.session.exec(
            select(ConsentAnswer)
            .where(ConsentAnswer.office_id == office_id, col(ConsentAnswer.consent_id).in_(consent_ids))
            .order_by(col(ConsentAnswer.id))
        ).all()

    def open_of_client(self, office_id: UUID, client_id: UUID) -> Sequence[Consent]:
        """Consents of a client that wait or hold, locked in a fixed order."""
        return self.session.exec(
            select(Consent)
            .where(
                Consent.office_id == office_id,
                Consent.client_id == client_id,
                col(Consent.state).in_([*WAITING, ConsentState.VALID]),
            )
            .order_by(col(Consent.id))
            .with_for_update()
        ).all()

    def over(self, office_id: UUID, *, today: date) -> Sequence[Consent]:
        """Valid consents whose last day has passed."""
        return self.session.exec(
            select(Consent)
            .where(
                Consent.office_id == office_id,
                Consent.state == ConsentState.VALID,
                col(Consent.valid_until) < today,
            )
            .order_by(col(Consent.id))
        ).all()

    def waiting(self, office_id: UUID) -> Sequence[Consent]:
        """Consents in which a person, or the bank, has still to act."""
        return self.session.exec(
            select(Consent)
            .where(
                Consent.office_id == office_id,
                or_(col(Consent.state).in_(WAITING), col(Consent.is_bank_end_due).is_(True)),
            )
            .order_by(col(Consent.id))
        ).all()


class ProofRepository:
    """Accounts of one office's consents that wait for a proof, or waited."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, proof_id: UUID, *, is_locked: bool = False) -> AccountProof | None:
        """One of them; whoever settles it holds the lock, after that of its consent."""
        query = select(AccountProof).where(AccountProof.office_id == office_id, AccountProof.id == proof_id)
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def of_offered(self, office_id: UUID, consent_account_id: UUID) -> AccountProof | None:
        """That of an offered account, locked."""
        return self.session.exec(
            select(AccountProof)
            .where(AccountProof.office_id == office_id, AccountProof.consent_account_id == consent_account_id)
            .with_for_update()
        ).one_or_none()

    def waiting(self, office_id: UUID, consent_id: UUID, *, is_locked: bool = False) -> Sequence[AccountProof]:
        """Those of a consent that wait."""
        query = (
            select(AccountProof)
            .where(
                AccountProof.office_id == office_id,
                AccountProof.consent_id == consent_id,
                AccountProof.state == SyncHealth.UNPROVEN,
            )
            .order_by(col(AccountProof.id))
        )
        return self.session.exec(query.with_for_update() if is_locked else query).all()

    def waiting_since(self, office_id: UUID, moment: datetime | None = None) -> Sequence[AccountProof]:
        """Those of an office that wait, since a moment or longer; all of them without one."""
        query = select(AccountProof).where(
            AccountProof.office_id == office_id, AccountProof.state == SyncHealth.UNPROVEN
        )
        if moment is not None:
            query = query.where(col(AccountProof.state_since) <= moment)
        return self.session.exec(query.order_by(col(AccountProof.id))).all()


class EvidenceRepository:
    """Documents that prove one office's consents."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, evidence_id: UUID) -> ConsentEvidence | None:
        """One document."""
        return self.session.exec(
            select(ConsentEvidence).where(ConsentEvidence.office_id == office_id, ConsentEvidence.id == evidence_id)
        ).one_or_none()

    def of_consent(self, office_id: UUID, consent_id: UUID) -> SelectOfScalar[ConsentEvidence]:
        """Query over those of a consent."""
        return select(ConsentEvidence).where(
            ConsentEvidence.office_id == office_id, ConsentEvidence.consent_id == consent_id
        )


class SittingRepository:
    """Links to all permissions of a client, of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, office_id: UUID, token_hash: bytes, *, is_locked: bool = False) -> ConsentSitting | None:
        """The sitting of a link; locked, so that one renewal is made however often the link is used."""
        query = select(ConsentSitting).where(
            ConsentSitting.office_id == office_id, ConsentSitting.token_hash == token_hash
        )
        return self.session.exec(query.with_for_update() if is_locked else query).one_or_none()

    def consents(self, office_id: UUID, sitting_id: UUID) -> Sequence[Consent]:
        """What was asked for in it, the oldest first."""
        query = select(Consent).where(Consent.office_id == office_id, Consent.sitting_id == sitting_id)
        return self.session.exec(query.order_by(col(Consent.id))).all()
