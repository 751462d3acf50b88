"""Changes of roles that take two people (APP-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import FieldFault, InputError, NotFound
from gateway.identity.errors import LastAdministrator, RoleHeld
from gateway.identity.models import Membership
from gateway.identity.people import (
    LAST_ROLES,
    add_role,
    check_role,
    held_role,
    remove_role,
    require_known,
    require_role_right,
    roles_in,
)
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import GUARDED_ROLES, ClientRole, OfficeRole
from gateway.proposals.kinds import Kind, Wish
from gateway.proposals.models import Proposal


class RoleGrant(Kind):
    """Give a person of the office a role that moves money or rights.

    The object is the user; the content `{"role": …, "salaries": …}`; the client stands beside it.
    """

    object_kind = "user"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The role fits its place, the person is known here and does not hold it yet."""
        role = _role(wish)
        salaries = wish.content.get("salaries", False)
        if set(wish.content) - {"role", "salaries"} or not isinstance(salaries, bool) or role not in GUARDED_ROLES:
            raise InputError(faults=[FieldFault("/content", "content_invalid", "This is not such a role.")])
        check_role(role, wish.client_id, salaries=salaries, from_date=None, until_date=None)
        require_role_right(session, act, wish.client_id)
        require_known(session, act, wish.object_id)
        for held in roles_in(session, act.office_id, wish.object_id):
            if (held.client_id, held.role) == (wish.client_id, role.value):
                raise RoleHeld
        return {"role": role.value, "salaries": salaries}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """The person holds the role from now on; not somebody who left the office in the meantime."""
        role = proposal.content["role"]
        if not roles_in(session, proposal.office_id, proposal.object_id):
            raise NotFound
        add_role(
            gateway, session, act, proposal.object_id,
            OfficeRole(role) if proposal.client_id is None else ClientRole(role),
            client_id=proposal.client_id, salaries=proposal.content["salaries"],
        )  # fmt: skip


class RoleEnd(Kind):
    """Take such a role away. The object is the role (`mem_…`); there is no content."""

    object_kind = "membership"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The role is held, at the client that is named, and not the last of its kind."""
        held = held_role(session, act, wish.object_id)
        if held.client_id != wish.client_id or wish.content:
            raise InputError(faults=[FieldFault("/client_id", "client_not_found", "There is no such client.")])
        require_role_right(session, act, wish.client_id)
        if held.role in LAST_ROLES and _is_last(session, held):
            raise LastAdministrator
        return {}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """The role ends at once, for sessions that are open as well."""
        membership = session.get(Membership, proposal.object_id)
        assert membership is not None, "roles are never deleted"
        remove_role(gateway, session, act, membership)


KINDS: Final[Mapping[str, Kind]] = {"role.grant": RoleGrant(), "role.end": RoleEnd()}


def _role(wish: Wish) -> OfficeRole | ClientRole:
    word = str(wish.content.get("role"))
    try:
        return OfficeRole(word) if wish.client_id is None else ClientRole(word)
    except ValueError:
        raise InputError(faults=[FieldFault("/content/role", "role_unknown", "There is no such role here.")]) from None


def _is_last(session: Session, held: Membership) -> bool:
    holders: set[UUID] = IdentityRepository(session).holders(held.office_id, held.role, client_id=held.client_id)
    return holders <= {held.user_id}
