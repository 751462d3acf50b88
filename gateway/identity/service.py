"""Signing in, sessions, second factor (SEC-01, 05, 13)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pyotp
from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.errors import SignInError
from gateway.identity.errors import (
    OfficeRequired,
    SecondFactorAlreadyEnrolled,
    SecondFactorNotEnrolled,
    SignInDelayed,
    SignInRefused,
)
from gateway.identity.held import held_rights
from gateway.identity.models import User, WebSession
from gateway.identity.passwords import is_password
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import (
    Principal,
    PrincipalKind,
)

SESSION_IDLE_MAX: Final = timedelta(minutes=30)
SESSION_LIFE_MAX: Final = timedelta(hours=8)
FAILURES_MAX: Final = 10
FAILURE_WAIT: Final = timedelta(minutes=15)
TOTP_STEP_SECONDS: Final = 30
SEEN_RESOLUTION: Final = timedelta(minutes=1)
"""`last_seen_at` is written at most once a minute, so that reading pages does not write all the time."""

SESSION_PREFIX: Final = "sluis_session_"
TOTP_ISSUER: Final = "Sluis"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the token is given once and never stored."""

    token: str
    form_token: str
    principal: Principal
    user: User


class IdentityService:
    """People of an installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    # Signing in --------------------------------------------------------------------------------------------------

    def sign_in(
        self, *, email: str, password: str, code: str | None, source: str, office_id: UUID | None = None
    ) -> SignedIn:
        """A session for the person; `code` is needed once a second factor is enrolled.

        `source` is the caller's network address. Raises `SignInRefused`, `SignInDelayed`, `OfficeRequired`.
        """
        now = self.gateway.real_now()
        email = email.strip().lower()
        key = self.gateway.keys.keyed_hash("sign-in", f"{email}\0{source}")
        with self.gateway.database.unit_of_work(None) as session:
            self._refuse_delayed(session, key, now)
            user = IdentityRepository(session).user_by_email(email)
        # Outside any transaction: argon2 takes a tenth of a second on purpose.
        is_right = is_password(user.password_hash if user else None, password)
        with self.gateway.database.unit_of_work(None) as session:
            identities = IdentityRepository(session)
            user = identities.user(user.id, for_update=True) if user is not None and is_right else None
            accepted = user is not None and (user.totp_confirmed_at is None or self._accept_code(user, code or "", now))
            if user is None or not accepted:
                self._count_failure(session, key, now)
            else:
                session.add(user)
                signed_in = self._open_session(session, user, office_id, now, has_second_factor=code is not None)
                attempt = identities.attempt(key)
                if attempt is not None:
                    session.delete(attempt)
        if user is None or not accepted:
            raise SignInRefused
        return signed_in

    def sign_out(self, token: str) -> None:
        """End a session; an unknown one is fine."""
        with self.gateway.database.unit_of_work(None) as session:
            found = IdentityRepository(session).web_session(self._hash(token), for_update=True)
            if found is not None:
                found.ended_at = self.gateway.real_now()
                session.add(found)

    def principal_of_session(self, token: str) -> tuple[Principal, WebSession]:
        """Who this session is; raises `SignInError` when it ended, idled or never was."""
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(None) as session:
            identities = IdentityRepository(session)
            found = identities.web_session(self._hash(token))
            if (
                found is None
                or found.ended_at is not None
                or now - found.last_seen_at > SESSION_IDLE_MAX
                or now - found.created_at > SESSION_LIFE_MAX
            ):
                raise SignInError
            if now - found.last_seen_at > SEEN_RESOLUTION:
                found.last_seen_at = now
                session.add(found)
            user = identities.user(found.user_id)
            assert user is not None, "a session belongs to a user who exists"
            principal = self._principal(identities, user, found, now)
        if not principal.office_permissions and not principal.client_permissions:
            raise SignInError
        return principal, found

    def confirm_second_factor(self, token: str, code: str) -> None:
        """Freshen the second factor of a session for five minutes; raises `SignInRefused`."""
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(None) as session:
            identities = IdentityRepository(session)
            found = identities.web_session(self._hash(token), for_update=True)
            user = identities.user(found.user_id, for_update=True) if found is not None else None
            if found is None or user is None:
                raise SignInError
            if user.totp_confirmed_at is None:
                raise SecondFactorNotEnrolled
            key = self.gateway.keys.keyed_hash("second-factor", str(user.id))
            self._refuse_delayed(session, key, now)
            is_right = self._accept_code(user, code, now)
            if is_right:
                found.second_factor_at = now
                session.add_all([found, user])
            else:
                self._count_failure(session, key, now)
        if not is_right:
            raise SignInRefused

    # Second factor ---------------------------------------------------------------------------------------------------

    def enrol_second_factor(self, user_id: UUID) -> str:
        """A new TOTP secret (base 32), in use once `confirm_enrolment` has seen a code from it."""
        secret = pyotp.random_base32()
        with self.gateway.database.unit_of_work(None) as session:
            user = IdentityRepository(session).user(user_id, for_update=True)
            assert user is not None, "a user who exists"
            if user.totp_confirmed_at is not None:
                raise SecondFactorAlreadyEnrolled
            user.totp_secret = self.gateway.keys.encrypt(
                secret.encode(), office_id=None, table="app_user", row_id=user.id
            )
            session.add(user)
        return secret

    def confirm_enrolment(self, user_id: UUID, code: str) -> None:
        """Put the second factor in use; raises `SignInRefused` for a wrong code."""
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(None) as session:
            user = IdentityRepository(session).user(user_id, for_update=True)
            assert user is not None, "a user who exists"
            if user.totp_confirmed_at is not None:
                raise SecondFactorAlreadyEnrolled
            if user.totp_secret is None:
                raise SecondFactorNotEnrolled
            if not self._accept_code(user, code, now):
                raise SignInRefused
            user.totp_confirmed_at = now
            # The code that proves the enrolment may also be the first sign-in's, which is the same person's next act.
            user.totp_last_step = None
            session.add(user)

    def provisioning_uri(self, user: User, secret: str) -> str:
        """`otpauth://` address for an authenticator's camera."""
        return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=TOTP_ISSUER)

    # Helpers -----------------------------------------------------------------------------------------------------

    def _hash(self, token: str) -> bytes:
        return self.gateway.keys.keyed_hash("token", token)

    def _open_session(
        self, session: Session, user: User, office_id: UUID | None, now: datetime, *, has_second_factor: bool
    ) -> SignedIn:
        identities = IdentityRepository(session)
        offices = sorted({membership.office_id for membership in identities.memberships(user.id)})
        if office_id is None:
            if len(offices) > 1:
                raise OfficeRequired
            office_id = offices[0] if offices else None
        if office_id not in offices or office_id is None:
            raise SignInRefused
        token = SESSION_PREFIX + secrets.token_urlsafe(32)
        opened = WebSession(
            token_hash=self._hash(token),
            user_id=user.id,
            office_id=office_id,
            form_token=secrets.token_urlsafe(32),
            created_at=now,
            last_seen_at=now,
            second_factor_at=now if has_second_factor and user.totp_confirmed_at is not None else None,
        )
        session.add(opened)
        return SignedIn(token, opened.form_token, self._principal(identities, user, opened, now), user)

    def _principal(self, identities: IdentityRepository, user: User, found: WebSession, now: datetime) -> Principal:
        rights = held_rights(identities.session, user.id, found.office_id, now=now)
        return Principal(
            kind=PrincipalKind.USER,
            id=user.id,
            office_id=found.office_id,
            office_permissions=rights.office_permissions,
            client_permissions=rights.client_permissions,
            office_clients=rights.office_clients,
            second_factor_at=found.second_factor_at,
            language=user.language,
        )

    def _accept_code(self, user: User, code: str, now: datetime) -> bool:
        """Check a TOTP code of this or the neighbouring step; each step is accepted once."""
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

    def _refuse_delayed(self, session: Session, key: bytes, now: datetime) -> None:
        attempt = IdentityRepository(session).attempt(key)
        if attempt is not None and attempt.failures >= FAILURES_MAX and now - attempt.last_failure_at < FAILURE_WAIT:
            raise SignInDelayed(headers={"Retry-After": str(int(FAILURE_WAIT.total_seconds()))})

    def _count_failure(self, session: Session, key: bytes, now: datetime) -> None:
        IdentityRepository(session).count_failure(key, now, forget_before=now - FAILURE_WAIT)


def user_label(user: User) -> str:
    """How a person is shown to colleagues: first and last name."""
    return f"{user.first_name} {user.last_name}"
