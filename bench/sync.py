"""What reading accounts costs: `python bench/sync.py [--answer SECONDS] [--quiet] [accounts …]`, default 100 and 1000.

The whole road over real HTTP against four simulated banks: plan, read, merge, prove, close, with real workers and their
queue, 4 places each. Planning is asked for every five seconds, so that not its rhythm is measured. For each number of
accounts: a quiet day, and a day with 50 new rows on each account (up to 1,000 accounts), in accounts per minute and
milliseconds per account, by one worker and by two. A bank answers after half a second, as banks do, or after SECONDS:
with 0, banks, database and workers share the same cores and nothing but those is measured. First 100,000 rows are
merged, beside a bare insert of the same rows. Of more accounts than 1,000 the first 1,000 are linked and read for the
first time, the others made as these are then, and 500 readings of a quiet day are measured with all the others due. The
bars: cost per account flat from 100 to 10,000, two workers 1.8 times one, merging at most twice the bare insert.
Prints; proves nothing by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Started as a script, this folder comes first on the path, and bench/connectors.py would hide the package.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import func, insert, text
from sqlmodel import col, select

from connectors.model import PsuContext, Transaction, TransactionStatus
from connectors.simulator import DEFAULT_BANKS, SimulatorConfig, SimulatorServer, companies
from connectors.simulator.companies import SimulatedAccount
from connectors.simulator.psu import approve
from connectors.simulator.references import belgian_iban
from gateway import logs, migrations, worker
from gateway.accounts.models import Account, Balance, Sync
from gateway.accounts.service import AccountService
from gateway.assembly import Gateway, build
from gateway.consents.models import ConsentAccount
from gateway.consents.service import ConsentService
from gateway.crypto import KeyRing
from gateway.database import Base, connect, libpq_url
from gateway.embedded import APPLICATION, OWNER, EmbeddedPostgres
from gateway.ids import new_id
from gateway.offices.service import ClientService, ClientWish, OfficeService
from gateway.settings import BankAccessSettings, Settings
from gateway.statements.models import StatementFile
from gateway.transactions.absorb import Window
from gateway.transactions.dispatch import Dispatcher
from gateway.transactions.merging import Merger, Reading
from gateway.transactions.models import BankTransaction

BANKS = {"crelan": "103", "nagelmackers": "140", "keytrade": "651", "vanbreda": "645"}
"""Whose accounts are read, with the first digits of their account numbers."""
HOLDER = "lien.lindenaar"
BICS = {bank.bank_id: bank.bic for bank in DEFAULT_BANKS}
NEW_ROWS = 50
NEW_ROWS_ACCOUNTS_MAX = 1_000
WEEK = 8
"""Days; longer than the overlap of two readings, and than the time between two of everything."""
LINKED_MAX = 1_000
"""Are linked and read for the first time; more accounts become as one of these."""
PLANNED_EVERY = 5.0
"""Seconds; a day's readings of 10,000 accounts take a second to look at."""
READINGS_MAX = 500
"""Of a quiet day of more accounts are measured; what is left stays due."""
ANSWER_SECONDS = 0.5
ABSORBED = 100_000
BROWSER = "bench"
PSU = PsuContext(ip_address="203.0.113.7", user_agent="bench", language="nl")
BRUSSELS = ZoneInfo("Europe/Brussels")


def say(line: str) -> None:
    print(line, flush=True)


def accounts(count: int) -> tuple[SimulatedAccount, ...]:
    """Accounts on which nothing happens by itself, of the banks by turns."""
    made = []
    for number in range(count):
        bank_id, bank_code = list(BANKS.items())[number % len(BANKS)]
        iban = belgian_iban(bank_code, f"{5_000_000 + number}")
        made.append(
            SimulatedAccount(
                account_id=iban, iban=iban, bank_id=bank_id, bic=BICS[bank_id], company_id=companies.BAKERY,
                name="Zichtrekening", product="Business", cash_account_type="CACC",
                opening_balance=Decimal("100.00"), activities=frozenset(),
            )
        )  # fmt: skip
    return tuple(made)


def work(settings: Settings) -> None:
    """One worker process, until it is told to stop."""
    logs.configure("ERROR")
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    worker.run(build(settings, connect(url), KeyRing.load(settings.keys_path)), libpq_url(url))


@dataclass
class Place:
    """One installation with its banks."""

    gateway: Gateway
    banks: SimulatorServer
    office_id: UUID

    @classmethod
    def of(cls, gateway: Gateway, banks: SimulatorServer) -> Place:
        office = OfficeService(gateway).create(name="Bench", language="nl", mode="test", consent_days_max=90)
        return cls(gateway, banks, office.id)

    def link(self, bank_id: str, ibans: Sequence[str], ticked: Sequence[str]) -> None:
        """A client, its consent for all these accounts, and those it ticks; first readings are queued."""
        act = self.gateway.system_act(self.office_id)
        client, _ = ClientService(self.gateway).put(
            act, ClientWish(name="Bakkerij Korenhof Lindenaar", language="nl", external_id=ibans[0])
        )
        service = ConsentService(self.gateway)
        _, url = service.create(act, client_id=client.id, bank_id=bank_id, language="nl", return_url=None)
        token = url.rpartition("/")[2]
        answer = approve(service.begin(token, browser_secret=BROWSER, psu=PSU), HOLDER, accounts=ibans)
        service.receive(dict(parse_qsl(urlsplit(answer).query)), browser_secret=BROWSER, psu=PSU)
        offered = service.offered(token, browser_secret=BROWSER)
        chosen = [row.id for row in offered if row.iban in set(ticked)]
        service.choose(token, browser_secret=BROWSER, consent_account_ids=chosen, psu=PSU)

    def multiply(self) -> None:
        """Every account that a bank listed and nobody ticked becomes as the first one of its bank that was read.

        With its first reading and the balances of it, so that nothing which the next one looks at is missing.
        """
        with self.gateway.database.unit_of_work(self.office_id) as session:
            listed = session.exec(select(ConsentAccount).order_by(col(ConsentAccount.id))).all()
            first = {row.consent_id: row.account_id for row in reversed(listed) if row.account_id is not None}
            made: dict[type[Base], list[dict[str, Any]]] = {Account: [], Sync: [], Balance: []}
            for consent_id, account_id in first.items():
                account = session.get_one(Account, account_id)
                reading = session.exec(select(Sync).where(Sync.account_id == account_id)).one()
                balances = session.exec(select(Balance).where(Balance.account_id == account_id)).all()
                for row in listed:
                    if row.consent_id != consent_id or row.account_id is not None:
                        continue
                    mine, its_reading = new_id(), new_id()
                    here = {"id": mine, "iban": row.iban, "bank_account_id": row.bank_account_id}
                    made[Account].append({**account.model_dump(), **here})
                    made[Sync].append({**reading.model_dump(), "id": its_reading, "account_id": mine})
                    made[Balance] += [
                        {**one.model_dump(), "id": new_id(), "account_id": mine, "sync_id": its_reading}
                        for one in balances
                    ]
            for model, rows in made.items():
                session.execute(insert(model), rows)

    def start(self) -> None:
        """The office wants statements from yesterday on."""
        act = self.gateway.system_act(self.office_id)
        with self.gateway.database.unit_of_work(self.office_id) as session:
            ids = session.exec(select(Account.id).where(Account.office_id == self.office_id)).all()
        for account_id in ids:
            AccountService(self.gateway).change(act, account_id, {"statements_from": act.today - timedelta(days=2)})

    def next_day(self, *, days: int = 1) -> None:
        """Banks and office move on to noon of the next day, or of a later one."""
        before = self.banks.clock.now
        noon = (before + timedelta(days=days)).replace(hour=12, minute=0)
        self.banks.clock.set(noon)
        OfficeService(self.gateway).move_clock(self.office_id, seconds=int((noon - before).total_seconds()))

    def run(self, workers: int, count: int, reason: str) -> float:
        """Readings a minute, of at least `count`: from the first that began to the last that ended."""
        since = self.gateway.system_act(self.office_id).now
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=work, args=(self.gateway.settings,)) for _ in range(workers)]
        for process in processes:
            process.start()
        patience = time.monotonic() + 120 + count
        plan_at = 0.0
        while (ended := self.done(since, reason)[0]) < count:
            assert time.monotonic() < patience, f"{ended} of {count} readings ended"
            if time.monotonic() >= plan_at:
                Dispatcher(self.gateway).run_office(self.office_id)
                plan_at = time.monotonic() + PLANNED_EVERY
            time.sleep(1)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
        ended, first, last = self.done(since, reason)
        return ended / (last - first).total_seconds() * 60

    def done(self, since: datetime, reason: str) -> tuple[int, datetime, datetime]:
        """Readings for this reason that ended well since then, and their first beginning and last end."""
        with self.gateway.database.unit_of_work(self.office_id) as session:
            found, failed, first, last = session.execute(
                select(
                    func.count().filter(col(Sync.state) == "done"),
                    func.count().filter(col(Sync.state) == "failed"),
                    func.min(Sync.started_at).filter(col(Sync.started_at) > since),
                    func.max(Sync.finished_at),
                ).where(col(Sync.finished_at) > since, Sync.reason == reason)
            ).one()
        assert not failed, f"{failed} readings failed"
        return found, first, last

    def files(self) -> int:
        with self.gateway.database.unit_of_work(self.office_id) as session:
            return session.exec(select(func.count()).select_from(StatementFile)).one()


def measure(folder: Path, server: EmbeddedPostgres, count: int, *, answer: float, is_quiet: bool) -> None:
    """One number of accounts: linked, read for the first time, then one quiet day and a full one."""
    name = f"bench_{count}"
    server.create_database(name, template="sluis")
    url = server.url(APPLICATION, name).render_as_string(hide_password=False)
    now = datetime.now(BRUSSELS)
    known = accounts(count)
    banks = tuple(bank for bank in DEFAULT_BANKS if bank.bank_id in BANKS)
    config = SimulatorConfig(today=now.date(), start_time=now.time(), banks=banks, accounts=known)
    with SimulatorServer(config) as running:
        access = {
            bank_id: BankAccessSettings(
                base_url=running.base_url(bank_id), client_id="PSDBE-NBB-0999999922", client_secret=SecretStr("bench")
            )
            for bank_id in BANKS
        }
        settings = Settings(_env_file=None, data_folder=folder, database_url=SecretStr(url), mode="test", banks=access)
        gateway = build(settings, connect(url), KeyRing.load(settings.keys_path))
        place = Place.of(gateway, running)
        linked = known[:LINKED_MAX]
        for bank_id in BANKS:
            # A bank gives one permission at a time to a holder and a reader.
            place.link(
                bank_id,
                [account.account_id for account in known if account.bank_id == bank_id],
                [account.account_id for account in linked if account.bank_id == bank_id],
            )
        first = place.run(2, len(linked), "first")
        say(f"{count:>6} accounts, first reading, two workers: {first:,.0f} a minute")
        place.start()
        if len(linked) < count:
            place.multiply()
        slow = running.faults.order("slow", times=None, seconds=answer)
        for is_full in (False, True):
            if is_full and (is_quiet or count > NEW_ROWS_ACCOUNTS_MAX):
                continue
            rates = {}
            for workers in (1, 2):
                if is_full:
                    # The rows of the last full day leave the days that are read, so that each full day reads as many.
                    running.faults.clear(slow.fault_id)
                    place.next_day(days=WEEK)
                    place.run(2, count, "planned")
                    slow = running.faults.order("slow", times=None, seconds=answer)
                    book(running, known)
                place.next_day()
                rates[workers] = place.run(workers, count if count <= LINKED_MAX else READINGS_MAX, "planned")
            label = f"{NEW_ROWS} new rows" if is_full else "quiet"
            say(
                f"{count:>6} accounts, {label:>11}: one worker {rates[1]:,.0f} a minute"
                f" ({60_000 / rates[1]:.0f} ms each),"
                f" two {rates[2]:,.0f}: {rates[2] / rates[1]:.2f} x; {place.files()} files"
            )
        gateway.banks.close()
        gateway.database.bind.engine.dispose()  # type: ignore[attr-defined]  # a bench has an engine


def book(running: SimulatorServer, known: Sequence[SimulatedAccount]) -> None:
    """So many rows of today on each account."""
    for account in known:
        for number in range(NEW_ROWS):
            running.world.book(account, Decimal(number * 37 % 9_999 + 1).scaleb(-2), texts=(f"Factuur {number}",))


def absorb(folder: Path, server: EmbeddedPostgres) -> None:
    """Rows merged into an empty account, beside a bare insert of what came of it."""
    server.create_database("bench_absorb", template="sluis")
    url = server.url(APPLICATION, "bench_absorb").render_as_string(hide_password=False)
    settings = Settings(_env_file=None, data_folder=folder, database_url=SecretStr(url), mode="live")
    gateway = build(settings, connect(url), KeyRing.load(settings.keys_path))
    office = OfficeService(gateway).create(name="Bench", language="nl", mode="live", consent_days_max=90)
    act = gateway.system_act(office.id)
    client, _ = ClientService(gateway).put(act, ClientWish(name="Bench", language="nl", external_id="bench"))
    today = act.today
    made = [
        Account(
            id=new_id(), office_id=office.id, client_id=client.id, bank_id=next(iter(BANKS)), kind="current",
            iban=belgian_iban("103", f"{6_000_000 + number}"), currency="EUR", bic="NICABEBB", health="new",
            health_since=act.now, created_at=act.now,
        )
        for number in range(2)
    ]  # fmt: skip
    with gateway.database.unit_of_work(office.id) as session:
        session.add_all(made)
    rows = [form(number, today - timedelta(days=number % 90)) for number in range(ABSORBED)]
    reading = Reading(Window(today - timedelta(days=90), today), rows)
    began = time.perf_counter()
    with gateway.database.unit_of_work(office.id) as session:
        Merger(gateway, session, act).absorb(made[0], reading, seen_at=act.now)
    merged = time.perf_counter() - began
    table = BankTransaction.__table__  # type: ignore[attr-defined]  # SQLModel sets it on tables
    with gateway.database.unit_of_work(office.id) as session:
        stored = [
            {**row, "id": new_id(), "account_id": made[1].id}
            for row in session.execute(table.select().where(table.c.account_id == made[0].id)).mappings()
        ]
        began = time.perf_counter()
        session.execute(insert(table), stored)
        session.execute(text("SELECT 1"))
        bare = time.perf_counter() - began
    say(
        f"merging {ABSORBED:,} rows: {ABSORBED / merged:,.0f} a second; a bare insert of the same"
        f" {ABSORBED / bare:,.0f}: {merged / bare:.2f} times its time"
    )


def form(number: int, day: date) -> Transaction:
    """A row as the normaliser gives it."""
    return Transaction(
        status=TransactionStatus.BOOKED, amount=Decimal(number * 37 % 999_999 + 1).scaleb(-2), currency="EUR",
        booking_date=day, value_date=day, is_value_date_assumed=False, fingerprint=f"{day}|{number}",
        fingerprint_version=1, remittance_information=f"Factuur 2026-{number}", coda_code="00150000",
        counterparty_name="Drukkerij Voorbeeld BV", raw={"transactionId": str(number), "text": f"Factuur {number}"},
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("accounts", nargs="*", type=int)
    parser.add_argument("--quiet", action="store_true", help="leave out the day with new rows")
    parser.add_argument("--answer", type=float, default=ANSWER_SECONDS, help="seconds before a bank answers")
    wanted = parser.parse_args()
    logs.configure("ERROR")
    with tempfile.TemporaryDirectory() as name, EmbeddedPostgres(Path(name) / "postgres", is_durable=False) as server:
        folder = Path(name)
        migrations.upgrade(server.url(OWNER))
        KeyRing.generate(Settings(_env_file=None, data_folder=folder).keys_path)
        say(f"{datetime.now(UTC):%Y-%m-%d}: banks answer after {wanted.answer * 1000:.0f} ms, 4 places a worker")
        absorb(folder, server)
        for count in wanted.accounts or [100, 1_000]:
            measure(folder, server, count, answer=wanted.answer, is_quiet=wanted.quiet)


if __name__ == "__main__":
    main()
