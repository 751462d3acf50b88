"""An invitation: the link of a consent on paper, as a QR code or in a mail, opened with a code of six digits (CON-06).

Whoever finds the link has only half of it. The code is made for the office, which hands it over by another way than the
link; it opens the link in one browser, once. Another browser needs another code. Five wrong codes in all, of whatever
codes there were, end the invitation.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors.model import PsuContext
from gateway.act import Act
from gateway.addresses.waiting import confirmed_contact
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents import endings
from gateway.consents.errors import (
    AuthorisationNotOpen,
    ConsentNotFound,
    ContactMissing,
    InvitationCodeWrong,
    LinkNotValid,
)
from gateway.consents.links import LINK, LINK_PATH
from gateway.consents.models import Consent
from gateway.consents.proof import prove
from gateway.consents.repository import CallbackTokenRepository, ConsentRepository, ProofRepository
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import WAITING, ConsentState, Doubt
from gateway.consents.unproven import leave_out
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.notices.outbox import queue_mail
from gateway.offices.models import Client
from gateway.offices.service import require_client
from gateway.profiles.models import ClientProfile
from gateway.web.formats import moment

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
    is_mailed: bool = False
    """The link went to the client's contact."""


class Invitations:
    """The office's side, and the code in the account holder's browser."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def make(self, act: Act, consent_id: UUID, *, is_mailed: bool = False) -> Invited:
        """A new code for a consent that is still to be given; the one before opens nothing any more.

        With `is_mailed` the link, never the code, goes to the client's confirmed contact. Raises `ConsentNotFound`,
        `AuthorisationNotOpen`, `ContactMissing`, and what `require_client` raises.
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
            if (
                not _is_open(session, consent)
                or consent.link_expires_at <= act.real_now
                or consent.code_tries >= TRIES_MAX
            ):
                raise AuthorisationNotOpen(state=consent.state)
            consent.is_code_needed = True
            consent.code_hash = self._hash(consent, code)
            session.add(consent)
            self._record(session, act, consent, "consent.invitation_made", {"mailed": Change(None, is_mailed)})
            url = f"{self.gateway.settings.base_url}{LINK_PATH}{ConsentSecrets(self.gateway.keys).link(consent)}"
            if is_mailed:
                self._mail(session, act, consent, url)
        return Invited(consent, url, code, consent.link_expires_at, is_mailed)

    def enter(self, token: str, code: str, *, browser_secret: str, psu: PsuContext | None = None) -> None:
        """Open the link in this browser; the code is used up by it.

        Accounts whose holder the bank does not name, and that wait for it, are proven by it (CON-08).
        Raises `LinkNotValid`, and `InvitationCodeWrong`, the fifth time with the end of the invitation.
        """
        with self.gateway.database.unit_of_work(None) as session:
            found = CallbackTokenRepository(session).find(LINK, self.gateway.keys.keyed_hash(LINK, token))
        if found is None or found.expires_at <= self.gateway.real_now():
            raise LinkNotValid
        act = replace(self.gateway.system_act(found.office_id), psu=psu)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = ConsentRepository(session).get(found.office_id, found.consent_id, is_locked=True)
            assert consent is not None, "a link belongs to a consent that exists"
            # Of what was chosen before a code was asked for, accounts may wait for one.
            if not _is_open(session, consent) or not (consent.is_code_needed or consent.chosen_at is not None):
                raise LinkNotValid
            if consent.code_tries >= TRIES_MAX:
                raise InvitationCodeWrong(left=0)
            given = self._hash(consent, "".join(code.split()))
            if consent.code_hash is not None and secrets.compare_digest(consent.code_hash, given):
                consent.code_hash = None
                consent.code_browser_hash = self.gateway.keys.keyed_hash("browser", browser_secret)
                session.add(consent)
                self._record(session, act, consent, "consent.invitation_opened", {})
                self._prove(session, act, consent)
                return
            # Also when the code was used up: guessing then is guessing as well.
            consent.code_tries += 1
            session.add(consent)
            tries = {"wrong_codes": Change(consent.code_tries - 1, consent.code_tries)}
            self._record(session, act, consent, "consent.code_refused", tries)
            left = TRIES_MAX - consent.code_tries
            if left <= 0 and consent.chosen_at is None:
                endings.revoke(self.gateway, session, act, consent)
            elif left <= 0:
                # What is read already was given; only what waits for the code is over.
                for proof in ProofRepository(session).waiting(act.office_id, consent.id, is_locked=True):
                    leave_out(self.gateway, session, act, proof, code="codes_wrong")
        raise InvitationCodeWrong(left=max(0, left))

    def _prove(self, session: Session, act: Act, consent: Consent) -> None:
        if consent.state != ConsentState.VALID:
            return
        for proof in ProofRepository(session).waiting(act.office_id, consent.id, is_locked=True):
            if proof.doubt == Doubt.NO_HOLDER:
                prove(self.gateway, session, act, consent, proof, by="client", psu=act.psu)

    def _mail(self, session: Session, act: Act, consent: Consent, url: str) -> None:
        """The link alone: whoever reads the mailbox opens nothing with it."""
        contact = confirmed_contact(session.get(ClientProfile, consent.client_id))
        if contact is None:
            raise ContactMissing
        queue_mail(
            session, self.gateway, act.office_id, to=contact, language=consent.language, template="consent_invitation",
            parameters={
                "client": session.get_one(Client, consent.client_id).name,
                "bank": self.gateway.banks.profile(consent.bank_id).name,
                "moment": moment(consent.link_expires_at),
                "url": url,
            },
        )  # fmt: skip

    def _hash(self, consent: Consent, code: str) -> bytes:
        """Bound to its consent: the same digits elsewhere are another hash."""
        return self.gateway.keys.keyed_hash(PURPOSE, f"{consent.id}\0{code}")

    def _record(self, session: Session, act: Act, consent: Consent, action: str, changes: Mapping[str, Change]) -> None:
        self.gateway.audit.record(
            session, act, action, "consent", consent.id, client_id=consent.client_id, changes=changes
        )


def _is_open(session: Session, consent: Consent) -> bool:
    """Until the account holder has chosen the accounts, and while any of them waits for a proof."""
    if consent.state in WAITING:
        return True
    return consent.state == ConsentState.VALID and (
        consent.chosen_at is None or bool(ProofRepository(session).waiting(consent.office_id, consent.id))
    )
