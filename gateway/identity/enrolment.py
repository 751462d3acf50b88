"""The code that an administrator hands over before somebody with rights sets up a second factor (SEC-13).

A password alone must not be enough to become an approver's second factor: who holds a role that moves money or rights
types six digits that came by another channel. They work for seven days, once, and end after five wrong tries.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.identity.errors import EnrolmentCodeWrong
from gateway.identity.models import User
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import GUARDED_ROLES

LIFE: Final = timedelta(days=7)
TRIES_MAX: Final = 5
PURPOSE: Final = "enrolment-code"


def needs_code(session: Session, user: User) -> bool:
    """Whether this person sets up a first second factor with such a code only."""
    people = IdentityRepository(session)
    if people.has_second_factor(user):
        return False
    return any(membership.role in GUARDED_ROLES for membership in people.memberships(user.id))


def issue_code(gateway: Gateway, user: User, now: datetime) -> str:
    """Six digits, shown this once; those before end. The caller holds and saves the row."""
    code = f"{secrets.randbelow(10**6):06d}"
    user.enrolment_code_hash = _hash(gateway, user, code)
    user.enrolment_code_expires_at, user.enrolment_tries = now + LIFE, 0
    return code


def drop_code(user: User) -> None:
    """No code works any more."""
    user.enrolment_code_hash = user.enrolment_code_expires_at = None
    user.enrolment_tries = 0


def require_code(gateway: Gateway, user: User, code: str, now: datetime) -> None:
    """Raise `EnrolmentCodeWrong` unless this code was handed out; a wrong one counts, also when this is refused.

    In a unit of work of its own, so that the count stays.
    """
    with gateway.database.unit_of_work(None) as session:
        held = IdentityRepository(session).user(user.id, for_update=True)
        assert held is not None, "a user who exists"
        if not needs_code(session, held):
            return
        is_usable = (
            held.enrolment_code_hash is not None
            and held.enrolment_code_expires_at is not None
            and held.enrolment_code_expires_at > now
            and held.enrolment_tries < TRIES_MAX
        )
        is_right = is_usable and secrets.compare_digest(held.enrolment_code_hash or b"", _hash(gateway, held, code))
        if not is_right:
            held.enrolment_tries += 1
            session.add(held)
    if not is_right:
        raise EnrolmentCodeWrong


def _hash(gateway: Gateway, user: User, code: str) -> bytes:
    return gateway.keys.keyed_hash(PURPOSE, f"{user.id}\0{code.strip()}")
