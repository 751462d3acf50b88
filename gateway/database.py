"""The database: column types, tenancy, units of work.

Every table of an office has `office_id`, row-level security and UNIQUE (office_id, id); references between such tables
are composite, because foreign keys ignore policies. The service connects as `sluis_app`, which owns nothing.
Decision record: docs/decisions/0003-tenancy-two-locks.md.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Protocol
from uuid import UUID

import psycopg
from pydantic_core import from_json
from sqlalchemy import (
    ARRAY,
    URL,
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    Enum,
    ForeignKeyConstraint,
    MetaData,
    UniqueConstraint,
    any_,
    create_engine,
    event,
    literal,
    make_url,
    text,
)
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

from gateway.errors import ConfigError

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

GLOBAL_TABLES: Final = frozenset(
    {
        "office",
        "app_user",
        "membership",
        "operator",
        "credential",
        "application",
        "application_secret",
        "application_office",
        "access_token",
        "assertion_issuer",
        "rate_window",
        "web_session",
        "sign_in_attempt",
        "passkey",
        "passkey_challenge",
        "recovery_code",
        "password_reset",
        "email_change",
        "oidc_attempt",
        "callback_token",
        "bank_call",
        "ponto_delivery",
        "bank_refusal",
    }
)
"""The only tables without row-level security; procrastinate's own tables come on top. Listed here and nowhere else."""

OFFICE_SETTING: Final = "sluis.office_id"
UNIT_OFFICE: Final = "sluis_office_id"
BEFORE_COMMIT: Final = "sluis_before_commit"
HAS_CHANGES: Final = "sluis_has_changes"
IDLE_SINCE: Final = "sluis_idle_since"

IDLE_SECONDS: Final = 1.0
"""A connection that lay unused for longer is tried before it is used: no server restarts in less."""

commit_guard: ContextVar[Callable[[Session], None] | None] = ContextVar("sluis_commit_guard", default=None)
"""Called by every unit of work of a request that changed something, before it commits; it may refuse by raising."""


class Base(SQLModel):
    """Base of our tables; a metadata of its own with fixed constraint names, so that migrations are stable."""

    metadata = MetaData(naming_convention=NAMING)

    def __repr__(self) -> str:
        """Which row, never what it holds: rows hold names, account numbers and secrets (SEC-07)."""
        return f"{type(self).__name__}(id={getattr(self, 'id', None)})"

    __str__ = __repr__


class Money(TypeDecorator[Decimal]):
    """A Decimal in Python, whole thousandths in BIGINT: exact, indexable, and CODA has three decimals too."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError("money must be Decimal")
        scaled = value.scaleb(3)
        if scaled != scaled.to_integral_value():
            raise ValueError("money has more than three decimals")
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-3)


class Moment(TypeDecorator[datetime]):
    """An aware moment; stored and given back in UTC, naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment must carry its offset")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


def one_of(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether the column holds one of these: one parameter however many they are.

    `IN` takes a parameter for each, and a statement has 65,535 at most: an account's first reading can have more rows.
    """
    return column == any_(literal(list(values), ARRAY(column.type)))  # type: ignore[no-any-return]  # the column may be any


def words(kind: type[StrEnum]) -> Enum:
    """Column type of a life cycle: its words as text, so that a new state needs no change of type."""
    return Enum(kind, native_enum=False, length=24, values_callable=lambda states: [state.value for state in states])


def office_key() -> UniqueConstraint:
    """UNIQUE (office_id, id): what composite foreign keys of other tables point at."""
    return UniqueConstraint("office_id", "id")


def office_reference(column: str, table: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A reference that stays inside one office: (office_id, column) to `table` (office_id, id)."""
    return ForeignKeyConstraint(["office_id", column], [f"{table}.office_id", f"{table}.id"], ondelete=ondelete)


class UnitOfWork(Protocol):
    """What services need of the database: a transaction for one office, or for none."""

    def unit_of_work(self, office_id: UUID | None) -> contextlib.AbstractContextManager[Session]:
        """Begin, yield a session, commit; roll back on an exception."""

    def lookup(self) -> contextlib.AbstractContextManager[Session]:
        """A session that reads global rows, each statement for itself."""


class Database:
    """Sessions on one engine, or on one connection whose outer transaction a test rolls back."""

    def __init__(self, bind: Engine | Connection) -> None:
        self.bind = bind
        self._reading = bind.execution_options(isolation_level="AUTOCOMMIT") if isinstance(bind, Engine) else None

    @contextlib.contextmanager
    def unit_of_work(self, office_id: UUID | None) -> Iterator[Session]:
        """One transaction that sees the rows of `office_id` only; of no office when None."""
        with (
            Session(
                self.bind,
                expire_on_commit=False,
                join_transaction_mode="create_savepoint"
                if isinstance(self.bind, Connection)
                else "conditional_savepoint",
                info={UNIT_OFFICE: office_id},
            ) as session,
            session.begin(),
        ):
            yield session
            _finish(session)
            guard = commit_guard.get()
            if guard is not None and session.info.get(HAS_CHANGES):
                guard(session)

    @contextlib.contextmanager
    def lookup(self) -> Iterator[Session]:
        """For finding out who calls: global rows only, each statement for itself, nothing to begin or to commit.

        Every request of a machine starts so; a transaction would cost two more round trips for one row.
        """
        if self._reading is None:
            with self.unit_of_work(None) as session:
                yield session
            return
        with Session(self._reading, expire_on_commit=False) as session:
            yield session


def _finish(session: Session) -> None:
    session.flush()
    # Audit entries take their position from the office's head row, which is therefore locked last.
    for finish in session.info.get(BEFORE_COMMIT, {}).values():
        finish(session)


@contextlib.contextmanager
def joined(session: Session, office_id: UUID) -> Iterator[Session]:
    """A part of a unit of work that sees the rows of `office_id`: on its connection, committed with it or not at all.

    A unit of work of its own would take a second connection while the first waits, and when every request does so the
    pool is empty and none goes on. The outer one is of no office, or what it holds of its own is not touched here.
    """
    session.flush()
    connection = session.connection()
    try:
        with (
            Session(
                connection,
                expire_on_commit=False,
                join_transaction_mode="create_savepoint",
                info={UNIT_OFFICE: office_id},
            ) as part,
            part.begin(),
        ):
            yield part
            _finish(part)
    finally:
        _say_office(connection, session.info.get(UNIT_OFFICE))
    session.info[HAS_CHANGES] = session.info.get(HAS_CHANGES, False) or part.info.get(HAS_CHANGES, False)


def before_commit(session: Session, key: str, finish: Callable[[Session], None]) -> None:
    """Have `finish` called once, after everything else of this unit of work and before its commit."""
    session.info.setdefault(BEFORE_COMMIT, {}).setdefault(key, finish)


@event.listens_for(Session, "after_begin")
def _enter_office(session: Any, _transaction: Any, connection: Connection) -> None:
    """Tell PostgreSQL whose rows this transaction may see; the word ends with the transaction.

    A unit of work without an office says so only inside another transaction, which may have named one.
    """
    office_id = session.info.get(UNIT_OFFICE)
    if office_id is not None or connection.in_nested_transaction():
        _say_office(connection, office_id)


def _say_office(connection: Connection, office_id: UUID | None) -> None:
    # Every transaction says it: as a plain string, which is built and compiled for none of them.
    connection.exec_driver_sql(
        "SELECT set_config(%(name)s, %(value)s, true)",
        {"name": OFFICE_SETTING, "value": "" if office_id is None else str(office_id)},
    )


def enter_office(session: Session, office_id: UUID) -> None:
    """Let a unit of work that began without an office see the rows of the one it has just found.

    For signing in: which office it is stands in a global row, what the person reaches there in rows of the office.
    """
    assert session.info.get(UNIT_OFFICE) is None, "a unit of work belongs to one office"
    session.info[UNIT_OFFICE] = office_id
    _say_office(session.connection(), office_id)


@event.listens_for(Session, "after_flush")
def _note_flush(session: Any, _context: Any) -> None:
    session.info[HAS_CHANGES] = True


@event.listens_for(Session, "do_orm_execute")
def _note_statement(state: Any) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        state.session.info[HAS_CHANGES] = True


@event.listens_for(Session, "do_orm_execute")
def _read_what_is_locked(state: Any) -> None:
    """A row that is locked is also read anew.

    Otherwise the session hands out the object as it was read before the lock, and a decision on it would be one on
    what another transaction has changed since. What this session changed itself is flushed before the statement.
    """
    if state.is_select and state.statement._for_update_arg is not None:
        state.update_execution_options(populate_existing=True)


class UnsafeDatabaseRole(ConfigError):
    """The service must not be able to look past row-level security."""

    code = "unsafe_database_role"
    title = "The database role is too powerful"
    detail = "The role {role} is a superuser, owns tables or bypasses row-level security."
    hint = "Connect the service as sluis_app; only `sluis migrate` uses the owner."


def _try_idle_connections(engine: Engine) -> None:
    """Find out whether the server is still there where a connection lay idle.

    The pool's own way asks before every unit of work, which is a tenth of all round trips of a reading.
    """

    @event.listens_for(engine, "checkin")
    def _rest(_connection: Any, record: Any) -> None:
        record.info[IDLE_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _try(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get(IDLE_SINCE)
        if since is None or time.monotonic() - since < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.OperationalError as error:
            # All of them are of the server that went away.
            raise InvalidatePoolError from error


def connect(url: URL | str, *, pool_size: int = 10, max_overflow: int | None = None) -> Database:
    """An engine as the application role; refuses a role that could look past the policies (OPS-10)."""
    engine = create_engine(
        with_driver(url),
        pool_size=pool_size,
        max_overflow=pool_size if max_overflow is None else max_overflow,
        pool_timeout=15,
        # A failing statement must not carry its values into a log or a trace (SEC-07).
        hide_parameters=True,
        json_deserializer=from_json,
    )
    _try_idle_connections(engine)
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT current_user, rolsuper OR rolbypassrls OR EXISTS ("
                " SELECT FROM pg_class WHERE relowner = r.oid AND relkind IN ('r', 'p'))"
                " OR pg_has_role(current_user, d.datdba, 'USAGE')"
                " FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()"
            )
        ).one()
    if row[1]:
        engine.dispose()
        raise UnsafeDatabaseRole(role=row[0])
    return Database(engine)


def with_driver(url: URL | str) -> URL:
    """The address with our driver, psycopg 3, whatever the operator wrote before `://`."""
    return make_url(url).set(drivername="postgresql+psycopg")


def libpq_url(url: URL | str) -> str:
    """The same address as libpq understands it, with its password."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def raw_connection(session: Session) -> psycopg.Connection[Any]:
    """The driver's connection inside this unit of work, for enqueueing jobs in the same transaction."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection), "the gateway runs on psycopg 3"
    return connection
