"""Applications and their access tokens (SEC-03, SEC-15, RFC 6749 §4.4).

An application serves one or more offices, with scopes of its own at each. Its tokens are opaque, name one office, live
fifteen minutes, and end at once with the application, its office or a scope: every call looks all three up.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError, NotFound, SignInError
from gateway.identity.errors import OfficeRequired
from gateway.identity.rights import (
    DECISION_SCOPES,
    SCOPE_PERMISSIONS,
    Permission,
    Principal,
    PrincipalKind,
)
from gateway.ids import new_id
from gateway.machines.addresses import is_allowed
from gateway.machines.errors import AddressNotAllowed, ClientInvalid, OfficeNotServed, ScopeInvalid, SecretsInUse
from gateway.machines.models import AccessToken, Application, ApplicationOffice, ApplicationSecret
from gateway.machines.repository import MachineRepository
from gateway.machines.service import SEEN_RESOLUTION, checked_addresses, permissions_of
from gateway.offices.models import Office
from gateway.pagination import PageRequest, Sort

TOKEN_LIFE: Final = timedelta(minutes=15)
TOKEN_PREFIX: Final = "sluis_access_"  # noqa: S105 - how a token begins, not a token
SECRET_PREFIX: Final = "sluis_secret_"  # noqa: S105 - how a secret begins, not a secret
SECRETS_MAX: Final = 2

log = logging.getLogger("gateway.machines")


@dataclass(frozen=True, slots=True)
class Held:
    """An application as one office sees it."""

    application: Application
    link: ApplicationOffice
    secrets: Sequence[ApplicationSecret]


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh access token; its text is given once."""

    token: str
    scopes: list[str]
    office_id: UUID


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom an access token speaks for: the application itself, and what it may carry for a person."""

    principal: Principal
    scopes: list[str]


class ApplicationService:
    """OAuth clients of an installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    # Making and ending -------------------------------------------------------------------------------------------

    def create(
        self, act: Act, *, name: str, scopes: Sequence[str], allowed_addresses: Sequence[str] = ()
    ) -> tuple[Application, ApplicationSecret, str]:
        """An application for the act's office with its first secret, which is shown this once.

        A person with a fresh second factor makes it without deciding scopes; those only the operator grants (SEC-03).
        """
        self._require_administrator(act)
        is_operator = act.principal.runs_installation
        networks, faults = checked_addresses(allowed_addresses)
        faults += _scope_faults(scopes, is_operator=is_operator)
        if faults:
            raise InputError(faults=faults)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            office = session.get(Office, act.office_id)
            assert office is not None, "a principal belongs to an office that exists"
            application = Application(
                id=new_id(),
                office_id=None if is_operator else act.office_id,
                name=name,
                mode=office.mode,
                allowed_addresses=networks,
                created_at=act.real_now,
            )
            session.add(application)
            session.flush()
            session.add(_link(act, application.id, scopes))
            secret, text = self._new_secret(act, application.id)
            session.add(secret)
            session.flush()
            self.gateway.audit.record(
                session,
                act,
                "application.created",
                "application",
                application.id,
                changes={"scopes": Change(None, sorted(set(scopes))), "allowed_addresses": Change(None, networks)},
            )
        return application, secret, text

    def grant(self, act: Act, application_id: UUID, scopes: Sequence[str]) -> None:
        """Have the application serve the act's office with exactly these scopes; the operator only."""
        assert act.principal.runs_installation, "only the operator grants"
        faults = _scope_faults(scopes, is_operator=True)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            application = session.get(Application, application_id, with_for_update=True)
            office = session.get(Office, act.office_id)
            assert office is not None, "the operator names an office that exists"
            if application is None or application.revoked_at is not None:
                raise NotFound
            if application.mode != office.mode:
                faults.append(FieldFault("/office", "mode_differs", "A test application serves test offices only."))
            if faults:
                raise InputError(faults=faults)
            old = _links(session, application_id, office_id=act.office_id)
            for link in old:
                link.ended_at = act.real_now
                session.add(link)
            session.flush()
            session.add(_link(act, application_id, scopes))
            before = sorted({scope for link in old for scope in link.scopes})
            self.gateway.audit.record(
                session,
                act,
                "application.granted",
                "application",
                application_id,
                changes={"scopes": Change(before or None, sorted(set(scopes)))},
            )

    def held(self, act: Act) -> list[Held]:
        """Applications that serve the act's office, newest first."""
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            rows = session.exec(
                select(Application, ApplicationOffice)
                .join(ApplicationOffice, col(ApplicationOffice.application_id) == Application.id)
                .where(
                    ApplicationOffice.office_id == act.office_id,
                    col(ApplicationOffice.ended_at).is_(None),
                    col(Application.revoked_at).is_(None),
                )
                .order_by(col(Application.id).desc())
            ).all()
            known = _secrets(session, [application.id for application, _ in rows])
        return [Held(application, link, known.get(application.id, [])) for application, link in rows]

    def page(self, act: Act, request: PageRequest) -> tuple[list[Held], str | None]:
        """As `held`, a page of them."""
        act.require(Permission.ADMIN)
        order = [
            Sort(col(ApplicationOffice.application_id), lambda row: str(row.application_id), UUID, is_descending=True)
        ]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = select(ApplicationOffice).where(
                ApplicationOffice.office_id == act.office_id,
                col(ApplicationOffice.ended_at).is_(None),
                col(ApplicationOffice.application_id).in_(
                    select(Application.id).where(col(Application.revoked_at).is_(None))
                ),
            )
            links, cursor = self.gateway.pager.page(
                session, query, order, request, name=f"applications:{act.office_id}"
            )
            ids = [link.application_id for link in links]
            found = {one.id: one for one in session.exec(select(Application).where(col(Application.id).in_(ids)))}
            known = _secrets(session, ids)
        return [Held(found[link.application_id], link, known.get(link.application_id, [])) for link in links], cursor

    def revoke(self, act: Act, application_id: UUID) -> None:
        """End the application for the act's office at once; wholly, when the office made it or no office is left."""
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            application = session.get(Application, application_id, with_for_update=True)
            links = _links(session, application_id)
            mine = [link for link in links if link.office_id == act.office_id]
            if application is None or not mine:
                raise NotFound
            for link in mine:
                link.ended_at = act.real_now
                session.add(link)
            if application.office_id == act.office_id or len(links) == len(mine):
                application.revoked_at = act.real_now
                session.add(application)
            self.gateway.audit.record(session, act, "application.revoked", "application", application_id)

    def add_secret(self, act: Act, application_id: UUID) -> tuple[ApplicationSecret, str]:
        """A second secret beside the one in use, shown this once; raises `SecretsInUse` when there are two."""
        self._require_administrator(act)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            self._own(session, act, application_id)
            if len(_secrets(session, [application_id]).get(application_id, [])) >= SECRETS_MAX:
                raise SecretsInUse
            secret, text = self._new_secret(act, application_id)
            session.add(secret)
            self.gateway.audit.record(session, act, "application.secret_added", "application", application_id)
        return secret, text

    def revoke_secret(self, act: Act, application_id: UUID, secret_id: UUID) -> None:
        """End one secret at once; tokens made with it run out within fifteen minutes."""
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            self._own(session, act, application_id)
            secret = session.get(ApplicationSecret, secret_id, with_for_update=True)
            if secret is None or secret.application_id != application_id:
                raise NotFound
            if secret.revoked_at is None:
                secret.revoked_at = act.real_now
                session.add(secret)
                self.gateway.audit.record(session, act, "application.secret_revoked", "application", application_id)

    # Tokens ------------------------------------------------------------------------------------------------------

    def issue(
        self,
        *,
        client_id: UUID | None,
        secret: str,
        scopes: Sequence[str] | None,
        office_id: UUID | None,
        source: str | None,
    ) -> Issued:
        """An access token for one office; scopes None asks for all there are.

        Raises `ClientInvalid`, `AddressNotAllowed`, `OfficeRequired`, `OfficeNotServed`, `ScopeInvalid`.
        """
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(None) as session:
            application, found = self._authenticated(session, client_id, secret)
            if not is_allowed(application.allowed_addresses, source):
                log.warning("application from a foreign address", extra={"application_id": str(application.id)})
                raise AddressNotAllowed
            links = _links(session, application.id)
            if office_id is None and len(links) != 1:
                raise OfficeRequired if links else OfficeNotServed
            mine = [link for link in links if office_id is None or link.office_id == office_id]
            if not mine:
                raise OfficeNotServed
            (link,) = mine
            wanted = link.scopes if scopes is None else list(dict.fromkeys(scopes))
            if not wanted or not set(wanted) <= set(link.scopes):
                raise ScopeInvalid
            token = f"{TOKEN_PREFIX}{application.mode}_{secrets.token_urlsafe(32)}"
            expired = col(AccessToken.expires_at) <= now
            session.execute(delete(AccessToken).where(col(AccessToken.application_id) == application.id, expired))
            session.add(
                AccessToken(
                    token_hash=self._hash("access-token", token),
                    application_id=application.id,
                    office_id=link.office_id,
                    scopes=list(wanted),
                    created_at=now,
                    expires_at=now + TOKEN_LIFE,
                )
            )
            application.last_used_at = found.last_used_at = now
            session.add_all([application, found])
        return Issued(token, list(wanted), link.office_id)

    def caller_of_token(self, token: str, *, source: str | None = None) -> Caller:
        """Which application this access token is, with what it still has; raises `SignInError`, `AddressNotAllowed`."""
        now = self.gateway.real_now()
        query = (
            select(AccessToken, Application, ApplicationOffice.scopes, Office.mode)
            .join(Application, col(Application.id) == AccessToken.application_id)
            .join(
                ApplicationOffice,
                (col(ApplicationOffice.application_id) == AccessToken.application_id)
                & (col(ApplicationOffice.office_id) == AccessToken.office_id)
                & col(ApplicationOffice.ended_at).is_(None),
            )
            .join(Office, col(Office.id) == AccessToken.office_id)
            .where(
                AccessToken.token_hash == self._hash("access-token", token),
                AccessToken.expires_at > now,
                col(Application.revoked_at).is_(None),
            )
        )
        with self.gateway.database.lookup() as session:
            found = session.exec(query).one_or_none()
        if found is None:
            raise SignInError
        access, application, held, office_mode = found
        if not office_mode == application.mode == self.gateway.settings.mode:
            raise SignInError
        if not is_allowed(application.allowed_addresses, source):
            log.warning("token from a foreign address", extra={"application_id": str(application.id)})
            raise AddressNotAllowed
        if application.last_used_at is None or now - application.last_used_at > SEEN_RESOLUTION:
            with self.gateway.database.unit_of_work(None) as session:
                MachineRepository(session).application_seen(application.id, now)
        scopes = [scope for scope in access.scopes if scope in held]
        principal = Principal(
            kind=PrincipalKind.APPLICATION,
            id=application.id,
            office_id=access.office_id,
            office_permissions=permissions_of(scopes),
        )
        return Caller(principal, scopes)

    # Helpers -----------------------------------------------------------------------------------------------------

    def _require_administrator(self, act: Act) -> None:
        act.require(Permission.ADMIN)
        if not act.principal.runs_installation:
            act.require_fresh_second_factor()

    def _own(self, session: Session, act: Act, application_id: UUID) -> Application:
        """The application, held, when its secrets are this office's, or the operator asks."""
        application = session.get(Application, application_id, with_for_update=True)
        is_operator = act.principal.runs_installation
        if (
            application is None
            or application.revoked_at is not None
            or not (is_operator or application.office_id == act.office_id)
        ):
            raise NotFound
        return application

    def _authenticated(
        self, session: Session, client_id: UUID | None, secret: str
    ) -> tuple[Application, ApplicationSecret]:
        query = (
            select(Application, ApplicationSecret)
            .join(ApplicationSecret, col(ApplicationSecret.application_id) == Application.id)
            .where(
                Application.id == client_id,
                ApplicationSecret.secret_hash == self._hash("application-secret", secret),
                col(ApplicationSecret.revoked_at).is_(None),
                col(Application.revoked_at).is_(None),
                Application.mode == self.gateway.settings.mode,
            )
        )
        found = session.exec(query).one_or_none()
        if found is None:
            raise ClientInvalid
        return found[0], found[1]

    def _new_secret(self, act: Act, application_id: UUID) -> tuple[ApplicationSecret, str]:
        text = SECRET_PREFIX + secrets.token_urlsafe(32)
        secret = ApplicationSecret(
            id=new_id(),
            application_id=application_id,
            secret_hash=self._hash("application-secret", text),
            created_at=act.real_now,
        )
        return secret, text

    def _hash(self, purpose: str, text: str) -> bytes:
        return self.gateway.keys.keyed_hash(purpose, text)


def _link(act: Act, application_id: UUID, scopes: Sequence[str]) -> ApplicationOffice:
    return ApplicationOffice(
        id=new_id(),
        application_id=application_id,
        office_id=act.office_id,
        scopes=list(dict.fromkeys(scopes)),
        created_at=act.real_now,
    )


def _links(session: Session, application_id: UUID, *, office_id: UUID | None = None) -> list[ApplicationOffice]:
    query = select(ApplicationOffice).where(
        ApplicationOffice.application_id == application_id, col(ApplicationOffice.ended_at).is_(None)
    )
    if office_id is not None:
        query = query.where(ApplicationOffice.office_id == office_id)
    return list(session.exec(query))


def _secrets(session: Session, application_ids: Sequence[UUID]) -> dict[UUID, list[ApplicationSecret]]:
    query = (
        select(ApplicationSecret)
        .where(col(ApplicationSecret.application_id).in_(application_ids), col(ApplicationSecret.revoked_at).is_(None))
        .order_by(col(ApplicationSecret.id))
    )
    found: dict[UUID, list[ApplicationSecret]] = {}
    for secret in session.exec(query):
        found.setdefault(secret.application_id, []).append(secret)
    return found


def _scope_faults(scopes: Sequence[str], *, is_operator: bool) -> list[FieldFault]:
    if not scopes or any(scope not in SCOPE_PERMISSIONS and scope not in DECISION_SCOPES for scope in scopes):
        return [
            FieldFault(
                "/scopes",
                "scope_unknown",
                "One of these scopes does not exist.",
                "The scopes are listed in docs/api/authentication.md.",
            )
        ]
    if not is_operator and not DECISION_SCOPES.keys().isdisjoint(scopes):
        return [
            FieldFault(
                "/scopes",
                "scope_of_operator",
                "Scopes for decisions and exports are granted by the operator only.",
                "Leave them out, and ask the operator of the installation.",
            )
        ]
    return []
