"""Rows that the bank changed after their statement was issued: office and portal are told, no file is touched (SYN-06).

The statement's bytes and number stay. What the change means for the balance is settled by the next statement (STA-03).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlmodel import Session

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole
from gateway.ids import encode
from gateway.notices.outbox import queue_mail
from gateway.transactions.models import BankTransaction
from gateway.transactions.repository import TransactionRepository
from gateway.transactions.review_list import ReviewList

EVENT: Final = "transaction.changed_after_issue"
MAIL: Final = "changed_after_issue"


@dataclass(frozen=True, slots=True)
class Changed:
    """One booked row that the bank changed. Zero counts for a row that is not there."""

    row: BankTransaction
    kind: str
    """`edited`, `vanished` or `revived`."""
    revision_id: UUID
    before: Decimal
    after: Decimal


def tell_changed(gateway: Gateway, session: Session, act: Act, account: Account, changed: Sequence[Changed]) -> None:
    """Tell of those that stand on an issued statement: an event each, an entry of the review list, a mail a day."""
    issued = TransactionRepository(session).issued_on(act.office_id, [change.row.id for change in changed])
    reviews = ReviewList(session, gateway.keys, account)
    for change in changed:
        statement_id = issued.get(change.row.id)
        if statement_id is None:
            continue
        gateway.events.record(
            session, act, EVENT, "transaction", change.row.id, client_id=account.client_id,
            data={
                "account_id": encode("account", account.id),
                "statement_id": encode("statement", statement_id),
                "change": change.kind,
            },
        )  # fmt: skip
        reviews.note_changed_after_issue(
            transaction_id=change.row.id,
            statement_id=statement_id,
            change=change.revision_id,
            before=change.before,
            after=change.after,
            facts=change.row,
            at=act.now,
        )
    if issued:
        _mail(gateway, session, act, account)


def _mail(gateway: Gateway, session: Session, act: Act, account: Account) -> None:
    people = IdentityRepository(session).members(act.office_id)
    admins = {user.id: user for role, user in people if role.client_id is None and role.role == OfficeRole.ADMIN}
    for user in admins.values():
        queue_mail(
            session,
            gateway,
            act.office_id,
            to=user.email,
            language=user.language,
            template=MAIL,
            parameters={"day": act.today.isoformat()},
            key=f"{MAIL}:{account.id}:{act.today}:{user.id}",
        )
