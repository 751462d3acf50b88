"""Keys and the three things done with them: encrypt at rest, seal content, chain the audit log.

AES-256-GCM with a random 96-bit nonce; the ciphertext is bound to office, table and row, so that it cannot be moved to
another row. Layout of a ciphertext: version 1, length of key id, key id, nonce (12), ciphertext with tag.
Keys lie in a file outside the database, readable by its owner only (SEC-06).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import stat
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import ConfigError

VERSION: Final = 1
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class KeysUnusable(ConfigError):
    """The key file is missing, incomplete or readable by others; the service does not start."""

    code = "keys_unusable"
    title = "The key file cannot be used"
    detail = "{reason}"
    hint = "Make it with `sluis keys`, or restore it from the backup, and keep it readable by its owner only (0600)."


class KeyRing:
    """The keys of one installation."""

    def __init__(self, *, current: str, encryption: dict[str, bytes], seal: bytes, audit: bytes) -> None:
        self._current = current
        self._encryption = encryption
        self._seal = seal
        self._audit = audit

    def __repr__(self) -> str:
        return f"KeyRing(current={self._current!r})"

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """Read a key file; raises `KeysUnusable`."""
        try:
            mode = path.stat().st_mode
            document = json.loads(path.read_text())
            keys = {name: base64.b64decode(value, validate=True) for name, value in document["encryption"].items()}
            ring = cls(
                current=document["current"],
                encryption=keys,
                seal=base64.b64decode(document["seal"], validate=True),
                audit=base64.b64decode(document["audit"], validate=True),
            )
        except FileNotFoundError as error:
            raise KeysUnusable(reason=f"there is no file {path.name}") from error
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise KeysUnusable(reason=f"{path.name} is not a complete key file") from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeysUnusable(reason=f"{path.name} can be read by others")
        if ring._current not in keys or any(len(key) != KEY_BYTES for key in [*keys.values(), ring._seal, ring._audit]):
            raise KeysUnusable(reason=f"{path.name} lacks the current key, or a key is not {KEY_BYTES} bytes long")
        if len({*keys.values(), ring._seal, ring._audit}) != len(keys) + 2 or any(
            len(set(key)) < 8 for key in [*keys.values(), ring._seal, ring._audit]
        ):
            raise KeysUnusable(reason=f"{path.name} holds a default or repeated key")
        return ring

    @classmethod
    def generate(cls, path: Path) -> KeyRing:
        """Write a new key file with fresh keys, 0600, never over an existing one; then load it."""
        document = {
            "current": "k1",
            "encryption": {"k1": _fresh()},
            "seal": _fresh(),
            "audit": _fresh(),
        }
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        return cls.load(path)

    def encrypt(self, plain: bytes, *, office_id: UUID | None, table: str, row_id: UUID) -> bytes:
        """Ciphertext that only opens for the same office, table and row."""
        key_id = self._current.encode()
        nonce = os.urandom(NONCE_BYTES)
        head = bytes([VERSION, len(key_id)]) + key_id + nonce
        box = AESGCM(self._encryption[self._current])
        return head + box.encrypt(nonce, plain, _binding(office_id, table, row_id))

    def decrypt(self, cipher: bytes, *, office_id: UUID | None, table: str, row_id: UUID) -> bytes:
        """The plain bytes; raises `KeysUnusable` when the key is gone or the ciphertext belongs elsewhere."""
        length = cipher[1]
        key_id = cipher[2 : 2 + length].decode()
        nonce = cipher[2 + length : 2 + length + NONCE_BYTES]
        body = cipher[2 + length + NONCE_BYTES :]
        if cipher[0] != VERSION or key_id not in self._encryption:
            raise KeysUnusable(reason=f"the key {key_id} is not in the key file")
        try:
            return AESGCM(self._encryption[key_id]).decrypt(nonce, body, _binding(office_id, table, row_id))
        except InvalidTag as error:
            raise KeysUnusable(reason=f"a stored secret of table {table} does not open with key {key_id}") from error

    @property
    def seal_key(self) -> bytes:
        """HMAC key of payment seals and approvals (APP-07)."""
        return self._seal

    def audit_mac(self, data: bytes) -> bytes:
        """HMAC-SHA256 that chains one audit entry (SEC-09)."""
        return hmac.new(self._audit, data, hashlib.sha256).digest()

    def keyed_hash(self, purpose: str, value: str) -> bytes:
        """A hash that cannot be computed without the installation's key, for look-ups by a secret or an IBAN."""
        return hmac.new(self._audit, f"{purpose}\0{value}".encode(), hashlib.sha256).digest()


def _binding(office_id: UUID | None, table: str, row_id: UUID) -> bytes:
    return f"{office_id or '-'}|{table}|{row_id}".encode()


def _fresh() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()
