"""Number of the first file of an account; every later one follows the one before (STA-09, STA-20, OFF-01)."""

from __future__ import annotations

from sqlmodel import Session, select

from gateway.accounts.models import Account
from gateway.clock import brussels_date
from gateway.offices.models import ClientSettings
from gateway.profiles.models import KnownAccount


def first_number(session: Session, account: Account, year: int) -> int:
    """What the package expects: the number stated for this IBAN, else that of the client's settings, else 001.

    A number that was stated in another year is of that year: numbers begin anew with each.
    """
    known = session.exec(
        select(KnownAccount).where(
            KnownAccount.office_id == account.office_id,
            KnownAccount.client_id == account.client_id,
            KnownAccount.iban == account.iban,
        )
    ).one_or_none()
    if known is not None and known.next_coda_number is not None and brussels_date(known.created_at).year == year:
        return known.next_coda_number
    settings = session.get(ClientSettings, account.client_id)
    return settings.first_coda_number or 1 if settings is not None else 1
