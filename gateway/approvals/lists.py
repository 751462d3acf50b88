"""Who is waiting for whom: one payment with everything asked of it, and the four lists (APP-09)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.approvals.evaluation import File, Panel, files, panels
from gateway.approvals.models import Approval
from gateway.assembly import Gateway
from gateway.identity.rights import Permission
from gateway.pagination import PageRequest, Sort
from gateway.payments.access import find_payment, visible_clients
from gateway.payments.models import FindingAcceptance, Payment
from gateway.payments.queries import within
from gateway.payments.repository import PaymentRepository
from gateway.payments.states import PaymentState
from sepa.approval import Evaluation


class View(StrEnum):
    """Which list."""

    BY_ME = "by_me"
    BY_OTHERS = "by_others"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Dossier:
    """A payment with what its approval rests on."""

    payment: Payment
    preparers: frozenset[UUID] = frozenset()
    decisions: Sequence[Approval] = ()
    """Of every round, oldest first; those of an earlier round no longer count."""
    acceptances: Sequence[FindingAcceptance] = ()
    evaluation: Evaluation | None = None
    """Where it stands under the rules of its submission; None for a draft or one that needed no approval."""


class ApprovalLists:
    """Reading what waits and what was decided."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def dossier(self, act: Act, payment_id: UUID) -> Dossier:
        """One payment with its requests and decisions."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            payment, _ = find_payment(session, act, payment_id, Permission.PAYMENTS_READ)
            return self._dossiers(session, act, [payment])[0]

    def page(
        self, act: Act, request: PageRequest, *, view: View, client_id: UUID | None = None
    ) -> tuple[list[Dossier], str | None]:
        """A list, the longest waiting first (decided ones: newest first).

        "By me" and "by others" are asked of the engine for every waiting payment of the clients open to the caller, so
        that a role or group changed a moment ago counts.
        """
        is_waiting = view in (View.BY_ME, View.BY_OTHERS)
        order = [Sort(col(Payment.id), lambda row: str(row.id), UUID, is_descending=not is_waiting)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            clients = visible_clients(session, act, Permission.PAYMENTS_READ)
            query = PaymentRepository(session).payments(act.office_id, clients)
            if client_id is not None:
                query = query.where(Payment.client_id == client_id)
            query = query.where(Payment.state == _STATES[view])
            if is_waiting:
                found = self._waiting(act, session, list(session.exec(query)), is_mine=view is View.BY_ME)
                query = select(Payment).where(Payment.office_id == act.office_id, within(Payment.id, found))
            name = f"approvals:{act.principal.id}:{view}:{client_id}"
            payments, cursor = self.gateway.pager.page(session, query, order, request, name=name)
            return self._dossiers(session, act, payments), cursor

    def count_by_me(self, act: Act) -> int:
        """How many payments wait for the caller's decision."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            clients = visible_clients(session, act, Permission.PAYMENTS_READ)
            query = PaymentRepository(session).payments(act.office_id, clients)
            query = query.where(Payment.state == PaymentState.SUBMITTED)
            return len(self._waiting(act, session, list(session.exec(query)), is_mine=True))

    def _waiting(self, act: Act, session: Session, payments: Sequence[Payment], *, is_mine: bool) -> list[UUID]:
        on_file = files(session, act.office_id, payments)
        boards = panels(session, act.office_id, (payment.client_id for payment in payments))
        me = str(act.principal.id)
        return [
            payment.id
            for payment in payments
            if (me in boards[payment.client_id].standing(payment, on_file[payment.id]).may_act) is is_mine
        ]

    def _dossiers(self, session: Session, act: Act, payments: Sequence[Payment]) -> list[Dossier]:
        on_file = files(session, act.office_id, payments)
        boards = panels(session, act.office_id, (payment.client_id for payment in payments))
        acceptances = PaymentRepository(session).acceptances(act.office_id, [payment.id for payment in payments])
        return [
            Dossier(
                payment,
                on_file[payment.id].preparers,
                on_file[payment.id].approvals,
                acceptances.get(payment.id, ()),
                _standing(payment, on_file[payment.id], boards[payment.client_id]),
            )
            for payment in payments
        ]


_STATES = {
    View.BY_ME: PaymentState.SUBMITTED,
    View.BY_OTHERS: PaymentState.SUBMITTED,
    View.APPROVED: PaymentState.APPROVED,
    View.REJECTED: PaymentState.REJECTED,
}


def _standing(payment: Payment, file: File, panel: Panel) -> Evaluation | None:
    if payment.seal is None or payment.approval_basis != "rules":
        return None
    return panel.standing(payment, file)
