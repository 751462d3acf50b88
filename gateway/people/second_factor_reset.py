"""Taking away a person's second factor, and the code for the next one (SEC-13, APP-12).

It takes administrators other than the person: of the one client where the person works, else of the office; for a
client's only administrator the office's admins. Nobody in an office resets a person who works for other offices too
(SEC-14), nor its only admin: that is the operator's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError, NotFound, RightsError
from gateway.identity.enrolment import issue_code
from gateway.identity.errors import OperatorNeeded, SecondFactorAlreadyEnrolled, SecondFactorNotEnrolled
from gateway.identity.models import User
from gateway.identity.people import require_known, require_role_right, roles_in
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole
from gateway.identity.sessions import end_all
from gateway.notices.outbox import queue_mail
from gateway.people.errors import OwnSecondFactor
from gateway.proposals.kinds import Kind, Wish, administrators
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.recovery.factors import forget_second_factors

KIND: Final = "second_factor.reset"


class SecondFactorReset(Kind):
    """Take away whatever a person gives as second factor. The object is the user; there is no content."""

    object_kind = "user"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """Somebody else, known here and nowhere else, who has a second factor to take away."""
        if wish.content:
            raise InputError(faults=[FieldFault("/content", "content_invalid", "This kind has no content.")])
        user = _person(session, act, wish.object_id, wish.client_id)
        if not IdentityRepository(session).has_second_factor(user):
            raise SecondFactorNotEnrolled
        return {}

    def deciders(self, session: Session, act: Act, wish: Wish) -> set[UUID]:
        """Administrators other than the person."""
        return deciders(session, act.office_id, wish.object_id, wish.client_id)

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """All sessions end, deciding and exporting wait for a day, every administrator is told."""
        user = IdentityRepository(session).user(proposal.object_id, for_update=True)
        if user is None or not roles_in(session, proposal.office_id, proposal.object_id):
            raise NotFound
        _require_here_only(session, act.office_id, user.id)
        reset(gateway, session, act, user, client_id=proposal.client_id)


class SecondFactorResetService:
    """The door for endpoints and pages."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def propose(self, act: Act, user_id: UUID) -> Proposal:
        """Ask for a reset; raises what `SecondFactorReset` and the proposal refuse."""
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_known(session, act, user_id)
            client_id = place_of(session, act.office_id, user_id)
        return ProposalService(self.gateway).propose(act, KIND, user_id, {}, client_id=client_id)

    def issue_code(self, act: Act, user_id: UUID) -> tuple[str, User]:
        """A code for a person without second factor, shown this once; an administrator hands it over."""
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_known(session, act, user_id)
            place = place_of(session, act.office_id, user_id)
            _person(session, act, user_id, place)
            if act.principal.id not in deciders(session, act.office_id, user_id, place):
                raise RightsError
            user = IdentityRepository(session).user(user_id, for_update=True)
            assert user is not None, "known a moment ago"
            if IdentityRepository(session).has_second_factor(user):
                raise SecondFactorAlreadyEnrolled
            code = issue_code(self.gateway, user, act.real_now)
            session.add(user)
            self.gateway.audit.record(
                session, act, "enrolment_code.issued", "user", user.id, client_id=place, second_factor=act.second_factor
            )
        return code, user


def place_of(session: Session, office_id: UUID, user_id: UUID) -> UUID | None:
    """The client whose administrators answer for this person; None when the office's do."""
    places = {membership.client_id for membership in roles_in(session, office_id, user_id)}
    return places.pop() if len(places) == 1 else None


def deciders(session: Session, office_id: UUID, user_id: UUID, client_id: UUID | None) -> set[UUID]:
    """Administrators other than the person; the office's admins for a client's only one."""
    own = administrators(session, office_id, client_id) - {user_id}
    return own or IdentityRepository(session).holders(office_id, OfficeRole.ADMIN) - {user_id}


def reset(gateway: Gateway, session: Session, act: Act, user: User, *, client_id: UUID | None = None) -> None:
    """Do it in the unit of work of one office: `user` is held, whether it may be done was asked before."""
    forget_second_factors(session, user)
    user.second_factor_reset_at = act.real_now
    ended = end_all(session, user.id, act.real_now)
    gateway.audit.record(
        session, act, "second_factor.reset", "user", user.id, client_id=client_id,
        changes={"sessions_ended": Change(None, ended)}, second_factor=act.second_factor,
    )  # fmt: skip
    tell_administrators(gateway, session, act, user)


def tell_administrators(gateway: Gateway, session: Session, act: Act, user: User) -> None:
    """Mail every administrator of the office and of the person's clients, and the person."""
    people = IdentityRepository(session)
    told = people.holders(act.office_id, OfficeRole.ADMIN)
    for membership in roles_in(session, act.office_id, user.id):
        if membership.client_id is not None:
            told |= administrators(session, act.office_id, membership.client_id)
    key = f"second-factor-reset:{user.id}:{act.real_now.isoformat()}"
    for other_id in sorted(told - {user.id}):
        other = people.user(other_id)
        assert other is not None, "a role is a person's"
        queue_mail(
            session, gateway, act.office_id, to=other.email, language=other.language, template="second_factor_reset",
            parameters={"person": f"{user.first_name} {user.last_name}"}, key=f"{key}:{other.id}",
        )  # fmt: skip
    queue_mail(
        session, gateway, act.office_id, to=user.email, language=user.language, template="second_factor_reset_own",
        parameters={"url": gateway.settings.base_url.rstrip("/") + "/sign-in"}, key=key,
    )  # fmt: skip


def tell_of_code(gateway: Gateway, session: Session, act: Act, user_id: UUID) -> None:
    """Mail the person, and the other admins of the office, that an operator handed out a code; never the code."""
    people = IdentityRepository(session)
    for told_id in sorted(people.holders(act.office_id, OfficeRole.ADMIN) | {user_id}):
        told = people.user(told_id)
        assert told is not None, "a role is a person's"
        queue_mail(
            session, gateway, act.office_id, to=told.email, language=told.language, template="enrolment_code_issued",
            parameters={"url": gateway.settings.base_url.rstrip("/") + "/sign-in"},
            key=f"enrolment-code:{user_id}:{told_id}:{act.real_now.isoformat()}",
        )  # fmt: skip


def _person(session: Session, act: Act, user_id: UUID, client_id: UUID | None) -> User:
    """The person concerned, when the caller is an administrator of the right place; raises what refuses it."""
    user = require_known(session, act, user_id)
    if client_id != place_of(session, act.office_id, user_id):
        raise InputError(faults=[FieldFault("/client_id", "client_not_found", "There is no such client.")])
    require_role_right(session, act, client_id)
    if user.id == act.principal.id:
        raise OwnSecondFactor
    _require_here_only(session, act.office_id, user.id)
    return user


def _require_here_only(session: Session, office_id: UUID, user_id: UUID) -> None:
    held = IdentityRepository(session).memberships(user_id)
    if any(membership.office_id != office_id for membership in held):
        raise OperatorNeeded


KINDS: Final[Mapping[str, Kind]] = {KIND: SecondFactorReset()}
