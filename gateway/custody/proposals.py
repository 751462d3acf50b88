"""Erasing a person takes two people of the office (SEC-11, APP-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.custody.erasures import ErasureService, require_erasable
from gateway.errors import FieldFault, InputError
from gateway.identity.rights import Permission
from gateway.proposals.kinds import Kind, Wish
from gateway.proposals.models import Proposal

ERASE: Final = "person.erase"


class Erase(Kind):
    """Erase the user `object_id`, as far as the law lets go; there is no content. Admins of the office decide."""

    object_kind = "user"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The person had roles of this office and holds none any more."""
        act.require_for_office(Permission.ADMIN)
        if wish.client_id is not None or wish.content:
            raise InputError(faults=[FieldFault("/content", InputError.code, "There is nothing more to say.")])
        require_erasable(session, act, wish.object_id)
        return {}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """Erased; what changed since the proposal is looked at again."""
        ErasureService(gateway).apply(session, act, proposal.object_id)


KINDS: Final[Mapping[str, Kind]] = {ERASE: Erase()}
