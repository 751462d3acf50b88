"""What can be proposed: each subject lists its kinds as `KINDS` in `gateway/<subject>/proposals.py`."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col, select

import gateway
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.payments.models import Payment
from gateway.proposals.errors import ProposalKindUnknown
from gateway.proposals.models import Proposal

LONE_WAIT: Final = timedelta(hours=48)
"""What one administrator does without a second one takes effect after this time (APP-12)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody proposes."""

    object_id: UUID
    client_id: UUID | None
    content: Mapping[str, Any]
    """Plain JSON values; ids as text."""


class Kind:
    """One kind of proposal; subclasses say who decides and what then happens. They hold no state."""

    object_kind: str
    """Of which kind the id it is about is, as in `gateway.ids`."""
    lone_wait: timedelta | None = LONE_WAIT
    """How long one who is alone waits; None where it always takes two."""

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """Refuse what cannot be done or not be asked by this person; returns the content as it is stored.

        Called when it is proposed. What has changed by the time of the confirmation, `apply` refuses.
        """
        raise NotImplementedError

    def shown(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The content as the API shows it: ids in it are typed there."""
        return content

    def deciders(self, session: Session, act: Act, wish: Wish) -> set[UUID]:
        """The people who may propose and confirm this."""
        return administrators(session, act.office_id, wish.client_id)

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """Do it, inside the unit of work of the confirmation; `act` is the confirming person's, or the service's."""
        raise NotImplementedError


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by name."""
    found: dict[str, Kind] = {}
    for subject in pkgutil.iter_modules(gateway.__path__):
        name = f"gateway.{subject.name}.proposals"
        if subject.ispkg and importlib.util.find_spec(name) is not None:
            found |= importlib.import_module(name).KINDS
    return found


def kind_of(name: str) -> Kind:
    """The kind with this name; raises `ProposalKindUnknown`."""
    try:
        return kinds()[name]
    except KeyError:
        raise ProposalKindUnknown from None


def wish_of(proposal: Proposal) -> Wish:
    """What the proposal asks."""
    return Wish(proposal.object_id, proposal.client_id, proposal.content)


def administrators(session: Session, office_id: UUID, client_id: UUID | None) -> set[UUID]:
    """The client's administrators; the office's admins for the office, and for a client without one (APP-12)."""
    people = IdentityRepository(session)
    own = people.holders(office_id, ClientRole.ADMINISTRATOR, client_id=client_id) if client_id is not None else set()
    return own or people.holders(office_id, OfficeRole.ADMIN)


def has_submitted(session: Session, office_id: UUID, client_id: UUID | None) -> bool:
    """Whether the client, or any client of the office, ever submitted a payment."""
    query = select(Payment.id).where(Payment.office_id == office_id, col(Payment.submitted_at).is_not(None))
    if client_id is not None:
        query = query.where(Payment.client_id == client_id)
    return session.exec(query.limit(1)).first() is not None
