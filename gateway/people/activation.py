"""Accepting an invitation: the side of whoever holds the link (OFF-07, SEC-13, SEC-14).

A link works once. A new person sets a password and an authenticator and holds the roles only when its first code was
right; an existing one signs in and is linked, unchanged. A person without any role left comes back with a new password
and the authenticator of before: a mailbox never replaces a second factor.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import pyotp
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.clock import brussels_date
from gateway.identity.errors import RoleHeld, SecondFactorAlreadyEnrolled, SignInRefused
from gateway.identity.held import office_moment
from gateway.identity.models import User
from gateway.identity.passwords import hash_password, turnstile
from gateway.identity.people import add_role
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import Principal, PrincipalKind, system
from gateway.identity.service import IdentityService
from gateway.identity.sessions import require_own_sign_in
from gateway.ids import decode, new_id
from gateway.offices.logos import logo_address
from gateway.offices.models import Client, ClientState, Office
from gateway.offices.repository import ClientRepository
from gateway.offices.service import take_up
from gateway.people.errors import ActivationCodeWrong, ActivationForOther, ActivationNotValid
from gateway.people.invitations import LINK_PURPOSE, TRIES_MAX, code_hash
from gateway.people.models import Invitation
from gateway.people.service import role_word
from gateway.people.states import InvitationState

TOTP_ISSUER: Final = "Sluis"


@dataclass(frozen=True, slots=True)
class ActivationView:
    """What the page shows."""

    office_name: str
    office_logo: str | None
    client_name: str | None
    roles: list[str]
    first_name: str
    email: str
    language: str
    must_sign_in: bool
    """Somebody with this address works here already."""
    needs_code: bool
    """A code that the inviter hands over."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A new authenticator: its key, and the address that a camera reads."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class _Found:
    invitation: Invitation
    office: Office
    client: Client | None
    user: User | None
    is_established: bool


class ActivationService:
    """What the link opens."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def look(self, token: str) -> ActivationView:
        """What is offered; raises `ActivationNotValid`."""
        office_id = self._office_id(token)
        with self.gateway.database.unit_of_work(office_id) as session:
            found = self._find(session, office_id, token)
            logo = logo_address(session, office_id)
        return ActivationView(
            office_name=found.office.name,
            office_logo=logo,
            client_name=found.client.name if found.client else None,
            roles=list(found.invitation.roles),
            first_name=found.invitation.first_name,
            email=found.invitation.email,
            language=found.invitation.language,
            must_sign_in=found.is_established,
            needs_code=found.invitation.code_hash is not None and not found.is_established,
        )

    def begin(self, token: str, *, password: str, code: str) -> Enrolment | None:
        """Set the password and start the authenticator; nobody can sign in with it yet.

        None for a person who comes back: the second factor of before goes on, and the roles are held from now on.

        Raises `ActivationNotValid`, `ActivationCodeWrong`, `PasswordWeak`, `ActivationForOther` for somebody who
        works here already and must sign in, `SignInBusy`.
        """
        office_id = self._office_id(token)
        self.look(token)
        with turnstile:
            hashed = hash_password(password)
        with self.gateway.database.unit_of_work(office_id) as session:
            found = self._find(session, office_id, token, for_update=True)
            if found.is_established:
                raise ActivationForOther
            is_right = self._is_code(found.invitation, code)
            if is_right:
                user = self._set_up(session, found, hashed)
                is_back = IdentityRepository(session).has_second_factor(user)
                if is_back:
                    # Nothing is left to set up: who signs in gives the second factor of before.
                    act = self._act(found, Principal(PrincipalKind.USER, user.id, office_id))
                    self._link(session, act, replace(found, user=user))
            else:
                self._count(session, found)
        if not is_right:
            raise ActivationCodeWrong
        if is_back:
            return None
        identity = IdentityService(self.gateway)
        secret = identity.enrol_second_factor(user.id)
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=TOTP_ISSUER))

    def finish(self, token: str, *, code: str) -> None:
        """The authenticator's first code: the roles are held from now on.

        Raises `ActivationNotValid`, `ActivationCodeWrong`.
        """
        office_id = self._office_id(token)
        with self.gateway.database.unit_of_work(office_id) as session:
            found = self._find(session, office_id, token)
        if found.user is None or found.is_established or found.user.totp_secret is None:
            raise ActivationNotValid
        is_right = self._accept(found.user.id, code)
        with self.gateway.database.unit_of_work(office_id) as session:
            found = self._find(session, office_id, token, for_update=True)
            assert found.user is not None, "a person who was there a moment ago"
            if is_right:
                principal = Principal(PrincipalKind.USER, found.user.id, office_id, second_factor_method="totp")
                self._link(session, self._act(found, principal), found)
            else:
                self._count(session, found)
        if not is_right:
            raise ActivationCodeWrong

    def accept(self, act: Act, token: str) -> UUID:
        """Link an existing person, signed in with a fresh second factor, to the roles; returns the office's id.

        Name, address, sign-in and second factor stay as they are (SEC-14). Raises `ActivationForOther`,
        `ActivationNotValid`, `SecondFactorRequired`, `OwnSignInRequired`.
        """
        act.require_fresh_second_factor()
        office_id = self._office_id(token)
        if office_id != act.office_id:
            # An office that runs an issuer must not take another office's roles for its people.
            require_own_sign_in(act)
        with self.gateway.database.unit_of_work(office_id) as session:
            found = self._find(session, office_id, token, for_update=True)
            if found.user is None or found.user.id != act.principal.id:
                raise ActivationForOther
            principal = Principal(
                PrincipalKind.USER, found.user.id, office_id, second_factor_method=act.principal.second_factor_method
            )
            self._link(session, self._act(found, principal), found)
        return office_id

    def _office_id(self, token: str) -> UUID:
        try:
            return decode("office", token.partition(".")[0])
        except ValueError:
            raise ActivationNotValid from None

    def _find(self, session: Session, office_id: UUID, token: str, *, for_update: bool = False) -> _Found:
        hashed = self.gateway.keys.keyed_hash(LINK_PURPOSE, token.partition(".")[2])
        query = select(Invitation).where(Invitation.office_id == office_id, Invitation.token_hash == hashed)
        invitation = session.exec(query.with_for_update() if for_update else query).one_or_none()
        if (
            invitation is None
            or invitation.state is not InvitationState.OPEN
            or invitation.expires_at is None
            or invitation.expires_at <= self.gateway.real_now()
        ):
            raise ActivationNotValid
        office = session.get(Office, office_id)
        assert office is not None, "an invitation belongs to an office"
        client = None
        if invitation.client_id is not None:
            today = brussels_date(office_moment(office, self.gateway.real_now()))
            client = ClientRepository(session).get_granted(office_id, invitation.client_id, today=today)
            if client is None or client.state is ClientState.CLOSED:
                raise ActivationNotValid
        people = IdentityRepository(session)
        user = people.user_by_email(invitation.email)
        # A mailbox alone never sets the password of an operator either.
        is_established = user is not None and (bool(people.memberships(user.id)) or people.is_operator(user.id))
        return _Found(invitation, office, client, user, is_established)

    def _is_code(self, invitation: Invitation, code: str) -> bool:
        if invitation.code_hash is None:
            return True
        return secrets.compare_digest(invitation.code_hash, code_hash(self.gateway, invitation, code))

    def _act(self, found: _Found, principal: Principal) -> Act:
        now = self.gateway.real_now()
        return Act(principal, now=office_moment(found.office, now), real_now=now)

    def _count(self, session: Session, found: _Found) -> None:
        invitation = found.invitation
        invitation.tries += 1
        if invitation.tries >= TRIES_MAX:
            invitation.state = InvitationState.ENDED
            act = self._act(found, system(invitation.office_id))
            self.gateway.audit.record(
                session, act, "invitation.ended", "invitation", invitation.id, client_id=invitation.client_id,
                changes={"tries": Change(None, invitation.tries)},
            )  # fmt: skip
        session.add(invitation)

    def _set_up(self, session: Session, found: _Found, hashed: str) -> User:
        invitation, user = found.invitation, found.user
        if user is None:
            user = User(
                id=new_id(), email=invitation.email, first_name=invitation.first_name,
                last_name=invitation.last_name, language=invitation.language, password_hash=hashed,
                created_at=self.gateway.real_now(),
            )  # fmt: skip
        user.password_hash = hashed
        try:
            with session.begin_nested():
                session.add(user)
                session.flush()
        except IntegrityError as error:
            # Another office's invitation of the same person, opened in the same moment.
            raise ActivationNotValid from error
        return user

    def _accept(self, user_id: UUID, code: str) -> bool:
        try:
            IdentityService(self.gateway).confirm_enrolment(user_id, code)
        except SignInRefused:
            return False
        except SecondFactorAlreadyEnrolled:
            # Cut off after the first code was right: the link leads through the password again.
            raise ActivationNotValid from None
        return True

    def _link(self, session: Session, act: Act, found: _Found) -> None:
        invitation, user = found.invitation, found.user
        assert user is not None, "somebody accepts"
        for role in invitation.roles:
            try:
                add_role(
                    self.gateway, session, act, user.id, role_word(role), client_id=invitation.client_id,
                    salaries=invitation.salaries, from_date=invitation.from_date, until_date=invitation.until_date,
                )  # fmt: skip
            except RoleHeld:
                continue
        invitation.state, invitation.user_id = InvitationState.ACCEPTED, user.id
        invitation.accepted_at = act.real_now
        session.add(invitation)
        if invitation.client_id is not None:
            take_up(self.gateway, session, act, invitation.client_id)
        self.gateway.audit.record(
            session, act, "invitation.accepted", "invitation", invitation.id, client_id=invitation.client_id,
            changes={"user_id": Change(None, user.id)}, second_factor=act.second_factor,
        )  # fmt: skip
