"""A connector at one simulated bank over real HTTP: lines with the consent of a PSU, for the tests of all banks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest

from connectors import registry
from connectors.base import BankEndpoint, Connector
from connectors.families.berlin_group import BerlinGroupConnector
from connectors.http import BankHttp, CallRecord, Limits
from connectors.model import (
    Access,
    Account,
    AccountKind,
    ConsentHandle,
    ConsentRequest,
    ConsentStatus,
    Finished,
    GrantedConsent,
    Poll,
    PsuContext,
    Redirect,
    TokenSet,
    Transaction,
)
from connectors.signing import RequestSigner, SigningKey
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, psu
from tests.connectors.support import throw_away_key

TODAY = date(2026, 11, 21)
PERSON = PsuContext("192.0.2.7", "Mozilla/5.0", "nl")
BANKS = [bank.bank_id for bank in every_bank()]
KEY = throw_away_key()
"""Signs for every bank that wants it; the simulated banks know its public half and check."""
WITHOUT_CODES = frozenset({"stet"})
"""Families whose errors name no code: a signature that does not hold looks like a token that does not."""
COUNTING = [bank.bank_id for bank in every_bank() if bank.unattended_calls_max is not None]
"""Where a read without the PSU reaches the bank and counts."""


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    """Every bank, with its signatures checked."""
    config = SimulatorConfig(today=TODAY, banks=every_bank(), signature_keys={KEY.key_id: KEY.key.public_key()})
    with SimulatorServer(config) as running:
        yield running


@pytest.fixture
def simulated(server: SimulatorServer) -> SimulatorServer:
    """The same, everything at its start."""
    server.simulator.reset()
    return server


@dataclass
class Line:
    """A connector at one simulated bank, the tokens it holds, and the calls it made."""

    connector: Connector
    http: BankHttp
    records: list[CallRecord] = field(default_factory=list)
    handle: ConsentHandle | None = None
    tokens: TokenSet | None = None
    renewals: int = 0

    def current(self) -> TokenSet:
        assert self.tokens is not None
        return self.tokens

    def renew(self, rejected: TokenSet) -> TokenSet:
        self.renewals += 1
        self.tokens = self.connector.refresh_tokens(rejected, self.handle)
        return self.tokens

    def access(self, person: PsuContext | None = PERSON) -> Access:
        assert self.handle is not None
        return Access(self.handle.bank_consent_id, self, person)

    def current_account(self) -> Account:
        return next(one for one in self.connector.accounts(self.access()) if one.kind is AccountKind.CURRENT)

    def rows(
        self, account: Account, person: PsuContext | None = PERSON, *, today: date = TODAY, days: int = 90
    ) -> list[Transaction]:
        pages = self.connector.transaction_pages(
            self.access(person),
            account.bank_account_id,
            account_iban=account.iban or "",
            account_holder=account.holder_name,
            date_from=TODAY - timedelta(days=days - 1),
            today=today,
        )
        found = list(pages)
        assert not any(page.rejected for page in found)
        return [row for page in found for row in page.transactions]


def line_to(server: SimulatorServer, bank_id: str, limits: Limits | None = None) -> Line:
    records: list[CallRecord] = []

    def now() -> datetime:
        return server.clock.now.astimezone(UTC)

    base = server.base_url(bank_id)
    found = registry.connector_class(bank_id)
    http = BankHttp(
        base,
        bank_id=bank_id,
        signer=signer_for(server, bank_id, KEY),
        signed_kinds=found.signed_kinds,
        now=now,
        sleep=lambda seconds: None,
        on_call=records.append,
        limits=limits or Limits(),
    )
    connector = found(
        BankEndpoint(base, "PSDBE-NBB-0110203443", api_key="key-of-the-portal", client_secret="secret"),
        http,
        now=now,
        new_id=lambda: str(uuid4()),
    )
    return Line(connector, http, records)


def signer_for(server: SimulatorServer, bank_id: str, key: SigningKey) -> RequestSigner | None:
    """Signs by the clock of the banks, as some signatures live for a minute."""
    profile = registry.connector_class(bank_id).signature
    return RequestSigner(profile, key, now=lambda: server.clock.now.astimezone(UTC)) if profile else None


def signs_every_call(bank_id: str) -> bool:
    found = registry.connector_class(bank_id)
    return found.signature is not None and found.signed_kinds is None


def request_for(bank_id: str) -> ConsentRequest:
    days = registry.connector_class(bank_id).profile.consent_validity
    return ConsentRequest(
        redirect_uri="https://gateway.example/callback",
        state="state-of-this-browser",
        code_verifier="v" * 64,
        valid_until=TODAY + days - timedelta(days=1),
        psu=PERSON,
    )


def can_read_consents(bank_id: str) -> bool:
    found = registry.connector_class(bank_id)
    return issubclass(found, BerlinGroupConnector) and found.can_read_consents


def tells_last_day(server: SimulatorServer, line: Line) -> bool:
    """Whether the bank tells until when it gave access: with the consent, or by tokens that live as long."""
    found = line.connector
    if not isinstance(found, BerlinGroupConnector):
        # Ponto's accounts name their ends.
        return True
    if found.can_read_consents:
        return found.can_read_consent_details
    bank = server.simulator.banks[found.profile.bank_id]
    return bank.family == "ing" or not bank.gives_refresh_token


def approved(server: SimulatorServer, connector: Connector, granted: GrantedConsent) -> GrantedConsent:
    """What was granted; where the PSU has only signed in, after the approval in the bank's app."""
    bank = server.simulator.banks[connector.profile.bank_id]
    if not bank.approves_in_app:
        return granted
    assert granted.status is ConsentStatus.AWAITING_AUTHORISATION
    assert granted.handle is not None
    assert isinstance(connector.next_step(granted.handle, PERSON), Poll)
    consent = server.simulator.consents.find(bank.bank_id, granted.handle.bank_consent_id)
    assert consent is not None
    server.simulator.consents.sign(bank, consent)
    assert connector.next_step(granted.handle, PERSON) == Finished(ConsentStatus.VALID)
    finished = connector.finish_consent(granted.handle, {}, PERSON)
    return replace(finished, tokens=granted.tokens, handle=granted.handle)


def opened(server: SimulatorServer, bank_id: str = "keytrade", limits: Limits | None = None) -> Line:
    """A line whose PSU has approved."""
    line = line_to(server, bank_id, limits)
    started = line.connector.start_consent(request_for(bank_id))
    assert isinstance(started.step, Redirect)
    callback = dict(parse_qsl(urlsplit(psu.approve(started.step.url)).query))
    granted = approved(server, line.connector, line.connector.finish_consent(started.handle, callback, PERSON))
    assert granted.status is ConsentStatus.VALID
    assert granted.valid_until == (request_for(bank_id).valid_until if tells_last_day(server, line) else None)
    line.handle, line.tokens = granted.handle or started.handle, granted.tokens
    return line
