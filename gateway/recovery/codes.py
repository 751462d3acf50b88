"""Recovery codes: ten, shown once, each works once in place of the second factor (SEC-01)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.errors import SecondFactorNotEnrolled
from gateway.identity.models import User
from gateway.identity.repository import IdentityRepository
from gateway.identity.second_factor import SecondFactorService
from gateway.identity.sessions import require_own_sign_in
from gateway.ids import new_id
from gateway.passkeys.models import Passkey
from gateway.recovery.models import RecoveryCode
from gateway.recovery.telling import tell

CODES: Final = 10
ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without 0, 1, i, l, o: read from paper, typed on a phone."""
LENGTH: Final = 10
"""31 to the 10th: out of reach for ten tries a quarter of an hour."""
METHOD: Final = "recovery_code"


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What a person has set up."""

    has_authenticator: bool
    passkeys: int
    recovery_codes_left: int


class RecoveryCodeService:
    """Codes of people."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def renew(self, act: Act) -> list[str]:
        """Ten new codes, shown this once; the ones before end. Needs a fresh second factor."""
        user_id = require_own_sign_in(act)
        act.require_fresh_second_factor()
        codes = [_code() for _ in range(CODES)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            identities = IdentityRepository(session)
            user = identities.user(user_id, for_update=True)
            if user is None or not identities.has_second_factor(user):
                raise SecondFactorNotEnrolled
            session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
            session.add_all(
                RecoveryCode(id=new_id(), user_id=user_id, code_hash=self._hash(user_id, code), created_at=act.real_now)
                for code in codes
            )
            self.gateway.audit.record(
                session, act, "recovery_codes.renewed", "user", user_id,
                changes={"count": Change(None, CODES)}, second_factor=act.second_factor,
            )  # fmt: skip
        return codes

    def confirm(self, token: str, code: str, *, source: str) -> str:
        """Freshen a session with a code from paper; the token to use from now on. The person is told by mail."""

        def check(session: Session, user: User, now: datetime) -> bool:
            found = session.exec(
                select(RecoveryCode)
                .where(RecoveryCode.user_id == user.id, RecoveryCode.code_hash == self._hash(user.id, code))
                .with_for_update()
            ).one_or_none()
            if found is None or found.used_at is not None:
                return False
            found.used_at = now
            session.add(found)
            left = left_of(session, user.id)
            tell(self.gateway, session, user, "recovery_code_used", {"left": str(left)}, action="recovery_code.used")
            return True

        return SecondFactorService(self.gateway).confirm(token, METHOD, check, source=source)

    def overview(self, act: Act) -> SecondFactors:
        """What the person has set up."""
        act.principal.require_here()
        with self.gateway.database.unit_of_work(None) as session:
            user = IdentityRepository(session).user(act.principal.id)
            assert user is not None, "a session belongs to a user who exists"
            usable = select(func.count()).where(Passkey.user_id == user.id, col(Passkey.blocked_at).is_(None))
            return SecondFactors(
                has_authenticator=user.totp_confirmed_at is not None,
                passkeys=session.exec(usable).one(),
                recovery_codes_left=left_of(session, user.id),
            )

    def _hash(self, user_id: UUID, code: str) -> bytes:
        plain = "".join(character for character in code.lower() if character in ALPHABET)
        return self.gateway.keys.keyed_hash("recovery-code", f"{user_id}\0{plain}")


def left_of(session: Session, user_id: UUID) -> int:
    """Codes not used yet."""
    session.flush()
    query = select(func.count()).where(RecoveryCode.user_id == user_id, col(RecoveryCode.used_at).is_(None))
    return session.exec(query).one()


def _code() -> str:
    text = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{text[:5]}-{text[5:]}"
