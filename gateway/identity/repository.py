"""Queries on people, roles and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.identity.models import Membership, Operator, User, WebSession
from gateway.passkeys.models import Passkey


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

    def has_second_factor(self, user: User) -> bool:
        """Whether a second factor of our own is set up.

        A blocked passkey counts: who has lost the only one comes back by a recovery code or another administrator, not
        by setting one up with the password alone (SEC-13).
        """
        return user.totp_confirmed_at is not None or self.has_passkey(user.id)

    def has_passkey(self, user_id: UUID) -> bool:
        """Whether the person ever added one that is still there, blocked or not."""
        return self.session.exec(select(Passkey.id).where(Passkey.user_id == user_id).limit(1)).first() is not None

    def is_operator(self, user_id: UUID) -> bool:
        """Whether this person runs the installation, now."""
        query = select(Operator.user_id).where(Operator.user_id == user_id, col(Operator.ended_at).is_(None))
        return self.session.exec(query).first() is not None

    def with_second_factor(self, users: Sequence[User]) -> set[UUID]:
        """Those of them who have one in use."""
        usable = select(Passkey.user_id).where(
            col(Passkey.user_id).in_([user.id for user in users]), col(Passkey.blocked_at).is_(None)
        )
        return {user.id for user in users if user.totp_confirmed_at is not None} | set(self.session.exec(usable))

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
