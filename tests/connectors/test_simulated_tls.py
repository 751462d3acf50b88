"""Mutual TLS at the simulated banks: with the right certificate they answer, else the operator must act (SEC-12)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, build_opener
from uuid import uuid4

import pytest

from connectors import registry
from connectors.base import BankEndpoint, Connector
from connectors.certificates import Role
from connectors.errors import BankUnavailable, OperatorError
from connectors.http import BankHttp, BankRequest, CallKind
from connectors.issuing import InventedAuthority, Issued
from connectors.key_ids import key_id
from connectors.model import Access, AccountKind, ConsentRequest, ConsentStatus, PsuContext, Redirect, TokenSet
from connectors.signing import RequestSigner, SigningKey
from connectors.simulator import SimulatorConfig, SimulatorServer, TlsFiles, every_bank, psu
from connectors.simulator.tls import signature_keys
from tests.connectors.simulated import approved, signs_every_call

TODAY = date(2026, 11, 21)
PERSON = PsuContext("192.0.2.7", "Mozilla/5.0", "nl")
BANKS = [bank.bank_id for bank in every_bank()]
SIGNED = [bank_id for bank_id in BANKS if signs_every_call(bank_id)]
WITHOUT_REASON = ("hellobank",)
"""STET banks name neither code nor reason."""
FAMILIES = list({bank.family: bank.bank_id for bank in every_bank()}.values())
"""One bank of each family."""


@dataclass
class Stage:
    """The simulated banks over https, and certificates to call them with."""

    server: SimulatorServer
    folder: Path
    authority: InventedAuthority
    qseal: Issued

    def file(self, name: str, issued: Issued) -> Path:
        path = self.folder / f"{name}.pem"
        path.write_bytes(issued.chain_pem + issued.key_pem())
        return path

    def connector(self, bank_id: str, certificate: Path | None, *, seal: Issued | None = None) -> Connector:
        context = ssl.create_default_context(cafile=str(self.folder / "authority.pem"))
        if certificate is not None:
            context.load_cert_chain(certificate)
        found, seal = registry.connector_class(bank_id), seal or self.qseal
        name = key_id(seal.certificate, found.key_id_form)
        key = SigningKey(name, seal.key, seal.certificate)
        signer = RequestSigner(found.signature, key, now=self.now) if found.signature else None
        base = self.server.base_url(bank_id)
        http = BankHttp(
            base, bank_id=bank_id, now=self.now, ssl_context=context, signer=signer, signed_kinds=found.signed_kinds
        )
        endpoint = BankEndpoint(base, "PSDBE-NBB-0999999922", api_key="key-of-the-portal", client_secret="secret")
        return found(endpoint, http, now=self.now, new_id=lambda: str(uuid4()))

    def now(self) -> datetime:
        """The time at the banks."""
        return self.server.clock.now.astimezone(UTC)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder, now = tmp_path_factory.mktemp("tls"), datetime.now(UTC)  # TLS looks at the real clock
    authority = InventedAuthority(not_before=now - timedelta(days=1), not_after=now + timedelta(days=1000))
    (folder / "authority.pem").write_bytes(authority.root_pem)
    server = authority.server()
    (folder / "server.pem").write_bytes(server.chain_pem + server.key_pem())
    qseal = authority.qseal()
    config = SimulatorConfig(
        today=TODAY,
        banks=every_bank(),
        tls=TlsFiles(folder / "server.pem", folder / "authority.pem"),
        signature_keys=signature_keys(qseal.chain_pem),
    )
    with SimulatorServer(config) as running:
        found = Stage(running, folder, authority, qseal)
        found.file("qwac", authority.qwac())
        yield found


class Held:
    """Tokens that are never renewed here."""

    def __init__(self, tokens: TokenSet) -> None:
        self.tokens = tokens

    def current(self) -> TokenSet:
        return self.tokens

    def renew(self, rejected: TokenSet) -> TokenSet:
        raise AssertionError("the tokens are fresh")


def request_for(bank_id: str) -> ConsentRequest:
    days = registry.connector_class(bank_id).profile.consent_validity
    return ConsentRequest(
        redirect_uri="https://gateway.example/callback",
        state="state-of-this-browser",
        code_verifier="v" * 64,
        valid_until=TODAY + days - timedelta(days=1),
        psu=PERSON,
    )


@pytest.mark.parametrize("bank_id", BANKS)
def test_with_qwac_and_qseal_every_bank_is_linked_and_read(stage: Stage, bank_id: str) -> None:
    connector = stage.connector(bank_id, stage.folder / "qwac.pem")
    started = connector.start_consent(request_for(bank_id))
    assert isinstance(started.step, Redirect)
    assert started.step.url.startswith("https://")
    callback = psu.approve(started.step.url, authority=stage.folder / "authority.pem")
    granted = connector.finish_consent(started.handle, dict(parse_qsl(urlsplit(callback).query)), PERSON)
    granted = approved(stage.server, connector, granted)
    assert granted.status is ConsentStatus.VALID
    assert granted.tokens is not None
    access = Access((granted.handle or started.handle).bank_consent_id, Held(granted.tokens), PERSON)
    assert any(account.kind is AccountKind.CURRENT for account in connector.accounts(access))
    connector.http.close()


def accounts_request(bank_id: str) -> BankRequest:
    """The list of accounts, without a token."""
    url = getattr(registry.connector_class(bank_id), "accounts_path", "/accounts")
    return BankRequest(method="GET", url=url, template="/accounts", kind=CallKind.ACCOUNTS, request_id=str(uuid4()))


@pytest.mark.parametrize("bank_id", FAMILIES)
def test_without_a_certificate_the_operator_must_act(stage: Stage, bank_id: str) -> None:
    connector = stage.connector(bank_id, None)
    # Not every bank is called before the PSU has signed in, and not every one names a code: this is the bare answer.
    request = accounts_request(bank_id)
    answer = connector.http.send(request)
    assert answer.status == 401
    assert b"a client certificate is needed" in answer.body or bank_id in WITHOUT_REASON
    connector.http.close()


def test_the_refusal_names_its_reason(stage: Stage) -> None:
    reasons = {
        None: "CERTIFICATE_MISSING",
        stage.file("payments", stage.authority.qwac(roles=[Role.PAYMENT_INITIATION])): "ROLE_INVALID",
    }
    for certificate, code in reasons.items():
        connector = stage.connector("keytrade", certificate)
        with pytest.raises(OperatorError) as refused:
            connector.start_consent(request_for("keytrade"))
        assert refused.value.bank_code == code
        connector.http.close()


def test_a_certificate_ends_by_the_clock_of_the_banks(stage: Stage) -> None:
    end = datetime.now(UTC) + timedelta(days=30)
    ending = stage.authority.qwac(not_after=end)
    connector = stage.connector("keytrade", stage.file("ending", ending))
    connector.start_consent(request_for("keytrade"))
    stage.server.clock.advance(days=(end.date() - TODAY).days + 1)
    with pytest.raises(OperatorError) as refused:
        connector.start_consent(request_for("keytrade"))
    assert refused.value.bank_code == "CERTIFICATE_EXPIRED"
    stage.server.simulator.reset()
    connector.http.close()


def test_a_certificate_of_another_authority_or_not_for_clients_ends_in_the_handshake(stage: Stage) -> None:
    other = InventedAuthority(not_before=stage.authority.not_before, not_after=stage.authority.not_after)
    for name, issued in (("foreign", other.qwac()), ("server-alone", stage.authority.server())):
        connector = stage.connector("keytrade", stage.file(name, issued))
        # This server hangs up without the alert that banks send (see `test_tls`), so the reason is not told.
        with pytest.raises(BankUnavailable):
            connector.start_consent(request_for("keytrade"))
        connector.http.close()


@pytest.mark.parametrize("bank_id", SIGNED)
def test_the_seal_of_another_is_refused_behind_a_good_certificate(stage: Stage, bank_id: str) -> None:
    line = stage.connector(bank_id, stage.folder / "qwac.pem", seal=stage.authority.qseal()).http
    request = accounts_request(bank_id)
    sealed = stage.connector(bank_id, stage.folder / "qwac.pem").http
    refused, known = line.send(request), sealed.send(request)
    assert refused.status == 401
    # With the right seal the call comes as far as its missing token.
    assert known.body != refused.body
    line.close()
    sealed.close()


def test_a_browser_needs_no_certificate_for_the_pages(stage: Stage) -> None:
    context = ssl.create_default_context(cafile=str(stage.folder / "authority.pem"))
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    with opener.open(f"{stage.server.url}/sim", timeout=5) as page:
        assert page.status == 200
