"""The PSU's way to the bank and back: begin, take the call-back, store what the bank said, read the accounts.

Who holds the link may start; the answer of the bank counts, and the accounts found open, only in the browser that
started (CON-05, CON-07). The redirect proves nothing: the bank's own status is read. Each step commits its intent
before the bank is called and its outcome afterwards (law 7).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors.errors import ConnectorError, ConsentEnded, ConsentError, ConsentRefused, TokenRejected
from connectors.model import Access, ConsentRequest, ConsentStatus, GrantedConsent, PsuContext, Redirect
from gateway.act import Act
from gateway.audit.log import Change
from gateway.consents import choice, endings
from gateway.consents.errors import AccountsNotShown, AuthorisationNotOpen, CallbackNotValid, InvitationCodeNeeded
from gateway.consents.links import LINK_PATH, STATE_LIFE, Links, LinkView
from gateway.consents.models import CallbackToken, Consent
from gateway.consents.repository import CallbackTokenRepository, ConsentRepository
from gateway.consents.states import STARTABLE, WAITING, ConsentState
from gateway.consents.tokens import ConsentTokens
from gateway.ids import new_id
from gateway.offices.models import ClientState
from gateway.offices.repository import ClientRepository
from gateway.offices.service import take_up

STATE: Final = "state"
CALLBACK_PATH: Final = "/link/callback"
"""Where banks send the PSU's browser back; registered at each bank letter by letter."""
STARTS_MAX: Final = 3

log = logging.getLogger("gateway.consents")


class AuthorisationSteps(Links):
    """From the link to a consent that is valid, and the accounts the bank lists under it."""

    def begin(self, token: str, *, browser_secret: str, psu: PsuContext) -> str:
        """Ask the bank for a consent and give the address to send this browser to.

        `browser_secret` is the value of a cookie made for this browser; `psu` its true address. After a refusal at the
        bank it starts anew. Raises `LinkNotValid`, `AuthorisationNotOpen`, `InvitationCodeNeeded`, and what connectors
        raise.
        """
        found = self._link(token)
        act = self._act(found, psu)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._startable(session, act, found)
            if self._is_closed_to(consent, browser_secret):
                raise InvitationCodeNeeded
            profile = self.gateway.banks.profile(consent.bank_id)
            valid_until = self._last_day(session, act, consent, None)
            session.add(
                CallbackToken(
                    id=new_id(),
                    office_id=found.office_id,
                    consent_id=found.consent_id,
                    purpose=STATE,
                    token_hash=self.gateway.keys.keyed_hash(STATE, state),
                    browser_hash=self.gateway.keys.keyed_hash("browser", browser_secret),
                    created_at=act.real_now,
                    expires_at=act.real_now + STATE_LIFE,
                )
            )
        connector = self.gateway.banks.connector(profile.bank_id)
        redirect_uri = f"{self.gateway.settings.base_url}{CALLBACK_PATH}"
        request = ConsentRequest(redirect_uri, state, verifier, valid_until, psu, profile.calls_per_day_max)
        try:
            started = connector.start_consent(request)
        except ConnectorError:
            self._note_failed_start(found, act)
            raise
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._startable(session, act, found)
            consent.handle_cipher = self.secrets.seal_handle(consent, started.handle)
            consent.refusal_code = None
            consent.callback_cipher = None
            consent.started_at = act.real_now
            if consent.state == ConsentState.CREATED:
                endings.step(self.gateway, session, act, consent, ConsentState.AWAITING_AUTHORISATION)
            session.add(consent)
        if isinstance(started.step, Redirect):
            return started.step.url
        # The PSU approves in the bank's app; the page asks how far it is, and the worker asks the bank.
        return f"{self.gateway.settings.base_url}{LINK_PATH}{token}"

    def receive(self, params: Mapping[str, str], *, browser_secret: str, psu: PsuContext) -> LinkView:
        """Take the bank's call-back in the browser that started; the view tells how it ended.

        Raises `CallbackNotValid` for a state that is unknown, used, too old or of another browser: audited, and no
        consent is altered. A cancelled authorisation leaves everything as it was, to start again.
        """
        found = self._take_state(params.get("state", ""), browser_secret, params)
        act = self._act(found, psu)
        self.finish(act, found.consent_id, psu)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            return self._view(session, act, found)

    def finish(self, act: Act, consent_id: UUID, psu: PsuContext | None) -> None:
        """Finish a call-back that was taken; again after a crash, since it is kept until its outcome is stored.

        A bank that cannot be reached leaves it as it is: the worker tries again.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = ConsentRepository(session).get(act.office_id, consent_id)
            assert consent is not None, "a call-back belongs to a consent that exists"
            params, handle = self.secrets.callback(consent), self.secrets.handle(consent)
            bank_id, attempt = consent.bank_id, consent.handle_cipher
        if params is None or handle is None:
            return
        try:
            granted = self.gateway.banks.connector(bank_id).finish_consent(handle, params, psu)
        except ConsentRefused as error:
            self.note_refused(act, consent_id, error.code, attempt=attempt)
            return
        except (ConsentError, TokenRejected) as error:
            self.note_refused(act, consent_id, error.code, attempt=attempt)
            raise
        is_stored = self.note_granted(act, consent_id, granted, attempt=attempt)
        if is_stored and granted.status is ConsentStatus.VALID:
            try:
                self.read_accounts(act, consent_id, psu)
            except AccountsNotShown:
                # The tokens are kept: the page says what to wait for, and reads again when it is opened.
                log.info("accounts not shown yet", extra={"consent_id": str(consent_id)})

    def note_granted(self, act: Act, consent_id: UUID, granted: GrantedConsent, *, attempt: bytes | None) -> bool:
        """Store what the bank said: tokens first of all, then the state and the last day (CON-09).

        `attempt` is the sealed handle of the authorisation that was finished. When the PSU began anew meanwhile, in
        another tab, its tokens belong to an authorisation that no longer counts: nothing is stored, and False returned.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = self._locked(session, act, consent_id)
            if consent.handle_cipher != attempt:
                return False
            consent.callback_cipher = None
            if consent.state not in WAITING:
                return True
            if granted.tokens is not None:
                consent.tokens_cipher = self.secrets.seal_tokens(consent, granted.tokens)
                consent.tokens_version += 1
            if granted.handle is not None:
                consent.handle_cipher = self.secrets.seal_handle(consent, granted.handle)
            if granted.status is ConsentStatus.VALID:
                consent.valid_until = self._last_day(session, act, consent, granted.valid_until)
                consent.refusal_code = None
                endings.step(self.gateway, session, act, consent, ConsentState.VALID)
                take_up(self.gateway, session, act, consent.client_id)
            elif granted.status is ConsentStatus.PARTIALLY_AUTHORISED:
                self._partial(session, act, consent)
            elif granted.status is not ConsentStatus.AWAITING_AUTHORISATION:
                self._forget_attempt(consent, "consent_refused")
            session.add(consent)
        return True

    def note_partial(self, act: Act, consent_id: UUID) -> None:
        """Another signatory must act at the bank."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = self._locked(session, act, consent_id)
            if consent.state in WAITING:
                self._partial(session, act, consent)

    def note_refused(self, act: Act, consent_id: UUID, code: str, *, attempt: bytes | None) -> None:
        """Cancelled or refused at the bank: audited, and back to before the redirect with everything kept.

        `attempt` as for `note_granted`.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = self._locked(session, act, consent_id)
            if consent.state not in WAITING or consent.handle_cipher != attempt:
                return
            self.gateway.audit.record(
                session,
                act,
                "consent.refused_at_bank",
                "consent",
                consent.id,
                client_id=consent.client_id,
                changes={"refusal_code": Change(consent.refusal_code, code)},
            )
            self._forget_attempt(consent, code)
            session.add(consent)

    def read_accounts(self, act: Act, consent_id: UUID, psu: PsuContext | None) -> None:
        """Store the accounts the bank lists under a valid consent; raises `AccountsNotShown` when it refuses them."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = ConsentRepository(session).get(act.office_id, consent_id)
            assert consent is not None, "asked for a consent that exists"
            handle = self.secrets.handle(consent)
            client = ClientRepository(session).get_granted(act.office_id, consent.client_id, today=act.today)
        if handle is None or client is None or client.state != ClientState.ACTIVE:
            # A suspended client's accounts are not read at the bank; they are as soon as the suspension ends.
            return
        connector = self.gateway.banks.connector(consent.bank_id)
        tokens = ConsentTokens(self.gateway, connector, office_id=act.office_id, consent_id=consent_id)
        try:
            accounts = connector.accounts(Access(handle.bank_consent_id, tokens, psu))
        except ConsentEnded as error:
            raise AccountsNotShown from error
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = self._locked(session, act, consent_id)
            if consent.accounts_read_at is None:
                choice.store_offered(session, consent, accounts)
                consent.accounts_read_at = act.now
                session.add(consent)

    def _take_state(self, state: str, browser_secret: str, params: Mapping[str, str]) -> CallbackToken:
        """Use up a state, keep the call-back's parameters, and bind the consent to this browser; all or nothing."""
        now = self.gateway.real_now()
        token_hash = self.gateway.keys.keyed_hash(STATE, state)
        with self.gateway.database.unit_of_work(None) as session:
            found = CallbackTokenRepository(session).find(STATE, token_hash)
        if found is None:
            # Without a known state there is no office whose chain could take it.
            log.warning("call-back refused", extra={"reason": "unknown_state"})
            raise CallbackNotValid
        browser_hash = self.gateway.keys.keyed_hash("browser", browser_secret)
        act = self._act(found)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            locked = CallbackTokenRepository(session).find(STATE, token_hash, is_locked=True)
            assert locked is not None, "tokens are not deleted while they are in use"
            consent = self._locked(session, act, found.consent_id)
            reason = self._state_fault(locked, consent, browser_hash, now)
            if reason is None:
                locked.used_at = now
                consent.callback_cipher = self.secrets.seal_callback(consent, params)
                consent.browser_hash = browser_hash
                session.add(locked)
                session.add(consent)
                return locked
            self.gateway.audit.record(
                session,
                act,
                "consent.callback_refused",
                "consent",
                found.consent_id,
                client_id=consent.client_id,
                changes={"reason": Change(None, reason)},
            )
        raise CallbackNotValid

    def _state_fault(self, found: CallbackToken, consent: Consent, browser_hash: bytes, now: datetime) -> str | None:
        if found.used_at is not None:
            return "used_state"
        if found.expires_at <= now:
            return "ended_state"
        if found.browser_hash is None or not secrets.compare_digest(found.browser_hash, browser_hash):
            return "other_browser"
        handle = self.secrets.handle(consent)
        if consent.state not in WAITING or handle is None:
            return "not_waiting"
        kept = handle.private.get("state")
        if kept is not None and found.token_hash != self.gateway.keys.keyed_hash(STATE, kept):
            # A later start replaced this authorisation.
            return "superseded_state"
        return None

    def _startable(self, session: Session, act: Act, found: CallbackToken) -> Consent:
        consent = self._locked(session, act, found.consent_id)
        self._require_client_open(session, act, consent)
        if consent.state not in STARTABLE:
            raise AuthorisationNotOpen(state=consent.state)
        return consent

    def _note_failed_start(self, found: CallbackToken, act: Act) -> None:
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._locked(session, act, found.consent_id)
            consent.starts_failed += 1
            if consent.state == ConsentState.CREATED and consent.starts_failed >= STARTS_MAX:
                endings.step(self.gateway, session, act, consent, ConsentState.FAILED)
            session.add(consent)

    def _partial(self, session: Session, act: Act, consent: Consent) -> None:
        if consent.state != ConsentState.PARTIALLY_AUTHORISED:
            endings.step(self.gateway, session, act, consent, ConsentState.PARTIALLY_AUTHORISED)

    def _forget_attempt(self, consent: Consent, code: str) -> None:
        """Back to before the redirect, with everything kept (CON-07)."""
        consent.refusal_code = code
        consent.handle_cipher = None
        consent.callback_cipher = None
        consent.tokens_cipher = None
