"""The second factor: an authenticator's codes (TOTP), and what counts as having one (SEC-01, SEC-02, SEC-13)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import pyotp
from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.errors import SignInError
from gateway.identity import attempts
from gateway.identity.enrolment import drop_code, require_code
from gateway.identity.errors import SecondFactorAlreadyEnrolled, SecondFactorNotEnrolled, SignInRefused
from gateway.identity.models import User
from gateway.identity.repository import IdentityRepository
from gateway.identity.sessions import SessionService, is_alive

TOTP_STEP_SECONDS: Final = 30
TOTP_ISSUER: Final = "Sluis"

Check = Callable[[Session, User, datetime], bool]
"""Whether what was given proves the person; what it uses up is used up in the same unit of work."""


class SecondFactorService:
    """Enrolling, and confirming with what is enrolled."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def confirm_code(self, token: str, code: str, *, source: str = "") -> str:
        """Freshen a session with a code; the token to use from now on. Raises `SignInRefused`, `SignInDelayed`."""

        def check(_session: Session, user: User, now: datetime) -> bool:
            if user.totp_confirmed_at is None:
                raise SecondFactorNotEnrolled
            return self.accept_code(user, code, now)

        return self.confirm(token, "totp", check, source=source)

    def confirm(self, token: str, method: str, check: Check, *, source: str) -> str:
        """Freshen a session for five minutes when `check` holds; the token to use from now on.

        Tries are limited per person and source. Raises `SignInRefused`, `SignInDelayed`.
        """
        now = self.gateway.real_now()
        sessions = SessionService(self.gateway)
        with self.gateway.database.unit_of_work(None) as session:
            found = IdentityRepository(session).web_session(sessions.hash(token))
            if found is None or not is_alive(found, now):
                raise SignInError
            user_id = found.user_id
            key = self.gateway.keys.keyed_hash("second-factor", f"{user_id}\0{source}")
            attempts.take(session, key, now)
        renewed = None
        with self.gateway.database.unit_of_work(None) as session:
            identities = IdentityRepository(session)
            # The person first, as whoever ends all sessions of one does: two that meet wait, and neither for ever.
            user = identities.user(user_id, for_update=True)
            found = identities.web_session(sessions.hash(token), for_update=True)
            if found is None or user is None:
                raise SignInError
            if check(session, user, now):
                session.add(user)
                renewed = sessions.strengthen(session, found, token, method, now)
                attempts.forget(session, key)
        if renewed is None:
            raise SignInRefused
        return renewed

    def enrol(self, user_id: UUID) -> str:
        """A new TOTP secret (base 32), in use once `confirm_enrolment` has seen a code from it.

        For a first second factor only: whoever knows the password of somebody with passkeys must not add one beside
        them. Raises `SecondFactorAlreadyEnrolled`.
        """
        secret = pyotp.random_base32()
        with self.gateway.database.unit_of_work(None) as session:
            user = self._without_second_factor(session, user_id)
            user.totp_secret = self.gateway.keys.encrypt(
                secret.encode(), office_id=None, table="app_user", row_id=user.id
            )
            user.totp_last_step = None
            session.add(user)
        return secret

    def begin_with_own(self, token: str, user_id: UUID, code: str, *, handed_code: str) -> str:
        """As `confirm_own_enrolment`, and the session is fresh with it; the token to use from now on.

        In one step, since the code counts once (SEC-13).
        """
        now, sessions = self.gateway.real_now(), SessionService(self.gateway)
        self._require_handed_code(user_id, handed_code, now)
        with self.gateway.database.unit_of_work(None) as session:
            self._put_in_use(session, user_id, code, now)
            found = IdentityRepository(session).web_session(sessions.hash(token), for_update=True)
            if found is None:
                raise SignInError
            return sessions.strengthen(session, found, token, "totp", now)

    def confirm_own_enrolment(self, user_id: UUID, code: str, *, handed_code: str) -> None:
        """As `confirm_enrolment`, for a signed-in person: with the code from an administrator where it takes one.

        Raises `EnrolmentCodeWrong` (SEC-13).
        """
        self._require_handed_code(user_id, handed_code, self.gateway.real_now())
        self.confirm_enrolment(user_id, code)

    def confirm_enrolment(self, user_id: UUID, code: str) -> None:
        """Put the authenticator in use; raises `SignInRefused` for a wrong code.

        Whoever calls this made sure who enrols: the link of an invitation with its code, a command.
        """
        with self.gateway.database.unit_of_work(None) as session:
            self._put_in_use(session, user_id, code, self.gateway.real_now())

    def _require_handed_code(self, user_id: UUID, handed_code: str, now: datetime) -> None:
        with self.gateway.database.unit_of_work(None) as session:
            user = IdentityRepository(session).user(user_id)
        assert user is not None, "a user who exists"
        require_code(self.gateway, user, handed_code, now)

    def _put_in_use(self, session: Session, user_id: UUID, code: str, now: datetime) -> None:
        # Asked again: a passkey may have been added since the secret was made.
        user = self._without_second_factor(session, user_id)
        if user.totp_secret is None:
            raise SecondFactorNotEnrolled
        if not self.accept_code(user, code, now):
            raise SignInRefused
        user.totp_confirmed_at = now
        drop_code(user)
        session.add(user)

    def _without_second_factor(self, session: Session, user_id: UUID) -> User:
        identities = IdentityRepository(session)
        user: User | None = identities.user(user_id, for_update=True)
        assert user is not None, "a user who exists"
        if identities.has_second_factor(user):
            raise SecondFactorAlreadyEnrolled
        return user

    def accept_code(self, user: User, code: str, now: datetime) -> bool:
        """Check a TOTP code of this or the neighbouring step; each step is accepted once (SEC-13)."""
        if user.totp_secret is None or not (code.isascii() and code.isdigit() and len(code) == 6):
            return False
        secret = self.gateway.keys.decrypt(user.totp_secret, office_id=None, table="app_user", row_id=user.id)
        totp = pyotp.TOTP(secret.decode())
        present = int(now.timestamp()) // TOTP_STEP_SECONDS
        for step in (present, present - 1, present + 1):
            if user.totp_last_step is not None and step <= user.totp_last_step:
                continue
            if secrets.compare_digest(totp.at(step * TOTP_STEP_SECONDS), code):
                user.totp_last_step = step
                return True
        return False


def provisioning_uri(user: User, secret: str) -> str:
    """`otpauth://` address for an authenticator's camera."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=TOTP_ISSUER)
