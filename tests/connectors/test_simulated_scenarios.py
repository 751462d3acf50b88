"""What else every bank passes at the simulated banks: what the PSU is offered, a second currency, the ways it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.errors import ConsentEnded, QuotaExhausted
from connectors.families.berlin_group import BerlinGroupConnector
from connectors.http import CallKind
from connectors.model import (
    Account,
    AccountKind,
    ConsentStatus,
    Redirect,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.simulator import SimulatorConfig, SimulatorServer, every_bank, psu
from connectors.simulator.companies import Party, SimulatedAccount
from tests.connectors.simulated import (
    BANKS,
    KEY,
    PERSON,
    TODAY,
    Line,
    can_read_consents,
    line_to,
    opened,
    request_for,
)

SECOND = "USD"
ONCE = [bank.bank_id for bank in every_bank() if bank.history_once_days is not None]
KINDS = {"CACC": AccountKind.CURRENT, "SVGS": AccountKind.SAVINGS, "CARD": AccountKind.CARD}


def has_second_step(bank_id: str) -> bool:
    """Whether every consent waits for something after the page: confirmed by the TPP, or approved in an app."""
    bank = next(one for one in every_bank() if one.bank_id == bank_id)
    return bank.is_confirmed_by_tpp or bank.approves_in_app


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    """The banks, each with a second currency under the number of every current account."""
    banks = tuple(replace(bank, second_currency=SECOND) for bank in every_bank())
    keys = {KEY.key_id: KEY.key.public_key()}
    with SimulatorServer(SimulatorConfig(today=TODAY, banks=banks, signature_keys=keys)) as running:
        yield running


@pytest.fixture
def simulated(server: SimulatorServer) -> Iterator[SimulatorServer]:
    """Everything at its start, the habits of the banks among them."""
    server.simulator.reset()
    known = dict(server.simulator.banks)
    yield server
    server.simulator.banks.update(known)


def offered(simulated: SimulatorServer, bank_id: str) -> list[SimulatedAccount]:
    """What the first person on the bank's page can give access to."""
    world, bank = simulated.world, simulated.simulator.banks[bank_id]
    found = world.accounts_of(world.holders_at(bank_id)[0].holder_id, bank_id)
    if bank.offers_one_current_account:
        return [one for one in found if one.cash_account_type == "CACC"][:1]
    return found


def truth_of(simulated: SimulatorServer, account: Account) -> SimulatedAccount:
    second = "" if account.currency == "EUR" else account.currency
    return simulated.world.account(f"{account.iban}{second}")


def pages_of(line: Line, account: Account) -> list[TransactionPage]:
    return list(
        line.connector.transaction_pages(
            line.access(),
            account.bank_account_id,
            account_iban=account.iban or "",
            account_holder=account.holder_name,
            date_from=TODAY - timedelta(days=89),
            today=TODAY,
        )
    )


def booked_of(rows: list[Transaction]) -> Counter[Decimal]:
    return Counter(row.amount for row in rows if row.status is TransactionStatus.BOOKED)


@pytest.mark.parametrize("bank_id", BANKS)
def test_savings_and_cards_are_told_from_current_accounts(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        found = Counter((one.kind, one.currency) for one in line.connector.accounts(line.access()))
    assert found == Counter((KINDS[one.cash_account_type], one.currency) for one in offered(simulated, bank_id))


@pytest.mark.parametrize("bank_id", BANKS)
def test_two_currencies_under_one_number_are_two_accounts(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        found = [one for one in line.connector.accounts(line.access()) if one.kind is AccountKind.CURRENT]
        assert len({one.bank_account_id for one in found}) == len(found)
        if not simulated.simulator.banks[bank_id].offers_one_current_account:
            assert {one.currency for one in found} == {"EUR", SECOND}
            assert len({one.iban for one in found}) == len(found) // 2
        for account in found:
            truth = truth_of(simulated, account)
            rows = [row for row in line.rows(account) if row.booking_date is not None and row.booking_date <= TODAY]
            assert {row.currency for row in rows} == {account.currency}
            booked = Counter(row.amount for row in simulated.world.booked(truth, TODAY - timedelta(days=89), TODAY))
            assert Counter(row.amount for row in rows) >= booked
            balances = line.connector.balances(line.access(), account.bank_account_id)
            assert {one.currency for one in balances} == {account.currency}


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_list_of_two_pages_is_followed_to_its_end(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        truth = truth_of(simulated, account)
        booked = simulated.world.booked(truth, TODAY - timedelta(days=89), TODAY)
        bank = simulated.simulator.banks[bank_id]
        simulated.simulator.banks[bank_id] = replace(bank, page_size=(len(booked) + 1) // 2)
        pages = [booked_of(list(page.transactions)) for page in pages_of(line, account)]
    # Where pending rows have a list of their own they come on a page of their own.
    assert [page.total() for page in pages if page] == [(len(booked) + 1) // 2, len(booked) // 2]
    assert sum(pages, Counter[Decimal]()) == Counter(row.amount for row in booked)


@pytest.mark.parametrize("bank_id", BANKS)
def test_rows_without_an_amount_are_handed_over_for_review(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        booked = booked_of(line.rows(account)).total()
        simulated.faults.order("missing_fields", endpoint="transactions", fields=["transactionAmount"], times=None)
        pages = pages_of(line, account)
    assert not any(booked_of(list(page.transactions)) for page in pages)
    reasons = Counter(row.reason for page in pages for row in page.rejected)
    assert set(reasons) == {"amount_missing"}
    assert reasons.total() >= booked


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_quota_without_a_time_to_wait_is_not_tried_again(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        simulated.faults.order("status", endpoint="transactions", status=429)
        with pytest.raises(QuotaExhausted):
            line.rows(account)
        assert [one.status for one in line.records if one.kind is CallKind.TRANSACTIONS] == [429]
        assert line.rows(account)


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_bank_at_its_limit_for_an_hour_is_not_waited_for(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        simulated.faults.order("status", endpoint="transactions", status=429, retry_after=3600)
        with pytest.raises(QuotaExhausted):
            line.rows(account)
        assert [one.status for one in line.records if one.kind is CallKind.TRANSACTIONS] == [429]


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_psu_who_revokes_at_the_bank_ends_the_access(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        assert line.rows(account)
        (consent,) = simulated.simulator.consents.listing()
        simulated.simulator.consents.set_status(consent, "revokedByPsu")
        with pytest.raises(ConsentEnded):
            line.rows(account)
        assert line.connector.consent_status(line.access()) is ConsentStatus.REVOKED


@pytest.mark.parametrize("bank_id", BANKS)
def test_an_access_that_has_run_out_is_over_the_day_after_its_last(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        (consent,) = simulated.simulator.consents.listing()
        simulated.clock.advance(days=(consent.valid_until - TODAY).days)
        assert line.connector.balances(line.access(), account.bank_account_id)
        simulated.clock.advance(days=1)
        with pytest.raises(ConsentEnded):
            line.connector.balances(line.access(), account.bank_account_id)
        can_tell = isinstance(line.connector, BerlinGroupConnector) and line.connector.can_read_consents
        over = ConsentStatus.EXPIRED if can_tell else ConsentStatus.REVOKED
        assert line.connector.consent_status(line.access()) is over


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_late_booking_in_the_past_is_found_by_the_next_read(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        before = Counter(row.fingerprint for row in line.rows(account))
        truth = truth_of(simulated, account)
        simulated.world.book(
            truth, Decimal("-12.34"), booking_date=TODAY - timedelta(days=3), counterparty=Party("Verzonnen Loket")
        )
        (new,) = (Counter(row.fingerprint for row in line.rows(account)) - before).elements()
        (late,) = [row for row in line.rows(account) if row.fingerprint == new]
    assert (late.amount, late.booking_date) == (Decimal("-12.34"), TODAY - timedelta(days=3))


@pytest.mark.parametrize("bank_id", ONCE)
def test_history_given_once_comes_whole_with_the_first_read(simulated: SimulatorServer, bank_id: str) -> None:
    bank = simulated.simulator.banks[bank_id]
    simulated.simulator.banks[bank_id] = replace(bank, page_size=20)
    today = TODAY + timedelta(days=40)
    simulated.clock.advance(days=40)
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        truth = truth_of(simulated, account)
        whole = booked_of(line.rows(account, today=today))
        simulated.clock.advance(minutes=15)
        later = booked_of(line.rows(account, today=today))
    first_day = TODAY - timedelta(days=89)
    assert whole == Counter(row.amount for row in simulated.world.booked(truth, first_day, today))
    # Nothing tells that rows are left out: only the balances do.
    oldest = today - timedelta(days=bank.history_days)
    assert later == Counter(row.amount for row in simulated.world.booked(truth, oldest, today))
    assert later < whole


@pytest.mark.parametrize("bank_id", [bank for bank in BANKS if not has_second_step(bank)])
def test_a_joint_signature_opens_nothing_until_the_second_signatory_signed(
    simulated: SimulatorServer, bank_id: str
) -> None:
    simulated.faults.order("joint_signature", bank_id=bank_id)
    line = line_to(simulated, bank_id)
    with closing(line.http):
        started = line.connector.start_consent(request_for(bank_id))
        assert isinstance(started.step, Redirect)
        callback = dict(parse_qsl(urlsplit(psu.approve(started.step.url)).query))
        granted = line.connector.finish_consent(started.handle, callback, PERSON)
        line.handle, line.tokens = granted.handle or started.handle, granted.tokens
        # A bank whose consents cannot be read shows it by the accounts alone.
        half = ConsentStatus.PARTIALLY_AUTHORISED if can_read_consents(bank_id) else ConsentStatus.VALID
        assert granted.status is half
        with pytest.raises(ConsentEnded):
            line.connector.accounts(line.access())
        (consent,) = simulated.simulator.consents.listing()
        simulated.simulator.consents.sign(simulated.simulator.banks[bank_id], consent)
        assert line.connector.consent_status(line.access()) is ConsentStatus.VALID
        assert line.connector.accounts(line.access())
