"""Queries on people, roles and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import case
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.identity.models import Membership, SignInAttempt, User, WebSession


class IdentityRepository:
    """The tables are global; what belongs to one office is asked with its id."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def user(self, user_id: UUID, *, for_update: bool = False) -> User | None:
        """By id."""
        return self.session.get(User, user_id, with_for_update=for_update)

    def user_by_email(self, email: str) -> User | None:
        """By address, in lower case."""
        return self.session.exec(select(User).where(User.email == email)).one_or_none()

    def memberships(self, user_id: UUID) -> Sequence[Membership]:
        """Roles held now, in every office."""
        return self.session.exec(
            select(Membership).where(Membership.user_id == user_id, col(Membership.ended_at).is_(None))
        ).all()

    def holders(self, office_id: UUID, role: str, *, client_id: UUID | None = None) -> set[UUID]:
        """The people who hold this role now, in the office or at the client."""
        query = select(Membership.user_id).where(
            Membership.office_id == office_id,
            Membership.role == role,
            col(Membership.client_id).is_(None) if client_id is None else Membership.client_id == client_id,
            col(Membership.ended_at).is_(None),
        )
        return set(self.session.exec(query))

    def members(self, office_id: UUID, *, client_id: UUID | None = None) -> Sequence[tuple[Membership, User]]:
        """Roles held now in this office (at this client when given) with their people."""
        query = (
            select(Membership, User)
            .join(User, col(User.id) == Membership.user_id)
            .where(Membership.office_id == office_id, col(Membership.ended_at).is_(None))
            .order_by(col(User.last_name), col(User.id))
        )
        if client_id is not None:
            query = query.where(Membership.client_id == client_id)
        return self.session.exec(query).all()

    def web_session(self, token_hash: bytes, *, for_update: bool = False) -> WebSession | None:
        """By the hash of its token."""
        return self.session.get(WebSession, token_hash, with_for_update=for_update)

    def attempt(self, key: bytes) -> SignInAttempt | None:
        """Failures of one source for one address."""
        return self.session.get(SignInAttempt, key)

    def count_failure(self, key: bytes, now: datetime, *, forget_before: datetime) -> None:
        """One failure more; failures before `forget_before` no longer count. Two at once count as two."""
        row = insert(SignInAttempt).values(key=key, failures=1, last_failure_at=now)
        self.session.execute(
            row.on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "failures": case(
                        (col(SignInAttempt.last_failure_at) <= forget_before, 1), else_=SignInAttempt.failures + 1
                    ),
                    "last_failure_at": now,
                },
            )
        )
