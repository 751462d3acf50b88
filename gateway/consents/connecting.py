"""One account that a bank offered becomes an account of the office, and is read (CON-08, CON-11, OFF-10)."""

from __future__ import annotations

from sqlmodel import Session

from connectors.model import PsuContext
from gateway.accounts.gaps import restart_day
from gateway.accounts.health import set_health
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.accounts.states import SyncHealth
from gateway.accounts.syncs import queue_sync
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.consents.errors import AccountElsewhere
from gateway.consents.models import Consent, ConsentAccount
from gateway.ids import encode, new_id
from gateway.profiles.becoming import carry_over
from gateway.profiles.repository import KnownAccountRepository


def connect_one(
    gateway: Gateway,
    session: Session,
    act: Act,
    consent: Consent,
    row: ConsentAccount,
    *,
    psu: PsuContext | None,
) -> Account:
    """Connect an offered account that fits or was proven, with its first reading queued; of a locked consent.

    Raises `AccountElsewhere` when another client of this office has it.
    """
    assert row.iban is not None, "checked before"
    account = AccountRepository(session).by_iban(act.office_id, row.iban, row.currency)
    if account is not None and account.client_id != consent.client_id:
        raise AccountElsewhere
    known_accounts = KnownAccountRepository(session)
    known = known_accounts.of_iban(act.office_id, consent.client_id, row.iban)
    if known is not None and known.account_id is not None:
        known = None
    if account is None:
        account = Account(
            id=new_id() if known is None else known.id,
            office_id=act.office_id,
            client_id=consent.client_id,
            bank_id=consent.bank_id,
            iban=row.iban,
            currency=row.currency,
            kind=row.kind,
            # An intermediary has none of its own.
            bic=row.bic or next(iter(gateway.banks.profile(consent.bank_id).bics), ""),
            holder_name=row.holder_name,
            position=known_accounts.next_position(act.office_id, consent.client_id),
            health=SyncHealth.NEW,
            health_code="first_sync_due",
            health_since=act.now,
            created_at=act.now,
        )
        session.add(account)
        if known is not None:
            # A known number fits, and goes on as this account with what the office set for it (OFF-10, CON-08).
            carry_over(session, known, account)
    elif account.health == SyncHealth.ENDED:
        set_health(session, gateway.events, act, account, SyncHealth.NEW, code="first_sync_due")
    # Moved away once, it comes back by a new authorisation.
    account.moved_on = account.moved_by = None
    account.consent_id, account.bank_id, account.bank_account_id = consent.id, consent.bank_id, row.bank_account_id
    session.add(account)
    session.flush()
    gateway.events.record(
        session, act, "account.connected", "account", account.id,
        client_id=account.client_id, data={"consent_id": encode("consent", consent.id)},
    )  # fmt: skip
    row.account_id = account.id
    session.add(row)
    since = restart_day(session, account, gateway.banks.profile(account.bank_id))
    reason = "first" if since is None else "renewal"
    queue_sync(session, gateway.keys, account, reason=reason, now=act.now, psu=psu, since=since)
    return account
