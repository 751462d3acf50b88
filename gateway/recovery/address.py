"""Another e-mail address: in use once both the old and the new one were confirmed (SEC-13)."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.errors import EmailTaken
from gateway.identity.repository import IdentityRepository
from gateway.identity.sessions import require_own_sign_in
from gateway.ids import new_id
from gateway.recovery.errors import LinkNotValid
from gateway.recovery.models import EmailChange, PasswordReset
from gateway.recovery.telling import tell

CHANGE_LIFE: Final = timedelta(hours=24)


class AddressService:
    """E-mail addresses of people."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def ask(self, act: Act, email: str) -> None:
        """Mail a link to both addresses; whether the new one is somebody else's is not told here."""
        user_id = require_own_sign_in(act)
        act.require_fresh_second_factor()
        email = email.strip().lower()
        old, new = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        with self.gateway.database.unit_of_work(None) as session:
            user = IdentityRepository(session).user(user_id, for_update=True)
            assert user is not None, "a session belongs to a user who exists"
            session.execute(delete(EmailChange).where(col(EmailChange.user_id) == user_id))
            change = EmailChange(
                id=new_id(),
                user_id=user_id,
                email=email,
                old_token_hash=self._hash(old),
                new_token_hash=self._hash(new),
                created_at=act.real_now,
            )
            session.add(change)
            for token, address, template in ((old, user.email, "email_change_old"), (new, email, "email_change_new")):
                link = f"{self.gateway.settings.base_url.rstrip('/')}/confirm-address/{token}"
                tell(self.gateway, session, user, template, {"link": link}, to=address)

    def is_open(self, token: str) -> bool:
        """Whether a link can still be used."""
        with self.gateway.database.unit_of_work(None) as session:
            return self._asked(session, token, is_locked=False) is not None

    def confirm(self, token: str) -> bool:
        """One of the two addresses agrees; True when that was the second. Raises `LinkNotValid`, `EmailTaken`."""
        now = self.gateway.real_now()
        try:
            with self.gateway.database.unit_of_work(None) as session:
                # The person first, as `ask` does, which takes the change away.
                known = self._asked(session, token, is_locked=False)
                if known is not None:
                    IdentityRepository(session).user(known.user_id, for_update=True)
                change = self._asked(session, token)
                if change is None:
                    raise LinkNotValid
                if change.old_token_hash == self._hash(token):
                    change.old_confirmed_at = change.old_confirmed_at or now
                else:
                    change.new_confirmed_at = change.new_confirmed_at or now
                session.add(change)
                if change.old_confirmed_at is None or change.new_confirmed_at is None:
                    return False
                self._put_in_use(session, change)
        except IntegrityError:
            raise EmailTaken from None
        return True

    def _put_in_use(self, session: Session, change: EmailChange) -> None:
        user = IdentityRepository(session).user(change.user_id, for_update=True)
        assert user is not None, "a change belongs to a user who exists"
        before, user.email = user.email, change.email
        session.add(user)
        session.delete(change)
        # A reset that was mailed to the old address is for somebody who may not be this person any more.
        session.execute(delete(PasswordReset).where(col(PasswordReset.user_id) == user.id))
        session.flush()
        changes = {"email": Change(before, user.email)}
        tell(self.gateway, session, user, "email_changed", {}, to=before, action="email.changed", changes=changes)

    def _asked(self, session: Session, token: str, *, is_locked: bool = True) -> EmailChange | None:
        hashed = self._hash(token)
        query = select(EmailChange).where(
            or_(col(EmailChange.old_token_hash) == hashed, col(EmailChange.new_token_hash) == hashed)
        )
        if is_locked:
            query = query.with_for_update()
        change = session.exec(query).one_or_none()
        if change is None or self.gateway.real_now() - change.created_at > CHANGE_LIFE:
            return None
        return change

    def _hash(self, token: str) -> bytes:
        return self.gateway.keys.keyed_hash("email-change", token)
