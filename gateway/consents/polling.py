"""Asking the bank how far a waiting consent is, so that a lost call-back delays nothing (CON-07)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from connectors.base import Connector
from connectors.errors import BankError, ConsentEnded, ConsentError, TokenRejected
from connectors.model import ConsentHandle, ConsentStatus, Finished
from gateway.act import Act
from gateway.consents import endings
from gateway.consents.links import LINK_LIFE
from gateway.consents.models import Consent
from gateway.consents.repository import CallbackTokenRepository, ConsentRepository
from gateway.consents.service import ConsentService
from gateway.consents.states import WAITING, ConsentState

TASK: Final = "poll_consent"
SOON: Final = timedelta(minutes=1)
SOON_FOR: Final = timedelta(minutes=15)
LATER: Final = timedelta(hours=1)
CALLBACK_MAX: Final = timedelta(minutes=3)
"""Longer than finishing a call-back takes; a code can be spent once, so nobody else tries it meanwhile."""

log = logging.getLogger("gateway.consents")


def is_due(consent: Consent, now: datetime) -> bool:
    """Each minute while the PSU is probably at the bank, then hourly. `now` is real time."""
    if consent.started_at is None:
        return now >= consent.link_expires_at
    pause = SOON if now - consent.started_at < SOON_FOR else LATER
    return now - max(consent.started_at, consent.polled_at or consent.started_at) >= pause


def poll(service: ConsentService, office_id: UUID, consent_id: UUID) -> None:
    """Move a waiting consent to where the bank says it is; a link nobody used for 14 days is abandoned."""
    act = service.gateway.system_act(office_id)
    with service.gateway.database.unit_of_work(office_id) as session:
        consent = ConsentRepository(session).get(office_id, consent_id, is_locked=True)
        if consent is None or consent.state not in WAITING:
            return
        if act.real_now >= max(consent.link_expires_at, (consent.started_at or consent.link_expires_at) + LINK_LIFE):
            endings.step(service.gateway, session, act, consent, ConsentState.ABANDONED)
            consent.tokens_cipher = consent.callback_cipher = None
            session.add(consent)
            return
        handle, has_callback = service.secrets.handle(consent), consent.callback_cipher is not None
        taken_at = CallbackTokenRepository(session).last_used_at(consent_id) if has_callback else None
        if taken_at is not None and act.real_now - taken_at < CALLBACK_MAX:
            return
        bank_id, attempt = consent.bank_id, consent.handle_cipher
    if handle is None or attempt is None:
        return
    try:
        if has_callback:
            # A call-back was taken and then cut off: go on with it.
            service.finish(act, consent_id, None)
        else:
            _ask(service, act, consent_id, service.gateway.banks.connector(bank_id), handle, attempt=attempt)
    except ConsentEnded:
        service.note_refused(act, consent_id, "consent_refused", attempt=attempt)
    except (ConsentError, TokenRejected, BankError) as error:
        # Asked again later; the PSU can also start again with the same link.
        log.info("poll without result", extra={"consent_id": str(consent_id), "code": error.code})


def _ask(
    service: ConsentService, act: Act, consent_id: UUID, connector: Connector, handle: ConsentHandle, *, attempt: bytes
) -> None:
    step = connector.next_step(handle, None)
    if not isinstance(step, Finished):
        return
    if step.status is ConsentStatus.VALID:
        # Where the bank gives no code (no OAuth), its status alone finishes the authorisation.
        service.note_granted(act, consent_id, connector.finish_consent(handle, {}, None), attempt=attempt)
    elif step.status is ConsentStatus.PARTIALLY_AUTHORISED:
        service.note_partial(act, consent_id)
    elif step.status is not ConsentStatus.AWAITING_AUTHORISATION:
        service.note_refused(act, consent_id, "consent_refused", attempt=attempt)
