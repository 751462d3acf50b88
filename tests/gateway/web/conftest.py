"""A running application for pages: a browser-like client with cookies, forms and our own origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.assembly import Gateway
from tests.gateway.builders import PASSWORD, Person

ORIGIN = "http://testserver"


@dataclass
class Browser:
    """A person at a browser; every POST carries Origin and the form token of the page last seen."""

    client: TestClient
    gateway: Gateway
    token: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Origin": ORIGIN})

    def get(self, path: str, status: int = 200) -> str:
        response = self.client.get(path, follow_redirects=True)
        assert response.status_code == status, response.text
        return self._seen(response.text)

    def post(self, path: str, data: dict[str, object] | None = None, status: int = 200) -> str:
        fields = {"form_token": self.token} | (data or {})
        response = self.client.post(path, data=fields, headers=self.headers, follow_redirects=True)
        assert response.status_code == status, response.text
        return self._seen(response.text)

    def sign_in(self, person: Person, *, wanted: str = "/") -> str:
        self.get("/sign-in")
        code = person.code(self.gateway.real_now()) if person.secret else ""
        return self.post("/sign-in", {"email": person.user.email, "password": PASSWORD, "code": code, "next": wanted})

    def _seen(self, text: str) -> str:
        found = re.search(r'name="form_token" value="([^"]+)"', text)
        if found:
            self.token = unescape(found[1])
        return text


@pytest.fixture
def browser(gateway: Gateway) -> Iterator[Browser]:
    """A browser at an installation on the rolled-back database."""
    with TestClient(create_app(gateway), base_url=ORIGIN) as client:
        yield Browser(client, gateway)
