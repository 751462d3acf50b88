"""What holds for every bank the registry finds: profile, card, stubs, and one walk from consent to revocation."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from schwifty import registry as schwifty_registry

from connectors import banks, registry, through
from connectors.families.berlin_group import BerlinGroupConnector
from connectors.http import CallKind
from connectors.model import (
    AccountKind,
    BalanceKind,
    ConsentStatus,
    Finished,
    Redirect,
    ReferenceKind,
    Transaction,
    TransactionStatus,
)
from connectors.profile import BankProfile, Knowledge, Proof
from connectors.simulator.references import belgian_iban
from tests.connectors.support import BASE, NOW, PSU, STUBS, TODAY, FakeBank, access, consent_request, stub, stub_text

PROFILES = registry.profiles()
BANKS = [profile.bank_id for profile in PROFILES]
BERLIN_GROUP = [
    bank
    for bank in BANKS
    if issubclass(found := registry.connector_class(bank), BerlinGroupConnector) and found.makes_consent_at_start
]
SAME_CODES = (["kbc", "kbcbrussels"], ["triodos", "triodosfr"], ["bnppf", "fintro", "hellobank"])
STUB_FILES = {"consent.json", "tokens.json", "accounts.json", "transactions-1.json", "transactions-2.json"}


class StubBank:
    """Answers each path from the stubs of one bank."""

    def __init__(self, bank_id: str) -> None:
        self.bank_id = bank_id

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        name = self.name(request.method, request.url.path, request.url.params)
        if name is None:
            return httpx2.Response(204)
        content = stub_text(self.bank_id, name).encode()
        return httpx2.Response(201 if name == "consent.json" else 200, content=content)

    @staticmethod
    def name(method: str, path: str, params: httpx2.QueryParams) -> str | None:
        if path.endswith("/transactions"):
            return "transactions-2.json" if {"page", "range", "edgeToken"} & set(params) else "transactions-1.json"
        if method == "POST" and "/token" in path:
            return "tokens.json"
        return {
            ("POST", "/berlingroup/v1/consents"): "consent.json",
            ("GET", "/berlingroup/.well-known/openid-configuration"): "metadata.json",
            ("GET", "/berlingroup/v1/consents/consent-7"): "consent-details.json",
            ("GET", "/berlingroup/v1/consents/consent-7/status"): "consent-details.json",
            ("GET", "/berlingroup/v1/accounts"): "accounts.json",
            ("GET", "/berlingroup/v1/accounts/res-1/balances"): "balances.json",
        }.get((method, path))


def test_the_banks_of_this_family_are_there() -> None:
    assert set(BANKS) >= {"crelan", "europabank", "keytrade", "kremer", "nagelmackers", "vanbreda", "vdk"}


@pytest.mark.parametrize("bank_id", BANKS)
def test_every_bank_has_profile_card_and_stubs(bank_id: str) -> None:
    profile = registry.connector_class(bank_id).profile
    assert profile.bank_id == bank_id
    found = registry.connector_class(bank_id)
    has_consents = issubclass(found, BerlinGroupConnector) and (found.makes_consent_at_start or found.can_read_consents)
    wanted = STUB_FILES if has_consents else STUB_FILES - {"consent.json"}
    assert {path.name for path in (STUBS / profile.family).iterdir()} >= wanted
    card = registry.card(bank_id)
    for heading in ("## Register", "## Certificates", "## Limits", "## Oddities", "## Sources"):
        assert heading in card, f"{bank_id}.md lacks {heading}"


def test_every_module_and_card_belongs_to_a_bank() -> None:
    folder = Path(banks.__path__[0])
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules == {path.stem for path in folder.glob("*.md")}
    assert len(modules) == len(BANKS)


@pytest.mark.parametrize("profile", PROFILES, ids=BANKS)
def test_a_profile_is_complete_and_careful(profile: BankProfile) -> None:
    for url in filter(None, (profile.production_url, profile.sandbox_url)):
        assert url.startswith("https://")
        assert not url.endswith("/")
    if profile.production_url is None:
        assert "not known" in registry.card(profile.bank_id) or "guessed" in registry.card(profile.bank_id)
    assert timedelta(days=90) <= profile.consent_validity <= timedelta(days=180)
    assert 1 <= profile.overlap_days <= 10
    assert set(profile.user_hints) == {"nl", "fr", "en", "de"}
    assert profile.proof in (Proof.DESCRIBED, Proof.SIMULATED), "only a licensed party's certificates prove more"


@pytest.mark.parametrize(
    "profile", [*PROFILES, *(bank.profile() for bank in through.BANKS)], ids=lambda profile: profile.bank_id
)
def test_bank_codes_are_those_of_the_national_list(profile: BankProfile) -> None:
    known = {bank.bank_code: bank.bic for bank in schwifty_registry.get_banks_by_country("BE") if bank.bic}
    for span in profile.iban_bank_codes:
        first, _, last = span.partition("-")
        for code in range(int(first), int(last or first) + 1):
            bic = known.get(f"{code:03}")
            assert bic is None or bic[:8] in profile.bics, f"{code:03} belongs to {bic}"


def test_an_iban_names_its_bank() -> None:
    # An intermediary and a foreign bank stand in no Belgian number.
    coded = [profile.bank_id for profile in PROFILES if profile.iban_bank_codes]
    first = {name: stub(name, "accounts.json")["accounts"][0] for name in coded}
    found = {name: account.get("accountId", account)["iban"] for name, account in first.items()}
    for bank_id, iban in found.items():
        named = [profile.bank_id for profile in registry.bank_for_iban(iban)]
        twins = next((twins for twins in SAME_CODES if bank_id in twins), [bank_id])
        assert named == twins


def test_a_bank_without_a_connector_is_named_by_its_numbers_and_the_way_to_it() -> None:
    assert not {bank.bank_id for bank in through.BANKS} & set(BANKS)
    for bank in through.BANKS:
        assert bank.through in BANKS
        iban = belgian_iban(bank.iban_bank_codes[0].partition("-")[0], "1234567")
        assert through.for_iban(iban) == [bank]
        assert registry.bank_for_iban(iban) == []
        assert through.find(bank.bank_id) is bank
        assert bank.profile().gives_booked_balance is Knowledge.UNKNOWN
    assert through.for_iban("BE14645123456783") == []
    assert through.find("kbc") is None


def test_an_account_of_former_axa_leads_to_crelan() -> None:
    iban = belgian_iban("750", "7654321")
    (profile,) = registry.bank_for_iban(f" {iban[:4]} {iban[4:].lower()} ")
    assert profile.bank_id == "crelan"
    assert profile.routed_from == ("AXA Bank Belgium",)


@pytest.mark.parametrize("iban", ["", "BE", "NL91ABNA0417164300", "BE52100012345609", "BE00645123456711"])
def test_other_ibans_name_no_bank_of_ours(iban: str) -> None:
    assert registry.bank_for_iban(iban) == []


def test_an_unknown_bank_is_named_in_the_error() -> None:
    with pytest.raises(registry.BankUnknown, match="nowhere"):
        registry.connector_class("nowhere")


@pytest.mark.parametrize("bank_id", BERLIN_GROUP)
def test_a_bank_is_walked_from_consent_to_revocation(bank_id: str) -> None:
    bank = FakeBank(handler=StubBank(bank_id))
    connector = bank.connector(bank_id)
    assert isinstance(connector, BerlinGroupConnector)

    started = connector.start_consent(consent_request())
    assert isinstance(started.step, Redirect)
    query = parse_qs(urlsplit(started.step.url).query)
    assert query["scope"] == [connector.scope("consent-7")]
    assert "AIS:consent-7" in query["scope"][0]
    assert query["state"] == ["state-123"]
    assert query["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
    assert bank.requests[0].headers["TPP-Redirect-URI"] == "https://gateway.example/psd2/callback"
    step = connector.next_step(started.handle, None)
    assert step == (Finished(ConsentStatus.VALID) if connector.can_read_consents else started.step)

    granted = connector.finish_consent(started.handle, {"code": "code-1", "state": "state-123"}, PSU)
    assert granted.status is ConsentStatus.VALID
    day = date(2027, 2, 17) if connector.can_read_consents and connector.can_read_consent_details else None
    assert granted.valid_until == day, "the bank's answer, not what we asked for"
    assert granted.tokens is not None
    assert granted.tokens.expires_at == NOW + timedelta(hours=1)
    assert connector.refresh_tokens(granted.tokens, started.handle).access_token == "token-1"

    reading = access(psu=PSU)
    current, savings = connector.accounts(reading)
    assert (current.kind, savings.kind) == (AccountKind.CURRENT, AccountKind.SAVINGS)
    assert current.holder_name == stub(bank_id, "accounts.json")["accounts"][0].get("ownerName")
    balance = connector.balances(reading, "res-1")[0]
    assert balance.amount == Decimal("4310.55")
    assert balance.kind is not BalanceKind.OTHER

    pages = list(
        connector.transaction_pages(
            reading,
            "res-1",
            account_iban=current.iban or "",
            account_holder=current.holder_name,
            date_from=date(2026, 8, 24),
            today=TODAY,
        )
    )
    assert [page.number for page in pages] == [1, 2]
    assert [page.is_last for page in pages] == [False, True]
    rows = [row for page in pages for row in page.transactions]
    pending = [row for row in rows if row.status is TransactionStatus.PENDING]
    paid, received, fee = [row for row in rows if row not in pending]
    assert len(pending) == (0 if connector.booking_status == "booked" else 1)
    assert (paid.amount, paid.coda_code, paid.counterparty_iban) == (Decimal("-256.61"), "00101000", "BE43068999999501")
    assert (received.structured_reference_kind, received.structured_reference) == (
        ReferenceKind.BELGIAN,
        "090933755493",
    )
    assert (fee.is_value_date_assumed, fee.coda_code) == (True, "08033000")
    assert isinstance(paid, Transaction)

    connector.revoke_consent(reading)
    assert bank.requests[-1].method == "DELETE"
    assert all("psu-ip-address" in r.headers for r in bank.requests if "/accounts" in r.url.path)
    without_metadata = set(CallKind) - {CallKind.METADATA, CallKind.PAYMENT}
    assert {record.kind for record in bank.records} >= without_metadata


@pytest.mark.parametrize("bank_id", BERLIN_GROUP)
def test_an_unattended_read_sends_no_address_of_a_psu(bank_id: str) -> None:
    bank = FakeBank(handler=StubBank(bank_id))
    bank.connector(bank_id).balances(access(), "res-1")
    assert "psu-ip-address" not in bank.requests[0].headers
    assert not bank.records[0].is_attended


def test_the_request_for_a_consent_is_that_of_the_description() -> None:
    bank = FakeBank(handler=StubBank("crelan"))
    bank.connector("crelan").start_consent(consent_request())
    first = bank.requests[0]
    assert str(first.url) == f"{BASE}/consents"
    assert first.headers["PSU-IP-Address"] == PSU.ip_address
    assert first.content == (
        b'{"access":{"allPsd2":"allAccounts"},"recurringIndicator":true,"validUntil":"2027-02-18",'
        b'"frequencyPerDay":4,"combinedServiceIndicator":false}'
    )
