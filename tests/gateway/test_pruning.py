"""What ended long ago is deleted, what still counts stays; the list of common passwords (SEC-01)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from gateway.assembly import Gateway
from gateway.errors import SignInError
from gateway.identity.common_passwords import Bloom, is_common
from gateway.identity.errors import PasswordWeak, SignInDelayed, SignInRefused
from gateway.identity.models import SignInAttempt, WebSession
from gateway.identity.passwords import hash_password
from gateway.identity.pruning import KEEP_SESSIONS, prune
from gateway.identity.rights import OfficeRole
from gateway.identity.service import IdentityService
from tests.gateway.builders import PASSWORD, Person, make_office, make_person


def sign_in(gateway: Gateway, person: Person, password: str = PASSWORD) -> str:
    return (
        IdentityService(gateway)
        .sign_in(email=person.user.email, password=password, code=None, source="203.0.113.1")
        .token
    )


def test_sessions_end_and_are_deleted_a_month_later(gateway: Gateway) -> None:
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF, is_enrolled=False)
    now = gateway.real_now()
    old = replace(gateway, real_now=lambda: now - KEEP_SESSIONS - timedelta(hours=9))
    kept, gone = sign_in(gateway, person), sign_in(old, person)
    assert prune(gateway)["web_session"] == 1
    IdentityService(gateway).principal_of_session(kept)
    with pytest.raises(SignInError):
        IdentityService(old).principal_of_session(gone)
    with gateway.database.unit_of_work(None) as session:
        assert len(session.exec(select(WebSession)).all()) == 1


def test_failures_that_still_count_stay(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pruning must not give a guesser ten tries more."""
    monkeypatch.setattr("gateway.identity.sign_in.is_password", lambda *_: False)
    person = make_person(gateway, make_office(gateway), OfficeRole.STAFF, is_enrolled=False)
    for _ in range(10):
        with pytest.raises(SignInRefused):
            sign_in(gateway, person, "wrong")
    prune(gateway)
    with pytest.raises(SignInDelayed):
        sign_in(gateway, person, "wrong")
    now = gateway.real_now()
    prune(replace(gateway, real_now=lambda: now + timedelta(days=2)))
    with gateway.database.unit_of_work(None) as session:
        assert session.exec(select(SignInAttempt)).all() == []


@pytest.mark.parametrize(
    "password", ["123456789012", "Password1234!", "qwertyuiop123", "ILOVEYOU1234", "welkom123456", "wachtwoord123"]
)
def test_common_passwords_are_refused_in_any_case(password: str) -> None:
    """SEC-01: twelve characters are not enough when everybody uses them."""
    with pytest.raises(PasswordWeak):
        hash_password(password)


def test_good_passwords_are_hardly_ever_taken_for_common_ones() -> None:
    """The rate of false answers that the file was made for: one in a thousand, for each of two look-ups."""
    assert not any(is_common(text) for text in (PASSWORD, "vier woorden op een rij", "brood kaas melk eieren"))
    count = 4000
    assert sum(is_common(secrets.token_urlsafe(12)) for _ in range(count)) < count * 0.01


def test_the_filter_finds_every_member_after_writing_and_reading(tmp_path: Path) -> None:
    made = Bloom.sized(500, 0.001)
    members = [f"member {number}" for number in range(500)]
    for member in members:
        made.add(member)
    made.write(tmp_path / "list.bloom")
    read = Bloom.read(tmp_path / "list.bloom")
    assert all(member in read for member in members)
    assert sum(f"stranger {number}" in read for number in range(2000)) < 20
