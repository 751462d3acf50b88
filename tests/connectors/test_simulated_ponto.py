"""The connector at the simulated Ponto: synchronisations, accounts authorised anew, webhooks, and the other door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

import pytest

from connectors.errors import AccountGone, BankUnavailable, CallbackRejected, ConsentEnded, ConsentError, OperatorError
from connectors.families.ponto import PontoConnector
from connectors.families.ponto_doors import PontoPartnerConnector
from connectors.families.ponto_webhooks import FETCH_EVERY, KeyRing, WebhookRefused, read_event
from connectors.http import CallKind
from connectors.model import Account, AccountKind, ConsentStatus, Finished, Redirect, TransactionStatus
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, ponto_access, psu
from connectors.simulator.companies import Party
from connectors.simulator.consents import Consent
from tests.connectors.simulated import KEY, PERSON, TODAY, Line, line_to, opened, request_for

AUDIENCE = "application-1"
BACK = "https://gateway.example/back"


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    (partner,) = [bank for bank in every_bank() if bank.bank_id == "ponto"]
    own = replace(partner, bank_id="pontocustom", api_path="", signature=None, iban_serial="41500")
    config = SimulatorConfig(today=TODAY, banks=(partner, own), signature_keys={KEY.key_id: KEY.key.public_key()})
    with SimulatorServer(config) as running:
        yield running


@pytest.fixture
def simulated(server: SimulatorServer) -> SimulatorServer:
    server.simulator.reset()
    return server


@pytest.fixture
def line(simulated: SimulatorServer) -> Iterator[Line]:
    found = opened(simulated, "ponto")
    yield found
    found.http.close()


def ponto(line: Line) -> PontoConnector:
    assert isinstance(line.connector, PontoConnector)
    return line.connector


def updated(line: Line, synchronisation_id: str) -> list[Decimal]:
    pages = ponto(line).updated_transactions(
        line.access(), synchronisation_id, account_iban="", account_holder=None, today=TODAY
    )
    return [row.amount for page in pages for row in page.transactions]


def current_of(line: Line, currency: str = "EUR") -> Account:
    accounts = line.connector.accounts(line.access())
    return next(one for one in accounts if (one.kind, one.currency) == (AccountKind.CURRENT, currency))


def test_one_number_has_an_account_in_each_currency_and_its_own_rows(line: Line) -> None:
    euros, dollars = current_of(line), current_of(line, "USD")
    assert euros.iban == dollars.iban
    assert euros.bic == "GKCCBEBB"
    assert {row.currency for row in line.rows(dollars)} == {"USD"}
    assert {row.currency for row in line.rows(euros)} == {"EUR"}


def test_a_synchronisation_goes_on_by_itself_and_tells_what_it_brought(simulated: SimulatorServer, line: Line) -> None:
    account = current_of(line)
    first = line.connector.start_synchronisation(line.access(), account.bank_account_id)
    assert first is not None
    assert first.synchronisation_id is not None
    assert not first.is_done
    simulated.clock.advance(minutes=6)
    truth = simulated.world.account(account.iban or "")
    simulated.world.book(truth, Decimal("-12.34"), counterparty=Party("Verzonnen Loket"))
    second = line.connector.start_synchronisation(line.access(), account.bank_account_id)
    assert second is not None
    assert second.synchronisation_id is not None
    looks = [line.connector.synchronisation(line.access(None), second.synchronisation_id).is_done for _ in range(3)]
    assert looks == [False, True, True]
    assert updated(line, second.synchronisation_id) == [Decimal("-12.34")]


def shown(line: Line, account: Account) -> tuple[int, Decimal]:
    """How many booked rows the copy has, and its balance."""
    rows = [row for row in line.rows(account, None) if row.status is TransactionStatus.BOOKED]
    return len(rows), line.connector.balances(line.access(None), account.bank_account_id)[0].amount


def test_a_read_shows_the_copy_until_it_is_renewed(simulated: SimulatorServer, line: Line) -> None:
    """As the real service: what the bank booked since its last reading is not there yet, neither row nor balance."""
    account = current_of(line)
    truth = simulated.world.account(account.iban or "")
    count, balance = shown(line, account)
    simulated.clock.advance(minutes=30)
    simulated.world.book(truth, Decimal("-12.34"))
    assert shown(line, account) == (count, balance)
    begun = line.connector.start_synchronisation(line.access(), account.bank_account_id)
    assert begun is not None
    assert begun.synchronisation_id is not None
    assert shown(line, account) == (count, balance), "it is under way"
    while not line.connector.synchronisation(line.access(None), begun.synchronisation_id).is_done:
        pass
    assert shown(line, account) == (len(simulated.world.booked(truth)), simulated.world.balance(truth))
    assert shown(line, account)[0] > count


def test_ponto_reads_by_itself_four_times_a_day_and_not_while_the_bank_fails(
    simulated: SimulatorServer, line: Line
) -> None:
    account = current_of(line)
    truth = simulated.world.account(account.iban or "")
    simulated.clock.advance(hours=2)
    simulated.world.book(truth, Decimal("-12.34"))
    before = shown(line, account)
    simulated.simulator.ponto.fail(account.iban or "", "internalServerError")
    simulated.clock.advance(hours=4)
    assert shown(line, account) == before, "the run of 14:00 did not succeed"
    simulated.simulator.ponto.mend(account.iban or "")
    assert shown(line, account)[1] < before[1] + 10_000
    assert any(row.amount == Decimal("-12.34") for row in line.rows(account, None))
    (page, *_) = line.connector.transaction_pages(
        line.access(None), account.bank_account_id, account_iban="", account_holder=None, date_from=TODAY, today=TODAY
    )
    assert page.as_of == datetime(2026, 11, 21, 13, 0, tzinfo=UTC), "14:00 in Brussels"


def test_an_account_taken_out_is_not_known_and_added_again_has_another_id(
    simulated: SimulatorServer, line: Line
) -> None:
    euros, dollars = current_of(line), current_of(line, "USD")
    (consent,) = simulated.simulator.consents.listing()
    path = f"/accounts/{euros.bank_account_id}"
    token = f"Bearer {line.current().access_token}"
    answer = ponto(line).call("DELETE", path, "/accounts/{id}", CallKind.CONSENT, token, psu=PERSON)
    assert answer.json()["data"]["id"] == euros.bank_account_id
    with pytest.raises(AccountGone):
        line.rows(euros)
    with pytest.raises(AccountGone):
        line.connector.balances(line.access(), euros.bank_account_id)
    assert line.rows(dollars)
    simulated.simulator.ponto.add_again(consent.consent_id, euros.iban or "")
    again = current_of(line)
    assert (again.iban, again.currency) == (euros.iban, euros.currency)
    assert again.bank_account_id != euros.bank_account_id


def test_asked_for_again_at_once_it_counts_as_done(simulated: SimulatorServer, line: Line) -> None:
    account = current_of(line)
    assert line.connector.start_synchronisation(line.access(), account.bank_account_id)
    again = line.connector.start_synchronisation(line.access(), account.bank_account_id)
    assert again is not None
    assert (again.synchronisation_id, again.is_done) == (None, True)
    simulated.clock.advance(minutes=6)
    later = line.connector.start_synchronisation(line.access(), account.bank_account_id)
    assert later is not None
    assert later.synchronisation_id is not None


def test_in_the_background_nothing_reaches_the_accounts_bank(simulated: SimulatorServer, line: Line) -> None:
    account = current_of(line)
    for _ in range(6):
        line.rows(account, None)
    with pytest.raises(ValueError, match="present"):
        line.connector.start_synchronisation(line.access(None), account.bank_account_id)
    assert not any(record.path == "/synchronizations" for record in line.records)


@pytest.mark.parametrize(
    ("code", "kind"), [("authorizationInvalid", ConsentError), ("internalServerError", BankUnavailable)]
)
def test_a_synchronisation_that_fails_says_who_must_act(
    simulated: SimulatorServer, line: Line, code: str, kind: type[Exception]
) -> None:
    account = current_of(line)
    simulated.simulator.ponto.fail(account.iban or "", code)
    begun = line.connector.start_synchronisation(line.access(), account.bank_account_id)
    assert begun is not None
    assert begun.synchronisation_id is not None
    line.connector.synchronisation(line.access(), begun.synchronisation_id)
    with pytest.raises(kind):
        line.connector.synchronisation(line.access(), begun.synchronisation_id)


class _Stay(HTTPRedirectHandler):
    """Follows nothing: the way back leads to no server here."""

    def redirect_request(self, *args: object) -> None:
        return None


def decide(url: str, decision: str) -> str:
    """What the PSU's browser is sent to after the page."""
    with urlopen(url) as page:
        assert b"Zichtrekening" in page.read()
    request = Request(url, urlencode({"decision": decision}).encode(), method="POST")
    with pytest.raises(HTTPError) as redirect:
        build_opener(_Stay).open(request)
    with redirect.value as answer:
        assert answer.code == 303
        return str(answer.headers["Location"])


def test_one_account_is_authorised_anew_and_the_others_go_on(simulated: SimulatorServer, line: Line) -> None:
    euros, dollars = current_of(line), current_of(line, "USD")
    simulated.simulator.ponto.fail(euros.iban or "")
    with pytest.raises(ConsentError) as caught:
        line.rows(euros)
    assert not isinstance(caught.value, ConsentEnded)
    assert caught.value.bank_code == "authorizationInvalid"
    assert line.rows(dollars)
    step = line.connector.reauthorise_account(line.access(), euros.bank_account_id, BACK)
    assert step is not None
    assert decide(step.url, "approve") == BACK
    assert line.rows(euros)
    ends = {
        account.bank_account_id: account.raw["attributes"]["authorizationExpirationExpectedAt"][:10]
        for account in line.connector.accounts(line.access())
    }
    assert ends[euros.bank_account_id] == (TODAY + timedelta(days=90)).isoformat()
    assert ends[dollars.bank_account_id] != ends[euros.bank_account_id]
    assert line.connector.consent_details(line.access()).valid_until == TODAY + timedelta(days=90)


def test_cancelling_leaves_the_account_as_it_was(simulated: SimulatorServer, line: Line) -> None:
    euros = current_of(line)
    simulated.simulator.ponto.fail(euros.iban or "")
    step = line.connector.reauthorise_account(line.access(), euros.bank_account_id, BACK)
    assert step is not None
    decide(step.url, "cancel")
    with pytest.raises(ConsentError):
        line.rows(euros)


def test_a_refresh_token_works_once(line: Line) -> None:
    old = line.current()
    line.renew(old)
    with pytest.raises(ConsentEnded):
        line.connector.refresh_tokens(old, line.handle)


def test_a_code_works_once_and_with_its_own_verifier_only(simulated: SimulatorServer) -> None:
    line = line_to(simulated, "ponto")
    started = line.connector.start_consent(request_for("ponto"))
    assert isinstance(started.step, Redirect)
    address = psu.approve(started.step.url)
    callback = dict(part.split("=") for part in address.partition("?")[2].split("&"))
    forged = replace(started.handle, private={**started.handle.private, "code_verifier": "w" * 64})
    for handle in (forged, started.handle):
        with pytest.raises(CallbackRejected):
            line.connector.finish_consent(handle, callback, PERSON)
    line.http.close()


def test_ending_the_integration_ends_every_link_of_the_organisation(simulated: SimulatorServer, line: Line) -> None:
    other = opened(simulated, "ponto")
    line.connector.revoke_consent(line.access())
    for gone in (line, other):
        with pytest.raises(ConsentEnded):
            gone.connector.accounts(gone.access())
        assert gone.connector.consent_details(gone.access()).status is ConsentStatus.REVOKED
    other.http.close()


def test_new_resources_are_signed_too(line: Line) -> None:
    account = current_of(line)
    line.http._signer = None
    with pytest.raises(OperatorError) as caught:
        line.connector.start_synchronisation(line.access(), account.bank_account_id)
    assert caught.value.bank_code == "SIGNATURE_INVALID"


# Webhooks


class Ear:
    """Verifies what the simulated Ponto delivers, with the keys it gives."""

    def __init__(self, simulated: SimulatorServer, line: Line) -> None:
        assert isinstance(line.connector, PontoPartnerConnector)
        self.simulated = simulated
        self.now = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
        self.ring = KeyRing(line.connector.webhook_keys, now=lambda: self.now)

    def consent(self) -> Consent:
        (found,) = self.simulated.simulator.consents.listing()
        return found

    def delivery(self, event_type: str, iban: str) -> tuple[str, bytes]:
        return ponto_access.webhook(
            self.simulated.simulator, self.consent(), iban, event_type, audience=AUDIENCE,
            now=int(self.now.timestamp()),
        )  # fmt: skip

    def hears(self, signature: str, body: bytes) -> str:
        return self.ring.verify(signature, body, issuer="https://api.ibanity.com", audience=AUDIENCE).jti


def test_a_webhook_names_the_account_and_the_organisation_of_the_link(simulated: SimulatorServer, line: Line) -> None:
    ear, account = Ear(simulated, line), current_of(line)
    signature, body = ear.delivery("account.transactionsCreated", account.iban or "")
    assert ear.hears(signature, body)
    event = read_event(body)
    assert (event.event_type, event.account_id) == ("account.transactionsCreated", account.bank_account_id)
    assert line.handle is not None
    assert event.organisation_id == line.handle.bank_consent_id
    with pytest.raises(WebhookRefused):
        ear.hears(signature, body + b" ")


def test_after_a_change_of_keys_the_new_one_counts_and_the_old_one_does_not(
    simulated: SimulatorServer, line: Line
) -> None:
    ear, account = Ear(simulated, line), current_of(line)
    old = ear.delivery("something.new", account.iban or "")
    ear.hears(*old)
    simulated.simulator.ponto.rotate_key()
    ear.now += FETCH_EVERY
    ear.hears(*ear.delivery("something.new", account.iban or ""))
    with pytest.raises(WebhookRefused):
        ear.hears(*old)


# The other door


def test_the_custom_door_reads_the_one_organisation_without_a_browser(simulated: SimulatorServer) -> None:
    line = line_to(simulated, "pontocustom")
    started = line.connector.start_consent(request_for("pontocustom"))
    assert started.step == Finished(ConsentStatus.VALID)
    granted = line.connector.finish_consent(started.handle, {}, None)
    assert granted.valid_until == date(2027, 5, 19)
    assert granted.handle is not None
    line.handle, line.tokens = granted.handle, granted.tokens
    account = current_of(line)
    rows = line.rows(account, None)
    booked = [row for row in rows if row.status is TransactionStatus.BOOKED]
    truth = simulated.world.account(account.iban or "")
    assert len(booked) == len(simulated.world.booked(truth, TODAY - timedelta(days=89), TODAY))
    simulated.clock.advance(days=1)
    assert line.rows(account, None, today=TODAY + timedelta(days=1))
    assert line.renewals == 1
    line.http.close()
