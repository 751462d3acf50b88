"""Passwords: argon2id, at least 12 characters, none of the common ones (SEC-01)."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.identity.common_passwords import is_common
from gateway.identity.errors import PasswordWeak, SignInBusy

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 200
"""A longer one only costs our time."""

WORKING_MAX: Final = 2
"""Passwords one process checks at once: each takes 64 MiB and a tenth of a second."""
WAITING_MAX: Final = 8
"""Those who wait hold a thread of the pool that serves everybody; more are refused at once."""


class Turnstile:
    """Lets a few through at a time and refuses whoever would stand far back: ten thousand at once stay cheap."""

    def __init__(self, *, working: int, waiting: int) -> None:
        self._places = BoundedSemaphore(working + waiting)
        self._work = BoundedSemaphore(working)

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            raise SignInBusy(headers={"Retry-After": "2"})
        self._work.acquire()

    def __exit__(self, *_error: object) -> None:
        self._work.release()
        self._places.release()


turnstile = Turnstile(working=WORKING_MAX, waiting=WAITING_MAX)

_hasher = PasswordHasher()
_decoy = _hasher.hash("a password nobody has")


def hash_password(password: str) -> str:
    """Argon2id hash; raises `PasswordWeak`."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX or is_common(password) or len(set(password)) < 4:
        raise PasswordWeak
    return _hasher.hash(password)


def is_password(stored: str | None, password: str) -> bool:
    """Compare; takes the same time for a user who does not exist (`stored` None)."""
    try:
        _hasher.verify(stored or _decoy, password[:LENGTH_MAX])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
