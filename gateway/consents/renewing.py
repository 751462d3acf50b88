"""A consent that renews another: when that is possible, and what became of the accounts (CON-11).

The older one works on until the renewal is valid and its accounts are read under it. Accounts are recognised by IBAN
and currency; of one that is new or missing the account holder is asked, and what was said is kept for the office.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway.accounts.health import set_health
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.accounts.states import SyncHealth
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents.errors import RenewalMismatch, RenewalNotPossible, RenewalQuestionOpen, RenewalTooEarly
from gateway.consents.models import Consent, ConsentAccount, ConsentAnswer
from gateway.consents.states import RENEWABLE, ConsentState, RenewalAnswer
from gateway.errors import FieldFault
from gateway.i18n import _
from gateway.ids import encode, new_id

LEAD: Final = timedelta(days=30)
"""From so long before its end a consent can be renewed, and counts as expiring."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the account holder said of accounts that are not as before."""

    new: Mapping[UUID, UUID | None] = field(default_factory=dict)
    """By id of the offered account: the account whose place it takes; None when it was added."""
    missing: Mapping[UUID, RenewalAnswer] = field(default_factory=dict)
    """`gone` or `wanted`, by account."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the bank offers under a renewal, beside what was read before it."""

    known: Mapping[UUID, Account]
    """By id of the offered account: the account that goes on with it."""
    new: Sequence[ConsentAccount]
    """Offered, and read by nobody of this client before."""
    missing: Sequence[Account]
    """Read under the older consent, and not offered."""


def renewable_from(valid_until: date | None) -> date | None:
    """First day on which a consent can be renewed that still holds."""
    return None if valid_until is None else valid_until - LEAD


def is_expiring(consent: Consent, today: date) -> bool:
    """Whether it holds and ends soon: a flag, not a state."""
    first = renewable_from(consent.valid_until)
    return consent.state == ConsentState.VALID and first is not None and first <= today


def check_renewable(older: Consent, *, client_id: UUID, bank_id: str, today: date, is_sitting: bool = False) -> None:
    """Raise `RenewalMismatch`, `RenewalNotPossible` or `RenewalTooEarly`; in a sitting no day is too early (CON-12)."""
    faults = [
        FieldFault(f"/{name}", RenewalMismatch.code, RenewalMismatch.title)
        for name, differs in (("client_id", older.client_id != client_id), ("bank_id", older.bank_id != bank_id))
        if differs
    ]
    if faults:
        raise RenewalMismatch(faults=faults)
    if older.state not in RENEWABLE:
        raise RenewalNotPossible(state=older.state)
    first = renewable_from(older.valid_until)
    if older.state == ConsentState.VALID and not is_sitting and first is not None and today < first:
        raise RenewalTooEarly(renewable_from=first.isoformat())


def compare(
    session: Session, consent: Consent, offered: Sequence[ConsentAccount], usable: Collection[UUID]
) -> Comparison:
    """What of the older consent goes on under this one; `usable` are the offered accounts that can be connected."""
    accounts = [
        account
        for account in AccountRepository(session).of_client(consent.office_id, consent.client_id)
        if account.consent_id is not None and account.moved_on is None
    ]
    by_key = {(account.iban, account.currency): account for account in accounts}
    can_go_on = [row for row in offered if row.id in usable and row.iban is not None]
    known = {row.id: by_key[row.iban or "", row.currency] for row in can_go_on if (row.iban, row.currency) in by_key}
    there = {account.id for account in known.values()}
    return Comparison(
        known=known,
        new=[row for row in can_go_on if row.id not in known],
        missing=[row for row in accounts if row.consent_id == consent.replaces_id and row.id not in there],
    )


def check_answers(compared: Comparison, chosen: Collection[UUID], answers: Answers) -> None:
    """Raise `RenewalQuestionOpen` unless each question that arises has one answer that fits.

    With nothing missing, a new account can only have been added: that is not asked.
    """
    missing = {account.id for account in compared.missing}
    taken = [answers.new[row.id] for row in compared.new if row.id in chosen and answers.new.get(row.id) is not None]
    faults = []
    for row in compared.new:
        if row.id not in chosen or not missing:
            continue
        place = answers.new.get(row.id)
        if row.id not in answers.new or (place is not None and (place not in missing or taken.count(place) > 1)):
            faults.append(
                FieldFault("/answers", "new_account_not_explained", _("Say of each new account whether it was added."))
            )
    for account in compared.missing:
        said = answers.missing.get(account.id)
        if account.id not in taken and said not in (RenewalAnswer.GONE, RenewalAnswer.WANTED):
            faults.append(
                FieldFault("/answers", "missing_account_not_explained", _("Say of each missing account if it is gone."))
            )
    if faults:
        raise RenewalQuestionOpen(faults=faults)


def said_of(compared: Comparison | None, answers: Answers) -> Mapping[UUID, tuple[RenewalAnswer, UUID | None]]:
    """What is kept of each new account, by id of the offered one: that it was added, or whose place it took."""
    if compared is None:
        return {}
    places = {row.id: answers.new.get(row.id) if compared.missing else None for row in compared.new}
    return {
        offered_id: (RenewalAnswer.ADDED if place is None else RenewalAnswer.REPLACES, place)
        for offered_id, place in places.items()
    }


def settle(
    gateway: Gateway,
    session: Session,
    act: Act,
    consent: Consent,
    *,
    compared: Comparison,
    answers: Answers,
    chosen: Collection[UUID],
    connected: Mapping[UUID, Account],
) -> None:
    """Keep the answers, and stop reading what is gone or was not chosen; a locked renewal whose accounts are connected.

    `chosen` are ids of offered accounts, `connected` those that did not have to wait for a proof. What is still wanted
    stays under the older consent.
    """
    said = said_of(compared, answers)
    for offered_id, (word, place) in said.items():
        if offered_id in connected:
            keep(session, act, consent, connected[offered_id], word, instead_of=place)
    # Also where what takes the place is not proven yet: the older one is gone all the same.
    taken = {place for offered_id, (_word, place) in said.items() if offered_id in chosen}
    for account in compared.missing:
        if account.id in taken or answers.missing[account.id] is RenewalAnswer.GONE:
            keep(session, act, consent, account, RenewalAnswer.GONE)
            _leave(gateway, session, act, consent, account)
        else:
            keep(session, act, consent, account, RenewalAnswer.WANTED)
    for offered_id, account in compared.known.items():
        if offered_id not in connected and account.consent_id == consent.replaces_id:
            keep(session, act, consent, account, RenewalAnswer.LEFT_OUT)
            _leave(gateway, session, act, consent, account)
    session.flush()


def keep(
    session: Session,
    act: Act,
    consent: Consent,
    account: Account,
    answer: RenewalAnswer,
    *,
    instead_of: UUID | None = None,
) -> None:
    """Keep what was said of one account, for the office."""
    session.add(
        ConsentAnswer(
            id=new_id(),
            office_id=consent.office_id,
            consent_id=consent.id,
            account_id=account.id,
            answer=answer,
            instead_of_id=instead_of,
            answered_at=act.now,
        )
    )


def _leave(gateway: Gateway, session: Session, act: Act, consent: Consent, account: Account) -> None:
    """No permission reads it any more; what is stored stays."""
    locked = AccountRepository(session).get(act.office_id, account.id, is_locked=True)
    assert locked is not None, "accounts are not deleted"
    if locked.consent_id != consent.replaces_id:
        return
    locked.consent_id = None
    set_health(session, gateway.events, act, locked, SyncHealth.ENDED, code="account_gone")
    session.add(locked)
    gateway.audit.record(
        session, act, "account.left_out", "account", locked.id, client_id=locked.client_id,
        changes={"consent_id": Change(encode("consent", consent.replaces_id or consent.id), None)},
    )  # fmt: skip
