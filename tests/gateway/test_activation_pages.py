"""The pages behind an invitation's link (OFF-07, SEC-13, SEC-14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.identity.errors import SignInRefused
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.identity.service import IdentityService
from gateway.notices.outbox import opened
from gateway.offices.models import Client, Office
from gateway.people.invitations import InvitationService, InvitationWish
from gateway.proposals.service import ProposalService
from tests.gateway.builders import PASSWORD, act_of, make_client, make_office, make_person
from tests.gateway.serving import app_of

SITE = "http://127.0.0.1:8000"


@pytest.fixture
def http(gateway: Gateway) -> Iterator[TestClient]:
    with TestClient(app_of(gateway), base_url=SITE, follow_redirects=False) as client:
        client.headers["Origin"] = SITE
        yield client


def invite(gateway: Gateway, office: Office, client: Client, email: str, *roles: str) -> tuple[str, str]:
    """Path of the link, and the code that goes with it."""
    now = gateway.real_now()
    first, second = (act_of(make_person(gateway, office, OfficeRole.ADMIN, is_enrolled=False), office,
                            OfficeRole.ADMIN, now=now) for _ in range(2))  # fmt: skip
    wish = InvitationWish(email, "An", "Peeters", "nl", roles, client.id)
    invited = InvitationService(gateway).invite(first, wish)
    if invited.proposal is not None:
        ProposalService(gateway).confirm(second, invited.proposal.id)
    mail = opened(gateway, office.id)[-1]
    return re.findall(rf"{SITE}(/invitations/\S+)", mail.text)[0], invited.code or ""


def form_token(html: str) -> str:
    return re.findall(r'name="form_token" value="([^"]+)"', html)[-1]


def test_a_new_approver_comes_in_by_the_pages(gateway: Gateway, http: TestClient) -> None:
    office = make_office(gateway)
    client = make_client(gateway, office, now=gateway.real_now())
    path, code = invite(gateway, office, client, "an@example.test", "approver")
    shown = http.get(path)
    assert shown.status_code == 200
    assert "Dag An" in shown.text
    assert "Goedkeurder" in shown.text
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    fields = {"form_token": form_token(shown.text), "password": "x" * 12, "password_again": "y" * 12, "code": code}
    assert http.post(path, data=fields).status_code == 422
    assert http.post(path, data=fields | {"form_token": "forged"}).status_code == 403
    password = "een nieuw wachtwoord"
    wrong = fields | {"password": password, "password_again": password, "code": "999999"}
    assert http.post(path, data=wrong).status_code == 422
    enrolling = http.post(path, data=wrong | {"code": code})
    assert enrolling.status_code == 200, enrolling.text
    secret = re.findall(r'<code class="key">([^<]+)</code>', enrolling.text)[0].replace(" ", "").replace("\u00a0", "")
    fields = {"form_token": form_token(enrolling.text), "code": "000000"}
    assert http.post(f"{path}/authenticator", data=fields).status_code == 422
    # The code of the step before: it counts once, and the present one is for the sign-in.
    totp = pyotp.TOTP(re.sub(r"\s", "", secret)).at(gateway.real_now() - timedelta(seconds=30))
    done = http.post(f"{path}/authenticator", data=fields | {"code": totp})
    assert (done.status_code, done.headers["Location"]) == (303, "/sign-in")
    assert http.get(path).status_code == 404
    identity, who = IdentityService(gateway), {"email": "an@example.test", "password": password, "source": "a"}
    with pytest.raises(SignInRefused):
        identity.sign_in(code=totp, **who)
    assert identity.sign_in(code=pyotp.TOTP(re.sub(r"\s", "", secret)).at(gateway.real_now()), **who)


def test_an_existing_person_signs_in_and_accepts(gateway: Gateway, http: TestClient) -> None:
    office, other = make_office(gateway), make_office(gateway, name="Ander kantoor")
    client = make_client(gateway, office, now=gateway.real_now())
    person = make_person(gateway, other, OfficeRole.STAFF)
    path, _ = invite(gateway, office, client, person.user.email, "viewer")
    assert f"/sign-in?next={path}" in http.get(path).text.replace("%2F", "/")
    stranger = make_person(gateway, other, ClientRole.VIEWER, client=make_client(gateway, other))
    for who in (stranger, person):
        signed_in = IdentityService(gateway).sign_in(
            email=who.user.email, password=PASSWORD, code=who.code(gateway.real_now()), source="a"
        )
        http.cookies.set("sluis_session", signed_in.token)
        shown = http.get(path)
        fields = {"form_token": form_token(shown.text)}
        answer = http.post(f"{path}/acceptance", data=fields)
        assert answer.status_code == (403 if who is stranger else 303)
    assert http.get(path).status_code == 404
