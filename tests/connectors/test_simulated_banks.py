"""The connectors against the simulated banks over real HTTP on loopback: what arrives is what the bank booked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors import registry
from connectors.base import BankEndpoint, Connector
from connectors.errors import (
    BankAnswerInvalid,
    BankUnavailable,
    ConnectorError,
    ConsentEnded,
    ConsentError,
    ConsentRefused,
    OperatorError,
    QuotaExhausted,
)
from connectors.families.berlin_group import BerlinGroupConnector
from connectors.http import BankHttp, CallRecord, Limits
from connectors.model import (
    Access,
    Account,
    AccountKind,
    BalanceKind,
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
    TransactionStatus,
)
from connectors.profile import Knowledge
from connectors.signing import RequestSigner, SigningKey
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, psu, stet
from connectors.simulator.companies import Party
from tests.connectors.support import throw_away_key

TODAY = date(2026, 11, 21)
PERSON = PsuContext("192.0.2.7", "Mozilla/5.0", "nl")
BANKS = [bank.bank_id for bank in every_bank()]
KEY = throw_away_key()
"""Signs for every bank that wants it; the simulated banks know its public half and check."""
DIALECTS = ("keytrade", "kbc", "argenta", "triodos", "bnppf", "beobank", "ing", "n26", "belfius", "ponto")
"""One bank of each dialect: the faults strike all of a family alike."""
WITHOUT_CODES = frozenset({"stet"})
"""Families whose errors name no code: a signature that does not hold looks like a token that does not."""
COUNTING = [bank.bank_id for bank in every_bank() if bank.bank_id in DIALECTS and bank.unattended_calls_max is not None]
"""Where a read without the PSU reaches the bank and counts."""


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    config = SimulatorConfig(today=TODAY, banks=every_bank(), signature_keys={KEY.key_id: KEY.key.public_key()})
    with SimulatorServer(config) as running:
        yield running


@pytest.fixture
def simulated(server: SimulatorServer) -> SimulatorServer:
    server.simulator.reset()
    return server


@pytest.fixture
def small_pages(simulated: SimulatorServer) -> Iterator[SimulatorServer]:
    """Pages so short that every bank has three."""
    known = dict(simulated.simulator.banks)
    simulated.simulator.banks.update({name: replace(bank, page_size=8) for name, bank in known.items()})
    yield simulated
    simulated.simulator.banks.update(known)


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

    def rows(self, account: Account, person: PsuContext | None = PERSON, *, today: date = TODAY) -> list[Transaction]:
        pages = self.connector.transaction_pages(
            self.access(person),
            account.bank_account_id,
            account_iban=account.iban or "",
            account_holder=account.holder_name,
            date_from=TODAY - timedelta(days=89),
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


@pytest.mark.parametrize("bank_id", BANKS)
def test_what_arrives_is_what_the_bank_booked(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    for account in line.connector.accounts(line.access()):
        if account.kind is not AccountKind.CURRENT or account.iban is None:
            continue
        # A number may stand for two accounts, a currency each.
        (truth,) = [
            one
            for one in simulated.world.accounts
            if (one.bank_id, one.iban, one.currency) == (bank_id, account.iban, account.currency)
        ]
        rows = line.rows(account)
        booked = simulated.world.booked(truth, TODAY - timedelta(days=89), TODAY)
        assert Counter((row.booking_date, row.amount) for row in rows if row.status is TransactionStatus.BOOKED) == (
            Counter((row.booking_date, row.amount) for row in booked)
        )
        # Among other words only a Belgian reference is recognised, by the marks around it.
        is_told_apart = bank_id not in stet.BRANDS
        assert Counter(row.structured_reference for row in rows if row.structured_reference) >= Counter(
            row.structured
            for row in booked
            if row.structured and (is_told_apart or not row.structured.startswith("RF"))
        )
        gives_pending = simulated.simulator.banks[bank_id].gives_pending
        assert len([row for row in rows if row.status is TransactionStatus.PENDING]) == (
            len(simulated.world.pending(truth)) if gives_pending else 0
        )
        assert not any(row.warnings for row in rows)
        if registry.connector_class(bank_id).profile.gives_booked_balance is Knowledge.NO:
            continue
        balances = line.connector.balances(line.access(), account.bank_account_id)
        if bank_id == "belfius" and account.currency == "EUR":
            # The euro balance beside other currencies may be the sum of all of them.
            assert [balance.kind for balance in balances] == [BalanceKind.OTHER]
            continue
        closing = next(
            balance for balance in balances if balance.kind in (BalanceKind.CLOSING_BOOKED, BalanceKind.INTERIM_BOOKED)
        )
        is_of_today = closing.kind is BalanceKind.INTERIM_BOOKED
        day = closing.reference_date or (TODAY if is_of_today else TODAY - timedelta(days=1))
        assert closing.amount == simulated.world.balance(truth, day)
    line.http.close()


@pytest.mark.parametrize("bank_id", BANKS)
def test_renewing_cancelling_and_revoking_are_understood(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    if simulated.simulator.banks[bank_id].gives_refresh_token:
        line.renew(line.current())
    else:
        with pytest.raises(ConsentEnded):
            line.renew(line.current())
    assert line.connector.accounts(line.access())
    line.connector.revoke_consent(line.access())
    line.connector.revoke_consent(line.access())
    if not can_read_consents(bank_id):
        # There the PSU ends it in the bank's app; what we ask of the bank has no effect.
        (consent,) = simulated.simulator.consents.listing()
        simulated.simulator.consents.set_status(consent, "revokedByPsu")
    with pytest.raises(ConsentEnded):
        line.connector.accounts(line.access())
    started = line.connector.start_consent(request_for(bank_id))
    assert isinstance(started.step, Redirect)
    callback = dict(parse_qsl(urlsplit(psu.cancel(started.step.url)).query))
    with pytest.raises(ConsentRefused):
        line.connector.finish_consent(started.handle, callback, PERSON)
    # Where the consent follows the sign-in there is none to read yet.
    if can_read_consents(bank_id) and started.handle.bank_consent_id:
        assert line.connector.next_step(started.handle, None) == Finished(ConsentStatus.REJECTED)
    line.http.close()


@pytest.mark.parametrize("bank_id", [bank for bank in BANKS if registry.connector_class(bank).signature])
def test_a_call_that_is_not_signed_or_signed_by_another_is_refused(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    other = replace(KEY, key_id="SN=1,CA=CN=Somebody", key=rsa.generate_private_key(65537, 2048))
    has_codes = registry.connector_class(bank_id).profile.family not in WITHOUT_CODES
    for signer in (None, signer_for(simulated, bank_id, other)):
        line.http._signer = signer
        with pytest.raises(OperatorError if has_codes else ConsentEnded) as caught:
            line.connector.accounts(line.access())
        assert caught.value.bank_code == ("SIGNATURE_INVALID" if has_codes else None)
    line.http.close()


@pytest.mark.parametrize("bank_id", COUNTING)
def test_the_fifth_unattended_read_is_over_the_limit_and_an_attended_one_is_not(
    simulated: SimulatorServer, bank_id: str
) -> None:
    line = opened(simulated, bank_id)
    account = line.current_account()
    for _ in range(4):
        line.rows(account, None)
    with pytest.raises(QuotaExhausted):
        line.rows(account, None)
    assert line.rows(account)
    line.http.close()


FAULTS: list[tuple[str, dict[str, Any], type[ConnectorError]]] = [
    ("html", {"page": 2}, BankAnswerInvalid),
    ("broken_json", {}, BankAnswerInvalid),
    ("foreign_next_link", {}, BankAnswerInvalid),
    ("status", {"status": 403}, ConsentError),
    ("status", {"status": 429, "page": 2}, QuotaExhausted),
    ("status", {"status": 500, "times": 3}, BankUnavailable),
    ("cut", {"times": 3}, BankUnavailable),
    ("consent_expired", {"page": 3}, ConsentEnded),
    ("consent_revoked", {"page": 2}, ConsentEnded),
]


@pytest.mark.parametrize("bank_id", DIALECTS)
@pytest.mark.parametrize(("kind", "params", "error"), FAULTS)
def test_a_fault_in_the_middle_spoils_the_whole_read(
    small_pages: SimulatorServer, bank_id: str, kind: str, params: dict[str, Any], error: type[ConnectorError]
) -> None:
    simulated = small_pages
    line = opened(simulated, bank_id)
    account = line.current_account()
    simulated.faults.order(kind, endpoint="transactions", **params)
    with pytest.raises(ConnectorError) as caught:
        line.rows(account)
    assert type(caught.value) is error
    line.http.close()


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("status", {"status": 500}),
        ("status", {"status": 503, "times": 2}),
        ("status", {"status": 401, "page": 2}),
        ("cut", {"page": 2}),
        ("changing_ids", {"times": None}),
        ("missing_fields", {"fields": ["transactionId"], "times": None}),
    ],
)
@pytest.mark.parametrize("bank_id", DIALECTS)
def test_a_fault_that_passes_changes_nothing(
    small_pages: SimulatorServer, bank_id: str, kind: str, params: dict[str, Any]
) -> None:
    simulated = small_pages
    line = opened(simulated, bank_id)
    account = line.current_account()
    before = Counter(row.fingerprint for row in line.rows(account))
    simulated.faults.order(kind, endpoint="transactions", **params)
    assert Counter(row.fingerprint for row in line.rows(account)) == before
    line.http.close()


@pytest.mark.parametrize("bank_id", DIALECTS)
def test_a_page_linked_to_itself_is_read_once_and_nothing_is_lost(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    account = line.current_account()
    whole = Counter(row.fingerprint for row in line.rows(account))
    simulated.faults.order("repeated_next_link", endpoint="transactions")
    assert Counter(row.fingerprint for row in line.rows(account)) == whole
    line.http.close()


def test_a_slow_bank_is_given_up_after_three_tries(simulated: SimulatorServer) -> None:
    line = opened(simulated, limits=Limits(read_seconds=0.2))
    simulated.faults.order("slow", endpoint="balances", seconds=1, times=3)
    with pytest.raises(BankUnavailable):
        line.connector.balances(line.access(), line.current_account().bank_account_id)
    assert [record.status for record in line.records[-3:]] == [None, None, None]
    line.http.close()


@pytest.mark.parametrize("bank_id", DIALECTS)
def test_twins_come_twice_with_one_fingerprint_and_two_ids(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    account = line.current_account()
    truth = simulated.world.account(account.iban or "")
    for _ in range(2):
        simulated.world.book(
            truth, Decimal("-4.50"), counterparty=Party("Verzonnen Loket"), texts=("Betaling met kaart",)
        )
    same = [row for row in line.rows(account) if row.amount == Decimal("-4.50") and row.booking_date == TODAY]
    assert len(same) == 2
    assert len({row.fingerprint for row in same}) == 1
    assert len({row.bank_transaction_id for row in same}) == 2
    line.http.close()


@pytest.mark.parametrize("bank_id", DIALECTS)
def test_a_new_consent_may_name_the_accounts_anew_and_the_rows_stay_the_same(
    simulated: SimulatorServer, bank_id: str
) -> None:
    first = opened(simulated, bank_id)
    old = first.current_account()
    before = Counter(row.fingerprint for row in first.rows(old))
    second = opened(simulated, bank_id)
    new = second.current_account()
    assert new.bank_account_id != old.bank_account_id
    assert (new.iban, new.currency) == (old.iban, old.currency)
    assert Counter(row.fingerprint for row in second.rows(new)) == before
    first.http.close()
    second.http.close()


@pytest.mark.parametrize("bank_id", DIALECTS)
def test_what_was_pending_is_booked_the_day_after(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    account = line.current_account()
    truth = simulated.world.account(account.iban or "")
    tomorrow = TODAY + timedelta(days=1)
    simulated.world.book(
        truth, Decimal("-77.70"), booking_date=tomorrow, counterparty=Party("Verzonnen Loket", "BE43068999999501")
    )
    before = [row.status for row in line.rows(account) if row.amount == Decimal("-77.70")]
    assert before == ([TransactionStatus.PENDING] if simulated.simulator.banks[bank_id].gives_pending else [])
    simulated.clock.advance(days=1)
    after = [row for row in line.rows(account, today=tomorrow) if row.amount == Decimal("-77.70")]
    assert [(row.status, row.booking_date) for row in after] == [(TransactionStatus.BOOKED, tomorrow)]
    has_token_for_days = simulated.simulator.banks[bank_id].access_token_seconds > 86_400
    assert bool(line.renewals) is not has_token_for_days, "a short token of yesterday had run out"
    line.http.close()


@pytest.mark.parametrize("bank_id", DIALECTS)
def test_a_short_wait_the_bank_names_is_kept_and_a_slow_bank_is_given_up(
    simulated: SimulatorServer, bank_id: str
) -> None:
    line = opened(simulated, bank_id, limits=Limits(read_seconds=0.3))
    account = line.current_account()
    simulated.faults.order("status", endpoint="transactions", status=429, retry_after=1)
    assert line.rows(account)
    simulated.faults.order("slow", endpoint="transactions", seconds=1, times=3)
    with pytest.raises(BankUnavailable):
        line.rows(account)
    line.http.close()


@pytest.mark.parametrize("bank_id", DIALECTS)
def test_a_period_without_rows_is_one_empty_page(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    account = line.current_account()
    truth = simulated.world.account(account.iban or "")
    for row in simulated.world.booked(truth):
        simulated.world.hide(truth, row.key)
    assert [row for row in line.rows(account) if row.status is TransactionStatus.BOOKED] == []
    line.http.close()
