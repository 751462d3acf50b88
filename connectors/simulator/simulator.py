"""Everything the simulated banks share: settings, clock, world, consents and faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from connectors.simulator import companies
from connectors.simulator.banks import DEFAULT_BANKS, BankSettings
from connectors.simulator.clock import OPENING_TIME, BankClock
from connectors.simulator.companies import SimulatedAccount
from connectors.simulator.consents import ConsentBook
from connectors.simulator.faults import FaultBoard
from connectors.simulator.payments import PaymentBook
from connectors.simulator.ponto_book import PontoBook
from connectors.simulator.tls import TlsFiles
from connectors.simulator.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """How to start. `today` is the first day of the bank clock; history lies in the 90 days before it."""

    today: date
    seed: int = 1
    start_time: time = OPENING_TIME
    banks: tuple[BankSettings, ...] = DEFAULT_BANKS
    accounts: tuple[SimulatedAccount, ...] = ()
    """More accounts than the listed ones, at banks that are simulated; a load test has thousands."""
    volume: int = 1
    """Multiplies the customers' receipts; 20 gives a main account some 2,000 rows in 90 days."""
    signature_keys: Mapping[str, RSAPublicKey] | None = None
    """Public keys by key id; None leaves signatures unchecked."""
    signature_time: Callable[[], datetime] | None = None
    """What the times in signatures are checked by; None is the bank clock, which callers of a demo do not follow."""
    tls: TlsFiles | None = None
    """Serves https and asks callers of the interface for a client certificate; None is plain http for anybody."""


class Simulator:
    """The state behind the HTTP routes."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.banks = {bank.bank_id: bank for bank in config.banks}
        self.clock = BankClock(config.today, config.start_time)
        self.world = World(config.seed, self.clock, config.volume, _accounts(config.banks) + config.accounts)
        self.consents = ConsentBook(self.clock)
        self.ponto = PontoBook(self.clock)
        self.payments = PaymentBook(self.clock, self.world)
        self.faults = FaultBoard(self.world)

    def reset(self) -> None:
        """Back to the start: clock, extra bookings, consents, tokens, quota and faults."""
        self.faults.clear()
        self.consents.reset()
        self.ponto.reset()
        self.payments.reset()
        self.world.reset()
        self.clock.reset()


def _accounts(banks: tuple[BankSettings, ...]) -> tuple[SimulatedAccount, ...]:
    """The listed accounts, some at every bank that has none, and where wanted the same in a second currency."""
    listed = {account.bank_id for account in companies.ACCOUNTS}
    accounts = companies.ACCOUNTS + tuple(
        account
        for bank in banks
        if bank.bank_id not in listed and bank.iban_code
        for account in companies.accounts_at(bank.bank_id, bank.bic, bank.iban_code, bank.iban_serial, bank.card)
    )
    second = {bank.bank_id: bank.second_currency for bank in banks if bank.second_currency}
    return accounts + tuple(
        companies.in_currency(account, second[account.bank_id])
        for account in accounts
        if account.bank_id in second and account.cash_account_type == "CACC"
    )
