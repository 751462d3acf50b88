"""Asking the bank how far a waiting consent is, so that a lost call-back delays nothing (CON-07)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from connectors.errors import BankError, ConsentEnded, ConsentError, TokenRejected
from connectors.model import ConsentStatus, Finished
from gateway.consents import endings
from gateway.consents.links import LINK_LIFE
from gateway.consents.models import Consent
from gateway.consents.repository import ConsentRepository
from gateway.consents.service import ConsentService
from gateway.consents.states import WAITING, ConsentState

TASK: Final = "poll_consent"
SOON: Final = timedelta(minutes=1)
SOON_FOR: Final = timedelta(minutes=15)
LATER: Final = timedelta(hours=1)


def is_due(consent: Consent, now: datetime) -> bool:
    """Each minute while the PSU is probably at the bank, then hourly. `now` is real time."""
    if consent.started_at is None:
        return now - consent.created_at > LINK_LIFE
    pause = SOON if now - consent.started_at < SOON_FOR else LATER
    return now - max(consent.started_at, consent.polled_at or consent.started_at) >= pause


def poll(service: ConsentService, office_id: UUID, consent_id: UUID) -> None:
    """Move a waiting consent to where the bank says it is; a link nobody used for 14 days is abandoned."""
    act = service.gateway.system_act(office_id)
    with service.gateway.database.unit_of_work(office_id) as session:
        consent = ConsentRepository(session).get(office_id, consent_id, is_locked=True)
        if consent is None or consent.state not in WAITING:
            return
        if act.real_now - (consent.started_at or consent.created_at) > LINK_LIFE:
            endings.step(service.gateway, session, act, consent, ConsentState.ABANDONED)
            consent.tokens_cipher = consent.callback_cipher = None
            session.add(consent)
            return
        handle, has_callback = service.secrets.handle(consent), consent.callback_cipher is not None
        bank_id = consent.bank_id
    if handle is None:
        return
    if has_callback:
        _finish(service, office_id, consent_id)
        return
    connector = service.gateway.banks.connector(bank_id)
    try:
        step = connector.next_step(handle, None)
        if not isinstance(step, Finished):
            return
        if step.status is ConsentStatus.VALID:
            # Where the bank gives no code (no OAuth), its status alone finishes the authorisation.
            granted = connector.finish_consent(handle, {}, None)
            service.note_granted(act, consent_id, granted)
            return
    except ConsentEnded:
        service.note_refused(act, consent_id, "consent_refused")
        return
    except (ConsentError, TokenRejected, BankError):
        # The code came to a browser that never brought it back; the PSU can start again with the same link.
        return
    if step.status is not ConsentStatus.PARTIALLY_AUTHORISED:
        service.note_refused(act, consent_id, "consent_refused")
    else:
        service.note_partial(act, consent_id)


def _finish(service: ConsentService, office_id: UUID, consent_id: UUID) -> None:
    """Go on with a call-back that was taken and then cut off."""
    try:
        service.finish(service.gateway.system_act(office_id), consent_id, None)
    except (ConsentError, TokenRejected, BankError):
        return
