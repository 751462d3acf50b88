"""Sessions of people: opened by a sign-in, a new token whenever what they may do grows, ended by anybody's own wish.

A session ends after 30 minutes idle or 8 hours (SEC-01). Only the hash of its token is stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound, SignInError
from gateway.identity.errors import OfficeRequired, OwnSignInRequired, SignInRefused
from gateway.identity.held import held_rights
from gateway.identity.models import User, WebSession
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import Principal, PrincipalKind
from gateway.ids import new_id
from gateway.offices.models import Office
from gateway.pagination import PageRequest, Sort

SESSION_IDLE_MAX: Final = timedelta(minutes=30)
SESSION_LIFE_MAX: Final = timedelta(hours=8)
SEEN_RESOLUTION: Final = timedelta(minutes=1)
"""`last_seen_at` is written at most once a minute, so that reading pages does not write all the time."""

SESSION_PREFIX: Final = "sluis_session_"
SINGLE_SIGN_ON: Final = "oidc"
"""Sign-in method of a session that an office's issuer opened."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the token is given once and never stored."""

    token: str
    form_token: str
    principal: Principal
    user: User


class SessionService:
    """Sessions of one installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def open(
        self,
        session: Session,
        user: User,
        office_id: UUID | None,
        now: datetime,
        *,
        sign_in_method: str = "password",
        second_factor_method: str | None = None,
        second_factor_at: datetime | None = None,
        device: str = "",
        oidc_provider_id: UUID | None = None,
    ) -> SignedIn:
        """A session in this unit of work. Raises `OfficeRequired`, `SignInRefused` for an office without a role."""
        identities = IdentityRepository(session)
        offices = sorted({membership.office_id for membership in identities.memberships(user.id)})
        if office_id is None:
            if len(offices) > 1:
                raise OfficeRequired
            office_id = offices[0] if offices else None
        if office_id not in offices or office_id is None:
            raise SignInRefused
        token = new_token()
        opened = WebSession(
            token_hash=self.hash(token),
            id=new_id(),
            user_id=user.id,
            office_id=office_id,
            sign_in_method=sign_in_method,
            oidc_provider_id=oidc_provider_id,
            device=device,
            form_token=secrets.token_urlsafe(32),
            created_at=now,
            last_seen_at=now,
            second_factor_at=(second_factor_at or now) if second_factor_method else None,
            second_factor_method=second_factor_method,
        )
        session.add(opened)
        return SignedIn(token, opened.form_token, _principal(session, user, opened, now), user)

    def principal(self, token: str) -> tuple[Principal, WebSession]:
        """Who this session is; raises `SignInError` when it ended, idled or never was."""
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(None) as session:
            identities = IdentityRepository(session)
            found = identities.web_session(self.hash(token))
            if found is None or not is_alive(found, now):
                raise SignInError
            if now - found.last_seen_at > SEEN_RESOLUTION:
                # By id: another request may be giving this session a new token.
                session.execute(update(WebSession).where(col(WebSession.id) == found.id).values(last_seen_at=now))
            user = identities.user(found.user_id)
            assert user is not None, "a session belongs to a user who exists"
            principal = _principal(session, user, found, now)
        if not principal.office_permissions and not principal.client_permissions:
            raise SignInError
        return principal, found

    def strengthen(self, session: Session, found: WebSession, token: str, method: str, now: datetime) -> str:
        """Note a fresh second factor; the token to use from now on.

        A session that gains its second factor gets a new token: one that somebody else may have planted or seen before
        stays worthless (session fixation). One that only freshens it keeps its token.
        """
        is_first = found.second_factor_at is None
        found.second_factor_at, found.second_factor_method = now, method
        return self._renew(session, found) if is_first else self._keep(session, found, token)

    def sign_out(self, token: str) -> None:
        """End a session; an unknown one is fine."""
        with self.gateway.database.unit_of_work(None) as session:
            found = IdentityRepository(session).web_session(self.hash(token), for_update=True)
            if found is not None:
                found.ended_at = self.gateway.real_now()
                session.add(found)

    def page(self, act: Act, request: PageRequest) -> tuple[list[WebSession], str | None]:
        """The person's own sessions that are alive, newest first, with the cursor of the next page."""
        user_id = own_id(act)
        order = [Sort(col(WebSession.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(None) as session:
            query = _within_reach(act, alive(user_id, act.real_now))
            return self.gateway.pager.page(session, query, order, request, name=f"sessions:{user_id}")

    def end(self, act: Act, session_id: UUID) -> None:
        """End one of the person's own sessions at once; somebody else's is not found."""
        user_id = own_id(act)
        with self.gateway.database.unit_of_work(None) as session:
            query = _within_reach(act, alive(user_id, act.real_now)).where(WebSession.id == session_id)
            found = session.exec(query.with_for_update()).one_or_none()
            if found is None:
                raise NotFound
            found.ended_at = act.real_now
            session.add(found)

    def end_others(self, act: Act) -> int:
        """End all of the person's sessions but this one; how many there were."""
        with self.gateway.database.unit_of_work(None) as session:
            office_id = act.office_id if act.principal.sign_in_method == SINGLE_SIGN_ON else None
            return end_all(session, own_id(act), act.real_now, except_id=act.principal.session_id, office_id=office_id)

    def offices(self, act: Act) -> Sequence[Office]:
        """The offices this session may go to: of the person's own sign-in all, of an office's issuer that office."""
        user_id = own_id(act)
        with self.gateway.database.unit_of_work(None) as session:
            ids = {membership.office_id for membership in IdentityRepository(session).memberships(user_id)}
            if act.principal.sign_in_method == SINGLE_SIGN_ON:
                ids &= {act.office_id}
            return session.exec(select(Office).where(col(Office.id).in_(ids)).order_by(col(Office.name))).all()

    def switch_office(self, act: Act, token: str, office_id: UUID) -> SignedIn:
        """Go on in another office of the person: the old token ends, the life of the session goes on.

        Raises `NotFound` for an office without a role, `OwnSignInRequired` for an issuer's session (SEC-14).
        """
        user_id, now = own_id(act), act.real_now
        if act.principal.sign_in_method == SINGLE_SIGN_ON and office_id != act.office_id:
            raise OwnSignInRequired
        with self.gateway.database.unit_of_work(None) as session:
            identities = IdentityRepository(session)
            found = identities.web_session(self.hash(token), for_update=True)
            user = identities.user(user_id)
            if found is None or user is None or not is_alive(found, now):
                raise SignInError
            if office_id not in {membership.office_id for membership in identities.memberships(user_id)}:
                raise NotFound
            found.office_id = office_id
            renewed = self._renew(session, found)
            return SignedIn(renewed, found.form_token, _principal(session, user, found, now), user)

    def hash(self, token: str) -> bytes:
        """What is stored of a token."""
        return self.gateway.keys.keyed_hash("token", token)

    def _renew(self, session: Session, found: WebSession) -> str:
        token = new_token()
        found.form_token = secrets.token_urlsafe(32)
        session.execute(
            update(WebSession)
            .where(col(WebSession.id) == found.id)
            .values(
                token_hash=self.hash(token),
                office_id=found.office_id,
                form_token=found.form_token,
                second_factor_at=found.second_factor_at,
                second_factor_method=found.second_factor_method,
            )
            .execution_options(synchronize_session=False)
        )
        # The row has another key now: what this unit of work holds of it is not written again.
        session.expunge(found)
        return token

    def _keep(self, session: Session, found: WebSession, token: str) -> str:
        session.add(found)
        return token


def new_token() -> str:
    """256 random bits behind a prefix that scanners of leaked secrets can find."""
    return SESSION_PREFIX + secrets.token_urlsafe(32)


def is_alive(found: WebSession, now: datetime) -> bool:
    """Neither ended nor idle nor too old."""
    return (
        found.ended_at is None
        and now - found.last_seen_at <= SESSION_IDLE_MAX
        and now - found.created_at <= SESSION_LIFE_MAX
    )


def alive(user_id: UUID, now: datetime) -> SelectOfScalar[WebSession]:
    """As `is_alive`, for a person's sessions."""
    return select(WebSession).where(
        WebSession.user_id == user_id,
        col(WebSession.ended_at).is_(None),
        col(WebSession.last_seen_at) >= now - SESSION_IDLE_MAX,
        col(WebSession.created_at) >= now - SESSION_LIFE_MAX,
    )


def _within_reach(act: Act, query: SelectOfScalar[WebSession]) -> SelectOfScalar[WebSession]:
    """An office's issuer is good for that office only: it neither sees nor ends what the person does elsewhere."""
    return (
        query.where(WebSession.office_id == act.office_id) if act.principal.sign_in_method == SINGLE_SIGN_ON else query
    )


def end_all(
    session: Session, user_id: UUID, now: datetime, *, except_id: UUID | None = None, office_id: UUID | None = None
) -> int:
    """End a person's sessions, in every office or in one; how many were not ended yet."""
    query = update(WebSession).where(col(WebSession.user_id) == user_id, col(WebSession.ended_at).is_(None))
    if except_id is not None:
        query = query.where(col(WebSession.id) != except_id)
    if office_id is not None:
        query = query.where(col(WebSession.office_id) == office_id)
    ended = session.execute(query.values(ended_at=now).returning(col(WebSession.id))).all()
    return len(ended)


def own_id(act: Act) -> UUID:
    """The acting person; a machine has no sessions and no second factor. Raises `PersonRequired`."""
    act.principal.require_here()
    return act.principal.id


def require_own_sign_in(act: Act) -> UUID:
    """The person, signed in with a password or passkey of their own.

    An office that runs an issuer could sign in as its people; their password, passkeys and address are not its to
    change, since they open other offices too (SEC-14). Raises `OwnSignInRequired`.
    """
    user_id = own_id(act)
    if act.principal.sign_in_method == SINGLE_SIGN_ON:
        raise OwnSignInRequired
    return user_id


def _principal(session: Session, user: User, found: WebSession, now: datetime) -> Principal:
    rights = held_rights(session, user.id, found.office_id, now=now)
    return Principal(
        kind=PrincipalKind.USER,
        id=user.id,
        office_id=found.office_id,
        office_permissions=rights.office_permissions,
        client_permissions=rights.client_permissions,
        office_clients=rights.office_clients,
        second_factor_at=found.second_factor_at,
        second_factor_method=found.second_factor_method,
        session_id=found.id,
        sign_in_method=found.sign_in_method,
        second_factor_reset_at=user.second_factor_reset_at,
        language=user.language,
    )
