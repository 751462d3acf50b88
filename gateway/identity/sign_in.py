"""Signing in with e-mail address, password and code (SEC-01)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.identity import attempts
from gateway.identity.errors import SignInRefused
from gateway.identity.models import User
from gateway.identity.passwords import is_password, turnstile
from gateway.identity.repository import IdentityRepository
from gateway.identity.second_factor import SecondFactorService
from gateway.identity.sessions import SessionService, SignedIn

log = structlog.get_logger("gateway.identity")


class SignInService:
    """The front door for a local account."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def sign_in(
        self,
        *,
        email: str,
        password: str,
        code: str | None,
        source: str,
        office_id: UUID | None = None,
        device: str = "",
    ) -> SignedIn:
        """A session for the person; without a code it may do nothing but give the second factor.

        `source` is the caller's network address. Raises `SignInRefused`, `SignInDelayed`, `SignInBusy`,
        `OfficeRequired`.
        """
        now = self.gateway.real_now()
        email = email.strip().lower()
        key = self.gateway.keys.keyed_hash("sign-in", f"{email}\0{source}")
        with turnstile:
            with self.gateway.database.unit_of_work(None) as session:
                attempts.take(session, key, now)
                user = IdentityRepository(session).user_by_email(email)
            # Outside any transaction: argon2 takes a tenth of a second on purpose.
            is_right = is_password(user.password_hash if user else None, password)
        signed_in = None
        if user is not None and is_right:
            with self.gateway.database.unit_of_work(None) as session:
                signed_in = self._open(session, user.id, code, office_id, now, device)
                if signed_in is not None and signed_in.principal.second_factor_at is not None:
                    attempts.forget(session, key)
                elif signed_in is not None:
                    # Else knowing the password would be enough to start the ten tries at the code anew.
                    attempts.give_back(session, key)
        if signed_in is None:
            log.warning("sign_in_refused")
            raise SignInRefused
        return signed_in

    def _open(  # noqa: PLR0917  # one caller, in the order of its own arguments
        self, session: Session, user_id: UUID, code: str | None, office_id: UUID | None, now: datetime, device: str
    ) -> SignedIn | None:
        user: User | None = IdentityRepository(session).user(user_id, for_update=True)
        if user is None:
            return None
        method = None
        if code and user.totp_confirmed_at is not None:
            if not SecondFactorService(self.gateway).accept_code(user, code, now):
                return None
            method = "totp"
        session.add(user)
        return SessionService(self.gateway).open(
            session, user, office_id, now, second_factor_method=method, device=device
        )
