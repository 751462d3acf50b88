"""Keys and what is done with them: encrypt at rest, seal content, chain the audit log, sign its checkpoints.

Envelope encryption: each secret has a data key of its own, AES-256-GCM with a random 96-bit nonce, and the data key is
wrapped by a master key of the installation in the same way. Both are bound to office, table and row, so that a
ciphertext cannot be moved to another row. A master key is replaced by wrapping the data keys anew; the secret itself
is not opened for that. Decision record: docs/decisions/0015-envelope-encryption.md.

Layout of a ciphertext: version 2, length of master key id, master key id, nonce (12), wrapped data key (48), nonce
(12), secret with tag. Version 1, still read: version, length, master key id, nonce, secret with tag.
Keys lie in a file outside the database, readable by its owner only (SEC-06); see `gateway.keyfile`.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway import keyfile
from gateway.keyfile import KEY_BYTES, KeyDocument, KeysUnusable

__all__ = ["KeyRing", "KeysUnusable", "key_id_of"]

DIRECT: Final = 1
ENVELOPE: Final = 2
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
WRAPPED_BYTES: Final = KEY_BYTES + TAG_BYTES
LOOK_EVERY_SECONDS: Final = 1
"""How often a process looks whether the key file was changed."""

log = logging.getLogger("gateway.crypto")


class KeyRing:
    """The keys of one installation, as the key file says now: a rotation needs no restart."""

    def __init__(self, document: KeyDocument, path: Path | None = None) -> None:
        self._document = document
        self._path = path
        self._masters = {name: AESGCM(key) for name, key in document.encryption.items()}
        self._stamp = _stamp(path)
        self._looked_at = time.monotonic()

    def __repr__(self) -> str:
        return f"KeyRing(current={self._document.current!r})"

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """Read a key file; raises `KeysUnusable`."""
        return cls(keyfile.load(path), path)

    @classmethod
    def generate(cls, path: Path) -> KeyRing:
        """Write a new key file with fresh keys, 0600, never over an existing one; then load it."""
        keyfile.create(path, KeyDocument.fresh(now=datetime.now(UTC)))
        return cls.load(path)

    @property
    def current(self) -> str:
        """Id of the master key that wraps new data keys."""
        self._look()
        return self._document.current

    @property
    def key_ids(self) -> frozenset[str]:
        """Ids of all master keys."""
        self._look()
        return frozenset(self._document.encryption)

    def encrypt(self, plain: bytes, *, office_id: UUID | None, table: str, row_id: UUID) -> bytes:
        """Ciphertext that only opens for the same office, table and row."""
        binding = _binding(office_id, table, row_id)
        data_key, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE_BYTES)
        return self._wrap(data_key, binding) + nonce + AESGCM(data_key).encrypt(nonce, plain, binding)

    def decrypt(self, cipher: bytes, *, office_id: UUID | None, table: str, row_id: UUID) -> bytes:
        """The plain bytes; raises `KeysUnusable` when the key is gone or the ciphertext belongs elsewhere."""
        binding = _binding(office_id, table, row_id)
        version, key_id, rest = _parts(cipher)
        master = self._master(key_id)
        try:
            if version == ENVELOPE:
                data_key, rest = self._unwrap(master, rest, binding)
                master = AESGCM(data_key)
            return master.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], binding)
        except InvalidTag as error:
            raise KeysUnusable(reason=f"a stored secret of table {table} does not open with key {key_id}") from error

    def rewrap(self, cipher: bytes, *, office_id: UUID | None, table: str, row_id: UUID) -> bytes | None:
        """The same secret under the current master key, None when it is already; raises `KeysUnusable`."""
        version, key_id, rest = _parts(cipher)
        if version == ENVELOPE and key_id == self.current:
            return None
        if version == DIRECT:
            plain = self.decrypt(cipher, office_id=office_id, table=table, row_id=row_id)
            return self.encrypt(plain, office_id=office_id, table=table, row_id=row_id)
        binding = _binding(office_id, table, row_id)
        try:
            data_key, content = self._unwrap(self._master(key_id), rest, binding)
        except InvalidTag as error:
            raise KeysUnusable(reason=f"a stored secret of table {table} does not open with key {key_id}") from error
        return self._wrap(data_key, binding) + content

    def head(self) -> bytes:
        """What every ciphertext under the current master key begins with."""
        key_id = self.current.encode()
        return bytes([ENVELOPE, len(key_id)]) + key_id

    @property
    def seal_key(self) -> bytes:
        """HMAC key of payment seals and approvals (APP-07)."""
        return self._document.seal

    def audit_mac(self, data: bytes) -> bytes:
        """HMAC-SHA256 that chains one audit entry (SEC-09)."""
        return hmac.new(self._document.audit, data, hashlib.sha256).digest()

    def keyed_hash(self, purpose: str, value: str) -> bytes:
        """A hash that cannot be computed without the installation's key, for look-ups by a secret or an IBAN."""
        return hmac.new(self._document.audit, f"{purpose}\0{value}".encode(), hashlib.sha256).digest()

    def sign(self, data: bytes) -> bytes:
        """Ed25519 signature that anybody with the public key can check (SEC-09, SEC-10)."""
        return Ed25519PrivateKey.from_private_bytes(self._document.signing).sign(data)

    @property
    def public_key(self) -> bytes:
        """The public half of the signing key: 32 bytes."""
        key = Ed25519PrivateKey.from_private_bytes(self._document.signing).public_key()
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def public_key_pem(self) -> str:
        """The same as PEM, to be kept outside the installation."""
        key = Ed25519PrivateKey.from_private_bytes(self._document.signing).public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def _wrap(self, data_key: bytes, binding: bytes) -> bytes:
        self._look()
        name, nonce = self._document.current, os.urandom(NONCE_BYTES)
        key_id = name.encode()
        wrapped = self._masters[name].encrypt(nonce, data_key, b"key|" + binding)
        return bytes([ENVELOPE, len(key_id)]) + key_id + nonce + wrapped

    def _unwrap(self, master: AESGCM, rest: bytes, binding: bytes) -> tuple[bytes, bytes]:
        end = NONCE_BYTES + WRAPPED_BYTES
        return master.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:end], b"key|" + binding), rest[end:]

    def _master(self, key_id: str) -> AESGCM:
        found = self._masters.get(key_id)
        if found is None:
            # Another process may have rotated this very moment.
            self._look(is_now=True)
            found = self._masters.get(key_id)
        if found is None:
            raise KeysUnusable(reason=f"the key {key_id} is not in the key file")
        return found

    def _look(self, *, is_now: bool = False) -> None:
        """Take over a changed key file. Reading keys from a dict is atomic, so no lock is needed."""
        if self._path is None or (not is_now and time.monotonic() - self._looked_at < LOOK_EVERY_SECONDS):
            return
        self._looked_at = time.monotonic()
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        try:
            document = keyfile.load(self._path)
        except KeysUnusable:
            log.error("key file not taken over", extra={"kept": self._document.current})  # noqa: TRY400 - its message names the file
            return
        # The keys first: whoever reads the new current one must find it.
        self._masters = {**self._masters, **{name: AESGCM(key) for name, key in document.encryption.items()}}
        self._document = document
        self._masters = _of(self._masters, document.encryption)
        self._stamp = stamp


def key_id_of(cipher: bytes) -> str:
    """Id of the master key a ciphertext needs; raises `KeysUnusable` for what is no ciphertext of ours."""
    return _parts(cipher)[1]


def _parts(cipher: bytes) -> tuple[int, str, bytes]:
    if len(cipher) < 2 or cipher[0] not in (DIRECT, ENVELOPE) or len(cipher) < 2 + cipher[1]:
        raise KeysUnusable(reason="a stored secret has an unknown form")
    end = 2 + cipher[1]
    return cipher[0], cipher[2:end].decode(errors="replace"), cipher[end:]


def _of(masters: Mapping[str, AESGCM], names: Mapping[str, bytes]) -> dict[str, AESGCM]:
    return {name: masters[name] for name in names}


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _binding(office_id: UUID | None, table: str, row_id: UUID) -> bytes:
    return f"{office_id or '-'}|{table}|{row_id}".encode()
