"""How a consent ends, and what that does to its accounts; in one place, whoever notices it first (CON-14)."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session

from connectors.errors import ConsentEnded
from gateway import jobs
from gateway.accounts.health import set_health
from gateway.accounts.repository import AccountRepository
from gateway.accounts.states import SyncHealth
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents.models import Consent
from gateway.consents.repository import ConsentRepository, ProofRepository
from gateway.consents.states import WAITING, ConsentState, check_step
from gateway.consents.telling import tell_stopped
from gateway.consents.unproven import leave_out

END_TASK = "end_consent_at_bank"
TOKEN_LOST = "token_lost"  # noqa: S105  the name of a state, not a secret


def step(gateway: Gateway, session: Session, act: Act, consent: Consent, wanted: ConsentState) -> None:
    """Move a locked consent along its life cycle, with its audit entry."""
    check_step(consent.state, wanted)
    gateway.audit.record(
        session,
        act,
        f"consent.{wanted}",
        "consent",
        consent.id,
        client_id=consent.client_id,
        changes={"state": Change(consent.state, str(wanted))},
    )
    consent.state, consent.state_since = wanted, act.now
    consent.version += 1
    session.add(consent)


def end(
    gateway: Gateway,
    session: Session,
    act: Act,
    consent: Consent,
    *,
    wanted: ConsentState,
    code: str,
    health: SyncHealth = SyncHealth.YOU_ACT,
) -> None:
    """End a locked valid consent: tokens destroyed, reading stops, accounts say who must act. Data stays."""
    step(gateway, session, act, consent, wanted)
    consent.end_code = code
    consent.tokens_cipher = None
    for proof in ProofRepository(session).waiting(act.office_id, consent.id, is_locked=True):
        leave_out(gateway, session, act, proof, code="consent_over")
    consent.refresh_started_at = None
    for account in AccountRepository(session).of_consent(act.office_id, consent.id):
        if account.health != SyncHealth.ENDED:
            set_health(session, gateway.events, act, account, health, code=code)


def revoke(gateway: Gateway, session: Session, act: Act, consent: Consent) -> None:
    """Stop a locked consent from this side: abandoned while it waits, else revoked; the bank is told by a job."""
    if consent.state in WAITING:
        step(gateway, session, act, consent, ConsentState.ABANDONED)
        consent.tokens_cipher = consent.callback_cipher = None
    else:
        end(
            gateway, session, act, consent,
            wanted=ConsentState.REVOKED, code="consent_revoked", health=SyncHealth.ENDED,
        )  # fmt: skip
    consent.is_bank_end_due = consent.handle_cipher is not None
    session.add(consent)
    if consent.is_bank_end_due:
        jobs.enqueue(session, END_TASK, office_id=str(act.office_id), consent_id=str(consent.id))


def revoke_all(gateway: Gateway, session: Session, act: Act, client_id: UUID) -> int:
    """Stop every consent of a client that waits or holds; how many."""
    found = ConsentRepository(session).open_of_client(act.office_id, client_id)
    for consent in found:
        revoke(gateway, session, act, consent)
    return len(found)


def note_ended(gateway: Gateway, session: Session, act: Act, consent_id: UUID, error: ConsentEnded) -> None:
    """The bank says that the permission is over: the state changes once, however often it is noticed."""
    consent = ConsentRepository(session).get(act.office_id, consent_id, is_locked=True)
    if consent is None or consent.state != ConsentState.VALID:
        return
    if error.bank_code == TOKEN_LOST:
        # The permission may hold at the bank, but only the PSU can give us a token again.
        for account in AccountRepository(session).of_consent(act.office_id, consent.id):
            set_health(session, gateway.events, act, account, SyncHealth.YOU_ACT, code=TOKEN_LOST)
        return
    is_expired = "EXPIRED" in (error.bank_code or "").upper()
    wanted = ConsentState.EXPIRED if is_expired else ConsentState.REVOKED
    end(gateway, session, act, consent, wanted=wanted, code=f"consent_{wanted}")
    tell_stopped(gateway, session, act, consent)
