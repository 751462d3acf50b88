"""Invitations to roles that move money or rights: a second person lets them go out (APP-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import FieldFault, InputError
from gateway.identity.people import require_role_right
from gateway.people import legal_events, second_factor_reset
from gateway.people.errors import InvitationNotFound, InvitationOver
from gateway.people.invitations import find, send
from gateway.people.models import Invitation
from gateway.people.states import InvitationState
from gateway.proposals.kinds import Kind, Wish
from gateway.proposals.models import Proposal


class InvitationSend(Kind):
    """Send an invitation. The object is the invitation, made a moment ago; the content is filled in from it."""

    object_kind = "invitation"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """It waits for this, at the client that is named."""
        invitation = find(session, act.office_id, wish.object_id)
        if invitation is None:
            raise InvitationNotFound
        if wish.content or invitation.client_id != wish.client_id:
            raise InputError(faults=[FieldFault("/content", "content_invalid", "This kind has no content.")])
        require_role_right(session, act, wish.client_id)
        _require_waiting(invitation)
        return {"roles": list(invitation.roles), "salaries": invitation.salaries}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """The mail goes out; from now the link works for some days."""
        invitation = find(session, proposal.office_id, proposal.object_id)
        assert invitation is not None, "invitations are never deleted"
        session.refresh(invitation, with_for_update=True)
        _require_waiting(invitation)
        send(gateway, session, act, invitation)


KINDS: Final[Mapping[str, Kind]] = {
    "invitation.send": InvitationSend(),
    **legal_events.KINDS,
    **second_factor_reset.KINDS,
}


def _require_waiting(invitation: Invitation) -> None:
    if invitation.state is not InvitationState.PROPOSED:
        raise InvitationOver
