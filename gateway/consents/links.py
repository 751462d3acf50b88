"""The PSU's side of a consent, without sign-in: see what is asked, go to the bank, come back, choose accounts.

Who holds the link may start; the answer of the bank counts, and the accounts found open, only in the browser that
started (CON-05, CON-07). The redirect proves nothing: the bank's own status is read. Each step commits its intent
before the bank is called and its outcome afterwards (law 7).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors.errors import ConnectorError, ConsentEnded, ConsentError, ConsentRefused, TokenRejected
from connectors.model import (
    Access,
    ConsentRequest,
    ConsentStatus,
    GrantedConsent,
    PsuContext,
    Redirect,
)
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents import choice, endings
from gateway.consents.errors import (
    AccountsNotShown,
    AuthorisationNotOpen,
    CallbackNotValid,
    ChoiceNotOpen,
    InvitationCodeNeeded,
    LinkNotValid,
    OtherBrowser,
)
from gateway.consents.lives import last_day_of
from gateway.consents.models import CallbackToken, Consent, ConsentAccount, ConsentSitting
from gateway.consents.renewing import Answers, Comparison, compare
from gateway.consents.repository import CallbackTokenRepository, ConsentRepository, ProofRepository
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import STARTABLE, WAITING, ConsentState
from gateway.consents.tokens import ConsentTokens
from gateway.ids import new_id
from gateway.offices.logos import logo_address
from gateway.offices.models import ClientState, Office
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_open, take_up

LINK: Final = "link"
STATE: Final = "state"
LINK_PATH: Final = "/link/"
CALLBACK_PATH: Final = "/link/callback"
"""Where banks send the PSU's browser back; registered at each bank letter by letter."""
SITTING_PATH: Final = "/renewal/"
LINK_LIFE: Final = timedelta(days=14)
STATE_LIFE: Final = timedelta(minutes=60)
STARTS_MAX: Final = 3

log = logging.getLogger("gateway.consents")


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the PSU's page shows. It names the office and the client, and no account."""

    token: str
    """The link's own token: the page lives at `/link/{token}`."""
    consent_id: UUID
    office_name: str
    office_logo: str | None
    client_name: str
    bank_id: str
    bank_name: str
    hint: str
    """What the PSU needs at hand, in the consent's language."""
    licence_holder: str | None
    """Who asks the bank, by its licence."""
    gives_booked_balance: str
    """`yes`, `no` or `unknown`: without a booked balance no day proves (CON-02)."""
    language: str
    state: str
    valid_until: date
    """Last day once valid; until then the last day if it is authorised today."""
    link_expires_at: datetime
    can_begin: bool
    can_choose: bool
    is_chosen: bool
    refusal_code: str | None
    return_url: str | None
    today: date
    """In the office; a move can be on this day or later."""
    is_renewal: bool = False
    needs_code: bool = False
    """This browser has to show the code of the invitation first (CON-06)."""
    waits_for_proof: bool = False
    """Of what was ticked, accounts wait until it is proven that they are the client's (CON-08)."""
    is_own_browser: bool = False
    """It may see the accounts: it came back from the bank, or showed the code."""
    sitting_url: str | None = None
    """The page of all permissions, for one that is renewed together with the others (CON-12)."""


class LinkSteps:
    """Steps of the PSU; `ConsentService` is this and the office's side."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.secrets = ConsentSecrets(gateway.keys)

    def view_link(self, token: str, *, browser_secret: str = "") -> LinkView:
        """What stands behind a link, in this browser; raises `LinkNotValid`."""
        found = self._link(token)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            return self._view(session, self._act(found), found, browser_secret)

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

    def offered(self, token: str, *, browser_secret: str) -> Sequence[ConsentAccount]:
        """The accounts the bank listed, all kinds; read at the bank when that has not succeeded yet."""
        found = self._link(token)
        act = self._act(found)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._choosable(session, act, found, browser_secret)
            is_read = consent.accounts_read_at is not None
        if not is_read:
            self.read_accounts(act, found.consent_id, None)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            return ConsentRepository(session).offered(act.office_id, found.consent_id)

    def compared(self, token: str, *, browser_secret: str) -> Comparison | None:
        """What of the older consent goes on under a renewal; None for one that renews nothing, or was chosen from."""
        found = self._link(token)
        act = self._act(found)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._choosable(session, act, found, browser_secret)
            if consent.replaces_id is None or consent.chosen_at is not None:
                return None
            offered = ConsentRepository(session).offered(act.office_id, consent.id)
            return compare(session, consent, offered, {row.id for row in offered if choice.refusal(row) is None})

    def choose(
        self,
        token: str,
        *,
        browser_secret: str,
        consent_account_ids: Sequence[UUID],
        psu: PsuContext | None,
        move_on: date | None = None,
        with_rules: bool = False,
        answers: Answers | None = None,
    ) -> LinkView:
        """Connect the ticked accounts and have each read at once, while the PSU is present.

        `move_on` is the day on which they move here from another office; None adds this office to others (OFF-05).
        `with_rules` is the client's wish that the approval rules of that office go along (OFF-17).

        Raises `AccountTypeNotSupported`, `AccountNotFitting` (naming each), `AccountElsewhere`, `ChoiceEmpty`,
        `MoveDateInvalid`, `RenewalQuestionOpen`, `OtherBrowser`, `ChoiceNotOpen`.
        """
        found = self._link(token)
        act = self._act(found, psu)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            known = self._choosable(session, act, found, browser_secret)
            # Two renewals of one consent take turns: each may take the other's accounts, and end it.
            ConsentRepository(session).lock_valid(act.office_id, known.client_id, known.bank_id)
            consent = self._choosable(session, act, found, browser_secret, is_locked=True)
            self._require_client_open(session, act, consent)
            choice.connect(
                self.gateway, session, act, consent,
                consent_account_ids=consent_account_ids, psu=psu, move_on=move_on, with_rules=with_rules,
                answers=answers, is_code_shown=self._is_browser(consent.code_browser_hash, browser_secret),
            )  # fmt: skip
            return self._view(session, act, found, browser_secret)

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

    # Tokens of links and call-backs

    def _link(self, token: str) -> CallbackToken:
        with self.gateway.database.unit_of_work(None) as session:
            found = CallbackTokenRepository(session).find(LINK, self.gateway.keys.keyed_hash(LINK, token))
        if found is None or found.expires_at <= self.gateway.real_now():
            raise LinkNotValid
        return found

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

    # Helpers

    def _act(self, found: CallbackToken, psu: PsuContext | None = None) -> Act:
        act = self.gateway.system_act(found.office_id)
        return Act(principal=act.principal, now=act.now, real_now=act.real_now, psu=psu)

    def _office(self, session: Session, act: Act) -> Office:
        office = session.get(Office, act.office_id)
        assert office is not None, "an act belongs to an office that exists"
        return office

    def _last_day(self, session: Session, act: Act, consent: Consent, answer: date | None) -> date:
        profile = self.gateway.banks.profile(consent.bank_id)
        return last_day_of(session, consent, profile, self._office(session, act), today=act.today, answer=answer)

    def _sitting_url(self, session: Session, act: Act, consent: Consent) -> str | None:
        sitting = session.get(ConsentSitting, consent.sitting_id) if consent.sitting_id is not None else None
        if sitting is None or sitting.expires_at <= act.real_now:
            return None
        return f"{SITTING_PATH}{self.secrets.sitting(sitting)}"

    def _locked(self, session: Session, act: Act, consent_id: UUID) -> Consent:
        consent = ConsentRepository(session).get(act.office_id, consent_id, is_locked=True)
        assert consent is not None, "asked for a consent that exists"
        return consent

    def _require_client_open(self, session: Session, act: Act, consent: Consent) -> None:
        client = ClientRepository(session).get_granted(act.office_id, consent.client_id, today=act.today)
        if client is None:
            raise LinkNotValid
        require_open(client)

    def _startable(self, session: Session, act: Act, found: CallbackToken) -> Consent:
        consent = self._locked(session, act, found.consent_id)
        self._require_client_open(session, act, consent)
        if consent.state not in STARTABLE:
            raise AuthorisationNotOpen(state=consent.state)
        return consent

    def _choosable(
        self, session: Session, act: Act, found: CallbackToken, browser_secret: str, *, is_locked: bool = False
    ) -> Consent:
        consent = ConsentRepository(session).get(act.office_id, found.consent_id, is_locked=is_locked)
        assert consent is not None, "a link belongs to a consent that exists"
        if consent.state != ConsentState.VALID:
            raise ChoiceNotOpen(state=consent.state)
        if not self._is_own(consent, browser_secret):
            raise OtherBrowser
        return consent

    def _is_own(self, consent: Consent, browser_secret: str) -> bool:
        """The browser that came back from the bank, or one that showed the code of the invitation."""
        known = (consent.browser_hash, consent.code_browser_hash)
        return any(self._is_browser(one, browser_secret) for one in known)

    def _is_browser(self, known: bytes | None, browser_secret: str) -> bool:
        mine = self.gateway.keys.keyed_hash("browser", browser_secret)
        return known is not None and secrets.compare_digest(known, mine)

    def _is_closed_to(self, consent: Consent, browser_secret: str) -> bool:
        """Whether this browser has to show a code first; not the one that has come back from the bank (CON-06)."""
        return consent.is_code_needed and not self._is_own(consent, browser_secret)

    def _note_failed_start(self, found: CallbackToken, act: Act) -> None:
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._locked(session, act, found.consent_id)
            consent.starts_failed += 1
            if consent.state == ConsentState.CREATED and consent.starts_failed >= STARTS_MAX:
                endings.step(self.gateway, session, act, consent, ConsentState.FAILED)
            session.add(consent)

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

    def _partial(self, session: Session, act: Act, consent: Consent) -> None:
        if consent.state != ConsentState.PARTIALLY_AUTHORISED:
            endings.step(self.gateway, session, act, consent, ConsentState.PARTIALLY_AUTHORISED)

    def _forget_attempt(self, consent: Consent, code: str) -> None:
        """Back to before the redirect, with everything kept (CON-07)."""
        consent.refusal_code = code
        consent.handle_cipher = None
        consent.callback_cipher = None
        consent.tokens_cipher = None

    def _view(self, session: Session, act: Act, found: CallbackToken, browser_secret: str = "") -> LinkView:
        consent = ConsentRepository(session).get(act.office_id, found.consent_id)
        assert consent is not None, "a token belongs to a consent that exists"
        client = ClientRepository(session).get_granted(act.office_id, consent.client_id, today=act.today)
        if client is None:
            raise LinkNotValid
        office = self._office(session, act)
        profile = self.gateway.banks.profile(consent.bank_id)
        return LinkView(
            token=self.secrets.link(consent),
            consent_id=consent.id,
            office_name=office.name,
            office_logo=logo_address(session, act.office_id),
            client_name=client.name,
            bank_id=profile.bank_id,
            bank_name=profile.name,
            hint=profile.user_hints.get(consent.language, ""),
            licence_holder=self.gateway.banks.licence_holder(profile.bank_id),
            gives_booked_balance=str(profile.gives_booked_balance),
            language=consent.language,
            state=consent.state,
            valid_until=consent.valid_until or self._last_day(session, act, consent, None),
            link_expires_at=consent.link_expires_at,
            can_begin=consent.state in STARTABLE,
            can_choose=consent.state == ConsentState.VALID and consent.chosen_at is None,
            is_chosen=consent.chosen_at is not None,
            refusal_code=consent.refusal_code,
            return_url=consent.return_url,
            today=act.today,
            is_renewal=consent.replaces_id is not None,
            needs_code=self._is_closed_to(consent, browser_secret),
            waits_for_proof=bool(ProofRepository(session).waiting(act.office_id, consent.id)),
            is_own_browser=self._is_own(consent, browser_secret),
            sitting_url=self._sitting_url(session, act, consent),
        )
