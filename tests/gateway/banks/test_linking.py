"""Banks behind mutual TLS, signatures, keys and secrets are linked through the API and the pages, and then read.

The simulated banks serve https here, ask for a client certificate with the role PSP_AI, and check every signature.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from connectors.certificates import Role
from connectors.issuing import Institution, InventedAuthority, Issued
from connectors.simulator import SimulatorConfig, SimulatorServer, TlsFiles, every_bank, psu
from connectors.simulator.tls import signature_keys
from gateway.assembly import Gateway
from gateway.banks.directory import BankDirectory
from gateway.ids import encode
from gateway.machines.service import MachineService
from gateway.settings import BankAccessSettings, CertificateSettings
from tests.gateway.bank_to_coda.conftest import TODAY
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.serving import app_of
from tests.gateway.web.conftest import ORIGIN, Browser

IDENTIFIER = Institution().organisation_identifier
HOLDER = "erik.wouters"
SECRETS: dict[str, dict[str, Any]] = {
    "kbc": {},
    "argenta": {"api_key": "key-of-the-portal"},
    "triodos": {"client_secret": "secret-of-the-registration"},
    "bnppf": {"client_secret": "secret-of-the-registration", "key_id": "https://tpp.example/seal.pem"},
    "ponto": {"client_secret": "secret-of-the-registration", "key_id": "id-on-the-portal"},
}


@dataclass
class Stage:
    """Banks on https, and files to call them with."""

    banks: SimulatorServer
    folder: Path
    authority: InventedAuthority

    def certificate(self, kind: str, issued: Issued, identifier: str | None = IDENTIFIER) -> CertificateSettings:
        path = self.folder / f"{issued.certificate.serial_number}.pem"
        path.touch(mode=0o600)
        path.write_bytes(issued.chain_pem + issued.key_pem())
        return CertificateSettings.model_validate(
            {"kind": kind, "certificate_file": path, "organisation_identifier": identifier}
        )

    def access(self, bank_id: str, **changes: Any) -> BankAccessSettings:
        given = {
            "base_url": self.banks.base_url(bank_id),
            "client_id": IDENTIFIER,
            "authority_file": self.folder / "authority.pem",
            **SECRETS[bank_id],
        }
        return BankAccessSettings.model_validate(given | changes)


@pytest.fixture(scope="module")
def qseal_and_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Issued, Stage]]:
    folder = tmp_path_factory.mktemp("banks")
    # TLS looks at the real clock, banks and office at that of the story.
    real, told = datetime.now(UTC), datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    authority = InventedAuthority(
        not_before=min(real, told) - timedelta(days=1), not_after=max(real, told) + timedelta(days=300)
    )
    (folder / "authority.pem").write_bytes(authority.root_pem)
    server, qseal = authority.server(), authority.qseal()
    (folder / "server.pem").write_bytes(server.chain_pem + server.key_pem())
    config = SimulatorConfig(
        today=TODAY,
        banks=tuple(replace(bank, unattended_calls_max=None) for bank in every_bank()),
        tls=TlsFiles(folder / "server.pem", folder / "authority.pem"),
        signature_keys={
            **signature_keys(qseal.chain_pem),
            # Under the names of a registration, where banks keep one.
            **{given["key_id"]: qseal.key.public_key() for given in SECRETS.values() if "key_id" in given},
        },
    )
    with SimulatorServer(config) as running:
        yield qseal, Stage(running, folder, authority)


@pytest.fixture
def stage(qseal_and_stage: tuple[Issued, Stage]) -> Stage:
    qseal_and_stage[1].banks.simulator.reset()
    return qseal_and_stage[1]


@pytest.fixture
def certificates(qseal_and_stage: tuple[Issued, Stage]) -> dict[str, CertificateSettings]:
    qseal, stage = qseal_and_stage
    return {
        "qwac": stage.certificate("qwac", stage.authority.qwac()),
        "qseal": stage.certificate("qseal", qseal),
        # What an intermediary issues itself.
        "tls": stage.certificate("tls", stage.authority.qwac(), None),
        "signature": stage.certificate("signature", qseal, None),
    }


Reaching = Callable[..., Gateway]


@pytest.fixture
def reaching(gateway: Gateway, stage: Stage) -> Iterator[Reaching]:
    """Makes an installation with these certificates and banks; its lines are closed at the end."""
    made: list[Gateway] = []

    def make(certificates: dict[str, CertificateSettings], **banks: BankAccessSettings) -> Gateway:
        update = {"base_url": ORIGIN, "certificates": certificates, "banks": banks}
        settings = gateway.settings.model_copy(update=update)
        start = stage.banks.clock.now.astimezone(UTC)
        directory = BankDirectory(settings, now=lambda: start)
        made.append(replace(gateway, settings=settings, banks=directory, real_now=lambda: start))
        return made[-1]

    yield make
    for connected in made:
        connected.banks.close()


@dataclass
class Portal:
    """An office's portal and the entrepreneur's browser."""

    story: Story
    client: TestClient
    headers: dict[str, str]

    @classmethod
    def of(cls, gateway: Gateway, stage: Stage, bank_id: str, client: TestClient) -> Portal:
        story = Story.begin(gateway, stage.banks, bank_id)
        _, token = MachineService(gateway).create_credential(
            story.act, name="test", scopes=["consents", "accounts", "transactions"]
        )
        return cls(story, client, {"Authorization": f"Bearer {token}", "Accept-Language": "en"})

    def ask(self) -> Any:
        """A consent, as a portal asks for it."""
        return self.client.post(
            "/v1/consents",
            headers={**self.headers, "Idempotency-Key": f"link-{self.story.bank_id}"},
            json={
                "client_id": encode("client", self.story.client.id),
                "bank_id": self.story.bank_id,
                "language": "nl",
            },
        )

    def invite(self, consent_id: str) -> str:
        """The code of an invitation, which a portal hands to the client."""
        headers = {**self.headers, "Idempotency-Key": f"invite-{self.story.bank_id}"}
        made = self.client.post(f"/v1/consents/{consent_id}/invitations", headers=headers, json={})
        return str(made.json()["code"])

    def get(self, address: str) -> Any:
        return self.client.get(address, headers=self.headers).json()


@pytest.mark.parametrize("bank_id", sorted(SECRETS))
def test_a_bank_with_certificates_keys_and_secrets_is_linked_and_read(
    reaching: Reaching, stage: Stage, certificates: dict[str, CertificateSettings], bank_id: str
) -> None:
    connected = reaching(certificates, **{bank_id: stage.access(bank_id)})
    with TestClient(app_of(connected), base_url=ORIGIN, client=("203.0.113.9", 50000)) as client:
        portal, browser = Portal.of(connected, stage, bank_id, client), Browser(client, connected)
        listed = {bank["id"]: bank for bank in portal.get("/v1/banks")["items"]}
        assert (listed[bank_id]["is_configured"], listed[bank_id]["missing"]) == (True, [])
        assert [lack["code"] for lack in listed["crelan"]["missing"]] == ["access"]

        created = portal.ask()
        assert created.status_code == 201, created.text
        link = urlsplit(created.json()["authorisation_url"]).path
        browser.get(link)
        # Some of these banks name no holder: the code says whose the accounts are (CON-08).
        browser.post(f"{link}/code", {"code": portal.invite(created.json()["consent"]["id"])})
        found = re.search(r'content="0;url=([^"]+)"', browser.post(link))
        assert found is not None
        bank_page = html.unescape(found[1])
        assert bank_page.startswith("https://127.0.0.1:")
        back = urlsplit(psu.approve(bank_page, HOLDER, authority=stage.folder / "authority.pem"))
        choice = browser.get(f"{back.path}?{back.query}")
        ticked = re.findall(r'name="account" value="([^"]+)" checked', choice)
        assert ticked, choice
        browser.post(f"{link}/accounts", {"account": ticked})

        consent = portal.get(f"/v1/consents/{created.json()['consent']['id']}")
        assert consent["state"] == "valid"
        portal.story.work()
        (account,) = portal.get("/v1/accounts")["items"][:1]
        assert account["health"] == "ok"
        rows = portal.get(f"/v1/transactions?account_id={account['id']}&limit=500")["items"]
        # A number may stand for two accounts, a currency each.
        (truth,) = [
            one
            for one in stage.banks.world.accounts
            if (one.bank_id, one.iban, one.currency) == (bank_id, account["iban"], account["currency"])
        ]
        booked = [row for row in rows if row["state"] == "booked"]
        assert len(booked) == len(stage.banks.world.booked(truth, TODAY - timedelta(days=90), TODAY))


def test_a_bank_that_lacks_its_key_and_seal_is_named_so_and_not_offered(
    reaching: Reaching, stage: Stage, certificates: dict[str, CertificateSettings]
) -> None:
    """CON-04."""
    alone = {"qwac": certificates["qwac"]}
    connected = reaching(alone, argenta=stage.access("argenta", api_key=None))
    with TestClient(app_of(connected), base_url=ORIGIN, client=("203.0.113.9", 50000)) as client:
        portal = Portal.of(connected, stage, "argenta", client)
        listed = {bank["id"]: bank for bank in portal.get("/v1/banks")["items"]}
        assert not listed["argenta"]["is_configured"]
        assert listed["argenta"]["missing"] == [
            {"code": "seal_certificate", "text": "A certificate that signs requests; banks want a QSEAL"},
            {"code": "api_key", "text": "The API key of the bank's portal"},
        ]
        dutch = client.get("/v1/banks", headers={**portal.headers, "Accept-Language": "nl"}).json()["items"]
        texts = {lack["text"] for bank in dutch if bank["id"] == "argenta" for lack in bank["missing"]}
        assert "De API-sleutel van het portaal van de bank" in texts
        refused = portal.ask()
        assert (refused.status_code, refused.json()["code"]) == (503, "bank_not_configured")
        assert refused.json()["missing"] == ["seal_certificate", "api_key"]


def test_a_certificate_without_the_role_is_not_used_at_all(
    reaching: Reaching, stage: Stage, certificates: dict[str, CertificateSettings]
) -> None:
    payments = stage.certificate("qwac", stage.authority.qwac(roles=[Role.PAYMENT_INITIATION]))
    connected = reaching({"qwac": payments}, kbc=stage.access("kbc"))
    with TestClient(app_of(connected), base_url=ORIGIN, client=("203.0.113.9", 50000)) as client:
        portal = Portal.of(connected, stage, "kbc", client)
        listed = {bank["id"]: bank for bank in portal.get("/v1/banks")["items"]}
        assert [lack["code"] for lack in listed["kbc"]["missing"]] == ["tls_certificate_unusable"]


def test_a_bank_that_refuses_our_seal_is_the_operator_s_matter(
    reaching: Reaching, stage: Stage, certificates: dict[str, CertificateSettings]
) -> None:
    """The bank knows another seal: nothing is promised to the entrepreneur, and no secret shows."""
    other = certificates | {"qseal": stage.certificate("qseal", stage.authority.qseal())}
    connected = reaching(other, argenta=stage.access("argenta"))
    with TestClient(app_of(connected), base_url=ORIGIN, client=("203.0.113.9", 50000)) as client:
        portal, browser = Portal.of(connected, stage, "argenta", client), Browser(client, connected)
        link = urlsplit(portal.ask().json()["authorisation_url"]).path
        browser.get(f"{link}?language=en")
        text = browser.post(link, status=503)
        assert "does not accept this installation" in text
        assert "key-of-the-portal" not in text
