"""Law 5 on every table: policies are there, references stay inside an office, each lock alone holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, ForeignKeyConstraint, UniqueConstraint, create_engine, text

from gateway.assembly import Gateway
from gateway.database import GLOBAL_TABLES, Base
from gateway.embedded import APPLICATION, OWNER, EmbeddedPostgres
from gateway.models import import_all
from tests.gateway.builders import make_client, make_office

import_all()
TABLES = {table.name: table for table in Base.metadata.sorted_tables}
OFFICE_TABLES = sorted(set(TABLES) - GLOBAL_TABLES)
INSERT_ONLY = {
    "approval",
    "approval_rule_version",
    "audit_entry",
    "event",
    "audit_bundle_file",
    "audit_checkpoint",
    "export_download",
    "export_file",
    "foreign_file",
    "foreign_statement",
    "statement_file",
    "statement_upload_file",
}


@pytest.fixture
def owner(postgres: EmbeddedPostgres, service_database: str) -> Iterator[Connection]:
    engine = create_engine(postgres.url(OWNER, service_database))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_the_list_of_global_tables_is_exact() -> None:
    assert set(TABLES) >= GLOBAL_TABLES, "a global table is listed that does not exist"
    assert all("office_id" in TABLES[name].c for name in OFFICE_TABLES)


@pytest.mark.parametrize("name", OFFICE_TABLES)
def test_a_table_of_offices_has_the_policy_and_only_that(owner: Connection, name: str) -> None:
    row = owner.execute(
        text("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = :name AND relkind = 'r'"),
        {"name": name},
    ).one()
    assert tuple(row) == (True, False)
    policies = owner.execute(
        text("SELECT policyname, permissive, cmd, qual, with_check FROM pg_policies WHERE tablename = :name"),
        {"name": name},
    ).all()
    assert len(policies) == 1
    assert policies[0][:3] == ("office_only", "PERMISSIVE", "ALL")
    assert policies[0][3] == policies[0][4]
    assert "sluis.office_id" in policies[0][3]


@pytest.mark.parametrize("name", OFFICE_TABLES)
def test_references_between_tables_of_offices_carry_the_office(name: str) -> None:
    table = TABLES[name]
    for constraint in table.constraints:
        if not isinstance(constraint, ForeignKeyConstraint):
            continue
        target = constraint.elements[0].target_fullname.split(".")[0]
        if target in GLOBAL_TABLES:
            continue
        assert "office_id" in constraint.column_keys, f"{name} refers to {target} without its office"
    if "id" in table.c:
        uniques = [
            {column.name for column in constraint.columns}
            for constraint in table.constraints
            if isinstance(constraint, UniqueConstraint)
        ]
        assert {"office_id", "id"} in uniques, f"{name} lacks UNIQUE (office_id, id)"


@pytest.mark.parametrize("name", sorted(INSERT_ONLY & set(TABLES)))
def test_what_is_written_once_cannot_be_changed_by_the_service(owner: Connection, name: str) -> None:
    for right, expected in (("SELECT", True), ("INSERT", True), ("UPDATE", False), ("DELETE", False)):
        held = owner.execute(
            text("SELECT has_table_privilege(:role, :table, :right)"),
            {"role": APPLICATION, "table": name, "right": right},
        ).scalar_one()
        assert held is expected, f"{right} on {name}"


def test_the_service_owns_nothing(owner: Connection) -> None:
    owned = owner.execute(
        text("SELECT relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE rolname = :role"),
        {"role": APPLICATION},
    ).all()
    assert owned == []


@pytest.mark.parametrize("name", OFFICE_TABLES)
def test_the_policy_alone_hides_the_rows_of_others(gateway: Gateway, name: str) -> None:
    """A query that forgot its office: `SELECT count(*)` sees the rows of the unit of work's office and no other."""
    office, other = make_office(gateway), make_office(gateway)
    make_client(gateway, office)
    counts = {}
    for who in (office.id, other.id, None):
        with gateway.database.unit_of_work(who) as session:
            counts[who] = session.connection().execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
    assert counts[None] == 0
    assert counts[other.id] <= 1, "at most the head row that every office has"
    if name in {"client", "access_grant"}:
        assert counts[office.id] == 1


def test_a_row_of_another_office_cannot_be_written(gateway: Gateway) -> None:
    office, other = make_office(gateway), make_office(gateway)
    client = make_client(gateway, office)
    with gateway.database.unit_of_work(other.id) as session:
        connection = session.connection()
        changed = connection.execute(text("UPDATE client SET name = 'stolen' WHERE id = :id"), {"id": client.id})
        assert changed.rowcount == 0
        with pytest.raises(Exception, match="row-level security"):
            connection.execute(
                text(
                    "INSERT INTO access_grant (id, office_id, client_id, from_date, created_at)"
                    " VALUES (gen_random_uuid(), :office, :client, current_date, now())"
                ),
                {"office": office.id, "client": client.id},
            )
        session.rollback()


def test_a_reused_connection_forgets_the_office_before(committed: Gateway) -> None:
    office = make_office(committed)
    make_client(committed, office)
    for who, expected in ((office.id, 1), (None, 0), (office.id, 1), (None, 0)):
        with committed.database.unit_of_work(who) as session:
            assert session.connection().execute(text("SELECT count(*) FROM client")).scalar_one() == expected
