"""Mail about who may approve: every administrator hears that preparers may, or no longer may (APP-06)."""

from __future__ import annotations

from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.notices.outbox import queue_mail
from gateway.offices.models import Client
from gateway.proposals.models import Proposal


def tell_of_preparer(gateway: Gateway, session: Session, proposal: Proposal, *, is_allowed: bool) -> None:
    """Mail the administrators of the client and the admins of its office, once per change."""
    assert proposal.client_id is not None, "it is about a client"
    people = IdentityRepository(session)
    client = session.get_one(Client, proposal.client_id)
    proposer = people.user(proposal.proposer_id)
    assert proposer is not None, "a person proposed it"
    told = people.holders(proposal.office_id, ClientRole.ADMINISTRATOR, client_id=proposal.client_id)
    told |= people.holders(proposal.office_id, OfficeRole.ADMIN)
    for user_id in sorted(told):
        user = people.user(user_id)
        assert user is not None, "a role is a person's"
        queue_mail(
            session, gateway, proposal.office_id, to=user.email, language=user.language,
            template="preparer_may_approve" if is_allowed else "preparer_may_not_approve",
            parameters={
                "client": client.name,
                "person": f"{proposer.first_name} {proposer.last_name}",
                "url": gateway.settings.base_url.rstrip("/") + "/people",
            },
            key=f"preparer-may-approve:{proposal.id}:{user_id}",
        )  # fmt: skip
