"""Whether and how a client decides on its payments; changed by two administrators (APP-01, APP-06, APP-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, select

from gateway.act import Act
from gateway.approvals.errors import ApprovalsWaiting, CatchAllNeeded, ProcessNotReady, SettingsChanged
from gateway.approvals.evaluation import panels
from gateway.approvals.guard import default_settings, held_settings, require_rules_change
from gateway.approvals.models import ApprovalSettings
from gateway.approvals.repository import ApprovalRepository
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault
from gateway.identity.rights import Permission
from gateway.ids import encode
from gateway.offices.service import require_client
from gateway.payments.models import Payment
from gateway.payments.states import PaymentState
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState

CHANGE: Final = "approval_settings.change"


class ProcessService:
    """Settings of the approval process of a client."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def settings(self, act: Act, client_id: UUID) -> ApprovalSettings:
        """The client's settings, the defaults where none were made."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.RULES_READ)
            found = ApprovalRepository(session).settings(act.office_id, [client_id]).get(client_id)
        return found or default_settings(act, client_id)

    def change_settings(
        self, act: Act, client_id: UUID, *, is_payment_process_on: bool, preparer_may_approve: bool, version: int
    ) -> ApprovalSettings | Proposal:
        """Switch the process on or off, and let preparers approve or not; or the proposal of it (APP-12).

        Raises `ProcessNotReady`, `ApprovalsWaiting`, `SettingsChanged`, `RightsError`.
        """
        wanted = {"is_payment_process_on": is_payment_process_on, "preparer_may_approve": preparer_may_approve}
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_rules_change(session, act, client_id)
            settings = held_settings(session, act, client_id)
            if settings.version != version:
                raise SettingsChanged
            if not changes_of(settings, wanted):
                return settings
            check_switch(session, settings, wanted)
        proposal = ProposalService(self.gateway).propose(
            act, CHANGE, client_id, {"version": version, **wanted}, client_id=client_id
        )
        return self.settings(act, client_id) if proposal.state is ProposalState.CONFIRMED else proposal


def changes_of(settings: ApprovalSettings, wanted: Mapping[str, bool]) -> dict[str, Change]:
    """What would be different."""
    return {
        name: Change(getattr(settings, name), value)
        for name, value in wanted.items()
        if getattr(settings, name) != value
    }


def check_switch(session: Session, settings: ApprovalSettings, wanted: Mapping[str, bool]) -> None:
    """Raises `ProcessNotReady` or `ApprovalsWaiting` when the process cannot be switched so now (APP-01)."""
    is_on = wanted["is_payment_process_on"]
    if is_on and not settings.is_payment_process_on:
        _require_ready(session, settings)
    if not is_on and settings.is_payment_process_on:
        _require_nothing_waiting(session, settings)


def _require_ready(session: Session, settings: ApprovalSettings) -> None:
    faults = [
        FieldFault(
            f"/rules/{encode('approval_rule', UUID(reason.rule_id))}" if reason.rule_id else "/rules",
            reason.code,
            f"{reason.needed} people are needed and {reason.available} can act."
            if reason.rule_id
            else CatchAllNeeded.title,
        )
        for reason in panels(session, settings.office_id, [settings.client_id])[settings.client_id].faults()
    ]
    if faults:
        raise ProcessNotReady(faults=faults)


def _require_nothing_waiting(session: Session, settings: ApprovalSettings) -> None:
    query = (
        select(func.count())
        .select_from(Payment)
        .where(
            Payment.office_id == settings.office_id,
            Payment.client_id == settings.client_id,
            Payment.state == PaymentState.SUBMITTED,
        )
    )
    waiting = session.exec(query).one()
    if waiting:
        raise ApprovalsWaiting(count=waiting)
