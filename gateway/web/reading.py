"""Small reads that several pages share: clients to choose from, names, accounts that pay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import col, select

from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.identity.models import User
from gateway.identity.rights import Permission
from gateway.identity.service import user_label
from gateway.offices.models import Client
from gateway.offices.repository import ClientRepository
from gateway.offices.service import clients_open
from gateway.payments.content import CheckResult, warning_codes
from gateway.payments.models import Basket, Payment
from gateway.payments.queries import within
from gateway.payments.repository import PaymentRepository
from gateway.payments.states import BasketState, PaymentState
from gateway.web.security import Visit

CLIENTS_MAX: Final = 5000
"""As many as an office has; a list to choose from."""


class Choice(NamedTuple):
    """A client to choose from a list."""

    id: UUID
    name: str


def clients(gateway: Gateway, visit: Visit, permission: Permission) -> list[Choice]:
    """The clients on which this person holds the permission, by name; thousands of them, hence two columns only."""
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        query = clients_open(session, visit.act, permission)
        chosen = query.with_only_columns(col(Client.id), col(Client.name)).order_by(col(Client.name), col(Client.id))
        return [Choice(*row) for row in session.execute(chosen.limit(CLIENTS_MAX))]


def client_of(gateway: Gateway, visit: Visit, client_id: UUID) -> Client:
    """The client of something this person has just been shown."""
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        client = ClientRepository(session).get(visit.act.office_id, client_id)
    assert client is not None, "what belongs to a client has one"
    return client


def client_names(gateway: Gateway, visit: Visit, client_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of the clients of what is shown."""
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        query = select(Client.id, Client.name).where(
            Client.office_id == visit.act.office_id, within(Client.id, set(client_ids))
        )
        return dict(session.exec(query).all())


def people(gateway: Gateway, user_ids: Iterable[str | UUID]) -> dict[str, str]:
    """Names of people who decide or decided, by id."""
    ids = {UUID(str(user_id)) for user_id in user_ids}
    with gateway.database.unit_of_work(None) as session:
        rows = session.exec(select(User).where(within(User.id, ids))).all()
    return {str(user.id): user_label(user) for user in rows}


def paying_accounts(gateway: Gateway, visit: Visit, client_id: UUID) -> list[Account]:
    """The client's accounts in euro, in the order of their numbers."""
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        found = PaymentRepository(session).debtor_accounts(visit.act.office_id, client_id)
    return sorted(found.values(), key=lambda account: account.iban)


def draft_faults(gateway: Gateway, visit: Visit, basket: Basket) -> tuple[int, set[str]]:
    """Of a draft basket: how many payments are blocked, and which warnings somebody must accept."""
    if basket.state is not BasketState.DRAFT:
        return 0, set()
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        query = select(Payment.check_result, Payment.findings).where(
            Payment.office_id == visit.act.office_id,
            Payment.basket_id == basket.id,
            Payment.state == PaymentState.DRAFT,
            Payment.check_result != CheckResult.COMPLETE.value,
        )
        rows = session.exec(query).all()
    passing = (findings for result, findings in rows if result != CheckResult.BLOCKED)
    codes = set[str]().union(*(warning_codes(findings) for findings in passing))
    return sum(result == CheckResult.BLOCKED for result, _findings in rows), codes
