"""Old sessions, counted failures and links that ended: gone once nothing asks for them (SEC-01, SEC-11)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, or_
from sqlmodel import col

from gateway.assembly import Gateway
from gateway.database import Base
from gateway.identity.attempts import FAILURE_WAIT
from gateway.identity.models import SignInAttempt, WebSession
from gateway.identity.sessions import SESSION_LIFE_MAX
from gateway.passkeys.models import PasskeyChallenge
from gateway.passkeys.service import CHALLENGE_LIFE
from gateway.recovery.models import EmailChange, PasswordReset
from gateway.single_sign_on.models import OidcAttempt

KEEP_SESSIONS: Final = timedelta(days=30)
"""After their end, so that somebody who asks where an account was used last month gets an answer."""
KEEP_LINKS: Final = timedelta(days=7)
"""After they were made; the longest of them works for a day."""


def prune(gateway: Gateway) -> dict[str, int]:
    """Delete what is over; how many rows of each table. What still counts, such as failures of a moment ago, stays."""
    now = gateway.real_now()
    pruned: dict[str, int] = {}
    for model, is_over in _over(now):
        with gateway.database.unit_of_work(None) as session:
            found = session.execute(delete(model).where(is_over).returning(*model.__table__.primary_key)).all()  # type: ignore[attr-defined]  # every table has one
            pruned[str(model.__tablename__)] = len(found)
    return pruned


def _over(now: datetime) -> list[tuple[type[Base], ColumnElement[bool]]]:
    before = now - KEEP_SESSIONS
    return [
        (WebSession, or_(col(WebSession.ended_at) < before, col(WebSession.created_at) < before - SESSION_LIFE_MAX)),
        (SignInAttempt, col(SignInAttempt.last_failure_at) < now - 2 * FAILURE_WAIT - timedelta(hours=24)),
        (PasskeyChallenge, col(PasskeyChallenge.created_at) < now - CHALLENGE_LIFE),
        (PasswordReset, col(PasswordReset.created_at) < now - KEEP_LINKS),
        (EmailChange, col(EmailChange.created_at) < now - KEEP_LINKS),
        (OidcAttempt, col(OidcAttempt.created_at) < now - KEEP_LINKS),
    ]
