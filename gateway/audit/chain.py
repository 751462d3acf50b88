"""The public side of the audit chain: hashes anybody can recompute, and heads signed with a key outside the database.

An HMAC proves an entry to the installation itself. To prove it to an auditor who holds no key, every entry also has a
leaf (SHA-256 over its canonical bytes and its HMAC) and a link (SHA-256 over the link before and the leaf). A
checkpoint signs the link at a position with Ed25519. What lies between two checkpoints can then be shown in full, or as
leaves alone where it concerns other clients: the HMAC inside makes a leaf impossible to guess. Nothing here opens a
database, so that a bundle is checked offline by the same code. Decision record: docs/decisions/0025-audit-bundle.md.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS: Final = b"sluis audit chain 1"


def genesis(office_id: UUID) -> bytes:
    """The link before the first entry of an office."""
    return hashlib.sha256(GENESIS + office_id.bytes).digest()


def leaf(canonical: bytes, mac: bytes) -> bytes:
    """What an entry adds to the chain."""
    return hashlib.sha256(b"\0" + canonical + mac).digest()


def link(previous: bytes, added: bytes) -> bytes:
    """The chain after an entry."""
    return hashlib.sha256(b"\1" + previous + added).digest()


def canonical_json(document: Any) -> bytes:
    """The one way we write JSON that is hashed or signed: sorted, compact, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def digest(value: Any, salt: bytes) -> str:
    """Salted SHA-256 (hex) of a JSON value; with the salt gone, the value cannot be guessed from it."""
    return hashlib.sha256(salt + canonical_json(value)).hexdigest()


def fingerprint(public_key: bytes) -> str:
    """Name of a signing key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Head:
    """The chain of one office at one position; what a checkpoint signs."""

    office_id: UUID
    position: int
    link: bytes
    made_at: datetime
    key: str
    """Fingerprint of the key that signs."""

    def document(self) -> dict[str, Any]:
        """As it is signed, mailed and put into bundles."""
        return {
            "version": 1,
            "office_id": str(self.office_id),
            "position": self.position,
            "link": self.link.hex(),
            "made_at": self.made_at.astimezone(UTC).isoformat(),
            "key": self.key,
        }

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        return b"sluis audit head\0" + canonical_json(self.document())

    @classmethod
    def of(cls, document: Any) -> Head:
        """Back from its document; raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        if document["version"] != 1 or not isinstance(document["position"], int):
            raise ValueError("not a head of version 1")
        return cls(
            office_id=UUID(document["office_id"]),
            position=document["position"],
            link=bytes.fromhex(document["link"]),
            made_at=datetime.fromisoformat(document["made_at"]),
            key=str(document["key"]),
        )


def is_signed(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the signature was made over `data` with the private half of `public_key`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
