"""What of a consent is kept encrypted: the connector's handle, tokens, an open call-back, our link."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.model import ConsentHandle, TokenSet
from gateway.consents.models import Consent, ConsentSitting
from gateway.crypto import KeyRing


class ConsentSecrets:
    """Encrypts and opens the secret columns of a consent; each ciphertext is bound to its row and column."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def seal_link(self, consent: Consent, token: str) -> bytes:
        """For `link_cipher`."""
        return self._seal(consent, "link", token)

    def link(self, consent: Consent) -> str:
        """Our link token."""
        value: str = self._open(consent, "link", consent.link_cipher)
        return value

    def seal_handle(self, consent: Consent, handle: ConsentHandle) -> bytes:
        """For `handle_cipher`."""
        return self._seal(consent, "handle", [handle.bank_consent_id, dict(handle.private)])

    def handle(self, consent: Consent) -> ConsentHandle | None:
        """The bank's consent, None before the bank accepted a request."""
        if consent.handle_cipher is None:
            return None
        bank_consent_id, private = self._open(consent, "handle", consent.handle_cipher)
        return ConsentHandle(bank_consent_id, private)

    def seal_callback(self, consent: Consent, params: Mapping[str, str]) -> bytes:
        """For `callback_cipher`."""
        return self._seal(consent, "callback", dict(params))

    def callback(self, consent: Consent) -> dict[str, str] | None:
        """Parameters of a call-back that is still to be finished."""
        if consent.callback_cipher is None:
            return None
        params: dict[str, str] = self._open(consent, "callback", consent.callback_cipher)
        return params

    def seal_tokens(self, consent: Consent, tokens: TokenSet) -> bytes:
        """For `tokens_cipher`."""
        ends = [moment.isoformat() if moment else None for moment in (tokens.expires_at, tokens.refresh_expires_at)]
        value = [tokens.access_token, tokens.refresh_token, ends[0], tokens.scope, ends[1]]
        return self._seal(consent, "tokens", value)

    def tokens(self, consent: Consent) -> TokenSet | None:
        """The tokens; None before authorisation and after the end."""
        if consent.tokens_cipher is None:
            return None
        access, refresh, expires_at, scope, *more = self._open(consent, "tokens", consent.tokens_cipher)
        # Tokens stored before banks without consents were read have no fifth value.
        ends = [datetime.fromisoformat(text) if text else None for text in (expires_at, *more)]
        return TokenSet(access, refresh, ends[0], scope, ends[1] if more else None)

    def seal_sitting(self, sitting: ConsentSitting, token: str) -> bytes:
        """For `consent_sitting.link_cipher`."""
        return self._keys.encrypt(
            token.encode(), office_id=sitting.office_id, table="consent_sitting.link", row_id=sitting.id
        )

    def sitting(self, sitting: ConsentSitting) -> str:
        """The token of its link."""
        plain = self._keys.decrypt(
            sitting.link_cipher, office_id=sitting.office_id, table="consent_sitting.link", row_id=sitting.id
        )
        return plain.decode()

    def _seal(self, consent: Consent, column: str, value: object) -> bytes:
        plain = json.dumps(value, separators=(",", ":")).encode()
        return self._keys.encrypt(plain, office_id=consent.office_id, table=f"consent.{column}", row_id=consent.id)

    def _open(self, consent: Consent, column: str, cipher: bytes) -> Any:
        return json.loads(
            self._keys.decrypt(cipher, office_id=consent.office_id, table=f"consent.{column}", row_id=consent.id)
        )
