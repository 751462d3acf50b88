"""Proving offline what people signed with a passkey: key, statement and signature are in the bundle (SEC-04, SEC-10).

The key is the one the person's passkey had at this installation; that it was that person's is what the audit chain
says, whose entry of the decision names the statement.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from webauthn.helpers import (
    base64url_to_bytes,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.verify_signature import verify_signature

from gateway.ids import encode
from gateway.signed_decisions.statements import challenge_of, statement

DECISION_SIGNED: Final = "decision.signed"
_NOT_GOOD: Final = (InvalidSignature, WebAuthnException, ValueError, KeyError, TypeError, AttributeError)


def signature_faults(
    rows: Sequence[Mapping[str, Any]], payments: Iterable[Mapping[str, Any]], entries: Iterable[Mapping[str, Any]]
) -> list[str]:
    """What is wrong with signatures of decisions, in words; empty when all are good and none is missing."""
    faults = []
    known = {row["id"] for row in rows}
    for entry in entries:
        if entry["action"] == DECISION_SIGNED and entry["object_id"] not in known:
            faults.append(f"the signature of entry {entry['position']} is missing")
    seen = {encode("payment", UUID(payment["id"])) for payment in payments}
    for row in rows:
        if not set(row["seals"]) <= seen:
            faults.append(f"signature {row['id']} names payments that are not in the bundle")
        if not _is_good(row):
            faults.append(f"signature {row['id']} is not that of its decision")
    return faults


def _is_good(row: Mapping[str, Any]) -> bool:
    """Whether the key signed the challenge, and the challenge is that of the statement."""
    try:
        digest = bytes.fromhex(row["statement_sha256"])
        if not row["seals_left_out"] and digest != statement(row["decision"], row["seals"]):
            return False
        client_data = bytes.fromhex(row["client_data"])
        asked = base64url_to_bytes(json.loads(client_data)["challenge"])
        if asked != challenge_of(bytes.fromhex(row["nonce"]), digest):
            return False
        key = decode_credential_public_key(bytes.fromhex(row["public_key"]))
        verify_signature(
            public_key=decoded_public_key_to_cryptography(key),
            signature_alg=key.alg,
            signature=bytes.fromhex(row["signature"]),
            data=bytes.fromhex(row["authenticator_data"]) + hashlib.sha256(client_data).digest(),
        )
    except _NOT_GOOD:
        return False
    return True
