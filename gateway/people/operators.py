"""Operators of the installation, and what they do where no administrator of an office can (OFF-08, SEC-13).

An operator is a person with password and authenticator, holds no role, has no session of the pages or the API, and acts
by commands only. What an operator does to an office's people stands in that office's audit, under the operator's id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.database import before_commit, joined
from gateway.errors import NotFound
from gateway.identity import attempts
from gateway.identity.enrolment import issue_code, needs_code
from gateway.identity.errors import (
    AdministratorsDecide,
    SecondFactorAlreadyEnrolled,
    SecondFactorNotEnrolled,
    SignInRefused,
)
from gateway.identity.models import Operator, User
from gateway.identity.passwords import is_password
from gateway.identity.people import PeopleService
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole, Permission, Principal, PrincipalKind
from gateway.identity.second_factor import SecondFactorService
from gateway.identity.sessions import end_all
from gateway.people.second_factor_reset import tell_administrators, tell_of_code
from gateway.recovery.factors import forget_second_factors

METHOD = "totp"


class OperatorService:
    """Adding and ending operators, and their acts."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def add(self, *, email: str, first_name: str, last_name: str, language: str, password: str) -> tuple[User, str]:
        """A new person who is an operator once `confirm` has seen a code of the key returned here (base 32)."""
        user = PeopleService(self.gateway).create_user(
            email=email, first_name=first_name, last_name=last_name, language=language, password=password
        )
        with self.gateway.database.unit_of_work(None) as session:
            session.add(Operator(user_id=user.id, created_at=self.gateway.real_now()))
        return user, SecondFactorService(self.gateway).enrol(user.id)

    def confirm(self, user: User, code: str) -> None:
        """The authenticator's first code; raises `SignInRefused`."""
        SecondFactorService(self.gateway).confirm_enrolment(user.id, code)

    def operators(self) -> Sequence[tuple[Operator, User]]:
        """All there ever were, oldest first."""
        with self.gateway.database.unit_of_work(None) as session:
            query = select(Operator, User).join(User, col(User.id) == Operator.user_id).order_by(col(User.id))
            return session.exec(query).all()

    def has_any(self) -> bool:
        """Whether somebody is an operator; from then on commands ask who acts."""
        return any(row.ended_at is None and user.totp_confirmed_at is not None for row, user in self.operators())

    def act_at(self, operator: User | None, office_id: UUID) -> Act:
        """The operator acting on an office by a command, named in its audit; the service itself where there is none."""
        if operator is None:
            return self.gateway.system_act(office_id)
        act = self._act(operator.id, office_id, self.gateway.real_now())
        return replace(act, principal=replace(act.principal, office_permissions=frozenset({Permission.ADMIN})))

    def end(self, operator: User, email: str) -> None:
        """End an operator, perhaps oneself; raises `NotFound`."""
        with self.gateway.database.unit_of_work(None) as session:
            self._require(session, operator)
            user = IdentityRepository(session).user_by_email(email.strip().lower())
            found = session.get(Operator, user.id) if user is not None else None
            if found is None or found.ended_at is not None:
                raise NotFound
            found.ended_at = self.gateway.real_now()
            session.add(found)

    def authenticate(self, email: str, password: str, code: str) -> User:
        """The operator behind these; raises `SignInRefused`, `SignInDelayed`."""
        now, email = self.gateway.real_now(), email.strip().lower()
        key = self.gateway.keys.keyed_hash("operator", email)
        with self.gateway.database.unit_of_work(None) as session:
            attempts.take(session, key, now)
            user = IdentityRepository(session).user_by_email(email)
        is_right = is_password(user.password_hash if user else None, password)
        with self.gateway.database.unit_of_work(None) as session:
            held = IdentityRepository(session).user(user.id, for_update=True) if user is not None and is_right else None
            if held is not None and self._proves(session, held, code, now):
                session.add(held)
                attempts.forget(session, key)
                return held
        raise SignInRefused

    def reset_second_factor(self, operator: User, email: str) -> str | None:
        """Take away the second factor of an office's only admin, or of a person of several offices.

        All sessions end; the audit of every office of the person names the operator, and all administrators are told.
        Returns the code that the person needs for a new one, None where the roles need none. Raises `NotFound`,
        `SecondFactorNotEnrolled`, `AdministratorsDecide`.
        """
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(None) as session:
            self._require(session, operator)
            people = IdentityRepository(session)
            found = people.user_by_email(email.strip().lower())
            user = people.user(found.id, for_update=True) if found is not None else None
            if user is None:
                raise NotFound
            offices = sorted({membership.office_id for membership in people.memberships(user.id)})
            if not offices:
                raise NotFound
            if not people.has_second_factor(user):
                raise SecondFactorNotEnrolled
            if len(offices) == 1 and people.holders(offices[0], OfficeRole.ADMIN) != {user.id}:
                raise AdministratorsDecide
            forget_second_factors(session, user)
            user.second_factor_reset_at = now
            ended = end_all(session, user.id, now)
            session.flush()
            code = issue_code(self.gateway, user, now) if needs_code(session, user) else None
            session.add(user)
            self._note(session, operator, user, offices, ended=ended, now=now)
        return code

    def issue_code(self, operator: User, email: str) -> str:
        """A fresh code for the first second factor of an office's only admin, whose earlier one is lost or too old.

        The audit of the office names the operator, and the person is told. Raises `NotFound`,
        `SecondFactorAlreadyEnrolled`, `AdministratorsDecide` where another administrator can hand one out.
        """
        now = self.gateway.real_now()
        with self.gateway.database.unit_of_work(None) as session:
            self._require(session, operator)
            people = IdentityRepository(session)
            found = people.user_by_email(email.strip().lower())
            user = people.user(found.id, for_update=True) if found is not None else None
            offices = sorted({membership.office_id for membership in people.memberships(user.id)}) if user else []
            if user is None or not offices:
                raise NotFound
            if people.has_second_factor(user):
                raise SecondFactorAlreadyEnrolled
            if len(offices) == 1 and people.holders(offices[0], OfficeRole.ADMIN) != {user.id}:
                raise AdministratorsDecide
            code = issue_code(self.gateway, user, now)
            session.add(user)
            operator_id, user_id = operator.id, user.id

            def write(outer: Session) -> None:
                # In the order of their ids, as in `_note`.
                for office_id in offices:
                    with joined(outer, office_id) as unit:
                        act = self._act(operator_id, office_id, now, session=unit)
                        self.gateway.audit.record(
                            unit, act, "enrolment_code.issued", "user", user_id, second_factor=METHOD
                        )
                        tell_of_code(self.gateway, unit, act, user_id)

            before_commit(session, f"operator-code:{user_id}", write)
        return code

    def _note(
        self, session: Session, operator: User, user: User, offices: Sequence[UUID], *, ended: int, now: datetime
    ) -> None:
        """In every office of the person, right before the reset is committed and with it or not at all."""
        operator_id, user_id = operator.id, user.id

        def write(outer: Session) -> None:
            # In the order of their ids, since each office's audit head stays locked until the commit.
            for office_id in sorted(offices):
                with joined(outer, office_id) as unit:
                    act = self._act(operator_id, office_id, now, session=unit)
                    person = IdentityRepository(unit).user(user_id)
                    assert person is not None, "held by the unit of work that is about to be committed"
                    self.gateway.audit.record(
                        unit, act, "second_factor.reset", "user", user_id,
                        changes={"sessions_ended": Change(None, ended)}, second_factor=METHOD,
                    )  # fmt: skip
                    tell_administrators(self.gateway, unit, act, person)

        before_commit(session, f"operator-reset:{user_id}", write)

    def _act(self, operator_id: UUID, office_id: UUID, now: datetime, *, session: Session | None = None) -> Act:
        principal = Principal(PrincipalKind.OPERATOR, operator_id, office_id, second_factor_method=METHOD)
        return replace(self.gateway.system_act(office_id, session=session), principal=principal, real_now=now)

    def _proves(self, session: Session, user: User, code: str, now: datetime) -> bool:
        if user.totp_confirmed_at is None or not self._is_operator(session, user):
            return False
        return SecondFactorService(self.gateway).accept_code(user, code, now)

    def _require(self, session: Session, operator: User) -> None:
        if not self._is_operator(session, operator):
            raise SignInRefused

    def _is_operator(self, session: Session, user: User) -> bool:
        return IdentityRepository(session).is_operator(user.id)
