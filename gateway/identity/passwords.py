"""Passwords: argon2id, at least 12 characters, none of the common ones (SEC-01)."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.identity.errors import PasswordWeak

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 200
"""A longer one only costs our time."""

COMMON: Final = frozenset((files("gateway.identity") / "common_passwords.txt").read_text().split())
"""The common passwords of twelve characters and more; shorter ones fall to the length rule."""

_hasher = PasswordHasher()
_decoy = _hasher.hash("a password nobody has")


def hash_password(password: str) -> str:
    """Argon2id hash; raises `PasswordWeak`."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX or password.casefold() in COMMON or len(set(password)) < 4:
        raise PasswordWeak
    return _hasher.hash(password)


def is_password(stored: str | None, password: str) -> bool:
    """Compare; takes the same time for a user who does not exist (`stored` None)."""
    try:
        _hasher.verify(stored or _decoy, password[:LENGTH_MAX])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
