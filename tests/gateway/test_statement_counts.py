"""OPS-03, law 5: the number of database statements of a read does not grow with the number of rows.

Every read of the API is walked, so that a new one cannot forget it: lists with one row and with many, which come from
copying the rows of two offices that have everything in them; all other reads against one bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, event, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.schema import Column, Table
from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.custody.columns import ENCRYPTED
from gateway.database import Base
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.identity.service import IdentityService
from gateway.ids import decode, encode, new_id
from gateway.machines.models import Application, ApplicationOffice
from gateway.offices.models import Client, Office
from gateway.passkeys.models import Passkey
from gateway.single_sign_on.models import OidcProvider
from tests.gateway.bank_to_coda.conftest import banks, linked, running_banks
from tests.gateway.builders import PASSWORD, make_client, make_person
from tests.gateway.test_every_route import OPERATIONS, House, house

__all__ = ["banks", "house", "linked", "running_banks"]

TABLES = Base.metadata
NOT_COPIED = {"audit_entry", "event", "membership"}
"""Chained one to the other, of which there are many anyway, and rights, of which the reader has one each."""
COPIES = 3
MOST = 40
"""Statements of one read, sign-in, rights and savepoints of the test included."""
NO_READS = {"end_session"}
ROLES = [role for role in (*OfficeRole, *ClientRole) if role not in {OfficeRole.SUPPORT, ClientRole.AUDITOR}]
"""All but those whose looks are written down."""
PAGED = {"limit", "cursor"}
FEW = {"list_banks", "list_audit_checkpoints", "list_rights", "list_approval_requests"}
FEW |= {
    "list_bank_requests",
    "list_address_changes",
    "list_chain_restarts",
    "list_consent_evidence",
    "list_bank_files",
    "list_statement_uploads",
    "list_source_switches",
    "list_number_changes",
    "list_client_moves",
    "list_export_downloads",
}
"""Lists without rows of an office's own, or with few here; what waits for one approver has its test beside payments."""


@contextmanager
def counted(gateway: Gateway) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK TO")):  # the tests' own
            statements.append(statement)

    event.listen(gateway.database.bind, "before_cursor_execute", note)
    yield statements
    event.remove(gateway.database.bind, "before_cursor_execute", note)


@pytest.fixture
def readers(house: House, linked: Gateway) -> list[tuple[str, str]]:
    """Somebody in the office that reads banks, and somebody in the one that pays; both with many rows."""
    found = []
    for kind in ("account_id", "basket_id"):
        client, office = _owner(linked, house, kind)
        person = make_person(linked, office, *ROLES, client=client)
        code = person.code(linked.real_now())
        signed_in = IdentityService(linked).sign_in(
            email=person.user.email, password=PASSWORD, code=code, source="test", office_id=office.id
        )
        for _ in range(COPIES):
            make_client(linked, office, now=linked.real_now())
        with linked.database.unit_of_work(office.id) as session:
            _add(session, office, person.user.id, linked.real_now())
            _multiply(linked, session, office.id)
        found.append((signed_in.token, encode("client", client.id)))
    return found


def _owner(gateway: Gateway, house: House, kind: str) -> tuple[Client, Office]:
    """The client and the office that an id of the house belongs to."""
    table = {"account_id": "account", "basket_id": "basket"}[kind]
    row_id = decode(table, house.ids[kind])
    with gateway.database.unit_of_work(None) as session:
        offices = list(session.scalars(select(Office)))
    for office in offices:
        with gateway.database.unit_of_work(office.id) as session:
            client_id = session.scalar(select(TABLES.tables[table].c.client_id).filter_by(id=row_id))
            if client_id is not None:
                return session.scalars(select(Client).filter_by(office_id=office.id, id=client_id)).one(), office
    raise AssertionError(kind)


def _multiply(gateway: Gateway, session: Session, office_id: UUID) -> None:
    """Copies of the rows of an office, as far as its constraints let them differ; parents stay the same."""
    for table in TABLES.sorted_tables:
        if table.name in NOT_COPIED or not {"id", "office_id"} <= set(table.c.keys()):
            continue
        rows = session.execute(select(table).filter_by(office_id=office_id)).mappings().all()
        for row in rows[:5]:
            for number in range(1, COPIES + 1):
                try:
                    with session.begin_nested():
                        copy = _copy(gateway, table, dict(row), number)
                        session.execute(insert(table).values(copy))
                        if table.name == "approval_rule":  # a rule is shown by its version in force
                            _copy_versions(session, row["id"], copy["id"])
                except DBAPIError:
                    break  # what may exist once only


def _copy_versions(session: Session, rule_id: UUID, copy_id: UUID) -> None:
    versions = TABLES.tables["approval_rule_version"]
    for version in session.execute(select(versions).filter_by(rule_id=rule_id)).mappings().all():
        session.execute(insert(versions).values({**version, "id": new_id(), "rule_id": copy_id}))


def _copy(gateway: Gateway, table: Table, row: dict[str, Any], number: int) -> dict[str, Any]:
    old_id, row["id"] = row["id"], new_id()
    row |= dict.fromkeys({"is_everyone", "is_default_debtor"} & set(row), False)
    unique: list[Iterable[Column[Any]]] = [index.columns for index in table.indexes if index.unique]
    unique += [one.columns for one in table.constraints if isinstance(one, UniqueConstraint | PrimaryKeyConstraint)]
    for columns in unique:
        free = [c for c in columns if not c.foreign_keys and not isinstance(row[c.name], UUID | bool | None)]
        if free and "id" not in {column.name for column in columns}:
            widest = max(free, key=lambda column: len(str(row[column.name])))
            row[widest.name] = _other(row[widest.name], number)
    for encrypted in ENCRYPTED:
        if encrypted.table == table.name and encrypted.row == "id" and row[encrypted.column] is not None:
            bound = {"office_id": row["office_id"], "table": encrypted.binding}
            plain = gateway.keys.decrypt(row[encrypted.column], row_id=old_id, **bound)
            row[encrypted.column] = gateway.keys.encrypt(plain, row_id=row["id"], **bound)
    return row


def _other(value: Any, number: int) -> Any:
    """A value that no other row has."""
    match value:
        case int():
            return value + 10_000 * number
        case date() | datetime():
            return value - timedelta(days=400 * number)
        case bytes():
            return value[:-1] + bytes([value[-1] ^ number])
        case str():
            return f"{value[:-2]}{number:02d}"
    raise AssertionError(f"{value!r} is of a kind that was in no constraint yet")


def _add(session: Session, office: Office, user_id: UUID, now: datetime) -> None:
    """Rows that the house has none of."""
    for number in range(COPIES):
        session.add(
            Passkey(
                id=new_id(), user_id=user_id, name=f"Key {number}", credential_id=new_id().bytes, public_key=b"key",
                sign_count=0, transports=[], is_backed_up=False, created_at=now,
            )
        )  # fmt: skip
        application = Application(
            id=new_id(), office_id=office.id, name=f"Portal {number}", mode=office.mode, created_at=now
        )
        session.add(application)
        session.flush()
        session.add(
            ApplicationOffice(
                id=new_id(), application_id=application.id, office_id=office.id, scopes=[], created_at=now
            )
        )
        issuer = f"https://login{number}.example.be"
        session.add(
            OidcProvider(
                id=new_id(), office_id=office.id, name="Login", issuer=issuer, client_id="sluis", created_at=now
            )
        )
    session.flush()


def test_no_read_costs_more_statements_for_more_rows(
    house: House, linked: Gateway, readers: list[tuple[str, str]]
) -> None:
    """OPS-03: statement counts per endpoint are bounded."""
    faults, costs = [], Counter[str]()
    for name, route in OPERATIONS.items():
        if route.method != "GET" or name in NO_READS:
            continue
        for token, client_id in readers:
            path, headers = route.at({**house.ids, "client_id": client_id}), {"Authorization": f"Bearer {token}"}

            def cost(query: str) -> tuple[int, int, Any]:
                with counted(linked) as statements:
                    answer = house.client.get(path + query, headers=headers)  # noqa: B023  # called at once
                costs[name] = max(costs[name], len(statements))  # noqa: B023
                body = answer.json() if set(route.queries) >= PAGED else None  # noqa: B023  # as above
                parts = [part for part in (body or {}).values() if isinstance(part, list)]
                rows = body["items"] if body and "items" in body else parts[0] if parts else ()
                return len(statements), answer.status_code, rows

            if not set(route.queries) >= PAGED:
                cost("")
                continue
            cost("?limit=1")
            (one, status, first), (many, _, rows) = cost("?limit=1"), cost("?limit=100")
            if status == 200 and len(rows) > len(first) and many != one:
                faults.append(f"{name}: {one} statements for {len(first)} rows, {many} for {len(rows)}")
            elif status == 200 and len(rows) > len(first):
                costs[f"grown {name}"] += 1
    faults += [f"{name}: {count} statements" for name, count in costs.items() if count > MOST]
    lists = {name for name, route in OPERATIONS.items() if route.method == "GET" and set(route.queries) >= PAGED}
    faults += [f"{name}: never had many rows" for name in lists - FEW if not costs[f"grown {name}"]]
    assert not faults, "\n".join(faults)
