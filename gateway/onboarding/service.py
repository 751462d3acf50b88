"""Checklists of an office and of the clients that somebody may see (OFF-11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.identity.rights import Permission
from gateway.offices.models import Client, Office
from gateway.offices.service import clients_open, require_client
from gateway.onboarding.checklist import Item, client_items, office_items
from gateway.onboarding.repository import OnboardingRepository
from gateway.pagination import PageRequest, Sort


@dataclass(frozen=True, slots=True)
class ClientChecklist:
    """One client with its items."""

    client: Client
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Checklists:
    """A page of checklists."""

    office: Sequence[Item] | None
    """None for somebody who does not work for the whole office."""
    clients: Sequence[ClientChecklist]
    next_cursor: str | None


class OnboardingService:
    """Looks at what is there; nothing is ticked by hand."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def page(self, act: Act, request: PageRequest, *, client_id: UUID | None = None) -> Checklists:
        """Clients by name, and the office; of one client only when it is named."""
        order = [
            Sort(col(Client.name), lambda client: client.name, str),
            Sort(col(Client.id), lambda client: str(client.id), UUID),
        ]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = clients_open(session, act, Permission.CLIENTS_READ)
            if client_id is not None:
                require_client(session, act, client_id, Permission.CLIENTS_READ)
                query = query.where(Client.id == client_id)
            name = f"checklists:{act.office_id}:{client_id}"
            clients, cursor = self.gateway.pager.page(session, query, order, request, name=name)
            office = session.get(Office, act.office_id)
            assert office is not None, "a principal belongs to an office that exists"
            repository = OnboardingRepository(session)
            facts = repository.clients(act.office_id, office, clients)
            principal = act.principal
            is_office_wide = (
                Permission.CLIENTS_READ in principal.office_permissions and principal.office_clients is None
            )
            of_office = None
            if is_office_wide:
                of_office = office_items(repository.office(act.office_id, office, today=act.today))
        return Checklists(
            of_office, [ClientChecklist(client, client_items(facts[client.id])) for client in clients], cursor
        )
