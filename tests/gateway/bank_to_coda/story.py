"""The road from bank to CODA as a few sentences: an office, a client, a consent, readings, days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from pydantic import SecretStr
from sqlmodel import col, select

from connectors.model import PsuContext
from connectors.simulator import SimulatorServer, companies
from connectors.simulator.psu import approve
from gateway.accounts.errors import BankCallBudgetExhausted
from gateway.accounts.models import Account, Sync
from gateway.accounts.service import AccountService
from gateway.accounts.syncs import queue_sync
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.banks.directory import BankDirectory
from gateway.consents import polling
from gateway.consents.links import LinkView
from gateway.consents.service import ConsentService
from gateway.offices.models import Client, Office
from gateway.offices.service import OfficeService
from gateway.settings import BankAccessSettings
from gateway.statements.models import Statement
from gateway.transactions.models import BankTransaction
from gateway.transactions.sync import SyncService
from tests.gateway.builders import make_client, make_office

BROWSER = "browser-secret-of-this-test"
PSU = PsuContext(ip_address="203.0.113.7", user_agent="test browser", language="nl")
HOLDERS = {
    "crelan": "lien.lindenaar",
    "keytrade": "lien.lindenaar",
    "vanbreda": "pieter.dhaenekint",
    "nagelmackers": "amelie.beguin",
    "ponto": "erik.wouters",
}


def connect_to(banks: SimulatorServer, gateway: Gateway) -> Gateway:
    """The same installation with access to the simulated banks, and with its real time at their start."""
    access = {
        bank_id: BankAccessSettings(
            base_url=banks.base_url(bank_id), client_id="PSDBE-NBB-0999999922", client_secret=SecretStr("of-a-test")
        )
        for bank_id in banks.simulator.banks
    }
    settings = gateway.settings.model_copy(update={"banks": access})
    start = banks.clock.now.astimezone(UTC)
    return replace(gateway, settings=settings, banks=BankDirectory(settings, now=lambda: start), real_now=lambda: start)


@dataclass
class Story:
    """One client of one office at one simulated bank."""

    gateway: Gateway
    banks: SimulatorServer
    office: Office
    client: Client
    bank_id: str

    @classmethod
    def begin(cls, gateway: Gateway, banks: SimulatorServer, bank_id: str = "crelan") -> Story:
        office = make_office(gateway)
        client = make_client(gateway, office, name=name_at(bank_id), now=gateway.real_now())
        return cls(gateway, banks, office, client, bank_id)

    @property
    def act(self) -> Act:
        """The service itself, now."""
        return self.gateway.system_act(self.office.id)

    @property
    def now(self) -> datetime:
        return self.act.now

    def invite(self) -> str:
        """A consent; its link token. The client is the company that whoever signs in at this bank acts for."""
        with self.gateway.database.unit_of_work(self.office.id) as session:
            session.get_one(Client, self.client.id).name = self.client.name = name_at(self.bank_id)
        _consent, url = ConsentService(self.gateway).create(
            self.act, client_id=self.client.id, bank_id=self.bank_id, language="nl", return_url=None
        )
        return url.rpartition("/")[2]

    def authorise(self, token: str | None = None, *, browser: str = BROWSER) -> LinkView:
        """The PSU goes to the bank, approves and comes back."""
        service = ConsentService(self.gateway)
        url = service.begin(token or self.invite(), browser_secret=browser, psu=PSU)
        return service.receive(query_of(approve(url, HOLDERS[self.bank_id])), browser_secret=browser, psu=PSU)

    def connect(self, *, is_started: bool = True, move_on: date | None = None, with_rules: bool = False) -> Account:
        """Authorise and choose the first current account; its first reading is queued, not done.

        Unless `is_started` is false, the office has chosen all of the bank's history for statements.
        """
        self.choose(self.authorise(), move_on=move_on, with_rules=with_rules)
        (account,) = [row for row in self.accounts() if row.consent_id is not None]
        return self.start(account) if is_started and move_on is None else account

    def choose(self, view: LinkView, *, move_on: date | None = None, with_rules: bool = False) -> LinkView:
        """The PSU ticks the first current account."""
        service = ConsentService(self.gateway)
        offered = service.offered(view.token, browser_secret=BROWSER)
        chosen = [row.id for row in offered if row.kind == "current"][:1]
        return service.choose(
            view.token, browser_secret=BROWSER, consent_account_ids=chosen, psu=PSU,
            move_on=move_on, with_rules=with_rules,
        )  # fmt: skip

    def start(self, account: Account, *, days: int | None = None) -> Account:
        """The office chooses the first day of statements: so many days ago, or the whole history the bank gives."""
        history = self.gateway.banks.profile(account.bank_id).history
        first = self.act.today - (history if days is None else timedelta(days=days))
        AccountService(self.gateway).change(self.act, account.id, {"statements_from": first})
        return self.account(account.id)

    def accounts(self) -> Sequence[Account]:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            return session.exec(select(Account).order_by(col(Account.id))).all()

    def account(self, account_id: UUID) -> Account:
        return next(row for row in self.accounts() if row.id == account_id)

    def queued(self) -> Sequence[Sync]:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            return session.exec(
                select(Sync).where(col(Sync.state).in_(["queued", "running"])).order_by(col(Sync.id))
            ).all()

    def work(self) -> None:
        """What a worker does: every queued reading."""
        for sync in self.queued():
            SyncService(self.gateway).run(self.office.id, sync.id)

    def read(self, account: Account) -> Sync:
        """One reading, done: on demand or, when no more may be asked for, as the plan would make it."""
        service, now = SyncService(self.gateway), self.now
        try:
            sync = service.request(self.act, account.id)
        except BankCallBudgetExhausted:
            with self.gateway.database.unit_of_work(self.office.id) as session:
                held = session.get_one(Account, account.id)
                sync = queue_sync(session, self.gateway.keys, held, reason="planned", now=now)
        service.run(self.office.id, sync.id)
        return service.get(self.act, sync.id)

    def visit(self, account: Account) -> Sync:
        """The holder is present and has the account read: queued, and no unattended call is spent, however often."""
        now = self.now
        with self.gateway.database.unit_of_work(self.office.id) as session:
            held = session.get_one(Account, account.id)
            return queue_sync(session, self.gateway.keys, held, reason="request", now=now, psu=PSU)

    def sleep(self, *, days: int = 1, hours: int = 0, seconds: int = 0) -> None:
        """Banks and office move on together."""
        before = self.banks.clock.now
        after = self.banks.clock.advance(days=days, hours=hours, seconds=seconds)
        OfficeService(self.gateway).move_clock(self.office.id, seconds=int((after - before).total_seconds()))

    def transactions(self) -> Sequence[BankTransaction]:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            return session.exec(
                select(BankTransaction).order_by(col(BankTransaction.booking_date), col(BankTransaction.id))
            ).all()

    def statements(self, state: str | None = None) -> Sequence[Statement]:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            query = select(Statement).order_by(col(Statement.day), col(Statement.part))
            return session.exec(query if state is None else query.where(Statement.state == state)).all()


def name_at(bank_id: str) -> str:
    """The company of whoever signs in at this bank: what the bank names as the holder of its accounts."""
    signs_in = HOLDERS.get(bank_id, "erik.wouters")
    (company_id,) = [holder.company_id for holder in companies.HOLDERS if holder.holder_id == signs_in]
    return companies.company(company_id).name


def query_of(url: str) -> dict[str, str]:
    """The parameters of a call-back."""
    return dict(parse_qsl(urlsplit(url).query))


def much_later(story: Story) -> ConsentService:
    """The consents of a worker that comes when a call-back can no longer be on its way."""
    moment = story.gateway.real_now() + polling.CALLBACK_MAX
    return ConsentService(replace(story.gateway, real_now=lambda: moment))
