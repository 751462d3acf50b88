"""An invitation: the link of a consent on paper, as a QR code or in a mail, opened with a code of six digits (CON-06).

Whoever finds the link has only half of it. The code is made for the office, which hands it over by another way than the
link; it opens the link in one browser, once. Another browser needs another code. Five wrong codes in all, of whatever
codes there were, end the invitation.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents import endings
from gateway.consents.errors import AuthorisationNotOpen, ConsentNotFound, InvitationCodeWrong, LinkNotValid
from gateway.consents.links import LINK, LINK_PATH
from gateway.consents.models import Consent
from gateway.consents.repository import CallbackTokenRepository, ConsentRepository
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import WAITING, ConsentState
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.offices.service import require_client

PURPOSE: Final = "consent-code"
DIGITS: Final = 6
TRIES_MAX: Final = 5
"""Wrong codes in all, not per code."""


@dataclass(frozen=True, slots=True)
class Invited:
    """The link to hand out, and the code to hand over apart from it; the code is shown this once."""

    consent: Consent
    url: str
    code: str
    expires_at: datetime


class Invitations:
    """The office's side, and the code in the account holder's browser."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def make(self, act: Act, consent_id: UUID) -> Invited:
        """A new code for a consent that is still to be given; the one before opens nothing any more.

        Raises `ConsentNotFound`, `AuthorisationNotOpen`, and what `require_client` raises.
        """
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = ConsentRepository(session).get(act.office_id, consent_id, is_locked=True)
            if consent is None:
                raise ConsentNotFound
            try:
                require_client(session, act, consent.client_id, Permission.CONSENTS_WRITE, is_change=True)
            except NotFound:
                raise ConsentNotFound from None
            if not _is_open(consent) or consent.link_expires_at <= act.real_now:
                raise AuthorisationNotOpen(state=consent.state)
            consent.is_code_needed = True
            consent.code_hash = self._hash(consent, code)
            session.add(consent)
            self._record(session, act, consent, "consent.invitation_made", consent.code_tries)
            url = f"{self.gateway.settings.base_url}{LINK_PATH}{ConsentSecrets(self.gateway.keys).link(consent)}"
        return Invited(consent, url, code, consent.link_expires_at)

    def enter(self, token: str, code: str, *, browser_secret: str) -> None:
        """Open the link in this browser; the code is used up by it.

        Raises `LinkNotValid`, and `InvitationCodeWrong`, the fifth time with the end of the invitation.
        """
        with self.gateway.database.unit_of_work(None) as session:
            found = CallbackTokenRepository(session).find(LINK, self.gateway.keys.keyed_hash(LINK, token))
        if found is None or found.expires_at <= self.gateway.real_now():
            raise LinkNotValid
        act = self.gateway.system_act(found.office_id)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = ConsentRepository(session).get(found.office_id, found.consent_id, is_locked=True)
            assert consent is not None, "a link belongs to a consent that exists"
            if not _is_open(consent) or not consent.is_code_needed:
                raise LinkNotValid
            given = self._hash(consent, "".join(code.split()))
            if consent.code_hash is not None and secrets.compare_digest(consent.code_hash, given):
                consent.code_hash = None
                consent.code_browser_hash = self.gateway.keys.keyed_hash("browser", browser_secret)
                session.add(consent)
                self._record(session, act, consent, "consent.invitation_opened", consent.code_tries)
                return
            # Also when the code was used up: guessing then is guessing as well.
            consent.code_tries += 1
            session.add(consent)
            self._record(session, act, consent, "consent.code_refused", consent.code_tries)
            left = TRIES_MAX - consent.code_tries
            if left <= 0:
                endings.revoke(self.gateway, session, act, consent)
        raise InvitationCodeWrong(left=max(0, left))

    def _hash(self, consent: Consent, code: str) -> bytes:
        """Bound to its consent: the same digits elsewhere are another hash."""
        return self.gateway.keys.keyed_hash(PURPOSE, f"{consent.id}\0{code}")

    def _record(self, session: Session, act: Act, consent: Consent, action: str, tries: int) -> None:
        self.gateway.audit.record(
            session, act, action, "consent", consent.id, client_id=consent.client_id,
            changes={"wrong_codes": Change(None, tries)},
        )  # fmt: skip


def _is_open(consent: Consent) -> bool:
    """Until the account holder has chosen the accounts."""
    return consent.state in WAITING or (consent.state == ConsentState.VALID and consent.chosen_at is None)
