"""User assertions (SEC-04, SEC-15): a person's act, carried by an application, vouched for by an identity provider.

The header `Sluis-User-Assertion` holds a JWT (RFC 7519) signed with a key that the operator registered for the office
and that the application does not have. It names the person, the second factor, and what is decided; it works once.
Nothing is ever fetched: neither keys named in the token nor those of the provider.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from joserfc import jwk
from joserfc.errors import JoseError
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.assembly import Gateway
from gateway.identity.held import held_rights
from gateway.identity.models import User
from gateway.identity.rights import (
    DECISION_SCOPES,
    SCOPE_PERMISSIONS,
    Asserted,
    Permission,
    Principal,
    PrincipalKind,
)
from gateway.ids import decode, new_id
from gateway.machines.applications import Caller
from gateway.machines.errors import AssertionRefused
from gateway.machines.jwks import ALGORITHMS, signature_model
from gateway.machines.models import AssertionIssuer, AssertionSubject, AssertionUse

HEADER: Final = "Sluis-User-Assertion"
LENGTH_MAX: Final = 64 * 1024
"""500 payments with their seals, and room to spare; the server's own limit on headers is often lower."""
LIFE_MAX: Final = timedelta(minutes=5)
"""From `iat` to `exp`, so that used ids need not be kept for long."""
SKEW_MAX: Final = timedelta(seconds=30)
SIGN_IN_MAX: Final = timedelta(hours=8)
"""How long ago the person may have signed in; deciding asks for five minutes on top (SEC-02)."""
SECOND_FACTORS: Final = frozenset({"mfa", "otp", "hwk", "swk", "sc", "pop"})
"""Values of `amr` (RFC 8176) that prove more than a password."""
DECISIONS: Final = frozenset({"approve", "reject", "export", "download"})
SEALS_MAX: Final = 5000
HEADER_NAMES: Final = frozenset({"alg", "kid", "typ"})
"""Header parameters there may be: `jku`, `jwk`, `x5u`, `x5c`, `crit`, `b64` and all others end it."""


@dataclass(frozen=True, slots=True)
class _Word:
    """A token whose signature and form hold."""

    issuer_id: UUID
    subject: str
    authenticated_at: datetime
    expires_at: datetime
    jti: str
    asserted: Asserted


class AssertionService:
    """Whose act a request with an assertion is."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def person(self, caller: Caller, token: str) -> Principal:
        """The person the application carries, with no more rights than both have; uses the assertion up.

        Raises `AssertionRefused`.
        """
        office_id, now = caller.principal.office_id, self.gateway.real_now()
        with self.gateway.database.unit_of_work(office_id) as session:
            word = self._word(session, office_id, token, now)
            user = session.exec(
                select(User)
                .join(AssertionSubject, col(AssertionSubject.user_id) == User.id)
                .where(
                    AssertionSubject.office_id == office_id,
                    AssertionSubject.issuer_id == word.issuer_id,
                    AssertionSubject.subject == word.subject,
                    col(AssertionSubject.ended_at).is_(None),
                )
            ).one_or_none()
            if user is None:
                raise AssertionRefused(reason="subject")
            rights = held_rights(session, user.id, office_id, now=now)
            self._use_up(session, office_id, word, now)
        if not rights.office_permissions and not rights.client_permissions:
            raise AssertionRefused(reason="subject")
        carried = carried_permissions(caller.scopes)
        at_clients = {client: held & carried for client, held in rights.client_permissions.items()}
        return Principal(
            kind=PrincipalKind.USER,
            id=user.id,
            office_id=office_id,
            office_permissions=rights.office_permissions & carried,
            client_permissions={client: held for client, held in at_clients.items() if held},
            office_clients=rights.office_clients,
            second_factor_at=word.authenticated_at,
            language=user.language,
            via_id=caller.principal.id,
            asserted=word.asserted,
            second_factor_reset_at=user.second_factor_reset_at,
        )

    def subject(self, session: Session, office_id: UUID, token: str, now: datetime) -> tuple[UUID, str]:
        """Issuer id and subject of an assertion shown by a signed-in person to link it; uses it up."""
        word = self._word(session, office_id, token, now)
        self._use_up(session, office_id, word, now)
        return word.issuer_id, word.subject

    def _word(self, session: Session, office_id: UUID, token: str, now: datetime) -> _Word:
        header, claims = _parts(token)
        issuer = session.exec(
            select(AssertionIssuer).where(
                AssertionIssuer.office_id == office_id,
                AssertionIssuer.issuer == _text(claims, "iss"),
                AssertionIssuer.mode == self.gateway.settings.mode,
                col(AssertionIssuer.ended_at).is_(None),
            )
        ).one_or_none()
        if issuer is None:
            raise AssertionRefused(reason="issuer")
        _verify(token, header, issuer.jwks)
        return self._checked(claims, issuer.id, now)

    def _checked(self, claims: Mapping[str, Any], issuer_id: UUID, now: datetime) -> _Word:
        audience = claims.get("aud")
        if audience not in (self.gateway.settings.base_url, [self.gateway.settings.base_url]):
            raise AssertionRefused(reason="audience")
        issued_at, expires_at = _moment(claims, "iat"), _moment(claims, "exp")
        if issued_at > now + SKEW_MAX or expires_at - issued_at > LIFE_MAX:
            raise AssertionRefused(reason="lifetime")
        if expires_at <= now or issued_at < now - LIFE_MAX - SKEW_MAX:
            raise AssertionRefused(reason="expired")
        if "nbf" in claims and _moment(claims, "nbf") > now + SKEW_MAX:
            raise AssertionRefused(reason="lifetime")
        authenticated_at = _moment(claims, "auth_time")
        if authenticated_at > now + SKEW_MAX or authenticated_at < now - SIGN_IN_MAX:
            raise AssertionRefused(reason="auth_time")
        methods = claims.get("amr")
        if not isinstance(methods, list) or SECOND_FACTORS.isdisjoint(m for m in methods if isinstance(m, str)):
            raise AssertionRefused(reason="second_factor")
        return _Word(
            issuer_id=issuer_id,
            subject=_text(claims, "sub"),
            authenticated_at=min(authenticated_at, now),
            expires_at=expires_at,
            jti=_text(claims, "jti"),
            asserted=_asserted(claims),
        )

    def _use_up(self, session: Session, office_id: UUID, word: _Word, now: datetime) -> None:
        """Raise when the id was seen before, also by a request at this very moment: the constraint decides."""
        session.execute(
            delete(AssertionUse).where(
                col(AssertionUse.office_id) == office_id, col(AssertionUse.expires_at) < now - SKEW_MAX
            )
        )
        row = insert(AssertionUse).values(
            id=new_id(),
            office_id=office_id,
            issuer_id=word.issuer_id,
            jti_hash=hashlib.sha256(word.jti.encode()).digest(),
            expires_at=word.expires_at,
        )
        if session.execute(row.on_conflict_do_nothing().returning(col(AssertionUse.id))).first() is None:
            raise AssertionRefused(reason="replayed")


def carried_permissions(scopes: Sequence[str]) -> frozenset[Permission]:
    """What an application with these scopes may carry for a person."""
    known = {**SCOPE_PERMISSIONS, **DECISION_SCOPES}
    return frozenset[Permission]().union(*(known.get(scope, frozenset()) for scope in scopes))


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, not believed yet."""
    parts = token.split(".")
    if len(token) > LENGTH_MAX or len(parts) != 3:
        raise AssertionRefused(reason="malformed")
    header, claims = _json(parts[0]), _json(parts[1])
    algorithm = header.get("alg")
    if not set(header) <= HEADER_NAMES or not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise AssertionRefused(reason="header")
    return header, claims


def _json(part: str) -> dict[str, Any]:
    try:
        document = json.loads(_bytes(part), object_pairs_hook=_once, parse_float=_no_number, parse_constant=_no_number)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise AssertionRefused(reason="malformed") from error
    if not isinstance(document, dict):
        raise AssertionRefused(reason="malformed")
    return document


def _bytes(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"a number of {len(text)} characters that is not whole")


def _verify(token: str, header: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    kind, curve = ALGORITHMS[header["alg"]]
    keys = [key for key in document["keys"] if key["kid"] == header.get("kid")]
    if len(keys) != 1:
        raise AssertionRefused(reason="key")
    (key,) = keys
    if key["kty"] != kind or curve not in (None, key.get("crv")) or key.get("alg", header["alg"]) != header["alg"]:
        raise AssertionRefused(reason="header")
    signed, _, signature = token.rpartition(".")
    try:
        holds = signature_model(header["alg"]).verify(signed.encode(), _bytes(signature), jwk.import_key(key))
    except (JoseError, ValueError, TypeError) as error:
        raise AssertionRefused(reason="signature") from error
    if not holds:
        raise AssertionRefused(reason="signature")


def _asserted(claims: Mapping[str, Any]) -> Asserted:
    decision = claims.get("decision")
    if decision is None:
        return Asserted()
    seals = claims.get("seals")
    if decision not in DECISIONS or not isinstance(seals, dict) or not 1 <= len(seals) <= SEALS_MAX:
        raise AssertionRefused(reason="decision")
    try:
        kind = {"export": "basket", "download": "export"}.get(decision)
        return Asserted(
            decision=decision,
            client_id=decode("client", claims["client"]),
            object_id=decode(kind, claims[kind]) if kind is not None else None,
            seals={decode("payment", payment): _seal(seal) for payment, seal in seals.items()},
        )
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise AssertionRefused(reason="decision") from error


def _seal(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a seal is a text")
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or "\0" in value:
        raise AssertionRefused(reason=name)
    return value


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 4_102_444_800:
        raise AssertionRefused(reason=name)
    return datetime.fromtimestamp(value, UTC)
