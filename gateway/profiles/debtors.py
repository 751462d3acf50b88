"""The one account from which a client pays when a payment names none (OFF-10)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col

from gateway.accounts.models import Account
from gateway.offices.models import Client
from gateway.profiles.models import KnownAccount


def clear_default(session: Session, office_id: UUID, client_id: UUID) -> None:
    """No account of the client is the default any more; whoever sets another one does so in the same unit of work."""
    # Two who choose at once follow one another; the last one counts.
    session.get(Client, client_id, with_for_update=True)
    for table in (Account, KnownAccount):
        session.execute(
            update(table)
            .where(col(table.office_id) == office_id, col(table.client_id) == client_id, col(table.is_default_debtor))
            .values(is_default_debtor=False, version=col(table.version) + 1)
        )
