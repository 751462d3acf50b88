"""Single sign-on against a provider that may be hostile (SEC-01, SEC-14)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import ECKey
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import NotFound, SignInError
from gateway.identity.errors import OwnSignInRequired
from gateway.identity.people import PeopleService
from gateway.identity.rights import OfficeRole, SecondFactorRequired
from gateway.identity.service import IdentityService
from gateway.identity.sessions import SessionService, SignedIn
from gateway.ids import encode, new_id
from gateway.offices.models import Office
from gateway.pagination import PageRequest
from gateway.passkeys.service import PasskeyService
from gateway.settings import TrustedClaims
from gateway.single_sign_on import provider as line
from gateway.single_sign_on.errors import (
    AccountLinked,
    IssuerNotAllowed,
    ProviderKnown,
    ProviderUnavailable,
    SingleSignOnNotLinked,
    SingleSignOnRefused,
)
from gateway.single_sign_on.service import Returned, SingleSignOnService
from tests.gateway.builders import NOW, PASSWORD, Person, act_of_system, make_office, make_person
from tests.gateway.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, running_provider
from tests.gateway.serving import app_of
from tests.gateway.web.world import Clock


@pytest.fixture(scope="module")
def running() -> Iterator[IdentityProvider]:
    with running_provider() as provider:
        yield provider


@dataclass
class Scene:
    """An office with a provider, and one of its people."""

    gateway: Gateway
    clock: Clock
    office: Office
    person: Person
    idp: IdentityProvider
    provider_id: UUID
    browser: str = "browser-1"

    @property
    def service(self) -> SingleSignOnService:
        return SingleSignOnService(self.gateway)

    @property
    def seconds(self) -> int:
        return int(self.clock().timestamp())

    def sign_in(self, person: Person | None = None) -> SignedIn:
        who = person or self.person
        self.clock.step()
        return IdentityService(self.gateway).sign_in(
            email=who.user.email, password=PASSWORD, code=who.code(self.clock()), source="198.51.100.7",
            office_id=self.office.id,
        )  # fmt: skip

    def begin(self) -> dict[str, str]:
        url = self.service.begin_sign_in(self.office.id, self.provider_id, browser=self.browser, next_path="/day")
        return self.idp.authorise(url)

    def come_back(self, asked: dict[str, str], **more: Any) -> Returned:
        given: dict[str, Any] = {
            "state": asked["state"], "code": "code-1", "issuer": None, "browser": self.browser, "act": None,
        }  # fmt: skip
        return self.service.finish(**(given | more))

    def honest(self, **changes: Any) -> Returned:
        """There and back with an honest token."""
        asked = self.begin()
        self.idp.token = self.idp.sign(self.idp.claims(self.seconds, **changes))
        return self.come_back(asked)

    def link(self, person: Person | None = None, subject: str = "subject-1") -> None:
        act = self.gateway.act(self.sign_in(person).principal)
        url = self.service.begin_link(act, self.provider_id, browser=self.browser, next_path="/security")
        asked = self.idp.authorise(url)
        self.idp.token = self.idp.sign(self.idp.claims(self.seconds, sub=subject))
        assert self.come_back(asked, act=act).signed_in is None


@pytest.fixture
def scene(gateway: Gateway, running: IdentityProvider) -> Scene:
    line._kept.clear()
    clock = Clock(NOW)
    timed = replace(gateway, real_now=clock)
    office = make_office(timed)
    admin = make_person(timed, office, OfficeRole.ADMIN)
    made = Scene(timed, clock, office, admin, running, office.id)
    act = timed.act(made.sign_in().principal)
    made.provider_id = made.service.add_provider(
        act, name="Kantoor-ID", issuer=running.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
    ).id
    return made


def test_an_account_is_linked_signed_in_and_then_opens_its_office(scene: Scene) -> None:
    """SEC-14: with PKCE, secret, nonce and state; without a registered claim our own second factor is asked."""
    scene.link()
    returned = scene.honest()
    assert returned.next_path == "/day"
    assert returned.signed_in is not None
    principal = returned.signed_in.principal
    assert (principal.id, principal.office_id) == (scene.person.user.id, scene.office.id)
    assert (principal.sign_in_method, principal.second_factor_at) == ("oidc", None)
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        actions = {entry.action for entry in session.exec(select(AuditEntry))}
    assert actions >= {"oidc_provider.added", "oidc_link.added"}


def test_the_same_address_links_nobody(scene: Scene) -> None:
    """SEC-14: never by e-mail, however verified the provider calls it."""
    with pytest.raises(SingleSignOnNotLinked):
        scene.honest(email=scene.person.user.email, email_verified=True)


def none_token(scene: Scene, claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def mac_token(scene: Scene, claims: dict[str, Any]) -> str:
    """Signed with HS256 and the public key, which everybody has, as the secret."""
    head = f"{part({'alg': 'HS256', 'kid': scene.idp.key.kid})}.{part(claims)}"
    digest = hmac.new(scene.idp.key.as_pem(private=False), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def strange_key_token(scene: Scene, claims: dict[str, Any]) -> str:
    return scene.idp.sign(claims, ECKey.generate_key("P-256", {"kid": scene.idp.key.kid}))


def embedded_key_token(scene: Scene, claims: dict[str, Any]) -> str:
    """The header brings its own key along."""
    from joserfc import jwt  # noqa: PLC0415  # for this forgery only

    own = ECKey.generate_key("P-256")
    return jwt.encode({"alg": "ES256", "jwk": own.as_dict(private=False)}, claims, own, algorithms=["ES256"])


def part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("forge", [none_token, mac_token, strange_key_token, embedded_key_token])
def test_a_token_is_signed_by_the_issuers_key_with_an_asymmetric_algorithm(
    scene: Scene, forge: Callable[[Scene, dict[str, Any]], str]
) -> None:
    """JWT algorithm confusion: what the header says is never enough."""
    scene.link()
    asked = scene.begin()
    scene.idp.token = forge(scene, scene.idp.claims(scene.seconds))
    with pytest.raises(SingleSignOnRefused):
        scene.come_back(asked)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"}, {"aud": "another-client"}, {"aud": ["sluis", "other"]}, {"azp": "other"},
        {"nonce": "another"}, {"nonce": None}, {"exp": None}, {"iat": None}, {"sub": None}, {"sub": ""}, {"sub": 7},
        {"aud": None}, {"iss": None}, {"exp": "soon"}, {"exp": True}, {"nbf": 32503680000},
    ],
)  # fmt: skip
def test_every_claim_counts(scene: Scene, changes: dict[str, Any]) -> None:
    """OpenID Connect Core 3.1.3.7."""
    scene.link()
    with pytest.raises(SingleSignOnRefused):
        scene.honest(**changes)


@pytest.mark.parametrize(("issued", "expires"), [(-400, -61), (-601, 300), (61, 300)])
def test_an_expired_old_or_future_token_is_refused(scene: Scene, issued: int, expires: int) -> None:
    scene.link()
    with pytest.raises(SingleSignOnRefused):
        scene.honest(iat=scene.seconds + issued, exp=scene.seconds + expires)


def test_state_and_code_work_once_in_the_same_browser_within_ten_minutes(scene: Scene) -> None:
    scene.link()
    asked = scene.begin()
    scene.idp.token = scene.idp.sign(scene.idp.claims(scene.seconds))
    assert scene.come_back(asked).signed_in is not None
    with pytest.raises(SingleSignOnRefused):
        scene.come_back(asked)
    fresh = scene.begin()
    scene.idp.codes.clear()
    with pytest.raises(SingleSignOnRefused):
        scene.come_back(fresh)
    for change in (
        {"browser": "browser-2"},
        {"browser": ""},
        {"state": "x"},
        {"code": ""},
        {"issuer": "https://mix.up"},
    ):
        asked = scene.begin()
        scene.idp.token = scene.idp.sign(scene.idp.claims(scene.seconds))
        with pytest.raises(SingleSignOnRefused):
            scene.come_back(asked, **change)
    late = scene.begin()
    scene.clock.now += timedelta(minutes=10, seconds=1)
    scene.idp.token = scene.idp.sign(scene.idp.claims(scene.seconds))
    with pytest.raises(SingleSignOnRefused):
        scene.come_back(late)


def test_a_token_of_another_way_there_is_refused(scene: Scene) -> None:
    """The nonce binds the token to this browser's way, even with a good code."""
    scene.link()
    first = scene.begin()
    stolen = scene.idp.sign(scene.idp.claims(scene.seconds))
    second = scene.begin()
    scene.idp.token = stolen
    assert first["nonce"] != second["nonce"]
    with pytest.raises(SingleSignOnRefused):
        scene.come_back(second)


def test_a_link_needs_the_session_that_began_it_and_a_fresh_second_factor(scene: Scene) -> None:
    """SEC-14: a signed-in confirmation; nobody can have their account linked to somebody else's session."""
    act = scene.gateway.act(scene.sign_in().principal)
    url = scene.service.begin_link(act, scene.provider_id, browser=scene.browser, next_path="/")
    other = scene.gateway.act(scene.sign_in().principal)
    for who in (None, other):
        asked = scene.idp.authorise(url)
        scene.idp.token = scene.idp.sign(scene.idp.claims(scene.seconds))
        with pytest.raises(SingleSignOnRefused):
            scene.come_back(asked, act=who)
        url = scene.service.begin_link(act, scene.provider_id, browser=scene.browser, next_path="/")
    scene.clock.now += timedelta(minutes=6)
    with pytest.raises(SecondFactorRequired):
        scene.service.begin_link(
            scene.gateway.act(act.principal), scene.provider_id, browser=scene.browser, next_path="/"
        )


def test_one_account_is_one_person(scene: Scene) -> None:
    scene.link()
    other = make_person(scene.gateway, scene.office, OfficeRole.STAFF)
    with pytest.raises(AccountLinked):
        scene.link(other)


def test_an_offices_issuer_opens_that_office_and_changes_nothing_of_the_person(scene: Scene) -> None:
    """SEC-14: an office could sign in as its people there; elsewhere it cannot."""
    second = make_office(scene.gateway, name="Kantoor Twee")
    PeopleService(scene.gateway).grant_role(act_of_system(second), scene.person.user.id, OfficeRole.STAFF)
    scene.link()
    signed_in = scene.honest().signed_in
    assert signed_in is not None
    act = scene.gateway.act(signed_in.principal)
    sessions = SessionService(scene.gateway)
    elsewhere = IdentityService(scene.gateway).sign_in(
        email=scene.person.user.email, password=PASSWORD, code=None, source="s", office_id=second.id
    )
    shown, _ = sessions.page(act, PageRequest(50, None))
    assert {found.office_id for found in shown} == {scene.office.id}
    with pytest.raises(NotFound):
        sessions.end(act, elsewhere.principal.session_id or new_id())
    sessions.end_others(act)
    sessions.principal(elsewhere.token)
    with pytest.raises(OwnSignInRequired):
        sessions.switch_office(act, signed_in.token, second.id)
    with pytest.raises(OwnSignInRequired):
        PasskeyService(scene.gateway).ask_registration(act)
    with pytest.raises(OwnSignInRequired):
        scene.service.begin_link(act, scene.provider_id, browser=scene.browser, next_path="/")
    with pytest.raises(NotFound):
        scene.service.begin_sign_in(second.id, scene.provider_id, browser=scene.browser, next_path="/")


@pytest.mark.parametrize(
    ("changes", "is_proven"),
    [
        ({"amr": ["pwd", "mfa"]}, True), ({"acr": "urn:two"}, True), ({"amr": ["pwd"]}, False), ({"amr": "mfa"}, False),
        ({"amr": ["mfa"], "auth_time": None}, False), ({}, False),
    ],
)  # fmt: skip
def test_a_second_factor_counts_by_claims_the_operator_registered(
    scene: Scene, changes: dict[str, Any], is_proven: bool
) -> None:
    """SEC-01, SEC-02: with the moment the issuer says; an hour-old one signs in and decides nothing."""
    scene.link()
    trusted = {scene.idp.issuer: TrustedClaims(amr=["mfa"], acr=["urn:two"])}
    scene.gateway = replace(scene.gateway, settings=scene.gateway.settings.model_copy(update={"oidc_trusted": trusted}))
    signed_in = scene.honest(**changes).signed_in
    assert signed_in is not None
    assert (signed_in.principal.second_factor_method == "oidc") is is_proven
    if is_proven:
        scene.gateway.act(signed_in.principal).require_fresh_second_factor()
        old = scene.honest(**changes, auth_time=scene.seconds - 3600).signed_in
        assert old is not None
        with pytest.raises(SecondFactorRequired):
            scene.gateway.act(old.principal).require_fresh_second_factor()


def test_a_provider_that_changes_its_keys_is_asked_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.link()
    before = scene.idp.key
    scene.idp.key = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
    try:
        with pytest.raises(SingleSignOnRefused):
            scene.honest()
        monkeypatch.setattr(line, "ASKED_AGAIN_SECONDS", 0)
        assert scene.honest().signed_in is not None
    finally:
        scene.idp.key = before


def test_a_removed_provider_ends_what_it_opened(scene: Scene) -> None:
    scene.link()
    signed_in = scene.honest().signed_in
    assert signed_in is not None
    SessionService(scene.gateway).principal(signed_in.token)
    scene.service.end_provider(scene.gateway.act(scene.sign_in().principal), scene.provider_id)
    with pytest.raises(SignInError):
        SessionService(scene.gateway).principal(signed_in.token)
    with pytest.raises(NotFound):
        scene.begin()


def test_an_unlinked_account_opens_nothing_more(scene: Scene) -> None:
    scene.link()
    signed_in = scene.honest().signed_in
    assert signed_in is not None
    scene.service.unlink(scene.gateway.act(scene.sign_in().principal), scene.provider_id)
    with pytest.raises(SignInError):
        SessionService(scene.gateway).principal(signed_in.token)
    with pytest.raises(SingleSignOnNotLinked):
        scene.honest()


def test_a_provider_that_describes_somebody_else_is_not_used(scene: Scene) -> None:
    """Discovery 4.3: the issuer in the description is the one that was asked."""
    line._kept.clear()
    honest = dict(scene.idp.document)
    try:
        for change in ({"issuer": "https://other.example"}, {"token_endpoint": None}, {"jwks_uri": "file:///etc/x"}):
            scene.idp.document |= change
            with pytest.raises(ProviderUnavailable):
                scene.begin()
            scene.idp.document = dict(honest)
    finally:
        scene.idp.document = honest


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.be", "https://10.0.0.1", "https://169.254.169.254", "https://[::1]:1/x",
        "https://user:x@login.example.be", "ftp://login.example.be", "https://127.0.0.1",
    ],
)  # fmt: skip
def test_addresses_inside_the_house_are_not_called(scene: Scene, issuer: str) -> None:
    """SEC-08: an office cannot have us ask our own network."""
    live = replace(scene.gateway, settings=scene.gateway.settings.model_copy(update={"mode": "live"}))
    with pytest.raises(IssuerNotAllowed):
        line.require_allowed(live, issuer)


def test_providers_are_managed_over_the_api_by_an_administrator(scene: Scene) -> None:
    token = scene.sign_in().token
    headers = {"Authorization": f"Bearer {token}"}
    with TestClient(app_of(scene.gateway)) as http:
        (shown,) = http.get("/v1/oidc-providers", headers=headers).json()["items"]
        assert CLIENT_SECRET not in str(shown)
        assert shown["has_secret"] is True
        assert shown["redirect_url"] == "http://127.0.0.1:8000/single-sign-on/return"
        body = {"name": "Again", "issuer": scene.idp.issuer, "client_id": "x"}
        assert http.post("/v1/oidc-providers", json=body, headers=headers).json()["code"] == ProviderKnown.code
        scene.link()
        (link,) = http.get("/v1/me/oidc-links", headers=headers).json()
        assert link["provider_id"] == shown["id"]
        assert http.delete(f"/v1/me/oidc-links/{shown['id']}", headers=headers).status_code == 204
        assert http.delete(f"/v1/oidc-providers/{shown['id']}", headers=headers).status_code == 204
        assert http.delete(f"/v1/oidc-providers/{shown['id']}", headers=headers).status_code == 404


def test_the_pages_go_there_and_come_back(scene: Scene) -> None:
    """The browser carries state and cookie; the session's cookie is new."""
    scene.link()
    path = f"/single-sign-on/{encode('office', scene.office.id)}/{encode('oidc_provider', scene.provider_id)}"
    with TestClient(app_of(scene.gateway), follow_redirects=False) as http:
        left = http.get(f"{path}?next=//evil.example")
        assert left.status_code == 303
        asked = scene.idp.authorise(left.headers["location"])
        scene.idp.token = scene.idp.sign(scene.idp.claims(scene.seconds))
        back = f"/single-sign-on/return?state={asked['state']}&code=code-1"
        returned = http.get(back)
        assert (returned.status_code, returned.headers["location"]) == (303, "/second-factor?next=/")
        assert "sluis_session" in returned.headers["set-cookie"]
        assert http.get(back).status_code == 401
        assert http.get("/single-sign-on/return?error=access_denied&state=x").status_code == 401


def test_an_offices_own_address_offers_its_providers_and_tells_nothing_of_others(scene: Scene) -> None:
    """SEC-14: the browser remembers the office; one that is not there looks like one without a provider."""
    other = make_office(scene.gateway, name="Ander kantoor")
    way = f"/single-sign-on/{encode('office', scene.office.id)}/{encode('oidc_provider', scene.provider_id)}"
    with TestClient(app_of(scene.gateway), follow_redirects=False) as http:

        def seen(path: str) -> str:
            answer = http.get(path)
            assert answer.status_code == 200
            return re.sub(r'name="form_token" value="[^"]+"|/sign-in/off_\w+', "", answer.text)

        assert way not in seen("/sign-in")
        shown = seen(f"/sign-in/{encode('office', scene.office.id)}?next=/day")
        assert f"{way}?next=/day" in shown.replace("%2F", "/")
        assert "Kantoor-ID" in shown
        assert scene.office.name not in shown
        assert way in seen("/sign-in")
        assert seen(f"/sign-in/{encode('office', other.id)}") == seen(f"/sign-in/{encode('office', new_id())}")
        assert way not in seen("/sign-in")
        http.cookies.set("sluis_office", "off_nonsense")
        assert way not in seen("/sign-in")
        assert http.get("/sign-in/nonsense").status_code == 404
