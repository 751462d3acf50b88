"""Erasing a person: what the law lets go goes, what it keeps is named, and the audit chain stays valid (SEC-11).

A person is erased by the office that gave the roles, once none is held any more. Audit entries name people by id only;
their values (names, addresses, network addresses) lie apart and are removed, their digests stay. The name of somebody
who prepared, decided on or exported payments is kept as long as those payments must be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, or_, update
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.approvals.models import Approval
from gateway.assembly import Gateway
from gateway.audit.log import SOURCE, Change
from gateway.audit.models import AuditEntry, AuditValue
from gateway.clock import brussels_date
from gateway.custody import personal
from gateway.custody.personal import Treatment
from gateway.database import Base
from gateway.errors import ConflictError, NotFound
from gateway.identity.enrolment import drop_code
from gateway.identity.models import Membership, User, WebSession
from gateway.identity.rights import Permission
from gateway.payments.models import Export, PaymentPreparer
from gateway.people.models import Invitation
from gateway.profiles.models import ClientProfile

UNMATCHED: Final = "none"
"""No hash of argon2: nothing matches it."""


class RoleStillHeld(ConflictError):
    """Somebody who still has a role is not erased."""

    code = "role_still_held"
    title = "The person still has a role"
    hint = "End every role of this person first; nothing was erased."


@dataclass(frozen=True, slots=True)
class ErasureItem:
    """One kind of data: erased, or kept until a day for a reason."""

    kind: str
    is_erased: bool
    count: int
    kept_until: date | None = None
    reason: str | None = None


class ErasureService:
    """Says what erasing a person would do; does it when a second person confirms it (`gateway.custody.proposals`)."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def preview(self, act: Act, user_id: UUID) -> list[ErasureItem]:
        """What erasing would do now; nothing changes. Raises `NotFound`, `RoleStillHeld`, `RightsError`."""
        act.require_for_office(Permission.ADMIN)
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            user, is_shared = require_erasable(session, act, user_id)
            return self._report(session, act, user, is_shared=is_shared)

    def apply(self, session: Session, act: Act, user_id: UUID) -> list[ErasureItem]:
        """Erase, in the unit of work in which the second person confirmed it; the report is in the audit entry."""
        user, is_shared = require_erasable(session, act, user_id)
        report = self._report(session, act, user, is_shared=is_shared)
        self._apply(session, act, user, is_shared=is_shared)
        self._record(session, act, user_id, report)
        return report

    def _kept_until(self, session: Session, act: Act, user_id: UUID) -> date | None:
        """The day until which the person's payments must be kept; None when it has passed or there are none."""
        moments = [
            session.exec(select(func.max(column)).where(office == act.office_id, actor == user_id)).one()
            for column, office, actor in (
                (Approval.decided_at, col(Approval.office_id), col(Approval.user_id)),
                (Export.created_at, col(Export.office_id), col(Export.created_by)),
                (PaymentPreparer.since, col(PaymentPreparer.office_id), col(PaymentPreparer.actor_id)),
            )
        ]
        days = [brussels_date(moment) for moment in moments if moment is not None]
        if not days:
            return None
        # Bookkeeping is kept by year: from the end of the year of the last payment.
        last = date(max(days).year + self.gateway.settings.payments_retention_years, 12, 31)
        return last if last >= act.today else None

    def _report(self, session: Session, act: Act, user: User, *, is_shared: bool) -> list[ErasureItem]:
        kept_until = self._kept_until(session, act, user.id)
        invitations = _invitations(session, act, user)
        values = session.exec(
            select(func.count()).where(col(AuditValue.id).in_(_values(act, user.id, invitations)))
        ).one()
        entries = session.exec(
            select(func.count()).select_from(AuditEntry).where(AuditEntry.office_id == act.office_id, _about(user.id))
        ).one()
        keeps = "other_organisation" if is_shared else None
        name = keeps or ("payments_retention" if kept_until is not None else None)
        of_office = {
            "invitations": len(invitations),
            "client_contacts": _count(session, ClientProfile, personal.profiles(act.office_id, user.id, user.email)),
            "mails": len(personal.mails(session, self.gateway, act.office_id, user.email)),
            "assignments": personal.count(session, act.office_id, user.id, Treatment.OFFICE),
        }
        return [
            ErasureItem("name", name is None, 1, kept_until if name == "payments_retention" else None, name),
            ErasureItem("email", keeps is None, 1, None, keeps),
            ErasureItem("sign_in", keeps is None, 1, None, keeps),
            *(ErasureItem(kind, True, number) for kind, number in of_office.items() if number),
            ErasureItem("audit_values", True, values),
            ErasureItem("audit_entries", False, entries, None, "audit_chain"),
        ]

    def _apply(self, session: Session, act: Act, user: User, *, is_shared: bool) -> None:
        keeps_name = self._kept_until(session, act, user.id) is not None
        values = _values(act, user.id, _invitations(session, act, user))
        session.execute(delete(AuditValue).where(col(AuditValue.id).in_(values)))
        personal.rewrite(session, self.gateway, act.office_id, user.id, email=user.email, pseudonym=pseudonym(user.id))
        personal.remove(session, act.office_id, user.id, Treatment.OFFICE)
        session.execute(
            update(WebSession)
            .where(
                col(WebSession.user_id) == user.id,
                col(WebSession.office_id) == act.office_id,
                col(WebSession.ended_at).is_(None),
            )
            .values(ended_at=act.real_now)
        )
        if is_shared:
            return
        personal.remove(session, act.office_id, user.id, Treatment.SIGN_IN)
        if not keeps_name:
            user.first_name, user.last_name = "–", pseudonym(user.id)
        user.email = f"{pseudonym(user.id)}@erased.invalid"
        user.password_hash = UNMATCHED
        user.totp_secret = user.totp_confirmed_at = user.totp_last_step = None
        drop_code(user)
        session.add(user)

    def _record(self, session: Session, act: Act, user_id: UUID, report: list[ErasureItem]) -> None:
        changes = {item.kind: Change(None, "erased" if item.is_erased else item.reason) for item in report}
        self.gateway.audit.record(session, act, "person.erased", "user", user_id, changes=changes)


def require_erasable(session: Session, act: Act, user_id: UUID) -> tuple[User, bool]:
    """The person, held, and whether another office knows it too; raises `NotFound`, `RoleStillHeld`."""
    user = session.get(User, user_id, with_for_update=True)
    roles = session.exec(select(Membership).where(Membership.user_id == user_id)).all()
    if user is None or not any(role.office_id == act.office_id for role in roles):
        raise NotFound
    # Roles elsewhere are not this office's to end, nor to know of.
    if any(role.ended_at is None for role in roles if role.office_id == act.office_id):
        raise RoleStillHeld
    return user, any(role.office_id != act.office_id for role in roles)


def _count(session: Session, table: type[Base], condition: Any) -> int:
    return session.exec(select(func.count()).select_from(table).where(condition)).one()


def pseudonym(user_id: UUID) -> str:
    """Stands for the person from now on: from the random part of the id, which stays in the audit entries."""
    return f"erased-{user_id.hex[-12:]}"


def _about(user_id: UUID) -> Any:
    return or_(col(AuditEntry.actor_id) == user_id, col(AuditEntry.object_id) == user_id)


def _invitations(session: Session, act: Act, user: User) -> list[UUID]:
    """Invitations of this office that the person accepted, or that went to the person's address."""
    return list(session.exec(select(Invitation.id).where(personal.invitations(act.office_id, user.id, user.email))))


def _values(act: Act, user_id: UUID, invitations: list[UUID]) -> Any:
    """Values that tell about the person: where acts came from, and what was recorded of the person itself."""
    return (
        select(AuditValue.id)
        .join(AuditEntry, col(AuditEntry.id) == AuditValue.entry_id)
        .where(
            AuditValue.office_id == act.office_id,
            AuditEntry.office_id == act.office_id,
            or_(
                (col(AuditEntry.actor_id) == user_id) & (col(AuditValue.field) == SOURCE),
                col(AuditEntry.object_id).in_([user_id, *invitations])
                & col(AuditValue.field).in_(["first_name", "last_name", "email", "language"]),
            ),
        )
    )
