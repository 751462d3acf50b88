"""Addresses and secrets of endpoints, encrypted at rest (SEC-06)."""

from __future__ import annotations

from datetime import datetime

from gateway.crypto import KeyRing
from gateway.webhooks.models import WebhookEndpoint

URL: str = "webhook_endpoint.url"
SECRET: str = "webhook_endpoint.secret"  # noqa: S105  the name of a column, not a secret


def seal_url(keys: KeyRing, endpoint: WebhookEndpoint, url: str) -> bytes:
    """The encrypted address."""
    return keys.encrypt(url.encode(), office_id=endpoint.office_id, table=URL, row_id=endpoint.id)


def url_of(keys: KeyRing, endpoint: WebhookEndpoint) -> str:
    """The address."""
    return keys.decrypt(endpoint.url_cipher, office_id=endpoint.office_id, table=URL, row_id=endpoint.id).decode()


def seal_secret(keys: KeyRing, endpoint: WebhookEndpoint, secret: str) -> bytes:
    """The encrypted secret."""
    return keys.encrypt(secret.encode(), office_id=endpoint.office_id, table=SECRET, row_id=endpoint.id)


def secrets_of(keys: KeyRing, endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """The secrets that sign now: the present one, and during a rotation the one before."""
    ciphers = [endpoint.secret_cipher]
    is_rotating = endpoint.old_secret_until is not None and endpoint.old_secret_until > now
    if endpoint.old_secret_cipher is not None and is_rotating:
        ciphers.append(endpoint.old_secret_cipher)
    return [
        keys.decrypt(cipher, office_id=endpoint.office_id, table=SECRET, row_id=endpoint.id).decode()
        for cipher in ciphers
    ]
