"""Identity providers that vouch for people (SEC-04): registered by the operator, per office, test and live apart."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, String, literal
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import NotFound
from gateway.identity.repository import IdentityRepository
from gateway.ids import new_id
from gateway.machines.assertions import AssertionService
from gateway.machines.errors import IssuerUnusable
from gateway.machines.jwks import public_keys
from gateway.machines.models import AssertionIssuer, AssertionSubject
from gateway.offices.models import Office


class IssuerService:
    """What the operator registers, and which of our people a subject is."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def put(self, act: Act, issuer: str, jwks: Any) -> AssertionIssuer:
        """Register an issuer for the act's office, or replace its keys; raises `IssuerUnusable`."""
        kept, prints = public_keys(jwks)
        if not issuer.startswith("https://") or len(issuer) > 200:
            raise IssuerUnusable(reason="The issuer is not an https address of at most 200 characters.")
        with self.gateway.database.unit_of_work(act.office_id) as session:
            office = session.get(Office, act.office_id)
            assert office is not None, "the operator names an office that exists"
            others = session.exec(
                select(AssertionIssuer).where(
                    col(AssertionIssuer.thumbprints).op("&&")(literal(prints, ARRAY(String))),
                    col(AssertionIssuer.ended_at).is_(None),
                )
            ).all()
            if any(other.mode != office.mode or other.issuer != issuer for other in others):
                raise IssuerUnusable(reason="A key is in use for another issuer, or for offices of the other mode.")
            found = self._issuer(session, act.office_id, issuer)
            before = None if found is None else found.thumbprints
            row = found or AssertionIssuer(
                id=new_id(), office_id=act.office_id, issuer=issuer, mode=office.mode, jwks={}, thumbprints=[],
                created_at=act.real_now,
            )  # fmt: skip
            row.jwks, row.thumbprints = kept, prints
            session.add(row)
            session.flush()
            self.gateway.audit.record(
                session,
                act,
                "assertion_issuer.registered",
                "assertion_issuer",
                row.id,
                changes={"issuer": Change(None, issuer), "thumbprints": Change(before, prints)},
            )
        return row

    def end(self, act: Act, issuer: str) -> None:
        """Believe this issuer no longer."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            row = self._issuer(session, act.office_id, issuer)
            if row is None:
                raise NotFound
            row.ended_at = act.real_now
            session.add(row)
            self.gateway.audit.record(session, act, "assertion_issuer.ended", "assertion_issuer", row.id)

    def all(self, act: Act) -> list[AssertionIssuer]:
        """Issuers of the act's office."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = select(AssertionIssuer).where(
                AssertionIssuer.office_id == act.office_id, col(AssertionIssuer.ended_at).is_(None)
            )
            return list(session.exec(query.order_by(col(AssertionIssuer.issuer))))

    def link(self, act: Act, issuer: str, subject: str, user_id: UUID) -> None:
        """The operator says which person of the office a subject is; raises `NotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            row = self._issuer(session, act.office_id, issuer)
            members = IdentityRepository(session).memberships(user_id)
            if row is None or not any(membership.office_id == act.office_id for membership in members):
                raise NotFound
            self._link(session, act, row.id, subject, user_id)

    def link_own(self, act: Act, token: str) -> None:
        """A signed-in person shows an assertion: its subject is that person from now on (SEC-14)."""
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            issuer_id, subject = AssertionService(self.gateway).subject(session, act.office_id, token, act.real_now)
            self._link(session, act, issuer_id, subject, act.principal.id)

    def _link(self, session: Session, act: Act, issuer_id: UUID, subject: str, user_id: UUID) -> None:
        query = select(AssertionSubject).where(
            AssertionSubject.office_id == act.office_id,
            AssertionSubject.issuer_id == issuer_id,
            AssertionSubject.subject == subject,
            col(AssertionSubject.ended_at).is_(None),
        )
        old = session.exec(query.with_for_update()).one_or_none()
        if old is not None:
            if old.user_id == user_id:
                return
            if act.principal.is_person:
                # Taking over another person's sign-in is the operator's to decide.
                raise NotFound
            old.ended_at = act.real_now
            session.add(old)
            session.flush()
        row = AssertionSubject(
            id=new_id(), office_id=act.office_id, issuer_id=issuer_id, subject=subject, user_id=user_id,
            linked_by=act.principal.id, created_at=act.real_now,
        )  # fmt: skip
        try:
            with session.begin_nested():
                session.add(row)
                session.flush()
        except IntegrityError:
            # Linked by another request a moment ago; who asks again learns to whom.
            raise NotFound from None
        self.gateway.audit.record(
            session,
            act,
            "assertion_subject.linked",
            "assertion_subject",
            row.id,
            changes={"user_id": Change(old.user_id if old else None, user_id), "issuer_id": Change(None, issuer_id)},
        )

    @staticmethod
    def _issuer(session: Session, office_id: UUID, issuer: str) -> AssertionIssuer | None:
        query = select(AssertionIssuer).where(
            AssertionIssuer.office_id == office_id,
            AssertionIssuer.issuer == issuer,
            col(AssertionIssuer.ended_at).is_(None),
        )
        return session.exec(query.with_for_update()).one_or_none()
