"""An account can have more rows than a statement of the database has parameters (65,535)."""

from __future__ import annotations

from datetime import timedelta

from gateway.assembly import Gateway
from gateway.ids import new_id
from gateway.transactions.absorb import Window
from gateway.transactions.repository import TransactionRepository
from tests.gateway.bank_to_coda.shelf import FIRST, Shelf

MANY = 70_000


def test_a_reading_of_seventy_thousand_rows_is_compared_and_found_again(gateway: Gateway) -> None:
    shelf = Shelf(gateway)
    account = shelf.account()
    window = Window(FIRST, FIRST + timedelta(days=1))
    with gateway.database.unit_of_work(shelf.office.id) as session:
        rows = TransactionRepository(session)
        fingerprints = {f"fingerprint {number}" for number in range(MANY)}
        assert not rows.comparable(shelf.office.id, account.id, window, fingerprints, 1)
        ids = [new_id() for _ in range(MANY)]
        assert not rows.many(shelf.office.id, ids)
        rows.set_state(shelf.office.id, ids, state="vanished")
