"""What a passkey signs: pure, for the service that asks and for the check that needs neither of us."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def statement(decision: str, seals: Mapping[str, str]) -> bytes:
    """SHA-256 over the canonical JSON of decision and seals."""
    text = json.dumps({"decision": decision, "seals": dict(seals)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def challenge(nonce: bytes, decision: str, seals: Mapping[str, str]) -> bytes:
    """What the authenticator signs; the nonce keeps one signature from answering two questions."""
    return challenge_of(nonce, statement(decision, seals))


def challenge_of(nonce: bytes, digest: bytes) -> bytes:
    """As `challenge`, where the statement is known by its hash only."""
    return hashlib.sha256(nonce + digest).digest()
