"""The doors of identity in one place; each rule lives in the module it names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway.assembly import Gateway
from gateway.identity.models import User, WebSession
from gateway.identity.rights import Principal
from gateway.identity.second_factor import SecondFactorService
from gateway.identity.sessions import SessionService, SignedIn
from gateway.identity.sign_in import SignInService


class IdentityService:
    """Signing in, sessions, second factor."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def sign_in(self, **wish: Any) -> SignedIn:
        """As `SignInService.sign_in`."""
        return SignInService(self.gateway).sign_in(**wish)

    def sign_out(self, token: str) -> None:
        """As `SessionService.sign_out`."""
        SessionService(self.gateway).sign_out(token)

    def principal_of_session(self, token: str) -> tuple[Principal, WebSession]:
        """As `SessionService.principal`."""
        return SessionService(self.gateway).principal(token)

    def confirm_second_factor(self, token: str, code: str, *, source: str = "") -> str:
        """As `SecondFactorService.confirm_code`."""
        return SecondFactorService(self.gateway).confirm_code(token, code, source=source)

    def enrol_second_factor(self, user_id: UUID) -> str:
        """As `SecondFactorService.enrol`."""
        return SecondFactorService(self.gateway).enrol(user_id)

    def confirm_enrolment(self, user_id: UUID, code: str) -> None:
        """As `SecondFactorService.confirm_enrolment`."""
        SecondFactorService(self.gateway).confirm_enrolment(user_id, code)


def user_label(user: User) -> str:
    """How a person is shown to colleagues: first and last name."""
    return f"{user.first_name} {user.last_name}"
