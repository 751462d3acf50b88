"""A forgotten password, and a new one: a mailed link works once and for an hour, the second factor stays (SEC-13)."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import delete
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.identity import attempts
from gateway.identity.errors import SignInDelayed
from gateway.identity.models import User
from gateway.identity.passwords import hash_password, is_password, turnstile
from gateway.identity.repository import IdentityRepository
from gateway.identity.sessions import end_all, require_own_sign_in
from gateway.recovery.errors import LinkNotValid, PasswordWrong
from gateway.recovery.models import PasswordReset
from gateway.recovery.telling import tell

RESET_LIFE: Final = timedelta(hours=1)
ASKED_MAX: Final = 5
"""Mails a person can be sent within `ASKED_WAIT`, whoever asks: nobody fills somebody else's mailbox."""
ASKED_WAIT: Final = timedelta(hours=1)

log = structlog.get_logger("gateway.recovery")


class PasswordService:
    """Passwords of people."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def admit(self, *, source: str) -> None:
        """Count one question for a mail; raises `SignInDelayed`. Says nothing about addresses."""
        key = self.gateway.keys.keyed_hash("password-reset-source", source)
        with self.gateway.database.unit_of_work(None) as session:
            attempts.take(session, key, self.gateway.real_now())

    def mail_link(self, email: str) -> None:
        """Mail a link when the address is somebody's; called after the answer was sent, so that it takes no longer."""
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(None) as session:
            user = IdentityRepository(session).user_by_email(email.strip().lower())
            if user is None:
                return
            try:
                key = self.gateway.keys.keyed_hash("password-reset-person", str(user.id))
                attempts.take(session, key, now, limit=ASKED_MAX, wait=ASKED_WAIT)
            except SignInDelayed:
                log.warning("password_reset_mails_limited")
                return
            token = secrets.token_urlsafe(32)
            session.execute(delete(PasswordReset).where(col(PasswordReset.created_at) < now - RESET_LIFE))
            session.add(PasswordReset(token_hash=self._hash(token), user_id=user.id, created_at=now))
            link = f"{self.gateway.settings.base_url.rstrip('/')}/new-password/{token}"
            tell(self.gateway, session, user, "password_reset", {"link": link})

    def is_open(self, token: str) -> bool:
        """Whether a link can still be used."""
        with self.gateway.database.unit_of_work(None) as session:
            return self._asked(session, token, is_locked=False) is not None

    def reset(self, token: str, password: str) -> None:
        """Set a new password by a mailed link; ends all sessions, leaves the second factor as it is.

        Raises `LinkNotValid`, `PasswordWeak`, `SignInBusy`.
        """
        now = self.gateway.real_now()
        if not self.is_open(token):
            raise LinkNotValid
        with turnstile:
            stored = hash_password(password)
        with self.gateway.database.unit_of_work(None) as session:
            # The person first: a reset takes away all other links of the person, which may be in use as well.
            known = self._asked(session, token, is_locked=False)
            user = IdentityRepository(session).user(known.user_id, for_update=True) if known is not None else None
            if user is None or self._asked(session, token) is None:
                raise LinkNotValid
            self._set(session, user, stored)
            end_all(session, user.id, now)

    def change(self, act: Act, *, present: str, password: str, source: str) -> None:
        """A new password for the signed-in person; ends all other sessions.

        Raises `PasswordWrong`, `PasswordWeak`, `SecondFactorRequired`, `SignInDelayed`, `SignInBusy`.
        """
        user_id = require_own_sign_in(act)
        act.require_fresh_second_factor()
        key = self.gateway.keys.keyed_hash("password-change", f"{user_id}\0{source}")
        with turnstile:
            with self.gateway.database.unit_of_work(None) as session:
                attempts.take(session, key, act.real_now)
                user = IdentityRepository(session).user(user_id)
            if not is_password(user.password_hash if user else None, present):
                raise PasswordWrong
            stored = hash_password(password)
        with self.gateway.database.unit_of_work(None) as session:
            user = IdentityRepository(session).user(user_id, for_update=True)
            assert user is not None, "a session belongs to a user who exists"
            self._set(session, user, stored)
            end_all(session, user.id, act.real_now, except_id=act.principal.session_id)
            attempts.forget(session, key)

    def _set(self, session: Session, user: User, stored: str) -> None:
        user.password_hash = stored
        session.add(user)
        session.execute(delete(PasswordReset).where(col(PasswordReset.user_id) == user.id))
        tell(self.gateway, session, user, "password_changed", {}, action="password.changed")

    def _asked(self, session: Session, token: str, *, is_locked: bool = True) -> PasswordReset | None:
        query = select(PasswordReset).where(PasswordReset.token_hash == self._hash(token))
        if is_locked:
            query = query.with_for_update()
        asked = session.exec(query).one_or_none()
        if asked is None or self.gateway.real_now() - asked.created_at > RESET_LIFE:
            return None
        return asked

    def _hash(self, token: str) -> bytes:
        return self.gateway.keys.keyed_hash("password-reset", token)
