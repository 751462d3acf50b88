"""Telling a person by mail what happened to the own sign-in, and every office of that person in its audit."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.database import before_commit, joined
from gateway.identity.models import User
from gateway.identity.repository import IdentityRepository
from gateway.notices.outbox import queue_mail


def tell(
    gateway: Gateway,
    session: Session,
    user: User,
    template: str,
    parameters: Mapping[str, str],
    *,
    action: str | None = None,
    changes: Mapping[str, Change] | None = None,
    to: str | None = None,
) -> None:
    """Mail a person once, in the name of one of the offices; note `action` in the audit of all of them.

    Both are written on the connection of this unit of work, right before it commits, and hold or fail with it.
    """
    offices = sorted({membership.office_id for membership in IdentityRepository(session).memberships(user.id)})
    address, language, user_id = to or user.email, user.language, user.id

    def write(outer: Session) -> None:
        # In the order of their ids, since each office's audit head stays locked until the commit.
        for office_id in offices:
            with joined(outer, office_id) as unit:
                if action is not None:
                    act = gateway.system_act(office_id, session=unit)
                    gateway.audit.record(unit, act, action, "user", user_id, changes=changes)
                if office_id == offices[0]:
                    queue_mail(
                        unit, gateway, office_id, to=address, language=language, template=template,
                        parameters=dict(parameters),
                    )  # fmt: skip

    before_commit(session, f"tell:{template}:{address}", write)
