"""The key file of an installation: read, checked, written whole or not at all (SEC-06).

JSON outside the database, readable by its owner only. `encryption` holds the master keys by id, `current` names the one
that wraps new data keys; `seal` and `audit` are HMAC keys, `signing` is the Ed25519 seed that signs checkpoints of the
audit chain. `current_since` is when the present master key became current: an older one may be removed only some time
after that, because another process may have used it a moment before.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import ConfigError

KEY_BYTES: Final = 32
SETTLING: Final = timedelta(minutes=10)
"""No transaction lives as long, and every process looks at the file far more often."""


class KeysUnusable(ConfigError):
    """The key file is missing, incomplete or readable by others; the service does not start."""

    code = "keys_unusable"
    title = "The key file cannot be used"
    detail = "{reason}"
    hint = "Make it with `sluis keys`, or restore it from the backup, and keep it readable by its owner only (0600)."


class KeyStillNeeded(ConfigError):
    """A master key that stored secrets need, that is current, or that was current a moment ago cannot be removed."""

    code = "key_still_needed"
    title = "The key is still needed"
    detail = "{reason}"
    hint = "Rotate first, let the workers finish (`sluis keys status`), and retire the key ten minutes later."


@dataclass(frozen=True, slots=True, repr=False)
class KeyDocument:
    """What the file holds."""

    current: str
    encryption: Mapping[str, bytes]
    seal: bytes
    audit: bytes
    signing: bytes
    current_since: datetime | None = None

    def __repr__(self) -> str:
        return f"KeyDocument(current={self.current!r}, keys={sorted(self.encryption)})"

    @classmethod
    def fresh(cls, *, now: datetime) -> KeyDocument:
        """New keys throughout."""
        return cls("k1", {"k1": _key()}, seal=_key(), audit=_key(), signing=_key(), current_since=now)


def load(path: Path) -> KeyDocument:
    """Read and check a key file; raises `KeysUnusable`."""
    try:
        mode = path.stat().st_mode
        document = _parsed(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise KeysUnusable(reason=f"there is no file {path.name}") from error
    except OSError as error:
        raise KeysUnusable(reason=f"{path.name} cannot be read") from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise KeysUnusable(reason=f"{path.name} is not a complete key file") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeysUnusable(reason=f"{path.name} can be read by others")
    every = [*document.encryption.values(), document.seal, document.audit, document.signing]
    if document.current not in document.encryption or any(len(key) != KEY_BYTES for key in every):
        raise KeysUnusable(reason=f"{path.name} lacks the current key, or a key is not {KEY_BYTES} bytes long")
    if len(set(every)) != len(every) or any(len(set(key)) < 8 for key in every):
        raise KeysUnusable(reason=f"{path.name} holds a default or repeated key")
    return document


def create(path: Path, document: KeyDocument) -> None:
    """Write a new key file, 0600, never over an existing one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(path, document)


@contextlib.contextmanager
def changing(path: Path) -> Iterator[list[KeyDocument]]:
    """Change the file: put the new document into the list; one process at a time, readers see the old or the new."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        held = [load(path)]
        yield held
        written = path.with_name(f".{path.name}.new")
        # Left behind by a run that was killed; nobody reads it and we hold the lock.
        written.unlink(missing_ok=True)
        _write(written, held[-1])
        written.replace(path)
        os.fsync(folder)
    finally:
        os.close(folder)


def prepared(document: KeyDocument) -> tuple[KeyDocument, str]:
    """The same with one more master key that is not yet current, and its id."""
    number = 1 + max((int(name[1:]) for name in document.encryption if name[1:].isdigit()), default=0)
    key_id = f"k{number}"
    return replace(document, encryption={**document.encryption, key_id: _key()}), key_id


def rotated(document: KeyDocument, *, now: datetime) -> tuple[KeyDocument, str]:
    """The same with the newest prepared key, or a fresh one, as the current one; and its id."""
    waiting = _after_current(document)
    if waiting is None:
        document, waiting = prepared(document)
    return replace(document, current=waiting, current_since=now), waiting


def retired(document: KeyDocument, key_id: str, *, now: datetime) -> KeyDocument:
    """The same without one master key that nothing uses any more; raises `KeyStillNeeded`."""
    if key_id not in document.encryption:
        raise KeyStillNeeded(reason=f"the key {key_id} is not in the key file")
    if key_id == document.current:
        raise KeyStillNeeded(reason=f"the key {key_id} is the current one")
    if document.current_since is not None and now - document.current_since < SETTLING:
        raise KeyStillNeeded(reason=f"the key {document.current} is current for less than ten minutes")
    kept = {name: key for name, key in document.encryption.items() if name != key_id}
    return replace(document, encryption=kept)


def _after_current(document: KeyDocument) -> str | None:
    names = list(document.encryption)
    later = names[names.index(document.current) + 1 :]
    return later[-1] if later else None


def _parsed(raw: Any) -> KeyDocument:
    audit = _bytes(raw["audit"])
    since = raw.get("current_since")
    return KeyDocument(
        current=raw["current"],
        encryption={name: _bytes(value) for name, value in raw["encryption"].items()},
        seal=_bytes(raw["seal"]),
        audit=audit,
        # Files of before checkpoints were signed have no seed of their own: it follows from the audit key.
        signing=_bytes(raw["signing"]) if "signing" in raw else _derived(audit),
        current_since=datetime.fromisoformat(since).astimezone(UTC) if since else None,
    )


def _write(path: Path, document: KeyDocument) -> None:
    content = {
        "current": document.current,
        "current_since": document.current_since.isoformat() if document.current_since else None,
        "encryption": {name: _text(key) for name, key in document.encryption.items()},
        "seal": _text(document.seal),
        "audit": _text(document.audit),
        "signing": _text(document.signing),
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _derived(audit: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"sluis checkpoint signing").derive(audit)


def _bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _key() -> bytes:
    return os.urandom(KEY_BYTES)
