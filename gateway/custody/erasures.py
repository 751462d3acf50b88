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
from gateway.errors import ConflictError, NotFound
from gateway.identity.models import Membership, User, WebSession
from gateway.identity.rights import Permission
from gateway.machines.models import AssertionSubject
from gateway.passkeys.models import Passkey
from gateway.payments.models import Export, PaymentPreparer
from gateway.people.models import Invitation
from gateway.recovery.models import EmailChange, PasswordReset, RecoveryCode
from gateway.single_sign_on.models import OidcLink

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
    """Erases people, or says what erasing would do."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def erase(self, act: Act, user_id: UUID, *, is_dry_run: bool = False) -> list[ErasureItem]:
        """The report; with `is_dry_run` nothing changes. Raises `NotFound`, `RoleStillHeld`, `RightsError`."""
        act.require_for_office(Permission.ADMIN)
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            user = session.get(User, user_id, with_for_update=True)
            roles = session.exec(select(Membership).where(Membership.user_id == user_id)).all()
            if user is None or not any(role.office_id == act.office_id for role in roles):
                raise NotFound
            # Roles elsewhere are not this office's to end, nor to know of.
            if any(role.ended_at is None for role in roles if role.office_id == act.office_id):
                raise RoleStillHeld
            is_shared = any(role.office_id != act.office_id for role in roles)
            kept_until = self._kept_until(session, act, user_id)
            report = self._report(session, act, user, is_shared=is_shared, kept_until=kept_until)
            if not is_dry_run:
                self._apply(session, act, user, is_shared=is_shared, keeps_name=kept_until is not None)
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

    def _report(
        self, session: Session, act: Act, user: User, *, is_shared: bool, kept_until: date | None
    ) -> list[ErasureItem]:
        user_id = user.id
        values = session.exec(
            select(func.count()).where(col(AuditValue.id).in_(_values(act, user_id, _invitations(session, act, user))))
        ).one()
        entries = session.exec(
            select(func.count()).select_from(AuditEntry).where(AuditEntry.office_id == act.office_id, _about(user_id))
        ).one()
        keeps = "other_organisation" if is_shared else None
        name = keeps or ("payments_retention" if kept_until is not None else None)
        return [
            ErasureItem("name", name is None, 1, kept_until if name == "payments_retention" else None, name),
            ErasureItem("email", keeps is None, 1, None, keeps),
            ErasureItem("sign_in", keeps is None, 1, None, keeps),
            ErasureItem("invitations", True, len(_invitations(session, act, user))),
            ErasureItem("audit_values", True, values),
            ErasureItem("audit_entries", False, entries, None, "audit_chain"),
        ]

    def _apply(self, session: Session, act: Act, user: User, *, is_shared: bool, keeps_name: bool) -> None:
        invitations = _invitations(session, act, user)
        session.execute(delete(AuditValue).where(col(AuditValue.id).in_(_values(act, user.id, invitations))))
        # What this office wrote down of the person; links to the issuers it chose.
        session.execute(
            update(Invitation)
            .where(col(Invitation.office_id) == act.office_id, col(Invitation.id).in_(invitations))
            .values(email=f"{pseudonym(user.id)}@erased.invalid", first_name="–", last_name=pseudonym(user.id))
        )
        session.execute(
            delete(OidcLink).where(col(OidcLink.office_id) == act.office_id, col(OidcLink.user_id) == user.id)
        )
        session.execute(
            update(AssertionSubject)
            .where(col(AssertionSubject.office_id) == act.office_id, col(AssertionSubject.user_id) == user.id)
            .values(subject=func.concat("erased-", AssertionSubject.id), ended_at=act.real_now)
        )
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
        if not keeps_name:
            user.first_name, user.last_name = "–", pseudonym(user.id)
        user.email = f"{pseudonym(user.id)}@erased.invalid"
        user.password_hash = UNMATCHED
        user.totp_secret = user.totp_confirmed_at = user.totp_last_step = None
        session.add(user)
        for table in (Passkey, RecoveryCode, PasswordReset, EmailChange):
            session.execute(delete(table).where(col(table.user_id) == user.id))

    def _record(self, session: Session, act: Act, user_id: UUID, report: list[ErasureItem]) -> None:
        changes = {item.kind: Change(None, "erased" if item.is_erased else item.reason) for item in report}
        self.gateway.audit.record(session, act, "person.erased", "user", user_id, changes=changes)


def pseudonym(user_id: UUID) -> str:
    """Stands for the person from now on: from the random part of the id, which stays in the audit entries."""
    return f"erased-{user_id.hex[-12:]}"


def _about(user_id: UUID) -> Any:
    return or_(col(AuditEntry.actor_id) == user_id, col(AuditEntry.object_id) == user_id)


def _invitations(session: Session, act: Act, user: User) -> list[UUID]:
    """Invitations of this office that the person accepted, or that went to the person's address."""
    query = select(Invitation.id).where(
        Invitation.office_id == act.office_id,
        or_(col(Invitation.user_id) == user.id, col(Invitation.email) == user.email),
    )
    return list(session.exec(query))


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
