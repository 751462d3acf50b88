"""SEC-06, SEC-07: secrets and personal data go through every flow; none of them comes out where it must not.

The house of `test_every_route` has been linked to a bank, read, closed, and has paid. What it stored of people is
collected from its tables, what it holds of secrets from its ciphertexts; then every operation is called in every way
that is refused, and logs, job arguments, events, error bodies and reprs are searched for all of it.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlmodel import Session, select

from connectors.simulator import SimulatorServer
from gateway import logs
from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.consents.secrets import ConsentSecrets
from gateway.custody.columns import ENCRYPTED
from gateway.database import Base
from gateway.identity.models import User, WebSession
from gateway.identity.rights import ClientRole
from gateway.machines.models import Credential
from gateway.offices.models import Office
from tests.gateway.bank_to_coda.conftest import banks, linked, running_banks
from tests.gateway.bank_to_coda.story import BROWSER, PSU
from tests.gateway.builders import PASSWORD
from tests.gateway.test_every_route import OPERATIONS, House, body_of, house

__all__ = ["banks", "house", "linked", "running_banks"]

PERSONAL = {
    "app_user": ("email", "first_name", "last_name"),
    "client": ("name", "enterprise_number"),
    "account": ("iban", "holder_name"),
    "consent_account": ("iban", "holder_name"),
    "bank_transaction": ("counterparty_name", "counterparty_account", "remittance_unstructured"),
    "payment": ("creditor_name", "sent_creditor_name", "creditor_iban", "debtor_iban"),
}
"""Columns that hold what people are called, where their accounts are and what they pay for."""
LENGTH_MIN = 7
"""Shorter texts stand in ids and moments by chance."""
MARK = "MERKTEKEN-7f3a9c"


@pytest.fixture(autouse=True)
def output() -> Iterator[io.StringIO]:
    """Everything the processes would write to their logs, at the most talkative level, from the first line on."""
    buffer, held = io.StringIO(), sys.stderr
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    sys.stderr = buffer
    try:
        logs.configure("DEBUG")
        structlog.configure(cache_logger_on_first_use=False)
        yield buffer
    finally:
        sys.stderr = held
        root.handlers, root.level = handlers, level
        for name in logs.OWN_PACKAGES:
            logging.getLogger(name).setLevel(logging.NOTSET)
        structlog.reset_defaults()


def personal_data(session: Session, marks: set[str]) -> None:
    for table, columns in PERSONAL.items():
        known = Base.metadata.tables[table].columns
        for column in columns:
            if column in known:
                rows = session.connection().execute(text(f'SELECT DISTINCT "{column}"::text FROM {table}'))
                marks.update(row[0] for row in rows if row[0])


def secrets_of(gateway: Gateway, session: Session, office: Office, marks: set[str]) -> None:
    opened = ConsentSecrets(gateway.keys)
    for consent in session.exec(select(Consent).where(Consent.office_id == office.id)):
        marks.add(opened.link(consent))
        tokens = opened.tokens(consent)
        if tokens is not None:
            marks.update(filter(None, (tokens.access_token, tokens.refresh_token)))
    for user in session.exec(select(User)):
        if user.totp_secret is not None:
            plain = gateway.keys.decrypt(user.totp_secret, office_id=None, table="app_user", row_id=user.id)
            marks.add(plain.decode())
        marks.add(user.password_hash)
    for key in (gateway.keys._document.seal, gateway.keys._document.audit):
        marks.add(key.hex())


def collect(gateway: Gateway, house: House) -> set[str]:
    marks: set[str] = {PASSWORD, BROWSER, PSU.ip_address, house.own_token, house.idle_token, *house.strangers.values()}
    with gateway.database.unit_of_work(None) as session:
        offices = session.exec(select(Office)).all()
    for office in offices:
        with gateway.database.unit_of_work(office.id) as session:
            personal_data(session, marks)
            secrets_of(gateway, session, office, marks)
    # The people of the scene are called after their roles, which are words of the API.
    return {mark for mark in marks if len(mark) >= LENGTH_MIN and mark not in set(ClientRole)}


def found_in(content: str, marks: set[str]) -> set[str]:
    return {mark for mark in marks if mark in content or json.dumps(mark)[1:-1] in content}


def odd_bodies(body: Any) -> list[Any]:
    """The body with the mark where a value belongs, and in place of the body."""
    fields = body if isinstance(body, dict) else {}
    marked = {name: MARK if isinstance(value, str) else value for name, value in fields.items()}
    nested = {name: {"unknown": [MARK]} for name in (fields or {"a": 1})}
    return [marked, {**fields, "unknown": MARK}, [MARK], MARK, nested]


def refusals(house: House) -> Iterator[tuple[str, str]]:
    """Operation and body of everything that was refused."""
    for name, route in OPERATIONS.items():
        if name.startswith(("delete_", "revoke_", "end_")):
            # It would end the credential that makes all the other calls.
            continue
        path = route.at(house.ids)
        body = body_of(name, house.ids)
        calls: list[tuple[str, Any, dict[str, str], str | None]] = [
            (f"{path}?unknown={MARK}&client_id={MARK}", body, {}, house.own_token),
            (path, body, {}, f"sluis_test_{MARK}"),
            (path, body, {"If-Match": f'"{MARK}"', "Idempotency-Key": MARK}, house.own_token),
            (re.sub(r"\{[a-z_]+\}", MARK, route.path), body, {}, house.own_token),
        ]
        if route.method in {"POST", "PUT", "PATCH"}:
            calls += [(path, odd, {"If-Match": '"1"'}, house.own_token) for odd in odd_bodies(body)]
        for address, content, headers, token in calls:
            answer = house.call(route.method, address, token, content, **headers)
            if answer.status_code >= 400:
                yield name, answer.text
        if route.method == "POST":
            broken = house.client.post(
                path, content=f'{{"unknown": {MARK}', headers={"Authorization": f"Bearer {house.own_token}"}
            )
            yield name, broken.text


def test_nothing_secret_and_nobodys_data_comes_out(
    output: io.StringIO, linked: Gateway, house: House, banks: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = collect(linked, house)
    assert len(marks) > 40, "the house holds people, accounts, payments and secrets"
    leaks: set[str] = set()

    # A defect of ours, with everything in its message and its local variables.
    everything = " ".join(sorted(marks))

    def fail(*_args: Any, **_kwargs: Any) -> None:
        local = everything
        raise RuntimeError(local)

    with monkeypatch.context() as broken:
        broken.setattr("gateway.statements.service.StatementService.page", fail)
        answer = house.call("GET", "/v1/statements", house.own_token)
    assert answer.status_code == 500
    leaks.update(f"a defect answers {mark!r}" for mark in found_in(answer.text, marks))

    # What the database refuses names the row in its detail.
    with monkeypatch.context() as broken:
        broken.setattr("gateway.statements.service.StatementService.page", lambda *_a, **_k: _collide(linked))
        answer = house.call("GET", "/v1/statements", house.own_token)
    assert answer.status_code == 500
    leaks.update(f"a refused row answers {mark!r}" for mark in found_in(answer.text, marks))

    for name, body in refusals(house):
        leaks.update(f"{name} answers {mark!r}" for mark in found_in(body, {*marks, MARK}))

    written = output.getvalue()
    assert written.count('"event": "request"') > 100, "the requests were logged"
    assert '"event": "defect"' in written
    leaks.update(f"the log holds {mark!r}" for mark in found_in(written, {*marks, MARK}))
    leaks.update(f"{where} holds {mark!r}" for where, mark in stored_leaks(linked, marks))
    assert not leaks, "\n".join(sorted(leaks))


def _collide(gateway: Gateway) -> None:
    with gateway.database.unit_of_work(None) as session:
        session.connection().execute(
            # Another id, the same address: the detail of the refusal names the address.
            text(
                "INSERT INTO app_user SELECT (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid()))).*"
                " FROM app_user u LIMIT 1"
            )
        )


def stored_leaks(gateway: Gateway, marks: set[str]) -> Iterator[tuple[str, str]]:
    """Job arguments, events and what webhooks sent: tables that others read."""
    with gateway.database.unit_of_work(None) as session:
        offices = session.exec(select(Office.id)).all()
        jobs = session.connection().execute(text("SELECT task_name, args::text FROM procrastinate_jobs")).all()
    assert jobs, "readings were queued"
    for task, arguments in jobs:
        yield from ((f"a job of {task}", mark) for mark in found_in(arguments, marks))
    open_tables = [name for name in ("event", "job") if name in Base.metadata.tables]
    for office_id in offices:
        with gateway.database.unit_of_work(office_id) as session:
            for table in open_tables:
                for (row,) in session.connection().execute(text(f"SELECT to_jsonb(t)::text FROM {table} t")):
                    yield from ((f"a row of {table}", mark) for mark in found_in(row, marks))


def test_no_object_shows_its_content_by_its_repr(linked: Gateway, house: House) -> None:
    """What a debugger, an assertion or an error tracker prints of our objects."""
    marks = collect(linked, house)
    with linked.database.unit_of_work(None) as session:
        objects: list[Any] = [
            *session.exec(select(User)), *session.exec(select(Credential)), *session.exec(select(WebSession)),
        ]  # fmt: skip
        offices = session.exec(select(Office)).all()
    for office in offices:
        with linked.database.unit_of_work(office.id) as session:
            for mapper in Base._sa_registry.mappers:  # type: ignore[attr-defined]  # SQLModel declares it for its subclasses
                objects += list(session.exec(select(mapper.class_).limit(3)))
    objects += [linked.settings, linked.keys, linked.keys._document, linked, linked.act(_principal(linked, house))]
    leaks = {f"{type(one).__name__}: {mark}" for one in objects for mark in found_in(repr(one) + str(one), marks)}
    assert not leaks


def _principal(gateway: Gateway, house: House) -> Any:
    from gateway.machines.service import MachineService  # noqa: PLC0415

    return MachineService(gateway).principal_of_token(house.own_token)


def test_no_ciphertext_is_stored_in_the_open(linked: Gateway, house: House) -> None:
    """SEC-06: the bytes of every encrypted column hold none of it, and say under which key they are."""
    marks = {mark.encode() for mark in collect(linked, house)}
    with linked.database.unit_of_work(None) as session:
        offices = session.exec(select(Office.id)).all()
    seen = 0
    for office_id in offices:
        with linked.database.unit_of_work(office_id) as session:
            for column in ENCRYPTED:
                rows = session.connection().execute(
                    text(f'SELECT "{column.column}" FROM {column.table} WHERE "{column.column}" IS NOT NULL')
                )
                for (cipher,) in rows:
                    seen += 1
                    assert bytes(cipher).startswith(linked.keys.head()), column
                    assert not any(mark in bytes(cipher) for mark in marks), column
    assert seen > 10
