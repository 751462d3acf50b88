"""A third party that talks to the simulated banks over real HTTP, and one server for all tests of this folder."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import pytest

from connectors.simulator import SimulatorConfig, SimulatorServer, psu

TODAY = date(2026, 11, 20)
CALLBACK = "http://127.0.0.1:1/callback?consent=con_1"
CLIENT_ID = "PSDBE-NBB-0110203443"
VERIFIER = "a-verifier-of-the-length-that-pkce-asks-for-0123456789"
HERE = {"PSU-IP-Address": "192.0.2.10"}


@dataclass
class Reply:
    """An answer of a bank or of the control desk."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content, parse_float=Decimal)

    @property
    def code(self) -> str:
        """The Berlin Group message code of an error."""
        return str(self.json["tppMessages"][0]["code"])


def send(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
    """One call without redirects and without any cache."""
    parts = urlsplit(url)
    sent = {"X-Request-ID": str(uuid4()), **(headers or {})}
    if isinstance(body, dict):
        sent.setdefault("Content-Type", "application/json")
        body = json.dumps(body)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, sent)
        response = connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


@dataclass
class Tpp:
    """One third party at one bank, with at most one consent."""

    sim: SimulatorServer
    bank_id: str
    consent_id: str = ""
    authorisation_url: str = ""
    token_url: str = ""
    tokens: dict[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.sim.base_url(self.bank_id)

    def wish(self, **changes: Any) -> dict[str, Any]:
        return {
            "access": {"allPsd2": "allAccounts"},
            "recurringIndicator": True,
            "validUntil": "2027-12-31",
            "frequencyPerDay": 4,
            "combinedServiceIndicator": False,
        } | changes

    def ask(self, headers: dict[str, str] | None = None, **changes: Any) -> Reply:
        """Create a consent and work out the address for the PSU."""
        sent = {**HERE, "TPP-Redirect-URI": CALLBACK, **(headers or {})}
        reply = send("POST", f"{self.base}/consents", self.wish(**changes), sent)
        if reply.status == 201:
            self.consent_id = reply.json["consentId"]
            metadata = send("GET", reply.json["_links"]["scaOAuth"]["href"]).json
            self.token_url = metadata["token_endpoint"]
            self.authorisation_url = f"{metadata['authorization_endpoint']}?{urlencode(self.authorisation())}"
        return reply

    def authorisation(self, **changes: str) -> dict[str, str]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        return {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "scope": f"AIS:{self.consent_id}",
            "state": "state-1",
            "redirect_uri": CALLBACK,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | changes

    def exchange(self, callback: str, **changes: str) -> Reply:
        """Trade the code of a call-back for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": parameters(callback)["code"],
            "code_verifier": VERIFIER,
            "redirect_uri": CALLBACK,
            "client_id": CLIENT_ID,
        } | changes
        reply = send("POST", self.token_url, urlencode(form))
        if reply.status == 200:
            self.tokens = reply.json
        return reply

    def refresh(self, refresh_token: str | None = None) -> Reply:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token or self.tokens["refresh_token"]}
        reply = send("POST", self.token_url, urlencode(form))
        if reply.status == 200:
            self.tokens = self.tokens | reply.json
        return reply

    def get(self, path: str, *, attended: bool = True, headers: dict[str, str] | None = None) -> Reply:
        """Read account data; `path` may be a whole address."""
        sent = {"Consent-ID": self.consent_id, "Authorization": f"Bearer {self.tokens.get('access_token', 'none')}"}
        sent |= (HERE if attended else {}) | (headers or {})
        return send("GET", path if path.startswith("http") else f"{self.base}{path}", headers=sent)

    def account(self, iban: str) -> str:
        """The present resource id of an account."""
        accounts = self.get("/accounts").json["accounts"]
        return str(next(item["resourceId"] for item in accounts if item.get("iban") == iban))

    def transactions(self, iban: str, **query: str) -> Reply:
        wanted = {"bookingStatus": "both", "dateFrom": "2026-08-22"} | query
        return self.get(f"/accounts/{self.account(iban)}/transactions?{urlencode(wanted)}")


def parameters(url: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture(scope="session")
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(SimulatorConfig(today=TODAY)) as running:
        yield running


@pytest.fixture
def sim(server: SimulatorServer) -> SimulatorServer:
    """The server of this folder, back at its start."""
    server.simulator.reset()
    return server


@pytest.fixture
def new_tpp() -> Callable[..., Tpp]:
    """Makes a third party; with a holder it has been approved and holds tokens."""

    def make(sim: SimulatorServer, bank_id: str, holder: str | None = None, **changes: Any) -> Tpp:
        tpp = Tpp(sim, bank_id)
        if holder is not None:
            assert tpp.ask(**changes).status == 201
            assert tpp.exchange(psu.approve(tpp.authorisation_url, holder)).status == 200
        return tpp

    return make


@pytest.fixture
def crelan(sim: SimulatorServer, new_tpp: Callable[..., Tpp]) -> Tpp:
    """Approved by the baker at Crelan."""
    return new_tpp(sim, "crelan", "lien.lindenaar")


@pytest.fixture
def bakery_iban() -> str:
    return "BE34103071423390"


@pytest.fixture
def http() -> Callable[..., Reply]:
    """Plain calls, for the control desk and for wrong headers."""
    return send
