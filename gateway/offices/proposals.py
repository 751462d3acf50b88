"""Acts on clients that take two people: ending a suspension (OFF-03)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.client_groups.repository import ClientGroupRepository
from gateway.errors import FieldFault, InputError, InvalidTransition
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import ClientRole, OfficeRole, Permission
from gateway.offices import applications
from gateway.offices.models import Client, ClientState
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_client, set_state
from gateway.proposals.kinds import Kind, Wish
from gateway.proposals.models import Proposal


class Unsuspend(Kind):
    """End a client's suspension. The object is the client, which stands beside it too; there is no content."""

    object_kind = "client"
    lone_wait = None

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The client is suspended and open to the caller."""
        if wish.client_id != wish.object_id or wish.content:
            raise InputError(faults=[FieldFault("/client_id", "client_not_found", "There is no such client.")])
        client = require_client(session, act, wish.object_id, Permission.CLIENTS_READ)
        _require_suspended(client)
        return {}

    def deciders(self, session: Session, act: Act, wish: Wish) -> set[UUID]:
        """People of the office who work for the client, and the client's administrators."""
        people, groups = IdentityRepository(session), ClientGroupRepository(session)
        found = people.holders(act.office_id, OfficeRole.ADMIN)
        found |= people.holders(act.office_id, ClientRole.ADMINISTRATOR, client_id=wish.object_id)
        staff = people.holders(act.office_id, OfficeRole.STAFF) - found
        return found | (staff & groups.people_of_client(act.office_id, wish.object_id))

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """The client is active again."""
        client = ClientRepository(session).get(proposal.office_id, proposal.object_id)
        assert client is not None, "clients are never deleted"
        session.refresh(client, with_for_update=True)
        _require_suspended(client)
        set_state(gateway, session, act, client, ClientState.ACTIVE)


KINDS: Final[Mapping[str, Kind]] = {"client.unsuspend": Unsuspend(), **applications.KINDS}


def _require_suspended(client: Client) -> None:
    if client.state is not ClientState.SUSPENDED:
        raise InvalidTransition(state=client.state, wanted=ClientState.ACTIVE)
