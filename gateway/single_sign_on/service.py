"""Providers of an office, links of people, and the way there and back (SEC-14).

An account is linked by issuer and subject, by the signed-in person, never by e-mail. An office's issuer opens that
office only. The way back is bound to the browser, works once and for ten minutes, with PKCE (S256) and a nonce. A
second factor counts as given only by claims that the operator registered for the issuer (SLUIS_OIDC_TRUSTED), with the
moment the issuer says it was given; else ours is asked.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from authlib.common.urls import add_params_to_uri  # type: ignore[import-untyped]  # ships no types
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import NotFound
from gateway.identity.models import User, WebSession
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import Permission
from gateway.identity.sessions import SINGLE_SIGN_ON, SessionService, SignedIn, own_id, require_own_sign_in
from gateway.ids import new_id
from gateway.pagination import PageRequest, Sort
from gateway.single_sign_on.errors import (
    AccountLinked,
    ProviderKnown,
    SingleSignOnNotLinked,
    SingleSignOnRefused,
)
from gateway.single_sign_on.models import OidcAttempt, OidcLink, OidcProvider
from gateway.single_sign_on.provider import ProviderLine, require_allowed
from gateway.single_sign_on.tokens import IdToken, TokenRefused, read_id_token

ATTEMPT_LIFE: Final = timedelta(minutes=10)
RETURN_PATH: Final = "/single-sign-on/return"

log = structlog.get_logger("gateway.single_sign_on")


@dataclass(frozen=True, slots=True)
class Returned:
    """Somebody came back: signed in, or with an account to link."""

    next_path: str
    signed_in: SignedIn | None


class SingleSignOnService:
    """Single sign-on of one installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    # Providers ---------------------------------------------------------------------------------------------------

    def add_provider(
        self, act: Act, *, name: str, issuer: str, client_id: str, client_secret: str | None
    ) -> OidcProvider:
        """An identity provider of the office, by its administrator with a fresh second factor.

        Raises `IssuerNotAllowed`, `ProviderKnown`, `ProviderUnavailable` when it does not describe itself.
        """
        self._require_admin(act)
        require_allowed(self.gateway, issuer)
        ProviderLine(self.gateway, issuer).description()
        provider = OidcProvider(
            id=new_id(), office_id=act.office_id, name=name, issuer=issuer, client_id=client_id, created_at=act.real_now
        )
        if client_secret is not None:
            provider.secret_cipher = self.gateway.keys.encrypt(
                client_secret.encode(), office_id=act.office_id, table="oidc_provider", row_id=provider.id
            )
        try:
            with self.gateway.database.unit_of_work(act.office_id) as session:
                session.add(provider)
                session.flush()
                self.gateway.audit.record(
                    session, act, "oidc_provider.added", "oidc_provider", provider.id,
                    changes={"issuer": Change(None, issuer), "client_id": Change(None, client_id)},
                    second_factor=act.second_factor,
                )  # fmt: skip
        except IntegrityError:
            raise ProviderKnown from None
        return provider

    def providers(self, act: Act, request: PageRequest) -> tuple[list[OidcProvider], str | None]:
        """Providers of the office, newest first, with the cursor of the next page."""
        act.require(Permission.ADMIN)
        order = [Sort(col(OidcProvider.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = select(OidcProvider).where(
                OidcProvider.office_id == act.office_id, col(OidcProvider.ended_at).is_(None)
            )
            return self.gateway.pager.page(session, query, order, request, name=f"oidc_providers:{act.office_id}")

    def offered(self, office_id: UUID) -> Sequence[OidcProvider]:
        """What the sign-in page of an office offers."""
        with self.gateway.database.unit_of_work(office_id) as session:
            query = select(OidcProvider).where(
                OidcProvider.office_id == office_id, col(OidcProvider.ended_at).is_(None)
            )
            return session.exec(query.order_by(col(OidcProvider.name))).all()

    def end_provider(self, act: Act, provider_id: UUID) -> None:
        """Stop using a provider at once; sessions that it opened end, links go with it."""
        self._require_admin(act)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            provider = self._provider(session, act.office_id, provider_id)
            provider.ended_at, provider.secret_cipher = act.real_now, None
            session.add(provider)
            session.execute(
                update(WebSession)
                .where(col(WebSession.oidc_provider_id) == provider_id, col(WebSession.ended_at).is_(None))
                .values(ended_at=act.real_now)
            )
            session.execute(
                delete(OidcLink).where(
                    col(OidcLink.office_id) == act.office_id, col(OidcLink.provider_id) == provider_id
                )
            )
            self.gateway.audit.record(
                session, act, "oidc_provider.ended", "oidc_provider", provider_id, second_factor=act.second_factor
            )

    # Links -------------------------------------------------------------------------------------------------------

    def links(self, act: Act) -> Sequence[OidcLink]:
        """The person's links in this office."""
        user_id = own_id(act)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return session.exec(
                select(OidcLink).where(OidcLink.office_id == act.office_id, OidcLink.user_id == user_id)
            ).all()

    def unlink(self, act: Act, provider_id: UUID) -> None:
        """The account no longer opens anything here; sessions it opened end."""
        user_id = require_own_sign_in(act)
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            link = session.exec(
                select(OidcLink).where(
                    OidcLink.office_id == act.office_id,
                    OidcLink.provider_id == provider_id,
                    OidcLink.user_id == user_id,
                )
            ).one_or_none()
            if link is None:
                raise NotFound
            session.delete(link)
            session.execute(
                update(WebSession)
                .where(
                    col(WebSession.oidc_provider_id) == provider_id,
                    col(WebSession.user_id) == user_id,
                    col(WebSession.ended_at).is_(None),
                )
                .values(ended_at=act.real_now)
            )
            self.gateway.audit.record(
                session, act, "oidc_link.removed", "user", user_id,
                changes={"provider_id": Change(provider_id, None)}, second_factor=act.second_factor,
            )  # fmt: skip

    # There and back ----------------------------------------------------------------------------------------------

    def begin_sign_in(self, office_id: UUID, provider_id: UUID, *, browser: str, next_path: str) -> str:
        """The provider's address to send the browser to."""
        return self._begin(office_id, provider_id, browser, next_path, None, self.gateway.real_now())

    def begin_link(self, act: Act, provider_id: UUID, *, browser: str, next_path: str) -> str:
        """As `begin_sign_in`, to link an account to the signed-in person, who confirms with a fresh second factor."""
        require_own_sign_in(act)
        act.require_fresh_second_factor()
        session_id = act.principal.session_id
        return self._begin(act.office_id, provider_id, browser, next_path, session_id, act.real_now)

    def finish(
        self, *, state: str, code: str, issuer: str | None, browser: str, act: Act | None, device: str = ""
    ) -> Returned:
        """Somebody came back with a code. Raises `SingleSignOnRefused`, `SingleSignOnNotLinked`, `ProviderUnavailable`.

        `act` is that of the browser's session, when it has one; a link is made for the session that began it.
        """
        now = self.gateway.real_now()
        attempt = self._take(state, browser, now)
        if attempt is None or not code:
            raise SingleSignOnRefused
        if attempt.session_id is not None and (act is None or act.principal.session_id != attempt.session_id):
            raise SingleSignOnRefused
        with self.gateway.database.unit_of_work(attempt.office_id) as session:
            provider = self._provider(session, attempt.office_id, attempt.provider_id)
        if issuer is not None and issuer != provider.issuer:
            # RFC 9207: an answer of another provider must not be taken for this one's.
            raise SingleSignOnRefused
        token = self._token(provider, state, code, now)
        if attempt.session_id is not None:
            assert act is not None, "compared above"
            self._link(act, provider, token)
            return Returned(attempt.next_path, None)
        return Returned(attempt.next_path, self._open(provider, token, now, device))

    def _begin(  # noqa: PLR0917  # two callers above
        self, office_id: UUID, provider_id: UUID, browser: str, next_path: str, session_id: UUID | None, now: datetime
    ) -> str:
        with self.gateway.database.unit_of_work(office_id) as session:
            provider = self._provider(session, office_id, provider_id)
        description = ProviderLine(self.gateway, provider.issuer).description()
        state = secrets.token_urlsafe(32)
        with self.gateway.database.unit_of_work(None) as session:
            session.execute(delete(OidcAttempt).where(col(OidcAttempt.created_at) < now - ATTEMPT_LIFE))
            session.add(
                OidcAttempt(
                    state_hash=self._hash("oidc-state", state),
                    office_id=office_id,
                    provider_id=provider_id,
                    browser_hash=self._hash("oidc-browser", browser),
                    session_id=session_id,
                    next_path=next_path[:500],
                    created_at=now,
                )
            )
        asked = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": self.redirect_uri(),
            "scope": "openid",
            "state": state,
            "nonce": self._derived("oidc-nonce", state),
            "code_challenge": create_s256_code_challenge(self._derived("oidc-verifier", state)),
            "code_challenge_method": "S256",
        }
        return str(add_params_to_uri(description.authorization_endpoint, list(asked.items())))

    def redirect_uri(self) -> str:
        """Where providers send people back to; registered there, letter by letter."""
        return f"{self.gateway.settings.base_url.rstrip('/')}{RETURN_PATH}"

    def _take(self, state: str, browser: str, now: datetime) -> OidcAttempt | None:
        with self.gateway.database.unit_of_work(None) as session:
            attempt = session.get(OidcAttempt, self._hash("oidc-state", state), with_for_update=True)
            if attempt is None:
                return None
            session.delete(attempt)
        is_same = secrets.compare_digest(attempt.browser_hash, self._hash("oidc-browser", browser))
        return attempt if is_same and now - attempt.created_at <= ATTEMPT_LIFE else None

    def _token(self, provider: OidcProvider, state: str, code: str, now: datetime) -> IdToken:
        line = ProviderLine(self.gateway, provider.issuer)
        secret = None
        if provider.secret_cipher is not None:
            secret = self.gateway.keys.decrypt(
                provider.secret_cipher, office_id=provider.office_id, table="oidc_provider", row_id=provider.id
            ).decode()
        text = line.redeem(
            code, verifier=self._derived("oidc-verifier", state), redirect_uri=self.redirect_uri(),
            client_id=provider.client_id, client_secret=secret,
        )  # fmt: skip
        nonce = self._derived("oidc-nonce", state)
        refused: TokenRefused | None = None
        for anew in (False, True):
            # The second time with the keys of this moment: issuers change them without notice.
            try:
                return read_id_token(
                    text,
                    line.keys(anew=anew),
                    issuer=provider.issuer,
                    client_id=provider.client_id,
                    nonce=nonce,
                    now=now,
                )
            except TokenRefused as error:
                refused = error
        log.warning("id_token_refused", reason=str(refused))
        raise SingleSignOnRefused

    def _open(self, provider: OidcProvider, token: IdToken, now: datetime, device: str) -> SignedIn:
        with self.gateway.database.unit_of_work(provider.office_id) as session:
            link = session.exec(
                select(OidcLink).where(
                    OidcLink.office_id == provider.office_id,
                    OidcLink.provider_id == provider.id,
                    OidcLink.subject == token.subject,
                )
            ).one_or_none()
            if link is None:
                raise SingleSignOnNotLinked
            link.last_used_at = now
            session.add(link)
            user: User | None = IdentityRepository(session).user(link.user_id)
            assert user is not None, "a link belongs to a user who exists"
            proven_at = self._second_factor_at(provider, token, now)
            return SessionService(self.gateway).open(
                session, user, provider.office_id, now, sign_in_method=SINGLE_SIGN_ON, device=device,
                second_factor_method=SINGLE_SIGN_ON if proven_at is not None else None, second_factor_at=proven_at,
                oidc_provider_id=provider.id,
            )  # fmt: skip

    def _second_factor_at(self, provider: OidcProvider, token: IdToken, now: datetime) -> datetime | None:
        """When the issuer saw a second factor; None unless the operator registered the claim and the moment is told."""
        trusted = self.gateway.settings.oidc_trusted.get(provider.issuer)
        if trusted is None or token.authenticated_at is None or token.authenticated_at > now + timedelta(minutes=1):
            return None
        is_proven = bool(token.amr & set(trusted.amr)) or (token.acr is not None and token.acr in trusted.acr)
        return min(token.authenticated_at, now) if is_proven else None

    def _link(self, act: Act, provider: OidcProvider, token: IdToken) -> None:
        user_id = require_own_sign_in(act)
        link = OidcLink(
            id=new_id(), office_id=provider.office_id, provider_id=provider.id, user_id=user_id, subject=token.subject,
            created_at=act.real_now,
        )  # fmt: skip
        try:
            with self.gateway.database.unit_of_work(provider.office_id) as session:
                session.add(link)
                session.flush()
                self.gateway.audit.record(
                    session, act, "oidc_link.added", "user", user_id,
                    changes={"provider_id": Change(None, provider.id)}, second_factor=act.second_factor,
                )  # fmt: skip
        except IntegrityError:
            raise AccountLinked from None

    def _provider(self, session: Session, office_id: UUID, provider_id: UUID) -> OidcProvider:
        provider = session.exec(
            select(OidcProvider).where(
                OidcProvider.office_id == office_id,
                OidcProvider.id == provider_id,
                col(OidcProvider.ended_at).is_(None),
            )
        ).one_or_none()
        if provider is None:
            raise NotFound
        return provider

    def _require_admin(self, act: Act) -> None:
        act.require(Permission.ADMIN)
        act.require_fresh_second_factor()

    def _hash(self, purpose: str, value: str) -> bytes:
        return self.gateway.keys.keyed_hash(purpose, value)

    def _derived(self, purpose: str, state: str) -> str:
        return base64.urlsafe_b64encode(self._hash(purpose, state)).rstrip(b"=").decode()
