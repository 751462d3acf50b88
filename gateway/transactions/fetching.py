"""Asking the bank for one reading: every page, then the balances. Nothing is stored, and no transaction is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from connectors.base import Connector
from connectors.errors import AccountGone, QuotaExhausted, RequestRefused
from connectors.model import Access, PsuContext, RejectedRow, Transaction, TransactionStatus
from connectors.model import Balance as BankBalance
from connectors.profile import IdTrust
from gateway.accounts.recognising import keep_id, known_again
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.consents.tokens import ConsentTokens
from gateway.traffic.recorder import Recorder
from gateway.transactions.absorb import Window
from gateway.transactions.copies import renew_copy, speaks_of
from gateway.transactions.merging import Reading

TakeAgain = Callable[[], bool]
"""Writes one more call down before it is made; False when there is no room for it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be read: copied out of the database, since no transaction is open while the bank is called."""

    sync_id: UUID
    account_id: UUID
    consent_id: UUID
    bank_id: str
    bank_account_id: str
    bank_consent_id: str
    iban: str
    currency: str
    holder_name: str | None
    own_ibans: frozenset[str]
    psu: PsuContext | None
    requested_at: datetime
    window: Window
    reread_for: date | None
    """The held day for which it goes back further than usual (STA-03)."""
    recorder: Recorder
    """Keeps what the bank answers while the consent is recorded."""


@dataclass(frozen=True, slots=True)
class Fetched:
    reading: Reading
    balances: Sequence[BankBalance]
    as_of: datetime
    """The moment it speaks of, earlier than now where it comes from a copy."""


def fetch(gateway: Gateway, act: Act, order: Order, *, take_again: TakeAgain) -> Fetched:
    """Every page, then the balances right after, so that they speak of the same rows.

    An account that the bank knows by another id now is asked for again under that one, which is a call of its own.
    Raises `ConnectorError`.
    """
    connector = gateway.banks.connector(order.bank_id)
    tokens = ConsentTokens(gateway, connector, office_id=act.office_id, consent_id=order.consent_id)
    access = Access(order.bank_consent_id, tokens, order.psu)
    try:
        return _read(act, order, connector, access)
    except AccountGone as error:
        gone, listed = error, connector.accounts(access)
    except RequestRefused as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        listed = connector.accounts(access)
        if any(one.bank_account_id == order.bank_account_id and not one.is_closed for one in listed):
            raise
        gone = AccountGone("the bank lists the account no more", bank_id=order.bank_id, bank_code=error.bank_code)
    found = known_again(listed, order.iban, order.currency, but_not=order.bank_account_id)
    if found is None or not keep_id(gateway, act.office_id, order.account_id, order.consent_id, found):
        raise gone
    if not take_again():
        # The new id is kept: the next reading finds the account under it.
        raise QuotaExhausted("no unattended call is left for the account's new id", bank_id=order.bank_id)
    return _read(act, replace(order, bank_account_id=found), connector, access)


def _read(act: Act, order: Order, connector: Connector, access: Access) -> Fetched:
    renew_copy(connector, access, order.bank_account_id, age=act.now - order.requested_at)
    pages = list(
        connector.transaction_pages(
            access,
            order.bank_account_id,
            account_iban=order.iban,
            account_holder=order.holder_name,
            date_from=order.window.first,
            today=act.today,
            own_ibans=order.own_ibans,
        )
    )
    balances = connector.balances(access, order.bank_account_id)
    first = max([order.window.first, *(page.date_from for page in pages if page.date_from is not None)])
    reading = Reading(
        window=Window(first, order.window.last),
        transactions=[row for page in pages for row in page.transactions],
        rejected=[row for page in pages for row in page.rejected],
        renormalise=_renormaliser(connector, order, act.today),
        are_ids_trusted=connector.profile.id_trust is IdTrust.HIGH,
    )
    return Fetched(reading, balances, speaks_of(pages, act.now))


def _renormaliser(
    connector: Connector, order: Order, today: date
) -> Callable[[Mapping[str, Any]], Transaction | RejectedRow]:
    def renormalise(raw: Mapping[str, Any]) -> Transaction | RejectedRow:
        return connector.transaction(
            raw,
            status=TransactionStatus.BOOKED,
            account_iban=order.iban,
            account_holder=order.holder_name,
            own_ibans=order.own_ibans,
            today=today,
        )

    return renormalise
