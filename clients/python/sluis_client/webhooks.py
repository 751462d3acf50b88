"""Checking webhooks as Standard Webhooks 1.0.0 says: signature and age; remember which ids you saw."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sluis_client.errors import SluisError

AGE_MAX: Final = timedelta(minutes=5)
SECRET_PREFIX: Final = "whsec_"  # noqa: S105  the prefix of secrets, not one


class WebhookInvalid(SluisError):
    """Not from the service, altered, or too old: answer 400 and do nothing."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A checked message. The same `id` may come more than once: act on it once."""

    id: str
    type: str
    occurred_at: str
    data: Mapping[str, Any]
    document: Mapping[str, Any]


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], *, now: datetime) -> Webhook:
    """The message when one of `secrets` signed exactly this body within five minutes of `now` (with its offset).

    During a rotation give the new and the old secret. Raises `WebhookInvalid`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, moment = given["webhook-id"], int(given["webhook-timestamp"])
        signatures = [part[3:] for part in given["webhook-signature"].split(" ") if part.startswith("v1,")]
    except (KeyError, ValueError) as error:
        raise WebhookInvalid("the webhook headers are missing or odd") from error
    if abs(now.timestamp() - moment) > AGE_MAX.total_seconds():
        raise WebhookInvalid("the message is too old, or from the future")
    signed = f"{message_id}.{moment}.".encode() + body
    expected = [_signature(secret, signed) for secret in secrets]
    matches = [hmac.compare_digest(own.encode(), theirs.encode()) for own in expected for theirs in signatures]
    if not any(matches):
        raise WebhookInvalid("the signature is not right")
    try:
        document = json.loads(body)
        return Webhook(message_id, document["type"], document["timestamp"], document["data"], document)
    except (ValueError, KeyError, TypeError) as error:
        raise WebhookInvalid("the body is not a message") from error


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ and Base64") from error
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
