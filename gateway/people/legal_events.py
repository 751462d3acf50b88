"""Death, guardianship, bankruptcy: two people of the office suspend a person on a document (OFF-16)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError
from gateway.identity.models import Membership, User, WebSession
from gateway.identity.people import remove_role, require_known, roles_in
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import ClientRole, OfficeRole, Permission
from gateway.ids import decode, new_id
from gateway.notices.outbox import queue_mail
from gateway.offices.models import Client
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_client
from gateway.proposals.kinds import Kind, Wish
from gateway.proposals.models import Proposal
from gateway.proposals.service import LIFE, SUCCESSION, content_fingerprint
from gateway.proposals.states import ProposalState

EVENTS: Final = frozenset({"death", "guardianship", "bankruptcy"})
SUCCESSION_WAIT: Final = timedelta(hours=72)
REFERENCE_LENGTH_MAX: Final = 140


class LegalEvent(Kind):
    """Suspend a person in this office. The object is the user, the client the one whose successor is named, if any.

    Content: `event`, `document_reference`, and `successor_id` where somebody takes over as administrator.
    """

    object_kind = "user"
    lone_wait = None

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The person and the successor are known here, and a document is named."""
        require_known(session, act, wish.object_id)
        if wish.client_id is not None:
            require_client(session, act, wish.client_id, Permission.USERS_READ)
        content = wish.content
        reference = content.get("document_reference")
        faults = []
        if set(content) - {"event", "document_reference", "successor_id"} or content.get("event") not in EVENTS:
            faults.append(FieldFault("/content/event", "event_unknown", "This is not a legal event."))
        if not isinstance(reference, str) or not 0 < len(reference.strip()) <= REFERENCE_LENGTH_MAX:
            faults.append(FieldFault("/content/document_reference", "document_missing", "The document must be named."))
        if faults:
            raise InputError(faults=faults)
        checked = {"event": content["event"], "document_reference": str(reference).strip()}
        if content.get("successor_id") is not None:
            checked["successor_id"] = str(self._successor(session, act, wish))
        return checked

    def deciders(self, session: Session, act: Act, wish: Wish) -> set[UUID]:
        """Admins and staff of the office, and not the person concerned."""
        people = IdentityRepository(session)
        found = people.holders(act.office_id, OfficeRole.ADMIN) | people.holders(act.office_id, OfficeRole.STAFF)
        return found - {wish.object_id}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """Every role in this office ends, the last administrator's too: what the person approved counts no more."""
        user = session.get(User, proposal.object_id)
        assert user is not None, "users are never deleted"
        held = list(roles_in(session, proposal.office_id, user.id))
        for membership in held:
            remove_role(gateway, session, act, membership, is_legal_event=True)
        session.execute(
            update(WebSession)
            .where(
                col(WebSession.user_id) == user.id,
                col(WebSession.office_id) == proposal.office_id,
                col(WebSession.ended_at).is_(None),
            )
            .values(ended_at=act.real_now)
        )
        content = proposal.content
        gateway.audit.record(
            session,
            act,
            "user.suspended",
            "user",
            user.id,
            client_id=proposal.client_id,
            changes={
                "event": Change(None, content["event"]),
                "document_reference": Change(None, content["document_reference"]),
            },
            second_factor=act.second_factor,
        )
        if "successor_id" in content:
            self._succeed(session, act, proposal, UUID(content["successor_id"]))
        self._tell(gateway, session, user, held)

    def _successor(self, session: Session, act: Act, wish: Wish) -> UUID:
        fault = FieldFault("/content/successor_id", "user_not_found", "There is no such person at this client.")
        try:
            successor_id = decode("user", str(wish.content["successor_id"]))
        except ValueError:
            raise InputError(faults=[fault]) from None
        if wish.client_id is None or successor_id == wish.object_id:
            raise InputError(faults=[fault])
        if all(held.client_id != wish.client_id for held in roles_in(session, act.office_id, successor_id)):
            raise InputError(faults=[fault])
        return successor_id

    def _succeed(self, session: Session, act: Act, proposal: Proposal, successor_id: UUID) -> None:
        """Proposed and confirmed by the same two people; it takes effect by itself, and can be withdrawn until then."""
        content = {"role": ClientRole.ADMINISTRATOR.value, "salaries": False, SUCCESSION: True}
        session.add(
            Proposal(
                id=new_id(), office_id=proposal.office_id, kind="role.grant", object_id=successor_id,
                client_id=proposal.client_id, content=content,
                fingerprint=content_fingerprint(proposal.client_id, content), state=ProposalState.PROPOSED,
                proposer_id=proposal.proposer_id, created_at=act.now, expires_at=act.now + LIFE,
                effective_at=act.now + SUCCESSION_WAIT,
            )
        )  # fmt: skip
        session.flush()

    def _tell(self, gateway: Gateway, session: Session, user: User, held: list[Membership]) -> None:
        """The other users of the clients concerned are told at once; the person gets no mail any more."""
        clients, people = ClientRepository(session), IdentityRepository(session)
        for membership in held:
            if membership.client_id is None:
                continue
            client: Client | None = clients.get(membership.office_id, membership.client_id)
            assert client is not None, "a role is at a client that exists"
            for _role, other in people.members(membership.office_id, client_id=client.id):
                if other.id != user.id:
                    queue_mail(
                        session, gateway, membership.office_id, to=other.email, language=other.language,
                        template="legal_event",
                        parameters={"client": client.name, "person": f"{user.first_name} {user.last_name}"},
                        key=f"legal-event:{membership.id}:{other.id}",
                    )  # fmt: skip


KINDS: Final[Mapping[str, Kind]] = {"user.legal_event": LegalEvent()}
