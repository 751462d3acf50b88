"""The facts of checklists: the same number of queries however many clients a page has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import case, exists, func
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from gateway.accounts.models import Account
from gateway.approvals.models import ApprovalRule, ApprovalRuleVersion, ApprovalSettings
from gateway.consents.models import Consent
from gateway.consents.states import WAITING, ConsentState
from gateway.identity.models import Membership
from gateway.identity.rights import OfficeRole
from gateway.offices.models import Client, Office
from gateway.offices.repository import ClientRepository
from gateway.onboarding.checklist import ClientFacts, OfficeFacts
from gateway.profiles.models import ClientProfile
from gateway.statements.models import Statement, StatementChain
from gateway.statements.states import StatementState


class OnboardingRepository:
    """Facts of one office."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def office(self, office_id: UUID, office: Office, *, today: date) -> OfficeFacts:
        """What is known of the office, in two queries."""
        of_office = Membership.office_id == office_id
        admins = self.session.exec(
            select(func.count(func.distinct(Membership.user_id))).where(
                of_office,
                Membership.role == OfficeRole.ADMIN.value,
                col(Membership.client_id).is_(None),
                col(Membership.ended_at).is_(None),
            )
        ).one()
        granted = ClientRepository.granted_ids(office_id, today=today, visible=None)
        has_clients, has_consent, has_coda = self.session.exec(
            select(
                granted.exists(),
                exists().where(col(Consent.office_id) == office_id, col(Consent.state) == ConsentState.VALID),
                exists().where(col(Statement.office_id) == office_id, col(Statement.state) == StatementState.ISSUED),
            )
        ).one()
        return OfficeFacts(
            services=office.services,
            is_reviewed=office.version > 1,
            consent_days_max=office.consent_days_max,
            admins=admins,
            has_default_delivery=office.default_delivery is not None,
            has_clients=has_clients,
            has_valid_consent=has_consent,
            has_issued_statement=has_coda,
        )

    def clients(self, office_id: UUID, office: Office, clients: Sequence[Client]) -> dict[UUID, ClientFacts]:
        """What is known of these clients, in six queries."""
        ids = [client.id for client in clients]
        valid, waiting = self._consents(office_id, ids)
        accounts = self._accounts(office_id, ids)
        profiles = {
            row.client_id: row
            for row in self.session.exec(
                select(ClientProfile).where(ClientProfile.office_id == office_id, col(ClientProfile.client_id).in_(ids))
            )
        }
        off = set(
            self.session.exec(
                select(ApprovalSettings.client_id).where(
                    ApprovalSettings.office_id == office_id,
                    col(ApprovalSettings.client_id).in_(ids),
                    col(ApprovalSettings.is_payment_process_on).is_(False),
                )
            )
        )
        ruled, peopled = self._ruled(office_id, ids), self._peopled(office_id, ids)
        found = {}
        for client in clients:
            profile = profiles.get(client.id)
            total, read, proven, numbered, waits = accounts.get(client.id, (0, 0, 0, 0, 0))
            found[client.id] = ClientFacts(
                services=[service for service in client.services if service in office.services],
                has_valid_consent=client.id in valid,
                has_waiting_consent=client.id in waiting,
                accounts=total,
                accounts_read=read,
                accounts_proven=proven,
                accounts_numbered=numbered,
                accounts_waiting=waits,
                channel=(profile.delivery if profile is not None else None) or office.default_delivery,
                has_destination=profile is not None and profile.destination is not None,
                is_destination_confirmed=profile is not None and profile.destination_confirmed_at is not None,
                is_process_on=client.id not in off,
                has_rules=client.id in ruled,
                has_people=client.id in peopled,
            )
        return found

    def _consents(self, office_id: UUID, ids: Sequence[UUID]) -> tuple[set[UUID], set[UUID]]:
        rows = self.session.exec(
            select(Consent.client_id, Consent.state)
            .where(
                Consent.office_id == office_id,
                col(Consent.client_id).in_(ids),
                col(Consent.state).in_([ConsentState.VALID, *WAITING]),
            )
            .distinct()
        ).all()
        valid = {client_id for client_id, state in rows if state == ConsentState.VALID}
        return valid, {client_id for client_id, _state in rows} - valid

    def _accounts(self, office_id: UUID, ids: Sequence[UUID]) -> dict[UUID, tuple[int, int, int, int, int]]:
        """Per client: visible connected accounts, those read, with a chain, a first day, a destination that waits."""
        # A chain begins with the first day that proves; its first day is chosen by then.
        rows = self.session.execute(
            core_select(
                col(Account.client_id),
                func.count(col(Account.id)),
                func.count(col(Account.last_sync_at)),
                func.count(col(StatementChain.id)),
                func.sum(
                    case((col(Account.statements_from).is_not(None) | col(StatementChain.id).is_not(None), 1), else_=0)
                ),
                func.sum(
                    case(
                        (
                            col(Account.destination).is_not(None) & col(Account.destination_confirmed_at).is_(None),
                            1,
                        ),
                        else_=0,
                    )
                ),
            )
            .outerjoin(
                StatementChain,
                (col(StatementChain.account_id) == Account.id) & (col(StatementChain.office_id) == Account.office_id),
            )
            .where(
                col(Account.office_id) == office_id,
                col(Account.client_id).in_(ids),
                col(Account.is_visible),
                col(Account.consent_id).is_not(None),
            )
            .group_by(col(Account.client_id))
        ).all()
        return {
            client_id: (total, read, proven, int(numbered), int(waits))
            for client_id, total, read, proven, numbered, waits in rows
        }

    def _ruled(self, office_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
        """Clients with an active rule as it is now."""
        query = (
            select(ApprovalRule.client_id)
            .join(
                ApprovalRuleVersion,
                (col(ApprovalRuleVersion.rule_id) == ApprovalRule.id)
                & (col(ApprovalRuleVersion.version) == ApprovalRule.version),
            )
            .where(
                ApprovalRule.office_id == office_id,
                col(ApprovalRule.client_id).in_(ids),
                col(ApprovalRuleVersion.is_active),
            )
            .distinct()
        )
        return set(self.session.exec(query))

    def _peopled(self, office_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
        query = (
            select(Membership.client_id)
            .where(
                Membership.office_id == office_id,
                col(Membership.client_id).in_(ids),
                col(Membership.ended_at).is_(None),
            )
            .distinct()
        )
        return {client_id for client_id in self.session.exec(query) if client_id is not None}
