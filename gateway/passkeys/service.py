"""Adding passkeys, signing in with one, confirming a decision with one (SEC-01, SEC-02).

A challenge is stored, answered once and within five minutes, by the session or browser it was given to. User
verification (PIN, finger, face) is always asked, so that a passkey alone is two factors. Origin and RP id come from the
base address. Source: Web Authentication level 2, 7.1 and 7.2.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
import webauthn
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import NotFound
from gateway.identity import attempts
from gateway.identity.enrolment import drop_code, require_code
from gateway.identity.models import User
from gateway.identity.repository import IdentityRepository
from gateway.identity.second_factor import SecondFactorService
from gateway.identity.sessions import SessionService, SignedIn, require_own_sign_in
from gateway.ids import new_id
from gateway.pagination import PageRequest, Sort
from gateway.passkeys.errors import LastSecondFactor, PasskeyKnown, PasskeyMissing, PasskeyRefused, PasskeysUnavailable
from gateway.passkeys.models import Passkey, PasskeyChallenge
from gateway.recovery.telling import tell

CHALLENGE_LIFE: Final = timedelta(minutes=5)
RP_NAME: Final = "Sluis"
ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
TRANSPORTS: Final = {transport.value: transport for transport in AuthenticatorTransport}
METHOD: Final = "passkey"

log = structlog.get_logger("gateway.passkeys")


@dataclass(frozen=True, slots=True)
class Question:
    """What the browser hands to the authenticator (`publicKey` of the WebAuthn call, JSON form)."""

    challenge_id: UUID
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the authenticator gave back, in the JSON form of WebAuthn level 3 (`toJSON()`)."""

    challenge_id: UUID
    credential: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Added:
    """A new passkey, and the token to use from now on."""

    passkey: Passkey
    token: str


class PasskeyService:
    """Passkeys of people."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    # Adding ------------------------------------------------------------------------------------------------------

    def ask_registration(self, act: Act) -> Question:
        """The question for a new passkey. A person who has a second factor gave it freshly (SEC-13)."""
        user_id = require_own_sign_in(act)
        with self.gateway.database.unit_of_work(None) as session:
            user = self._registering(session, act, user_id)
            held = _of_user(session, user_id)
            options = webauthn.generate_registration_options(
                rp_id=self.rp_id(),
                rp_name=RP_NAME,
                user_id=user_id.bytes,
                user_name=user.email,
                user_display_name=f"{user.first_name} {user.last_name}",
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.PREFERRED,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=[_descriptor(passkey) for passkey in held],
                supported_pub_key_algs=ALGORITHMS,
                timeout=int(CHALLENGE_LIFE.total_seconds() * 1000),
            )
            return self._keep(
                session, options, "registration", act.real_now, user_id=user_id, session_id=act.principal.session_id
            )

    def add(self, act: Act, token: str, answer: Answer, *, name: str, handed_code: str = "") -> Added:
        """Put a passkey in use. The first second factor of a person is at once that of this session.

        As a first one of somebody with rights it takes `handed_code` from an administrator (SEC-13). Raises
        `PasskeyRefused`, `PasskeyKnown`, `SecondFactorRequired`, `EnrolmentCodeWrong`.
        """
        user_id, now = require_own_sign_in(act), act.real_now
        asked = self._take(answer.challenge_id, "registration", now, session_id=act.principal.session_id)
        if asked is None or asked.user_id != user_id:
            raise PasskeyRefused
        try:
            found = webauthn.verify_registration_response(
                credential=dict(answer.credential),
                expected_challenge=base64url_to_bytes(asked.challenge),
                expected_rp_id=self.rp_id(),
                expected_origin=self.origin(),
                require_user_verification=True,
                supported_pub_key_algs=ALGORITHMS,
            )
        except Exception as error:  # noqa: BLE001  # see below
            # The library parses what strangers send: whatever it trips over, the answer was not good.
            log.warning("passkey_registration_refused", kind=type(error).__name__)
            raise PasskeyRefused from None
        with self.gateway.database.unit_of_work(None) as session:
            owner = self._registering(session, act, user_id)
        require_code(self.gateway, owner, handed_code, now)
        passkey = Passkey(
            id=new_id(),
            user_id=user_id,
            name=name,
            credential_id=found.credential_id,
            public_key=found.credential_public_key,
            sign_count=found.sign_count,
            transports=_transports(answer.credential),
            is_backed_up=found.credential_backed_up,
            created_at=now,
        )
        try:
            with self.gateway.database.unit_of_work(act.office_id) as session:
                drop_code(self._registering(session, act, user_id))
                session.add(passkey)
                session.flush()
                self.gateway.audit.record(
                    session, act, "passkey.added", "user", user_id,
                    changes={"passkey_id": Change(None, passkey.id)}, second_factor=act.second_factor,
                )  # fmt: skip
                sessions = SessionService(self.gateway)
                own = IdentityRepository(session).web_session(sessions.hash(token), for_update=True)
                if own is not None and own.second_factor_at is None:
                    token = sessions.strengthen(session, own, token, METHOD, now)
        except IntegrityError:
            raise PasskeyKnown from None
        return Added(passkey, token)

    def passkeys(self, act: Act) -> Sequence[Passkey]:
        """The person's own, oldest first."""
        act.principal.require_here()
        with self.gateway.database.unit_of_work(None) as session:
            return _of_user(session, act.principal.id)

    def page(self, act: Act, request: PageRequest) -> tuple[list[Passkey], str | None]:
        """The person's own, newest first, with the cursor of the next page."""
        act.principal.require_here()
        order = [Sort(col(Passkey.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(None) as session:
            query = select(Passkey).where(Passkey.user_id == act.principal.id)
            return self.gateway.pager.page(session, query, order, request, name=f"passkeys:{act.principal.id}")

    def remove(self, act: Act, passkey_id: UUID) -> None:
        """End one of the person's own passkeys; somebody else's is not found. Raises `LastSecondFactor`."""
        user_id = require_own_sign_in(act)
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            user = IdentityRepository(session).user(user_id, for_update=True)
            held = {passkey.id: passkey for passkey in _of_user(session, user_id)}
            if user is None or passkey_id not in held:
                raise NotFound
            usable = [one for one in held.values() if one.blocked_at is None and one.id != passkey_id]
            if user.totp_confirmed_at is None and not usable:
                raise LastSecondFactor
            session.delete(held[passkey_id])
            self.gateway.audit.record(
                session, act, "passkey.removed", "user", user_id,
                changes={"passkey_id": Change(passkey_id, None)}, second_factor=act.second_factor,
            )  # fmt: skip

    # Signing in and confirming -----------------------------------------------------------------------------------

    def ask_sign_in(self, *, browser: str | None = None) -> Question:
        """The question for a sign-in with a passkey alone; it names nobody, so it tells nothing about anybody."""
        options = webauthn.generate_authentication_options(
            rp_id=self.rp_id(),
            user_verification=UserVerificationRequirement.REQUIRED,
            timeout=int(CHALLENGE_LIFE.total_seconds() * 1000),
        )
        with self.gateway.database.unit_of_work(None) as session:
            return self._keep(session, options, "sign_in", self.gateway.real_now(), browser_hash=self._browser(browser))

    def sign_in(
        self,
        answer: Answer,
        *,
        source: str,
        office_id: UUID | None = None,
        device: str = "",
        browser: str | None = None,
    ) -> SignedIn:
        """A session with both factors. Raises `PasskeyRefused`, `SignInDelayed`, `OfficeRequired`."""
        now = self.gateway.real_now()
        # Per passkey and source, as a password per person and source: nobody locks out those behind one address.
        credential = str(answer.credential.get("id", ""))[:1000]
        key = self.gateway.keys.keyed_hash("passkey-sign-in", f"{credential}\0{source}")
        with self.gateway.database.unit_of_work(None) as session:
            attempts.take(session, key, now)
        asked = self._take(answer.challenge_id, "sign_in", now, browser_hash=self._browser(browser))
        signed_in = None
        with self.gateway.database.unit_of_work(None) as session:
            passkey = self._used(session, answer, asked, None, now)
            if passkey is not None:
                user = IdentityRepository(session).user(passkey.user_id)
                assert user is not None, "a passkey belongs to a user who exists"
                signed_in = SessionService(self.gateway).open(
                    session, user, office_id, now, sign_in_method=METHOD, second_factor_method=METHOD, device=device
                )
                attempts.forget(session, key)
        if signed_in is None:
            log.warning("sign_in_refused", method=METHOD)
            raise PasskeyRefused
        return signed_in

    def ask_confirmation(self, act: Act) -> Question:
        """The question for a fresh second factor, to the person's own passkeys."""
        act.principal.require_here()
        with self.gateway.database.unit_of_work(None) as session:
            held = [one for one in _of_user(session, act.principal.id) if one.blocked_at is None]
            options = webauthn.generate_authentication_options(
                rp_id=self.rp_id(),
                allow_credentials=[_descriptor(passkey) for passkey in held],
                user_verification=UserVerificationRequirement.REQUIRED,
                timeout=int(CHALLENGE_LIFE.total_seconds() * 1000),
            )
            return self._keep(
                session, options, "confirmation", act.real_now, user_id=act.principal.id,
                session_id=act.principal.session_id,
            )  # fmt: skip

    def confirm(self, act: Act, token: str, answer: Answer, *, source: str) -> str:
        """Freshen the session with a passkey; the token to use from now on. Raises `SignInRefused`, `SignInDelayed`."""
        asked = self._take(answer.challenge_id, "confirmation", act.real_now, session_id=act.principal.session_id)

        def check(session: Session, user: User, now: datetime) -> bool:
            return self._used(session, answer, asked, user.id, now) is not None

        return SecondFactorService(self.gateway).confirm(token, METHOD, check, source=source)

    def ask_decision(self, act: Act, challenge: bytes, *, purpose: str) -> Question:
        """A question of whose challenge the caller made a hash over a decision. Raises `PasskeyMissing`."""
        with self.gateway.database.unit_of_work(None) as session:
            held = [one for one in _of_user(session, act.principal.id) if one.blocked_at is None]
            if not held:
                raise PasskeyMissing
            options = webauthn.generate_authentication_options(
                rp_id=self.rp_id(),
                challenge=challenge,
                allow_credentials=[_descriptor(passkey) for passkey in held],
                user_verification=UserVerificationRequirement.REQUIRED,
                timeout=int(CHALLENGE_LIFE.total_seconds() * 1000),
            )
            return self._keep(
                session, options, purpose, act.real_now, user_id=act.principal.id, session_id=act.principal.session_id
            )

    def take(self, challenge_id: UUID, purpose: str, act: Act) -> PasskeyChallenge | None:
        """The question put to this person, taken off the table."""
        asked = self._take(challenge_id, purpose, act.real_now, session_id=act.principal.session_id)
        return asked if asked is not None and asked.user_id == act.principal.id else None

    def used(
        self, session: Session, answer: Answer, asked: PasskeyChallenge | None, user_id: UUID, now: datetime
    ) -> Passkey | None:
        """The passkey of this person that answered; None when the answer is not good."""
        return self._used(session, answer, asked, user_id, now)

    # Helpers -----------------------------------------------------------------------------------------------------

    def rp_id(self) -> str:
        """The host name of the base address; raises `PasskeysUnavailable` when it is no name."""
        host = urlsplit(self.gateway.settings.base_url).hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return host
        raise PasskeysUnavailable

    def is_available(self) -> bool:
        """Whether pages offer passkeys."""
        try:
            self.rp_id()
        except PasskeysUnavailable:
            return False
        return True

    def origin(self) -> str:
        """Scheme, host and port as the browser states them."""
        own = urlsplit(self.gateway.settings.base_url)
        is_usual = own.port is None or (own.scheme, own.port) in {("https", 443), ("http", 80)}
        return f"{own.scheme}://{own.hostname}" if is_usual else f"{own.scheme}://{own.hostname}:{own.port}"

    def _registering(self, session: Session, act: Act, user_id: UUID) -> User:
        identities = IdentityRepository(session)
        user = identities.user(user_id, for_update=True)
        assert user is not None, "a session belongs to a user who exists"
        if identities.has_second_factor(user):
            act.require_fresh_second_factor()
        return user

    def _keep(self, session: Session, options: Any, purpose: str, now: datetime, **bound_to: Any) -> Question:
        session.execute(delete(PasskeyChallenge).where(col(PasskeyChallenge.created_at) < now - CHALLENGE_LIFE))
        asked = PasskeyChallenge(
            id=new_id(), challenge=bytes_to_base64url(options.challenge), purpose=purpose, created_at=now, **bound_to
        )
        session.add(asked)
        return Question(asked.id, json.loads(options_to_json(options)))

    def _take(
        self,
        challenge_id: UUID,
        purpose: str,
        now: datetime,
        *,
        session_id: UUID | None = None,
        browser_hash: bytes | None = None,
    ) -> PasskeyChallenge | None:
        """The question, taken off the table: whatever becomes of the answer, it is not answered twice."""
        with self.gateway.database.unit_of_work(None) as session:
            asked = session.exec(
                select(PasskeyChallenge)
                .where(
                    PasskeyChallenge.id == challenge_id,
                    PasskeyChallenge.purpose == purpose,
                    col(PasskeyChallenge.session_id).is_not_distinct_from(session_id),
                    col(PasskeyChallenge.browser_hash).is_not_distinct_from(browser_hash),
                )
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if asked is None:
                return None
            session.delete(asked)
            return asked if now - asked.created_at <= CHALLENGE_LIFE else None

    def _used(
        self, session: Session, answer: Answer, asked: PasskeyChallenge | None, user_id: UUID | None, now: datetime
    ) -> Passkey | None:
        """The passkey that answered; None when the answer is not good. A counter that does not grow blocks it."""
        passkey = _by_answer(session, answer.credential)
        if asked is None or passkey is None or passkey.blocked_at is not None:
            return None
        if user_id is not None and passkey.user_id != user_id:
            return None
        handle = _member(answer.credential, "response", "userHandle")
        if handle and handle != bytes_to_base64url(passkey.user_id.bytes):
            return None
        try:
            verified = webauthn.verify_authentication_response(
                credential=dict(answer.credential),
                expected_challenge=base64url_to_bytes(asked.challenge),
                expected_rp_id=self.rp_id(),
                expected_origin=self.origin(),
                credential_public_key=passkey.public_key,
                # Compared below, once the signature is known to be good: a stranger must not be able to block it.
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except Exception as error:  # noqa: BLE001  # as in `add`
            log.warning("passkey_refused", kind=type(error).__name__)
            return None
        session.add(passkey)
        if passkey.sign_count > 0 and verified.new_sign_count <= passkey.sign_count:
            passkey.blocked_at = now
            log.warning("passkey_blocked", passkey_id=str(passkey.id))
            user = IdentityRepository(session).user(passkey.user_id)
            assert user is not None, "a passkey belongs to a user who exists"
            changes = {"passkey_id": Change(passkey.id, None)}
            tell(
                self.gateway, session, user, "passkey_blocked", {"name": passkey.name}, action="passkey.blocked",
                changes=changes,
            )  # fmt: skip
            return None
        passkey.sign_count, passkey.last_used_at = verified.new_sign_count, now
        passkey.is_backed_up = verified.credential_backed_up
        return passkey

    def _browser(self, token: str | None) -> bytes | None:
        return self.gateway.keys.keyed_hash("passkey-browser", token) if token else None


def _of_user(session: Session, user_id: UUID) -> Sequence[Passkey]:
    return session.exec(select(Passkey).where(Passkey.user_id == user_id).order_by(col(Passkey.id))).all()


def _by_answer(session: Session, credential: Mapping[str, Any]) -> Passkey | None:
    try:
        credential_id = base64url_to_bytes(str(credential.get("id", "")))
    except ValueError:
        return None
    return session.exec(select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()).one_or_none()


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    known = [TRANSPORTS[name] for name in passkey.transports if name in TRANSPORTS]
    return PublicKeyCredentialDescriptor(id=passkey.credential_id, transports=known or None)


def _transports(credential: Mapping[str, Any]) -> list[str]:
    named = _member(credential, "response", "transports")
    return [name for name in TRANSPORTS if isinstance(named, list) and name in named]


def _member(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
