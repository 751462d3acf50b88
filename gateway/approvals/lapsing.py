"""Approvals that no longer carry a payment: void, and everybody is asked anew (APP-12).

Somebody lost the role, left or was suspended, left a group, or has a lower maximum now. What waits needs nothing done:
who may decide is read from the present people. What was approved, and is in no file that somebody downloaded, waits
again. A job does this on its own, baskets first, so that nobody who decides at the same moment waits for it in a ring;
until it ran, no such payment can leave either (PAY-13).
"""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from sqlmodel import Session, select

from gateway import jobs
from gateway.act import Act
from gateway.approvals import asking
from gateway.approvals.evaluation import File, Panel, files, panels
from gateway.approvals.states import LAPSING_TASK
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.payments.access import follow, states_of
from gateway.payments.models import Payment
from gateway.payments.repository import PaymentRepository
from gateway.payments.states import PaymentState
from sepa.approval import State


def look_again(session: Session, office_id: UUID, client_id: UUID) -> None:
    """Have the client's approved payments looked at once this unit of work is committed."""
    jobs.enqueue(session, LAPSING_TASK, lock=f"lapsing:{client_id}", office_id=str(office_id), client_id=str(client_id))


class LapsingService:
    """Voiding what lapsed."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def run(self, office_id: UUID, client_id: UUID) -> int:
        """Let the client's payments whose approvals lapsed wait again; how many. Harmless to repeat."""
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            repository = PaymentRepository(session)
            query = select(Payment.id, Payment.basket_id).where(
                Payment.office_id == office_id, Payment.client_id == client_id, Payment.state == PaymentState.APPROVED
            )
            found = dict(session.exec(query).all())
            baskets = repository.lock_baskets(office_id, found.values())
            together: dict[UUID, list[Payment]] = defaultdict(list)
            for payment in repository.lock_payments_of(office_id, baskets):
                together[payment.basket_id].append(payment)
            panel = panels(session, office_id, [client_id])[client_id]
            if not panel.is_process_on:
                return 0
            approved = [one for rows in together.values() for one in rows if one.state is PaymentState.APPROVED]
            on_file = files(session, office_id, approved)
            lapsed = [one for one in approved if self._is_lapsed(panel, one, on_file[one.id])]
            for basket_id, rows in together.items():
                mine = [payment for payment in lapsed if payment.basket_id == basket_id]
                if mine:
                    self._void(session, act, panel, mine, on_file=on_file, together=rows)
                    follow(session, self.gateway.events, act, baskets[basket_id], states_of(rows))
        return len(lapsed)

    @staticmethod
    def _is_lapsed(panel: Panel, payment: Payment, file: File) -> bool:
        return payment.approval_basis == "rules" and panel.lasting(payment, file).state is not State.APPROVED

    def _void(
        self,
        session: Session,
        act: Act,
        panel: Panel,
        lapsed: list[Payment],
        *,
        on_file: dict[UUID, File],
        together: list[Payment],
    ) -> None:
        asking.ask(
            session, act, panel, lapsed, on_file, keys=self.gateway.keys, events=self.gateway.events,
            basket_total=asking.total_of(together), is_refusing=False,
        )  # fmt: skip
        for payment in lapsed:
            self.gateway.audit.record(
                session, act, "payment.approvals_voided", "payment", payment.id, client_id=payment.client_id,
                changes={"state": Change(PaymentState.APPROVED, payment.state)},
            )  # fmt: skip
