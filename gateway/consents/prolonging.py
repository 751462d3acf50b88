"""A permission that the PSU has prolonged at the source itself: its new last day, asked from there.

Where each account has an end of its own, the consent's last day is the first of them, and moves when that account is
authorised anew. Requirements CON-09, CON-16.
"""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from connectors.errors import ConnectorError
from connectors.model import Access, ConsentStatus
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents import endings
from gateway.consents.lives import last_day
from gateway.consents.repository import ConsentRepository
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import ConsentState
from gateway.consents.tokens import ConsentTokens
from gateway.offices.models import Office

TASK: Final = "prolong_consent"

log = logging.getLogger("gateway.consents")


def prolong(gateway: Gateway, office_id: UUID, consent_id: UUID) -> bool:
    """Ask for the last day and keep it when it is later than the one known; whether it was.

    Raises what connectors raise. A consent that is not valid stays as it is: only the PSU restores it.
    """
    act = gateway.system_act(office_id)
    with gateway.database.unit_of_work(office_id) as session:
        consent = ConsentRepository(session).get(office_id, consent_id)
        if consent is None or consent.state != ConsentState.VALID:
            return False
        handle, bank_id = ConsentSecrets(gateway.keys).handle(consent), consent.bank_id
    if handle is None:
        return False
    connector = gateway.banks.connector(bank_id)
    tokens = ConsentTokens(gateway, connector, office_id=office_id, consent_id=consent_id)
    details = connector.consent_details(Access(handle.bank_consent_id, tokens, None))
    if details.status is not ConsentStatus.VALID or details.valid_until is None:
        return False
    with gateway.database.unit_of_work(office_id) as session:
        consent = ConsentRepository(session).get(office_id, consent_id, is_locked=True)
        if consent is None or consent.state != ConsentState.VALID:
            return False
        office = session.get_one(Office, office_id)
        known, wanted = (
            consent.valid_until,
            last_day(gateway.banks.profile(bank_id), office, act.today, details.valid_until),
        )
        if known is not None and wanted <= known:
            return False
        gateway.audit.record(
            session,
            act,
            "consent.prolonged",
            "consent",
            consent.id,
            client_id=consent.client_id,
            changes={"valid_until": Change(str(known) if known else None, str(wanted))},
        )
        consent.valid_until = wanted
        consent.version += 1
        session.add(consent)
        return True


def prolong_or_end(gateway: Gateway, office_id: UUID, consent_id: UUID) -> None:
    """A consent whose last day has passed: it goes on while the source has an account that does, else it ends.

    A source that does not answer is asked again later; nothing ends meanwhile.
    """
    try:
        if prolong(gateway, office_id, consent_id):
            return
    except ConnectorError as error:
        log.info("the last day was not asked", extra={"consent_id": str(consent_id), "code": error.code})
        return
    act = gateway.system_act(office_id)
    with gateway.database.unit_of_work(office_id) as session:
        consent = ConsentRepository(session).get(office_id, consent_id, is_locked=True)
        is_over = consent is not None and consent.valid_until is not None and consent.valid_until < act.today
        if consent is not None and is_over and consent.state == ConsentState.VALID:
            endings.end(gateway, session, act, consent, wanted=ConsentState.EXPIRED, code="consent_expired")
