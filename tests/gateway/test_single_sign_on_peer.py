"""Single sign-on against an identity provider of other makers, in an environment of its own (SEC-01, SEC-14).

It demands PKCE and keeps to the standard where our own test provider might share our misreadings; what a hostile
provider forges is tested in `test_single_sign_on`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest

from gateway.assembly import Gateway
from gateway.identity.rights import OfficeRole
from gateway.identity.service import IdentityService
from gateway.single_sign_on.errors import SingleSignOnRefused
from gateway.single_sign_on.service import RETURN_PATH, SingleSignOnService
from tests.gateway.builders import PASSWORD, make_office, make_person
from tests.peers import FOLDER

SITE = "http://127.0.0.1:8000"


class Stay(urllib.request.HTTPRedirectHandler):
    """Shows a redirection instead of following it."""

    def redirect_request(self, *_: Any) -> None:
        return None


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The provider, until the tests of this file are over. Starting it takes some seconds: it is another framework."""
    packages = FOLDER / "oidc"
    if not packages.is_dir():
        pytest.skip(f"the independent identity provider is not installed in {packages}")
    program = Path(__file__).with_name("peer_oidc.py")
    folder = tmp_path_factory.mktemp("peer-oidc")
    command = [sys.executable, "-I", "-B", str(program), str(packages), str(folder), f"{SITE}{RETURN_PATH}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the provider did not start"
        yield json.loads(line)
        process.communicate(timeout=20)


def visit(address: str) -> tuple[int, dict[str, str]]:
    """A browser at the provider: the status, and what it would carry back to us."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())
    try:
        with opener.open(address, timeout=20) as answer:
            return answer.status, {}
    except urllib.error.HTTPError as answer:
        carried = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        status = answer.code
        answer.close()
        return status, {name: values[0] for name, values in carried.items()}


def changed(address: str, **changes: str | None) -> str:
    """The address with some of its parameters replaced, or left out."""
    parts = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    return urlunsplit(parts._replace(query=urlencode({name: text for name, text in asked.items() if text is not None})))


def test_a_strange_provider_is_linked_and_opens_the_office_with_pkce(gateway: Gateway, peer: dict[str, str]) -> None:
    """There and back twice: to link the account, and to sign in with it; without PKCE the provider refuses."""
    office = make_office(gateway)
    admin = make_person(gateway, office, OfficeRole.ADMIN)
    signed_in = IdentityService(gateway).sign_in(
        email=admin.user.email, password=PASSWORD, code=admin.code(gateway.real_now()), source="a"
    )
    act, service = gateway.act(signed_in.principal), SingleSignOnService(gateway)
    provider = service.add_provider(
        act, name="Elders", issuer=peer["issuer"], client_id="sluis", client_secret=peer["secret"]
    )
    _, back = visit(service.begin_link(act, provider.id, browser="one", next_path="/security"))
    given: dict[str, Any] = {"browser": "one", "issuer": back.get("iss")}
    linked = service.finish(state=back["state"], code=back["code"], act=act, **given)
    assert (linked.signed_in, linked.next_path) == (None, "/security")

    def leave() -> str:
        return service.begin_sign_in(office.id, provider.id, browser="one", next_path="/day")

    _, back = visit(leave())
    returned = service.finish(state=back["state"], code=back["code"], act=None, **given)
    assert returned.signed_in is not None
    assert returned.signed_in.principal.id == admin.user.id
    assert returned.signed_in.principal.sign_in_method == "oidc"

    # The provider holds us to PKCE: a way there without a challenge, or with somebody else's, leads nowhere.
    _, refused = visit(changed(leave(), code_challenge=None, code_challenge_method=None))
    assert "code" not in refused
    _, back = visit(changed(leave(), code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"))
    with pytest.raises(SingleSignOnRefused):
        service.finish(state=back["state"], code=back["code"], act=None, **given)

    # A code that was used, carried back with a fresh state.
    _, back = visit(leave())
    service.finish(state=back["state"], code=back["code"], act=None, **given)
    _, again = visit(leave())
    with pytest.raises(SingleSignOnRefused):
        service.finish(state=again["state"], code=back["code"], act=None, **given)
