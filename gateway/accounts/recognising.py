"""An account that its source knows under another id by now: taken out there and added again.

Known by the source's id first, then by number and currency; numbering, settings and history stay. CON-11, CON-16.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from connectors.model import Account as BankAccount
from gateway.accounts.repository import AccountRepository
from gateway.assembly import Gateway


def known_again(listed: Sequence[BankAccount], iban: str, currency: str, *, but_not: str) -> str | None:
    """The id of the one account with this number and currency; None when there is none, or more than one."""
    found = [
        one.bank_account_id
        for one in listed
        if (one.iban, one.currency) == (iban, currency) and not one.is_closed and one.bank_account_id != but_not
    ]
    return found[0] if len(found) == 1 else None


def keep_id(gateway: Gateway, office_id: UUID, account_id: UUID, consent_id: UUID, bank_account_id: str) -> bool:
    """Read the account under this id from now on; False when it is under another permission by now."""
    with gateway.database.unit_of_work(office_id) as session:
        account = AccountRepository(session).get(office_id, account_id, is_locked=True)
        if account is None or account.consent_id != consent_id:
            return False
        account.bank_account_id = bank_account_id
        session.add(account)
        return True
