"""A portal application and an identity provider for tests: keys made once, tokens signed by hand where they are bad."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from joserfc import jwk
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.ids import encode
from gateway.machines.applications import ApplicationService
from gateway.machines.issuers import IssuerService
from gateway.machines.jwks import signature_model
from gateway.offices.models import Office
from tests.gateway.builders import NOW, act_of_system
from tests.gateway.payments.scene import Scene, make_scene
from tests.gateway.serving import app_of

ISSUER = "https://login.example.test"
ALL_SCOPES = ("clients", "accounts", "payments:write", "payments:approve", "payments:export", "admin")

_numbers = itertools.count(1)


@cache
def signing_key(algorithm: str, kid: str = "k1") -> jwk.Key:
    """A key pair of the identity provider."""
    parameters: jwk.KeyParameters = {"kid": kid}
    if algorithm in ("RS256", "PS256"):
        return jwk.RSAKey.generate_key(2048, parameters)
    if algorithm == "EdDSA":
        return jwk.OKPKey.generate_key("Ed25519", parameters)
    return jwk.ECKey.generate_key("P-256", parameters)


def jwks(*keys: jwk.Key) -> dict[str, Any]:
    """Their public halves."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def signed(claims: Mapping[str, Any], *, algorithm: str = "ES256", key: jwk.Key | None = None, **header: Any) -> str:
    """A JWT as an identity provider makes it."""
    used = key or signing_key(algorithm)
    head = {"alg": algorithm, "kid": "k1", **header}
    text = raw(head, claims).rpartition(".")[0]
    signature = signature_model(algorithm).sign(text.encode(), used)
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def raw(header: Mapping[str, Any], claims: Mapping[str, Any] | bytes, signature: bytes = b"") -> str:
    """A token that no library would make."""
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    parts = (json.dumps(header).encode(), body, signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@dataclass
class Portal:
    """An application with a token for the scene's office, and a provider that knows its people."""

    gateway: Gateway
    scene: Scene
    http: TestClient
    client_id: str
    secret: str
    token: str = ""

    def claims(self, name: str, *, at: datetime = NOW, **more: Any) -> dict[str, Any]:
        """What the provider says of a person who just gave a second factor."""
        moment = int(at.timestamp())
        claims: dict[str, Any] = {
            "iss": ISSUER, "sub": f"sub-{name}", "aud": self.gateway.settings.base_url, "amr": ["pwd", "otp"],
            "auth_time": moment - 60, "iat": moment, "exp": moment + 120, "jti": f"jti-{next(_numbers)}",
        }  # fmt: skip
        return claims | more

    def deciding(self, name: str, decision: str, seals: Mapping[str, str | None], **more: Any) -> dict[str, Any]:
        """As `claims`, with a decision on these payments of the scene's client."""
        client = encode("client", self.scene.client.id)
        return self.claims(name, decision=decision, client=client, seals=dict(seals), **more)

    def headers(self, assertion: str | None = None, **more: str) -> dict[str, str]:
        said = {"Sluis-User-Assertion": assertion} if assertion is not None else {}
        key = {"Idempotency-Key": f"portal-request-{next(_numbers)}"}
        return {"Authorization": f"Bearer {self.token}", **key, **said, **more}

    def fetch_token(self, **form: str) -> Any:
        body = {
            "grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.secret, **form
        }  # fmt: skip
        return self.http.post("/oauth/token", data=body)


def make_portal(
    gateway: Gateway, *, scopes: tuple[str, ...] = ALL_SCOPES, keys: dict[str, Any] | None = None
) -> Portal:
    """A scene whose people are known to a provider, and a portal with a token."""
    gateway = replace(gateway, real_now=lambda: NOW)
    scene = make_scene(gateway)
    portal = portal_at(gateway, scene, scopes=scopes)
    register(gateway, scene.office, keys or jwks(signing_key("ES256")))
    for name, someone in scene.people.items():
        IssuerService(gateway).link(act_of_system(scene.office), ISSUER, f"sub-{name}", someone.id)
    answer = portal.fetch_token()
    assert answer.status_code == 200, answer.text
    portal.token = answer.json()["access_token"]
    return portal


def portal_at(gateway: Gateway, scene: Scene, *, scopes: tuple[str, ...]) -> Portal:
    """An application of the operator's, without a token yet."""
    application, _, secret = ApplicationService(gateway).create(
        act_of_system(scene.office), name="Portaal", scopes=scopes
    )
    http = TestClient(app_of(gateway), raise_server_exceptions=False)
    return Portal(gateway, scene, http, encode("application", application.id), secret)


def register(gateway: Gateway, office: Office, keys: dict[str, Any]) -> None:
    """The operator trusts these keys."""
    IssuerService(gateway).put(act_of_system(office), ISSUER, keys)
