"""An identity provider on loopback that does what the test says: honest by default, hostile on request."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT_ID, CLIENT_SECRET = "sluis", "s3cret/with+signs"


@dataclass
class IdentityProvider:
    """Codes, tokens and keys; `forge` replaces the token that is given for the next code."""

    issuer: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True))
    document: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    token: str = ""
    codes: set[str] = field(default_factory=set)
    keys_asked: int = 0

    def authorise(self, url: str) -> dict[str, str]:
        """What the browser carried to us; a code is ready then."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.codes = {"code-1"}
        return self.asked

    def claims(self, now: int, **changes: Any) -> dict[str, Any]:
        """Honest claims for what was asked; a change to None takes one away."""
        honest = {
            "iss": self.issuer, "aud": self.asked["client_id"], "sub": "subject-1", "nonce": self.asked["nonce"],
            "iat": now, "exp": now + 300, "auth_time": now - 5, "email": "somebody@example.test",
        }  # fmt: skip
        return {name: value for name, value in (honest | changes).items() if value is not None}

    def sign(self, claims: dict[str, Any], key: ECKey | None = None) -> str:
        """A token by our key."""
        used = key or self.key
        return jwt.encode({"alg": "ES256", "kid": used.kid}, claims, used, algorithms=["ES256"])

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The token endpoint: client, code once, address, PKCE."""
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        basic = base64.b64encode(b"sluis:s3cret%2Fwith%2Bsigns").decode()
        is_right = (
            authorization == f"Basic {basic}"
            and form.get("code") in self.codes
            and form.get("redirect_uri") == self.asked["redirect_uri"]
            and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.asked["code_challenge"]
            and self.asked["code_challenge_method"] == "S256"
        )
        self.codes.discard(form.get("code", ""))
        return (200, {"access_token": "x", "token_type": "Bearer", "id_token": self.token}) if is_right else (400, {})


@contextmanager
def running_provider() -> Iterator[IdentityProvider]:
    """Answers until the block ends."""
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/keys":
                provider.keys_asked += 1
                self._answer(200, {"keys": [provider.key.as_dict(private=False)]})
            else:
                self._answer(200, provider.document)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.redeem(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    provider.document = {
        "issuer": provider.issuer, "authorization_endpoint": f"{provider.issuer}/authorise",
        "token_endpoint": f"{provider.issuer}/token", "jwks_uri": f"{provider.issuer}/keys",
    }  # fmt: skip
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    thread.join(10)
    server.server_close()
