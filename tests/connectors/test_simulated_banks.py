"""The connectors against the simulated banks over real HTTP on loopback: what arrives is what the bank booked."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors import registry
from connectors.errors import (
    ConsentEnded,
    ConsentRefused,
    OperatorError,
    QuotaExhausted,
)
from connectors.model import (
    AccountKind,
    BalanceKind,
    ConsentStatus,
    Finished,
    Redirect,
    TransactionStatus,
)
from connectors.profile import Knowledge
from connectors.simulator import SimulatorServer, psu, stet
from connectors.simulator.companies import Party
from tests.connectors.simulated import (
    BANKS,
    COUNTING,
    KEY,
    PERSON,
    TODAY,
    WITHOUT_CODES,
    can_read_consents,
    opened,
    request_for,
    server,
    signer_for,
    signs_every_call,
    simulated,
)

__all__ = ["server", "simulated"]


@pytest.mark.parametrize("bank_id", BANKS)
def test_what_arrives_is_what_the_bank_booked(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
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
            assert Counter(
                (row.booking_date, row.amount) for row in rows if row.status is TransactionStatus.BOOKED
            ) == (Counter((row.booking_date, row.amount) for row in booked))
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
            latest = next(
                balance
                for balance in balances
                if balance.kind in (BalanceKind.CLOSING_BOOKED, BalanceKind.INTERIM_BOOKED)
            )
            is_of_today = latest.kind is BalanceKind.INTERIM_BOOKED
            day = latest.reference_date or (TODAY if is_of_today else TODAY - timedelta(days=1))
            assert latest.amount == simulated.world.balance(truth, day)


@pytest.mark.parametrize("bank_id", BANKS)
def test_renewing_cancelling_and_revoking_are_understood(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
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


@pytest.mark.parametrize("bank_id", [bank for bank in BANKS if signs_every_call(bank)])
def test_a_call_that_is_not_signed_or_signed_by_another_is_refused(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        other = replace(KEY, key_id="SN=1,CA=CN=Somebody", key=rsa.generate_private_key(65537, 2048))
        has_codes = registry.connector_class(bank_id).profile.family not in WITHOUT_CODES
        for signer in (None, signer_for(simulated, bank_id, other)):
            line.http._signer = signer
            with pytest.raises(OperatorError if has_codes else ConsentEnded) as caught:
                line.connector.accounts(line.access())
            assert caught.value.bank_code == ("SIGNATURE_INVALID" if has_codes else None)


@pytest.mark.parametrize("bank_id", COUNTING)
def test_the_fifth_unattended_read_is_over_the_limit_and_an_attended_one_is_not(
    simulated: SimulatorServer, bank_id: str
) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        for _ in range(4):
            line.rows(account, None)
        with pytest.raises(QuotaExhausted):
            line.rows(account, None)
        assert line.rows(account)


@pytest.mark.parametrize("bank_id", BANKS)
def test_twins_come_twice_with_one_fingerprint_and_two_ids(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
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


@pytest.mark.parametrize("bank_id", BANKS)
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


@pytest.mark.parametrize("bank_id", BANKS)
def test_what_was_pending_is_booked_the_day_after(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
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


@pytest.mark.parametrize("bank_id", BANKS)
def test_a_period_without_rows_is_one_empty_page(simulated: SimulatorServer, bank_id: str) -> None:
    line = opened(simulated, bank_id)
    with closing(line.http):
        account = line.current_account()
        truth = simulated.world.account(account.iban or "")
        for row in simulated.world.booked(truth):
            simulated.world.hide(truth, row.key)
        assert [row for row in line.rows(account) if row.status is TransactionStatus.BOOKED] == []
