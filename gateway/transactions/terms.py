"""Words of transactions, folded so that people find what they remember (SYN-14).

A word is a run of letters and digits, without case and accents; "Café", "CAFE" and "cafe" are one. What is asked for
matches from the beginning of a word. The words are taken out by a job after a reading was stored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, insert
from sqlalchemy import select as core_select
from sqlmodel import Session, col, delete, select

from gateway.assembly import Gateway
from gateway.transactions.models import BankTransaction, ChangeSet, TransactionTerm

LENGTH_MAX: Final = 40
TERMS_MAX: Final = 60
"""Words kept of one transaction; the longest remittance information of a bank holds fewer."""
ASKED_MAX: Final = 8
BATCH: Final = 1000

_RUN: Final = re.compile(r"[^\W_]+")
_BEYOND: Final = chr(0x10FFFF)


def fold(text: str) -> list[str]:
    """The words of a text in their order, each once."""
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(character)
    )
    return list(dict.fromkeys(run[:LENGTH_MAX] for run in _RUN.findall(plain)))


def terms_of(row: BankTransaction) -> Iterator[tuple[str, bool]]:
    """(word, whether it stands in the counterparty's name)."""
    names = fold(row.counterparty_name or "")
    texts = fold(f"{row.remittance_information or ''} {row.additional_information or ''}")
    yield from ((word, True) for word in names[:TERMS_MAX])
    yield from ((word, False) for word in texts[:TERMS_MAX])


def with_word(office_id: UUID, word: str, *, is_name: bool = False) -> ColumnElement[bool]:
    """Transactions with a word that begins like this; compared bytewise, so that the index serves (see models)."""
    query = core_select(col(TransactionTerm.transaction_id)).where(
        col(TransactionTerm.office_id) == office_id,
        col(TransactionTerm.term) >= word,
        col(TransactionTerm.term) < word + _BEYOND,
    )
    if is_name:
        query = query.where(col(TransactionTerm.is_name).is_(True))
    return col(BankTransaction.id).in_(query)


class TermIndexer:
    """Takes the words out of a change set's transactions."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def run(self, office_id: UUID, change_set_id: UUID) -> None:
        """Index every transaction last changed in this set; run again, it gives the same."""
        after = UUID(int=0)
        while True:
            with self.gateway.database.unit_of_work(office_id) as session:
                rows = session.exec(
                    select(BankTransaction)
                    .where(
                        BankTransaction.office_id == office_id,
                        BankTransaction.changed_in == change_set_id,
                        col(BankTransaction.id) > after,
                    )
                    .order_by(col(BankTransaction.id))
                    .limit(BATCH)
                ).all()
                self._replace(session, office_id, rows)
                if len(rows) < BATCH:
                    self._note(session, office_id, change_set_id)
                    return
                after = rows[-1].id

    def _replace(self, session: Session, office_id: UUID, rows: Any) -> None:
        if not rows:
            return
        session.exec(
            delete(TransactionTerm).where(
                col(TransactionTerm.office_id) == office_id,
                col(TransactionTerm.transaction_id).in_([row.id for row in rows]),
            )
        )
        values = [
            {"office_id": office_id, "term": term, "transaction_id": row.id, "is_name": is_name}
            for row in rows
            for term, is_name in terms_of(row)
        ]
        if values:
            session.execute(insert(TransactionTerm.__table__), values)  # type: ignore[attr-defined]  # SQLModel sets it

    def _note(self, session: Session, office_id: UUID, change_set_id: UUID) -> None:
        change_set = session.exec(
            select(ChangeSet).where(ChangeSet.office_id == office_id, ChangeSet.id == change_set_id)
        ).one_or_none()
        if change_set is not None:
            change_set.indexed_at = self.gateway.real_now()
            session.add(change_set)
