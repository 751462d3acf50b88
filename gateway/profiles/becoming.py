"""A known account becomes an account: at its bank's consent, or because a payment is to leave from it (OFF-10).

The id and what the office set go along; from then on the account's settings count, and the known account stays as the
row that an import compares with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors import registry
from gateway.accounts.models import Account
from gateway.accounts.states import SyncHealth
from gateway.act import Act
from gateway.profiles.models import KnownAccount
from gateway.profiles.repository import KnownAccountRepository
from sepa.accounts import bic_of

NOT_CONNECTED: Final = "not_connected"
CARRIED: Final = ("alias", "position", "is_visible", "is_default_debtor", "dossier_code", "statements_from")
"""What the office set for the known account."""


def carry_over(session: Session, known: KnownAccount, account: Account) -> None:
    """Give a new account the known one's settings; both are stored when the caller's unit of work ends."""
    for name in CARRIED:
        setattr(account, name, getattr(known, name))
    if known.bic is not None:
        account.bic = known.bic
    session.add(account)
    # The account first: the known one refers to it, and a client has one default debtor account.
    known.is_default_debtor = False
    session.flush()
    known.account_id = account.id
    known.version += 1
    session.add(known)


def payable(
    session: Session, act: Act, client_id: UUID, ids: Iterable[UUID], *, is_stored: bool = True
) -> dict[UUID, Account]:
    """Accounts for known accounts that payments name, never connected at a bank.

    With `is_stored` false they are made up for a dry run only.
    """
    made: dict[UUID, Account] = {}
    for known in KnownAccountRepository(session).open_of(act.office_id, client_id, ids):
        account = Account(
            id=known.id,
            office_id=act.office_id,
            client_id=client_id,
            bank_id=known.bank_id or _bank_of(known.iban),
            iban=known.iban,
            currency="EUR",
            kind="current",
            bic=known.bic or bic_of(known.iban) or "",
            health=SyncHealth.ENDED,
            health_code=NOT_CONNECTED,
            health_since=act.now,
            created_at=act.now,
        )
        if is_stored:
            carry_over(session, known, account)
        made[account.id] = account
    return made


def _bank_of(iban: str) -> str:
    found = registry.bank_for_iban(iban)
    return found[0].bank_id if len(found) == 1 else ""
