"""What the API adds to a query: `python bench/api.py [rounds]`.

`GET /v1/transactions?limit=50` as the portal calls it (token, rights, tenancy, cursor, shapes, log line), beside a
bare endpoint that runs one plain query for the same 50 rows in one transaction of the office and answers them as JSON:
once in our application (its frames, its log line, nobody asked who calls), once in an application of its own with
nothing of ours around it. All are served by one uvicorn process over real connections; 20,000 transactions, the fourth
page, log lines written as in service. The bar is half the speed of the bare endpoint. Prints; proves nothing by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Started as a script, this folder comes first on the path, and bench/connectors.py would hide the package.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import http.client
import json
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from starlette.types import Receive, Scope, Send

from gateway import logs, migrations
from gateway.accounts.models import Account
from gateway.app import create_app
from gateway.assembly import build
from gateway.crypto import KeyRing
from gateway.database import connect
from gateway.embedded import APPLICATION, OWNER, EmbeddedPostgres
from gateway.ids import encode, new_id
from gateway.machines.service import MachineService
from gateway.offices.service import ClientService, ClientWish, OfficeService
from gateway.settings import Settings

ROWS = 20_000
WARM_UP = 30
QUERY = """
SELECT * FROM bank_transaction
WHERE office_id = :office AND account_id = :account AND state = 'booked'
ORDER BY booking_date DESC, id DESC LIMIT 50 OFFSET 150
"""
FILL = """
INSERT INTO bank_transaction (id, office_id, account_id, state, booking_date, fingerprint, fingerprint_version,
    occurrence, raw_cipher, created_at, changed_at, added_in, changed_in, value_date, is_value_date_assumed, amount,
    currency, counterparty_name, counterparty_iban, remittance_information, coda_code, coda_code_basis, missing_fields,
    warnings)
SELECT gen_random_uuid(), :office, :account, 'booked', date '2026-11-27' - n / 200, 'f' || n, 1, 1, '', now(), now(),
    :changes, :changes, date '2026-11-27' - n / 200, false, (n * 37 % 99999) * 10, 'EUR', 'Drukkerij Voorbeeld BV',
    'BE12310291417792', 'Factuur 2026-' || n, '00150000', 'iban', '[]', '[]'
FROM generate_series(1, :count) n
"""


def served(folder: Path, url: str, port: int, office: str, account: str) -> None:
    """The process under load: our application, and the bare endpoint beside it."""
    settings = settings_of(folder, url)
    logs.configure(settings.log_level)
    installation = build(settings, connect(url), KeyRing.load(settings.keys_path))
    ours = create_app(installation)
    bare = FastAPI(openapi_url=None)

    @ours.get("/bare-inside", include_in_schema=False)
    @bare.get("/bare")
    def transactions() -> list[dict[str, object]]:
        with installation.database.unit_of_work(UUID(office)) as session:
            rows = session.connection().execute(text(QUERY), {"office": office, "account": account}).mappings()
            return [
                {name: value for name, value in row.items() if name not in ("raw_cipher", "office_id")} for row in rows
            ]

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        await (bare if scope.get("path") == "/bare" else ours)(scope, receive, send)

    uvicorn.run(either, host="127.0.0.1", port=port, http="httptools", access_log=False, log_level="warning")


def settings_of(folder: Path, url: str) -> Settings:
    """Settings of the bench alone; requests are counted as ever, but it may call faster than people."""
    return Settings(
        _env_file=None, data_folder=folder, database_url=SecretStr(url), mode="live",
        rate_limit_per_minute=1_000_000, rate_limit_office_per_minute=1_000_000,
        rate_limit_unknown_per_minute=1_000_000,
    )  # fmt: skip


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as name, EmbeddedPostgres(Path(name) / "postgres", is_durable=False) as server:
        folder, url = Path(name), server.url(APPLICATION).render_as_string(hide_password=False)
        migrations.upgrade(server.url(OWNER))
        settings = settings_of(folder, url)
        gateway = build(settings, connect(url), KeyRing.generate(settings.keys_path))
        office = OfficeService(gateway).create(name="Bench", language="nl", mode="live", consent_days_max=90)
        act = gateway.system_act(office.id)
        client, _ = ClientService(gateway).put(act, ClientWish(name="Bench", language="nl", external_id="bench"))
        now, account_id, change_set_id = datetime.now(UTC), new_id(), new_id()
        account = Account(
            id=account_id, office_id=office.id, client_id=client.id, bank_id="crelan", kind="current",
            iban="BE12310291417792", currency="EUR", bic="NICABEBB", health="new", health_since=now, created_at=now,
        )  # fmt: skip
        with gateway.database.unit_of_work(office.id) as session:
            session.add(account)
            session.flush()
            connection = session.connection()
            ids = {"office": office.id, "account": account_id, "changes": change_set_id, "count": ROWS}
            connection.execute(
                text(
                    "INSERT INTO change_set (id, office_id, account_id, position, created_at)"
                    " VALUES (:changes, :office, :account, 1, now())"
                ),
                ids,
            )
            connection.execute(text(FILL), ids)
        with create_engine(server.url(OWNER), isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
        _, token = MachineService(gateway).create_credential(act, name="bench", scopes=["transactions"])
        measure(folder, url, str(office.id), account_id, token, rounds)


def measure(folder: Path, url: str, office: str, account_id: UUID, token: str, rounds: int) -> None:
    """Call both in turn, so that whatever else the machine does hits both alike."""
    port = 18_499
    command = [sys.executable, __file__, "--serve", str(folder), url, str(port), office, str(account_id)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        wait_for(connection)
        headers = {"Authorization": f"Bearer {token}"}
        path = f"/v1/transactions?limit=50&account_id={encode('account', account_id)}"
        for _ in range(3):
            page = json.loads(call(connection, path, headers))
            path = f"{path.partition('&cursor=')[0]}&cursor={page['next_cursor']}"
        assert len(json.loads(call(connection, path, headers))["items"]) == 50
        times_of: dict[str, list[float]] = {"GET /v1/transactions": [], "bare, in ours": [], "bare, on its own": []}
        targets = dict(zip(times_of, (path, "/bare-inside", "/bare"), strict=True))
        for number in range(rounds + WARM_UP):
            for title, target in targets.items():
                begin = time.perf_counter()
                call(connection, target, headers)
                if number >= WARM_UP:
                    times_of[title].append(time.perf_counter() - begin)
        medians = {title: statistics.median(times) for title, times in times_of.items()}
        for title, median in medians.items():
            speed = median / medians["GET /v1/transactions"]
            print(f"{title:24} median {median * 1e3:6.2f} ms; ours has {speed:4.0%} of its speed")
    finally:
        process.terminate()
        process.wait(20)


def wait_for(connection: http.client.HTTPConnection) -> None:
    """Until the process answers."""
    ends = time.monotonic() + 60
    while True:
        try:
            call(connection, "/healthz", {})
        except OSError:
            connection.close()
            assert time.monotonic() < ends, "the process does not answer"
            time.sleep(0.2)
        else:
            return


def call(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> bytes:
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    return content


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        served(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5], sys.argv[6])
    else:
        main()
