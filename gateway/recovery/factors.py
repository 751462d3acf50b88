"""Taking away everything that a person could give as a second factor of our own."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import Session, col

from gateway.identity.enrolment import drop_code
from gateway.identity.models import User
from gateway.passkeys.models import Passkey
from gateway.recovery.models import RecoveryCode


def forget_second_factors(session: Session, user: User) -> None:
    """Authenticator, passkeys, recovery codes and a code to enrol with; the caller holds the row."""
    user.totp_secret = user.totp_confirmed_at = user.totp_last_step = None
    drop_code(user)
    session.add(user)
    session.execute(delete(Passkey).where(col(Passkey.user_id) == user.id))
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user.id))
