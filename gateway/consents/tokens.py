"""The tokens of one consent for its connector: one worker refreshes at a time, and stores before it uses (CON-15).

No bank is called inside a transaction (law 7), so the turn is a mark on the consent that is committed first. A mark
left behind by a worker that died means that the refresh token may be spent: it is not spent twice, and the PSU must
give the permission again.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final
from uuid import UUID

from connectors.base import Connector
from connectors.errors import ConnectorError, ConsentEnded
from connectors.model import ConsentHandle, TokenSet
from gateway.assembly import Gateway
from gateway.consents.endings import TOKEN_LOST
from gateway.consents.models import Consent
from gateway.consents.repository import ConsentRepository
from gateway.consents.secrets import ConsentSecrets

TURN_MAX: Final = timedelta(seconds=100)
"""Longer than any call to a bank may take (`connectors.http.Limits.total_seconds`)."""
WAIT_SECONDS: Final = 0.2
WAITS_MAX: Final = 550


class ConsentTokens:
    """`connectors.model.TokenKeeper` on the database."""

    def __init__(self, gateway: Gateway, connector: Connector, *, office_id: UUID, consent_id: UUID) -> None:
        self._gateway = gateway
        self._connector = connector
        self._office_id = office_id
        self._consent_id = consent_id
        self._secrets = ConsentSecrets(gateway.keys)

    def current(self) -> TokenSet:
        """The stored tokens; renewed first when their life is over."""
        with self._gateway.database.unit_of_work(self._office_id) as session:
            consent = ConsentRepository(session).get(self._office_id, self._consent_id)
            tokens = self._secrets.tokens(consent) if consent is not None else None
        if tokens is None:
            raise self._ended("no tokens are stored")
        if tokens.expires_at is not None and tokens.expires_at <= self._gateway.real_now():
            return self.renew(tokens)
        return tokens

    def renew(self, rejected: TokenSet) -> TokenSet:
        """New tokens; those of another worker when it was faster. Raises `ConsentEnded` when there are none."""
        for _attempt in range(WAITS_MAX):
            tokens, handle = self._take_turn(rejected)
            if tokens is not None:
                return tokens
            if handle is not None:
                return self._spend(rejected, handle)
            time.sleep(WAIT_SECONDS)
        raise self._ended("another worker's renewal did not end", TOKEN_LOST)

    def _take_turn(self, rejected: TokenSet) -> tuple[TokenSet | None, ConsentHandle | None]:
        """Newer tokens, or the turn to renew (the handle), or neither: another worker is at it."""
        now = self._gateway.real_now()
        with self._gateway.database.unit_of_work(self._office_id) as session:
            consent = self._locked(ConsentRepository(session))
            stored = self._secrets.tokens(consent)
            if stored is None:
                raise self._ended("no tokens are stored")
            if stored.access_token != rejected.access_token:
                return stored, None
            if consent.refresh_started_at is not None:
                if now - consent.refresh_started_at > TURN_MAX:
                    raise self._ended("a renewal was cut off", TOKEN_LOST)
                return None, None
            handle = self._secrets.handle(consent)
            assert handle is not None, "a consent with tokens has a handle"
            consent.refresh_started_at = now
            session.add(consent)
            return None, handle

    def _spend(self, rejected: TokenSet, handle: ConsentHandle) -> TokenSet:
        try:
            tokens = self._connector.refresh_tokens(rejected, handle)
        except ConnectorError:
            # The bank gave no new tokens: the old refresh token still stands, or the bank will say that it does not.
            self._give_back()
            raise
        with self._gateway.database.unit_of_work(self._office_id) as session:
            consent = self._locked(ConsentRepository(session))
            if consent.tokens_cipher is None:
                raise self._ended("the consent ended meanwhile")
            consent.tokens_cipher = self._secrets.seal_tokens(consent, tokens)
            consent.tokens_version += 1
            consent.refresh_started_at = None
            session.add(consent)
        return tokens

    def _give_back(self) -> None:
        with self._gateway.database.unit_of_work(self._office_id) as session:
            consent = self._locked(ConsentRepository(session))
            consent.refresh_started_at = None
            session.add(consent)

    def _locked(self, consents: ConsentRepository) -> Consent:
        consent = consents.get(self._office_id, self._consent_id, is_locked=True)
        if consent is None:
            raise self._ended("there is no such consent")
        return consent

    def _ended(self, message: str, bank_code: str | None = None) -> ConsentEnded:
        return ConsentEnded(message, bank_id=self._connector.profile.bank_id, bank_code=bank_code)


class NoTokens:
    """For calls that name the consent only, after its tokens were destroyed."""

    def current(self) -> TokenSet:
        """There are none."""
        raise ConsentEnded("the tokens were destroyed")

    def renew(self, rejected: TokenSet) -> TokenSet:  # noqa: ARG002  the protocol's parameter
        """There are none."""
        raise ConsentEnded("the tokens were destroyed")
