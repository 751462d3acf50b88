"""What the simulated banks remember of consents, authorisations, tokens and unattended calls; times are bank time."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import RLock
from typing import Any
from uuid import uuid4

from connectors.simulator.banks import BankSettings
from connectors.simulator.clock import BankClock
from connectors.simulator.companies import SimulatedAccount

CODE_LIFE = timedelta(minutes=10)
ONE_OFF_LIFE = timedelta(minutes=20)
QUOTA_WINDOW = timedelta(hours=24)
WAITING = frozenset({"received", "partiallyAuthorised"})
OPEN = WAITING | {"valid"}
"""Not ended yet."""
RIGHTS = ("accounts", "balances", "transactions")


@dataclass(slots=True, kw_only=True)
class Consent:
    """One consent at one bank. `status` is the stored one; ask `ConsentBook.status` for the present one."""

    consent_id: str
    authorisation_id: str
    bank_id: str
    redirect_uri: str = field(repr=False)
    access: Mapping[str, Any]
    is_recurring: bool
    valid_until: date
    frequency_per_day: int
    created_at: datetime
    dies_at: datetime
    """When nobody approved it until then it expires; set anew for a one-off consent when it is approved."""
    status: str = "received"
    holder_id: str | None = None
    account_ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Per right (accounts, balances, transactions) the accounts it covers."""
    last_action_date: date
    client_id: str | None = None
    reach_days: dict[str, int] = field(default_factory=dict)
    """How far back the present list of each account reaches, where the first one reaches further than later ones."""
    needs_challenge: bool = True
    """Whether the authorisation must carry a code challenge (RFC 7636)."""

    @property
    def is_global(self) -> bool:
        """Whether everything is asked for (`allPsd2`)."""
        return "allPsd2" in self.access

    @property
    def is_bank_offered(self) -> bool:
        """Whether the PSU chooses the accounts on the bank's page."""
        return not self.is_global and not any(self.access.get(right) for right in RIGHTS)

    def asked_ibans(self, right: str) -> frozenset[str]:
        """The IBANs named in a detailed consent for one right."""
        return frozenset(str(item.get("iban", "")).replace(" ", "") for item in self.access.get(right) or ())

    def resource_id(self, account: SimulatedAccount) -> str:
        """The platform's id of an account: another one in every consent."""
        return hashlib.sha256(f"{self.consent_id}|{account.account_id}".encode()).hexdigest()[:32].upper()


@dataclass(slots=True, kw_only=True)
class AuthorisationRequest:
    """What the TPP put into the authorisation URL; one browser's visit at the bank."""

    consent_id: str
    client_id: str
    redirect_uri: str = field(repr=False)
    state: str | None = field(repr=False)
    code_challenge: str = field(repr=False)
    """Empty where the bank wants none and none came."""
    holder_id: str | None = None


@dataclass(slots=True, kw_only=True)
class _Code:
    request: AuthorisationRequest
    expires_at: datetime
    is_used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A bearer token of one consent."""

    consent_id: str
    expires_at: datetime
    is_first: bool = False
    """It was given for the code, not for a refresh token."""


class GrantRefused(Exception):
    """The token endpoint says no; `code` is the OAuth error code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class ConsentBook:
    """All consents of all banks; may be used by several threads."""

    def __init__(self, clock: BankClock, new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> None:
        self._clock = clock
        self._new_secret = new_secret
        self._lock = RLock()
        self._clear()

    @property
    def _now(self) -> datetime:
        return self._clock.now.astimezone(UTC)

    def _clear(self) -> None:
        self._consents: dict[str, Consent] = {}
        self._visits: dict[str, AuthorisationRequest] = {}
        self._codes: dict[str, _Code] = {}
        self._access_tokens: dict[str, AccessToken] = {}
        self._refresh_tokens: dict[str, str] = {}
        self._applications: dict[str, tuple[str, datetime]] = {}
        self._calls: dict[tuple[str, str], deque[datetime]] = {}

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._clear()

    def create(
        self,
        bank: BankSettings,
        *,
        access: Mapping[str, Any],
        redirect_uri: str,
        is_recurring: bool,
        valid_until: date,
        frequency_per_day: int,
        needs_challenge: bool = True,
    ) -> Consent:
        """Record a request; the end is cut to the bank's maximum."""
        now = self._now
        consent = Consent(
            consent_id=str(uuid4()),
            authorisation_id=str(uuid4()),
            bank_id=bank.bank_id,
            redirect_uri=redirect_uri,
            access=access,
            is_recurring=is_recurring,
            valid_until=min(valid_until, self._clock.today + timedelta(days=bank.consent_days_max - 1)),
            frequency_per_day=frequency_per_day,
            created_at=now,
            dies_at=now + timedelta(days=bank.approval_days_max),
            last_action_date=self._clock.today,
            needs_challenge=needs_challenge,
        )
        with self._lock:
            self._consents[consent.consent_id] = consent
        return consent

    def find(self, bank_id: str, consent_id: str) -> Consent | None:
        """The consent at this bank, None when it is not known there."""
        with self._lock:
            consent = self._consents.get(consent_id)
            return consent if consent is not None and consent.bank_id == bank_id else None

    def by_authorisation(self, bank_id: str, authorisation_id: str) -> Consent | None:
        """The consent an authorisation belongs to."""
        with self._lock:
            found = (item for item in self._consents.values() if item.authorisation_id == authorisation_id)
            return next((item for item in found if item.bank_id == bank_id), None)

    def listing(self) -> list[Consent]:
        """All consents, oldest first, with the present status."""
        with self._lock:
            for consent in self._consents.values():
                self.status(consent)
            return list(self._consents.values())

    def status(self, consent: Consent) -> str:
        """The present status; the end date counts inclusive."""
        with self._lock:
            now = self._now
            is_over = self._clock.today > consent.valid_until or (
                (consent.status in WAITING or not consent.is_recurring) and now >= consent.dies_at
            )
            if consent.status in OPEN and is_over:
                self.set_status(consent, "expired")
            return consent.status

    def set_status(self, consent: Consent, status: str) -> None:
        """Set a status of the Berlin Group, such as `revokedByPsu`, and the day of the last action."""
        with self._lock:
            consent.status = status
            consent.last_action_date = self._clock.today

    def visit(self, request: AuthorisationRequest) -> str:
        """Remember a browser's visit; the answer is the cookie's value."""
        with self._lock:
            cookie = self._new_secret()
            self._visits[cookie] = request
            return cookie

    def visitor(self, cookie: str | None) -> AuthorisationRequest | None:
        """The visit this cookie belongs to."""
        with self._lock:
            return self._visits.get(cookie or "")

    def approve(
        self,
        bank: BankSettings,
        request: AuthorisationRequest,
        account_ids: Mapping[str, frozenset[str]],
        *,
        needs_second_signature: bool = False,
    ) -> str:
        """Make the consent valid, or wait for the second signatory, and give a code for it."""
        now = self._now
        with self._lock:
            consent = self._consents[request.consent_id]
            consent.holder_id, consent.account_ids, consent.client_id = (
                request.holder_id,
                account_ids,
                request.client_id,
            )
            if needs_second_signature:
                self.set_status(consent, "partiallyAuthorised")
            else:
                self.sign(bank, consent)
            code = self._new_secret()
            self._codes[code] = _Code(request=request, expires_at=now + CODE_LIFE)
            return code

    def sign(self, bank: BankSettings, consent: Consent) -> None:
        """The last signature makes the consent valid; older consents end where the bank does so."""
        with self._lock:
            self.set_status(consent, "valid")
            if not consent.is_recurring:
                consent.dies_at = self._now + ONE_OFF_LIFE
            if bank.ends_previous_consent and consent.is_recurring:
                for other in self._consents.values():
                    is_same = (other.bank_id, other.holder_id, other.client_id) == (
                        consent.bank_id,
                        consent.holder_id,
                        consent.client_id,
                    )
                    if is_same and other is not consent and other.is_recurring and other.status == "valid":
                        self.set_status(other, "terminatedByTpp")

    def exchange_code(
        self, bank: BankSettings, *, code: str, verifier: str, redirect_uri: str, client_id: str | None
    ) -> tuple[str, str, Consent]:
        """Access token, refresh token and consent for a code; raises `GrantRefused`. A code works once."""
        with self._lock:
            known = self._codes.get(code)
            if known is None or known.is_used or known.expires_at <= self._now:
                raise GrantRefused("invalid_grant", "the code is not known, used or too old")
            consent = self._valid_consent(bank, known.request.consent_id)
            wanted = known.request.code_challenge
            challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
            known.is_used = True
            if wanted and not secrets.compare_digest(challenge, wanted):
                raise GrantRefused("invalid_grant", "the code verifier does not fit the challenge")
            if redirect_uri != known.request.redirect_uri:
                raise GrantRefused("invalid_grant", "the redirect URI is not the one of the authorisation")
            if client_id not in {None, known.request.client_id}:
                raise GrantRefused("invalid_client", "the code was given to another client")
            refresh = self._new_secret()
            self._refresh_tokens[refresh] = consent.consent_id
            return self._new_access_token(bank, consent, is_first=True), refresh, consent

    def refresh(self, bank: BankSettings, refresh_token: str) -> tuple[str, str | None, Consent]:
        """A new access token, and a new refresh token where the bank rotates them; raises `GrantRefused`."""
        with self._lock:
            consent_id = self._refresh_tokens.get(refresh_token)
            if consent_id is None:
                raise GrantRefused("invalid_grant", "the refresh token is not known or was used")
            consent = self._valid_consent(bank, consent_id)
            renewed = None
            if bank.rotates_refresh_token:
                del self._refresh_tokens[refresh_token]
                renewed = self._new_secret()
                self._refresh_tokens[renewed] = consent_id
            return self._new_access_token(bank, consent), renewed, consent

    def give_access(self, bank: BankSettings, consent: Consent) -> str:
        """An access token without a code, where the client's own credentials are the permission."""
        with self._lock:
            return self._new_access_token(bank, consent)

    def drop_access(self, refresh_token: str) -> None:
        """End the access tokens of the consent this refresh token renews, where a renewal kills the previous pair."""
        with self._lock:
            ended = self._refresh_tokens.get(refresh_token)
            self._access_tokens = {
                token: given for token, given in self._access_tokens.items() if given.consent_id != ended
            }

    def access_token(self, token: str) -> AccessToken | None:
        """The token's consent and end, None when it was never given."""
        with self._lock:
            return self._access_tokens.get(token)

    def new_application_token(self, client_id: str, seconds: int) -> str:
        """A token of the TPP itself, before any PSU has come."""
        with self._lock:
            token = self._new_secret()
            self._applications[token] = (client_id, self._now + timedelta(seconds=seconds))
            return token

    def application(self, token: str) -> str | None:
        """The TPP a token of its own was given to; None when it is not known or too old."""
        with self._lock:
            client_id, ends_at = self._applications.get(token, (None, self._now))
            return client_id if ends_at > self._now else None

    def spend_call(self, bank: BankSettings, account_id: str, endpoint: str) -> bool:
        """Count an unattended call of an account; False when the bank's limit is reached (then it does not count)."""
        if bank.unattended_calls_max is None:
            return True
        now = self._now
        with self._lock:
            calls = self._calls.setdefault((account_id, endpoint), deque())
            while calls and calls[0] <= now - QUOTA_WINDOW:
                calls.popleft()
            if len(calls) >= bank.unattended_calls_max:
                return False
            calls.append(now)
            return True

    def _new_access_token(self, bank: BankSettings, consent: Consent, *, is_first: bool = False) -> str:
        token = self._new_secret()
        ends_at = self._now + timedelta(seconds=bank.access_token_seconds)
        self._access_tokens[token] = AccessToken(consent_id=consent.consent_id, expires_at=ends_at, is_first=is_first)
        return token

    def _valid_consent(self, bank: BankSettings, consent_id: str) -> Consent:
        consent = self.find(bank.bank_id, consent_id)
        # Tokens are given before the second signature too; the consent then decides at each call.
        if consent is None or self.status(consent) not in {"valid", "partiallyAuthorised"}:
            raise GrantRefused("invalid_grant", "the consent is not valid")
        return consent
