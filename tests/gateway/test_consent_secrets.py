"""What is kept of a consent comes back as it was given (SEC-06)."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.model import TokenSet
from gateway.consents.secrets import ConsentSecrets
from gateway.crypto import KeyRing
from gateway.ids import new_id

MOMENT = datetime(2026, 11, 29, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "tokens",
    [
        TokenSet("access"),
        TokenSet("access", "refresh", MOMENT, "AIS"),
        TokenSet("access", "refresh", None, None, MOMENT),
    ],
)
def test_tokens_come_back_with_both_ends(keys: KeyRing, tokens: TokenSet) -> None:
    """The end of the refresh token is the end of the access at a bank without consents."""
    secrets, consent = ConsentSecrets(keys), kept()
    consent.tokens_cipher = secrets.seal_tokens(consent, tokens)
    assert secrets.tokens(consent) == tokens


def test_tokens_stored_before_the_second_end_was_kept_are_read(keys: KeyRing) -> None:
    secrets, consent = ConsentSecrets(keys), kept()
    consent.tokens_cipher = secrets._seal(consent, "tokens", ["access", None, MOMENT.isoformat(), "AIS"])
    assert secrets.tokens(consent) == TokenSet("access", None, MOMENT, "AIS")


def kept() -> Any:
    return SimpleNamespace(id=new_id(), office_id=new_id(), tokens_cipher=None)
