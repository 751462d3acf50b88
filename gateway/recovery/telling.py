"""Telling a person by mail what happened to the own sign-in, and every office of that person in its audit."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.database import before_commit
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

    Both are written in units of work of those offices, right before this one commits: a mail or entry too many is
    possible when the commit fails, one missing is not.
    """
    offices = sorted({membership.office_id for membership in IdentityRepository(session).memberships(user.id)})
    address, language, user_id = to or user.email, user.language, user.id

    def write(_session: Session) -> None:
        for office_id in offices:
            with gateway.database.unit_of_work(office_id) as unit:
                if action is not None:
                    act = gateway.system_act(office_id)
                    gateway.audit.record(unit, act, action, "user", user_id, changes=changes)
                if office_id == offices[0]:
                    queue_mail(
                        unit, gateway, office_id, to=address, language=language, template=template,
                        parameters=dict(parameters),
                    )  # fmt: skip

    before_commit(session, f"tell:{template}:{address}", write)
