"""Queries on baskets, payments and exports; each takes the office first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.accounts.models import Account
from gateway.payments.models import (
    Basket,
    Export,
    ExportDownload,
    ExportFile,
    ExportPayment,
    FindingAcceptance,
    Payment,
    PaymentPreparer,
    PaymentSettings,
)
from gateway.payments.queries import one_of, within
from gateway.payments.states import PaymentState


class Subtotal(NamedTuple):
    """Count and total of the payments of one debtor account, date choice and state."""

    debtor_account_id: UUID
    date_choice: str
    asked_date: date | None
    days_before: int
    category_purpose: str | None
    state: PaymentState
    payment_count: int
    total: Decimal


class PaymentRepository:
    """Baskets and their payments."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def settings(self, office_id: UUID, client_id: UUID) -> PaymentSettings | None:
        """What the client's bank takes; None: the defaults."""
        query = select(PaymentSettings).where(
            PaymentSettings.office_id == office_id, PaymentSettings.client_id == client_id
        )
        return self.session.exec(query).one_or_none()

    def basket(self, office_id: UUID, basket_id: UUID, *, for_update: bool = False) -> Basket | None:
        """One basket. Whoever changes a basket or a payment in it holds the basket's row first."""
        query = select(Basket).where(Basket.office_id == office_id, Basket.id == basket_id)
        return self.session.exec(query.with_for_update() if for_update else query).one_or_none()

    def lock_baskets(self, office_id: UUID, basket_ids: Iterable[UUID]) -> dict[UUID, Basket]:
        """Several baskets at once, in order of their ids, so that two such calls never wait for each other."""
        query = (
            select(Basket)
            .where(Basket.office_id == office_id, within(Basket.id, basket_ids))
            .order_by(col(Basket.id))
            .with_for_update()
        )
        return {basket.id: basket for basket in self.session.exec(query)}

    def baskets(self, office_id: UUID, clients: SelectOfScalar[UUID]) -> SelectOfScalar[Basket]:
        """Query over the baskets of these clients."""
        return select(Basket).where(Basket.office_id == office_id, col(Basket.client_id).in_(clients))

    def basket_of(self, office_id: UUID, payment_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Payment id to basket id, read before the basket is locked."""
        query = select(Payment.id, Payment.basket_id).where(
            Payment.office_id == office_id, within(Payment.id, payment_ids)
        )
        return dict(self.session.exec(query).all())

    def payment(self, office_id: UUID, payment_id: UUID) -> Payment | None:
        """One payment."""
        return self.session.exec(
            select(Payment).where(Payment.office_id == office_id, Payment.id == payment_id)
        ).one_or_none()

    def payments(self, office_id: UUID, clients: SelectOfScalar[UUID]) -> SelectOfScalar[Payment]:
        """Query over the payments of these clients."""
        return select(Payment).where(Payment.office_id == office_id, col(Payment.client_id).in_(clients))

    def lock_payments_of(self, office_id: UUID, basket_ids: Iterable[UUID]) -> list[Payment]:
        """Every payment of these baskets, locked, as it is in the database at this moment."""
        query = (
            select(Payment)
            .where(Payment.office_id == office_id, within(Payment.basket_id, basket_ids))
            .order_by(col(Payment.basket_id), col(Payment.position))
            .with_for_update()
        )
        return list(self.session.exec(query))

    def lock_payments(self, office_id: UUID, payment_ids: Iterable[UUID]) -> list[Payment]:
        """These payments, locked, as they are in the database at this moment; their baskets are held already."""
        query = (
            select(Payment)
            .where(Payment.office_id == office_id, within(Payment.id, payment_ids))
            .order_by(col(Payment.basket_id), col(Payment.position))
            .with_for_update()
        )
        return list(self.session.exec(query))

    def states(self, office_id: UUID, basket_ids: Iterable[UUID]) -> dict[UUID, set[PaymentState]]:
        """Basket id to the states its payments are in."""
        query = (
            select(Payment.basket_id, Payment.state)
            .where(Payment.office_id == office_id, within(Payment.basket_id, basket_ids))
            .distinct()
        )
        found: dict[UUID, set[PaymentState]] = {}
        for basket_id, state in self.session.exec(query):
            found.setdefault(basket_id, set()).add(PaymentState(state))
        return found

    def by_external_ids(self, office_id: UUID, client_id: UUID, external_ids: Iterable[str]) -> dict[str, UUID | None]:
        """External ids taken in the office, with the payment where it is this client's: others stay unnamed."""
        query = select(Payment.external_id, Payment.id, Payment.client_id).where(
            Payment.office_id == office_id, one_of(Payment.external_id, external_ids)
        )
        return {
            external_id: payment_id if owner == client_id else None
            for external_id, payment_id, owner in self.session.exec(query)
            if external_id
        }

    def basket_with_external_id(self, office_id: UUID, external_id: str) -> UUID | None:
        """The basket with the caller's own id."""
        return self.session.exec(
            select(Basket.id).where(Basket.office_id == office_id, Basket.external_id == external_id)
        ).one_or_none()

    def count(self, office_id: UUID, basket_id: UUID) -> int:
        """All payments ever put in the basket, cancelled ones too; positions follow from it."""
        query = select(func.count()).select_from(Payment)
        return self.session.exec(query.where(Payment.office_id == office_id, Payment.basket_id == basket_id)).one()

    def subtotals(self, office_id: UUID, basket_ids: Iterable[UUID]) -> dict[UUID, list[Subtotal]]:
        """Per basket: counts and totals per debtor account, date and state (PAY-12)."""
        keys = (
            Payment.debtor_account_id, Payment.date_choice, Payment.asked_date, Payment.days_before,
            Payment.category_purpose, Payment.state,
        )  # fmt: skip
        query = (
            select(Payment.basket_id, *keys, func.count(), func.sum(Payment.amount))  # type: ignore[call-overload]  # the stubs stop at four columns
            .where(Payment.office_id == office_id, within(Payment.basket_id, basket_ids))
            .group_by(Payment.basket_id, *keys)
            .order_by(*keys)
        )
        found: dict[UUID, list[Subtotal]] = {}
        for basket_id, *values in self.session.exec(query):
            found.setdefault(basket_id, []).append(Subtotal(*values))
        return found

    def preparers(self, office_id: UUID, payment_ids: Iterable[UUID]) -> dict[UUID, frozenset[UUID]]:
        """Payment id to everyone who made or changed it."""
        query = select(PaymentPreparer.payment_id, PaymentPreparer.actor_id).where(
            PaymentPreparer.office_id == office_id, within(PaymentPreparer.payment_id, payment_ids)
        )
        found: dict[UUID, set[UUID]] = {payment_id: set() for payment_id in payment_ids}
        for payment_id, actor_id in self.session.exec(query):
            found[payment_id].add(actor_id)
        return {payment_id: frozenset(actors) for payment_id, actors in found.items()}

    def acceptances(self, office_id: UUID, payment_ids: Iterable[UUID]) -> dict[UUID, list[FindingAcceptance]]:
        """Payment id to the warnings accepted, oldest first."""
        query = (
            select(FindingAcceptance)
            .where(FindingAcceptance.office_id == office_id, within(FindingAcceptance.payment_id, payment_ids))
            .order_by(col(FindingAcceptance.id))
        )
        found: dict[UUID, list[FindingAcceptance]] = {}
        for acceptance in self.session.exec(query):
            found.setdefault(acceptance.payment_id, []).append(acceptance)
        return found

    def debtor_accounts(self, office_id: UUID, client_id: UUID) -> dict[UUID, Account]:
        """The client's accounts in euro; only these pay."""
        query = select(Account).where(
            Account.office_id == office_id,
            Account.client_id == client_id,
            Account.currency == "EUR",
            col(Account.moved_on).is_(None),
        )
        return {account.id: account for account in self.session.exec(query)}


class CreditorTotals(NamedTuple):
    """What went or is on its way to one creditor in the last 24 hours and 30 days."""

    day: Decimal
    month: Decimal


class CreditorRepository:
    """What was paid to a creditor before."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def totals(
        self,
        office_id: UUID,
        client_id: UUID,
        keys: Iterable[str],
        *,
        states: Iterable[PaymentState],
        without: Iterable[UUID],
        day_from: datetime,
        month_from: datetime,
    ) -> dict[str, CreditorTotals]:
        """Creditor key to totals of payments in `states` submitted since then, leaving out those in `without`."""
        submitted_at = col(Payment.submitted_at)
        query = (
            select(
                Payment.creditor_key,
                func.coalesce(func.sum(Payment.amount).filter(submitted_at >= day_from), 0),
                func.sum(Payment.amount),
            )
            .where(
                Payment.office_id == office_id,
                Payment.client_id == client_id,
                one_of(Payment.creditor_key, keys),
                one_of(Payment.state, [state.value for state in states]),
                submitted_at >= month_from,
                ~within(Payment.id, without),
            )
            .group_by(Payment.creditor_key)
        )
        return {key: CreditorTotals(Decimal(day), month) for key, day, month in self.session.exec(query)}

    def exported_to(
        self, office_id: UUID, client_id: UUID, keys: Iterable[str]
    ) -> dict[str, list[tuple[str, datetime]]]:
        """Creditor key to the IBANs it was paid on by live exports, with the first moment of each."""
        query = (
            select(Payment.creditor_key, Payment.creditor_iban, func.min(Export.created_at))
            .join(ExportPayment, col(ExportPayment.payment_id) == Payment.id)
            .join(Export, col(Export.id) == ExportPayment.export_id)
            .where(
                Payment.office_id == office_id,
                Payment.client_id == client_id,
                one_of(Payment.creditor_key, keys),
                col(ExportPayment.is_live),
            )
            .group_by(Payment.creditor_key, Payment.creditor_iban)
        )
        found: dict[str, list[tuple[str, datetime]]] = {}
        for key, iban, first in self.session.exec(query):
            found.setdefault(key, []).append((iban, first))
        return found


class ExportRepository:
    """Files made from baskets."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, export_id: UUID, *, for_update: bool = False) -> Export | None:
        """One export."""
        query = select(Export).where(Export.office_id == office_id, Export.id == export_id)
        return self.session.exec(query.with_for_update() if for_update else query).one_or_none()

    def all(self, office_id: UUID, clients: SelectOfScalar[UUID]) -> SelectOfScalar[Export]:
        """Query over the exports of these clients."""
        return select(Export).where(Export.office_id == office_id, col(Export.client_id).in_(clients))

    def file(self, office_id: UUID, export_id: UUID) -> ExportFile:
        """The bytes; every export has them."""
        return self.session.exec(
            select(ExportFile).where(ExportFile.office_id == office_id, ExportFile.export_id == export_id)
        ).one()

    def payments(self, office_id: UUID, export_id: UUID) -> Sequence[ExportPayment]:
        """What the file holds."""
        return self.session.exec(
            select(ExportPayment).where(ExportPayment.office_id == office_id, ExportPayment.export_id == export_id)
        ).all()

    def live(self, office_id: UUID, payment_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Payment id to the live export that holds it."""
        query = select(ExportPayment.payment_id, ExportPayment.export_id).where(
            ExportPayment.office_id == office_id,
            within(ExportPayment.payment_id, payment_ids),
            col(ExportPayment.is_live),
        )
        return dict(self.session.exec(query).all())

    def downloads(self, office_id: UUID, export_id: UUID) -> SelectOfScalar[ExportDownload]:
        """Query over the downloads of a file."""
        return select(ExportDownload).where(
            ExportDownload.office_id == office_id, ExportDownload.export_id == export_id
        )
