"""Searching transactions (SYN-14): what is found, what cannot be asked, and that indexes serve behind the policies."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql
from sqlmodel import select

from connectors.model import ReferenceKind, TransactionStatus
from gateway.assembly import Gateway
from gateway.embedded import OWNER, EmbeddedPostgres
from gateway.pagination import PageRequest
from gateway.transactions.absorb import Window
from gateway.transactions.errors import SearchUnusable
from gateway.transactions.merging import Reading
from gateway.transactions.models import BankTransaction, ChangeSet
from gateway.transactions.search import Direction, TransactionSearch
from gateway.transactions.service import TransactionFilter, TransactionService, TransactionState
from gateway.transactions.terms import TermIndexer, fold
from tests.gateway.bank_to_coda.shelf import FIRST, Shelf, form

WHOLE = Window(FIRST, FIRST + timedelta(days=3))
IBAN = "BE12310291417792"
ROWS = [
    form(FIRST, Decimal("-250.00"), "Factuur 2026-118 drukwerk", counterparty_name="Drukkerij Éénhoorn BV",
         counterparty_iban=IBAN, end_to_end_id="E2E-118"),
    form(FIRST, Decimal("250.00"), "huur november", counterparty_name="Café De Zwaan"),
    form(FIRST + timedelta(days=1), Decimal("12.10"), "+++090/9337/55493+++", counterparty_name="Wouters Jan",
         structured_reference="090933755493", structured_reference_kind=ReferenceKind.BELGIAN),
    form(FIRST + timedelta(days=2), Decimal("-1999.99"), "lonen", counterparty_name="Sociaal bureau"),
]  # fmt: skip


MANY = """
INSERT INTO bank_transaction (id, office_id, account_id, state, booking_date, fingerprint, fingerprint_version,
    occurrence, raw_cipher, created_at, changed_at, added_in, changed_in, value_date, is_value_date_assumed, amount,
    currency, counterparty_iban, structured_reference, end_to_end_id, coda_code, coda_code_basis, missing_fields,
    warnings)
SELECT gen_random_uuid(), office_id, account_id, state, booking_date, 'f' || n, 1, 1, raw_cipher, created_at,
    changed_at, added_in, changed_in, value_date, false, n * 100, currency, 'BE' || n, 'r' || n, 'e' || n, coda_code,
    coda_code_basis, missing_fields, warnings
FROM generate_series(1, 4000) n, (SELECT * FROM bank_transaction WHERE account_id = :account LIMIT 1) row
"""
MANY_TERMS = """
INSERT INTO transaction_term (office_id, term, transaction_id, is_name)
SELECT office_id, 'w' || substr(md5(id::text), 1, 6), id, false FROM bank_transaction
"""


@pytest.fixture
def shelf(gateway: Gateway) -> Shelf:
    shelf = Shelf(gateway)
    pending = form(FIRST, Decimal("-3.50"), "kaart", status=TransactionStatus.PENDING, counterparty_name="Frituur")
    shelf.take(shelf.account(), Reading(WHOLE, [*ROWS, pending]))
    index(shelf)
    return shelf


def index(shelf: Shelf) -> None:
    """What the job does after a reading."""
    with shelf.gateway.database.unit_of_work(shelf.office.id) as session:
        sets = [row.id for row in session.exec(select(ChangeSet))]
    for change_set_id in sets:
        TermIndexer(shelf.gateway).run(shelf.office.id, change_set_id)


def found(shelf: Shelf, state: TransactionState = TransactionState.BOOKED, **asked: Any) -> list[str]:
    wanted = TransactionFilter(state=state, search=TransactionSearch(**asked))
    rows = TransactionService(shelf.gateway).page(shelf.act, PageRequest(50, None), wanted).rows
    return sorted(row.counterparty_name or "" for row in rows)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"amount_min": Decimal(250), "amount_max": Decimal(250)}, ["Café De Zwaan", "Drukkerij Éénhoorn BV"]),
        ({"amount_min": Decimal(250), "direction": Direction.DEBIT}, ["Drukkerij Éénhoorn BV", "Sociaal bureau"]),
        ({"direction": Direction.CREDIT}, ["Café De Zwaan", "Wouters Jan"]),
        ({"amount_max": Decimal(100)}, ["Wouters Jan"]),
        ({"counterparty": "eenho"}, ["Drukkerij Éénhoorn BV"]),
        ({"counterparty": "DRUKKERIJ een"}, ["Drukkerij Éénhoorn BV"]),
        ({"counterparty": "huur"}, []),
        ({"text": "huur zwa"}, ["Café De Zwaan"]),
        ({"text": "118"}, ["Drukkerij Éénhoorn BV"]),
        ({"text": "hoorn"}, []),
        ({"counterparty_iban": "be12 3102 9141 7792"}, ["Drukkerij Éénhoorn BV"]),
        ({"reference": "+++090/9337/55493+++"}, ["Wouters Jan"]),
        ({"reference": "090933755493"}, ["Wouters Jan"]),
        ({"reference": "E2E-118"}, ["Drukkerij Éénhoorn BV"]),
        ({"reference": "e2e-118"}, []),
        ({"text": "factuur", "direction": Direction.CREDIT}, []),
    ],
)
def test_what_is_asked_for_is_found_and_nothing_else(shelf: Shelf, asked: dict[str, Any], names: list[str]) -> None:
    assert found(shelf, **asked) == names


def test_pending_ones_are_searched_by_their_columns(shelf: Shelf) -> None:
    pending = TransactionState.PENDING
    assert found(shelf, pending, amount_max=Decimal(4)) == ["Frituur"]
    assert found(shelf, pending, direction=Direction.CREDIT) == []
    with pytest.raises(SearchUnusable) as refused:
        found(shelf, pending, text="kaart", label="x")
    assert [fault.pointer for fault in refused.value.faults] == ["/text", "/label"]


@pytest.mark.parametrize("asked", [{"text": "***"}, {"text": "a b c d e f g h i"}, {"amount_min": Decimal(-1)}])
def test_a_search_that_says_nothing_is_refused(shelf: Shelf, asked: dict[str, Any]) -> None:
    with pytest.raises(SearchUnusable):
        found(shelf, **asked)


def test_labels_are_given_taken_away_and_searched_for(shelf: Shelf) -> None:
    service = TransactionService(shelf.gateway)
    rows = service.page(shelf.act, PageRequest(50, None), TransactionFilter()).rows
    row = next(row for row in rows if row.amount == Decimal("250.00"))
    assert service.put_labels(shelf.act, row.id, [" rent ", "check", "rent"])[1] == ["check", "rent"]
    assert found(shelf, label="rent") == ["Café De Zwaan"]
    assert service.labels(shelf.act, rows) == {row.id: ["check", "rent"]}
    service.put_labels(shelf.act, row.id, [])
    assert found(shelf, label="rent") == []


def test_a_changed_text_is_found_by_its_new_words_only(shelf: Shelf) -> None:
    account = shelf.account()
    shelf.take(account, Reading(WHOLE, [form(FIRST, Decimal("8.00"), "oud woord", counterparty_name="Bakker")]))
    index(shelf)
    shelf.take(account, Reading(WHOLE, [form(FIRST, Decimal("8.00"), "nieuw woord", counterparty_name="Bakker")]))
    index(shelf)
    index(shelf)
    assert (found(shelf, text="oud"), found(shelf, text="nieuw")) == ([], ["Bakker"])


def test_words_are_folded() -> None:
    assert fold("Café “L’Étoile” n° 12 — STRASSE/straße") == ["cafe", "l", "etoile", "n", "12", "strasse"]
    assert fold("x" * 300) == ["x" * 40]


def test_indexes_serve_behind_row_level_security(committed: Gateway, postgres: EmbeddedPostgres) -> None:
    """Design §3: as the application role each search is an index condition; a mere filter would read all rows."""
    shelf = Shelf(committed)
    account = shelf.account()
    shelf.take(account, Reading(WHOLE, ROWS))
    index(shelf)
    office_id = shelf.office.id
    with committed.database.unit_of_work(office_id) as session:
        session.connection().execute(text(MANY), {"account": account.id})
        session.connection().execute(text(MANY_TERMS))
    database = str(committed.database.bind.engine.url.database)
    owner = create_engine(postgres.url(OWNER, database), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("ANALYZE bank_transaction, transaction_term, account"))
    owner.dispose()
    searches = {
        "term >=": TransactionSearch(text="factuur"),
        "amount >=": TransactionSearch(amount_min=Decimal(1999), amount_max=Decimal(2000)),
        "counterparty_iban =": TransactionSearch(counterparty_iban=IBAN),
        "structured_reference =": TransactionSearch(reference="090933755493"),
        "end_to_end_id =": TransactionSearch(reference="E2E-118"),
    }
    with committed.database.unit_of_work(office_id) as session:
        for condition, search in searches.items():
            query = select(BankTransaction.id).where(
                BankTransaction.office_id == office_id, *search.conditions(office_id)
            )
            compiled = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
            plan = session.connection().execute(text(f"EXPLAIN {compiled}")).scalars().all()
            assert any(
                "Index Cond" in line and condition in line.replace("(", "").replace(")::text", "") for line in plan
            ), (
                condition,
                plan,
            )
