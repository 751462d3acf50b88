"""Reaching an account through its client, in one statement: grant, right and service at once (OFF-04, OFF-06)."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session

from gateway.accounts.errors import AccountNotFound
from gateway.accounts.repository import AccountRepository, OpenedAccount
from gateway.act import Act
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.offices.services import require_services, services_of


def require_account(session: Session, act: Act, account_id: UUID, permission: Permission) -> OpenedAccount:
    """The account, when this act may do `permission` on its client, for reading.

    As `offices.service.require_client`, which changes go through. Raises `AccountNotFound`, for a client out of reach
    too, `RightsError`, `ServiceDisabled`.
    """
    found = AccountRepository(session).opened(act.office_id, account_id, today=act.today)
    if found is None:
        raise AccountNotFound
    try:
        act.require(permission, found.client_id)
    except NotFound:
        raise AccountNotFound from None
    require_services(services_of(permission), found.office_services, found.client_services)
    return found
