"""Operators of the installation (OFF-08), and what only they reset (SEC-13)."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from sqlmodel import select
from typer import BadParameter
from typer.testing import CliRunner

from gateway.assembly import Gateway
from gateway.audit.models import AuditEntry
from gateway.errors import NotFound, SignInError
from gateway.identity.enrolment import require_code
from gateway.identity.errors import (
    AdministratorsDecide,
    EnrolmentCodeWrong,
    OperatorHoldsNoRole,
    SecondFactorAlreadyEnrolled,
    SecondFactorNotEnrolled,
    SignInDelayed,
    SignInRefused,
)
from gateway.identity.models import User
from gateway.identity.people import PeopleService
from gateway.identity.rights import ClientRole, OfficeRole, Permission, PersonRequired, Principal, PrincipalKind
from gateway.identity.service import IdentityService
from gateway.machines.applications import ApplicationService
from gateway.notices.outbox import opened
from gateway.operator_cli import acting_operator, operator_commands
from gateway.people.operators import OperatorService
from tests.gateway.builders import PASSWORD, act_of_system, make_client, make_office, make_person

EMAIL = "operator@example.test"


@pytest.fixture
def operator(gateway: Gateway) -> tuple[User, str]:
    service = OperatorService(gateway)
    user, secret = service.add(email=EMAIL, first_name="Olga", last_name="Peeters", language="nl", password=PASSWORD)
    # The code of the step before: it counts once, and the present one is for the first command.
    service.confirm(user, pyotp.TOTP(secret).at(gateway.real_now() - timedelta(seconds=30)))
    return user, secret


def test_an_operator_proves_both_factors_and_a_code_works_once(gateway: Gateway, operator: tuple[User, str]) -> None:
    service, (user, secret) = OperatorService(gateway), operator
    code = pyotp.TOTP(secret).at(gateway.real_now())
    assert service.authenticate(EMAIL.upper(), PASSWORD, code).id == user.id
    for email, password, given in ((EMAIL, PASSWORD, code), (EMAIL, "wrong wrong wrong", code), ("x@y.test", "", "")):
        with pytest.raises(SignInRefused):
            service.authenticate(email, password, given)


def test_guessing_at_an_operator_is_slow(
    gateway: Gateway, operator: tuple[User, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert operator
    monkeypatch.setattr("gateway.people.operators.is_password", lambda *_: False)
    for _ in range(10):
        with pytest.raises(SignInRefused):
            OperatorService(gateway).authenticate(EMAIL, "guess", "000000")
    with pytest.raises(SignInDelayed):
        OperatorService(gateway).authenticate(EMAIL, PASSWORD, "000000")


def test_an_operator_holds_no_role_has_no_session_and_decides_nothing(
    gateway: Gateway, operator: tuple[User, str]
) -> None:
    """OFF-08: neither an office's nor a client's role can be given; the pages and the API have no place for them."""
    office = make_office(gateway)
    client = make_client(gateway, office)
    people = PeopleService(gateway)
    for role, client_id in ((OfficeRole.STAFF, None), (ClientRole.VIEWER, client.id)):
        with pytest.raises(OperatorHoldsNoRole):
            people.grant_role(act_of_system(office), operator[0].id, role, client_id=client_id)
    with pytest.raises(SignInError):
        IdentityService(gateway).sign_in(email=EMAIL, password=PASSWORD, code=None, source="a")
    principal = Principal(PrincipalKind.OPERATOR, operator[0].id, office.id, second_factor_at=gateway.real_now())
    with pytest.raises(PersonRequired):
        principal.require_fresh_second_factor(gateway.real_now(), decision="approve")
    assert principal.visible_clients("payments:read") == frozenset()  # type: ignore[arg-type]  # the permission's word


def test_an_offices_only_admin_is_reset_in_the_offices_audit_under_the_operators_name(
    gateway: Gateway, operator: tuple[User, str]
) -> None:
    """SEC-13, OFF-08: sessions end, the person is told and needs the printed code; the audit names the operator."""
    office = make_office(gateway)
    admin = make_person(gateway, office, OfficeRole.ADMIN)
    token = (
        IdentityService(gateway)
        .sign_in(email=admin.user.email, password=PASSWORD, code=admin.code(gateway.real_now()), source="a")
        .token
    )
    code = OperatorService(gateway).reset_second_factor(operator[0], admin.user.email)
    assert code is not None
    assert len(code) == 6
    with pytest.raises(SignInError):
        IdentityService(gateway).principal_of_session(token)
    with gateway.database.unit_of_work(office.id) as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "second_factor.reset")).one()
    assert (entry.actor_kind, entry.actor_id, entry.second_factor) == ("operator", operator[0].id, "totp")
    assert [mail.template for mail in opened(gateway, office.id)] == ["second_factor_reset_own"]
    with pytest.raises(SecondFactorNotEnrolled):
        OperatorService(gateway).reset_second_factor(operator[0], admin.user.email)


def test_where_administrators_can_the_operator_does_not(gateway: Gateway, operator: tuple[User, str]) -> None:
    """SEC-13: only an office's only admin; SEC-14: and a person of several offices, in the audit of each."""
    office, other = make_office(gateway), make_office(gateway, name="Ander kantoor")
    admin = make_person(gateway, office, OfficeRole.ADMIN)
    staff = make_person(gateway, office, OfficeRole.STAFF)
    service = OperatorService(gateway)
    with pytest.raises(AdministratorsDecide):
        service.reset_second_factor(operator[0], staff.user.email)
    PeopleService(gateway).grant_role(act_of_system(other), staff.user.id, OfficeRole.STAFF)
    assert service.reset_second_factor(operator[0], staff.user.email) is None  # staff needs no code
    for place in (office, other):
        with gateway.database.unit_of_work(place.id) as session:
            found = session.exec(
                select(AuditEntry).where(AuditEntry.action == "second_factor.reset", AuditEntry.office_id == place.id)
            ).all()
        assert [entry.object_id for entry in found] == [staff.user.id]
    assert admin.user.email in {mail.to for mail in opened(gateway, office.id)}
    with pytest.raises(NotFound):
        service.reset_second_factor(operator[0], "nobody@example.test")
    with pytest.raises(NotFound):
        service.reset_second_factor(operator[0], EMAIL)


def test_an_offices_only_admin_without_a_factor_gets_a_fresh_code(gateway: Gateway, operator: tuple[User, str]) -> None:
    """SEC-13: the earlier code is lost or too old; the audit names the operator, the person is told, never the code."""
    office = make_office(gateway)
    admin = make_person(gateway, office, OfficeRole.ADMIN, is_enrolled=False)
    service = OperatorService(gateway)
    code = service.issue_code(operator[0], admin.user.email)
    with gateway.database.unit_of_work(office.id) as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "enrolment_code.issued")).one()
    assert (entry.actor_kind, entry.actor_id, entry.second_factor) == ("operator", operator[0].id, "totp")
    (mail,) = opened(gateway, office.id)
    assert (mail.template, mail.to, code in mail.text) == ("enrolment_code_issued", admin.user.email, False)
    other = "000000" if code != "000000" else "111111"
    with pytest.raises(EnrolmentCodeWrong):
        require_code(gateway, admin.user, other, gateway.real_now())
    require_code(gateway, admin.user, code, gateway.real_now())
    with pytest.raises(SecondFactorAlreadyEnrolled):
        service.issue_code(operator[0], make_person(gateway, make_office(gateway), OfficeRole.ADMIN).user.email)
    second = make_person(gateway, office, OfficeRole.ADMIN)
    with pytest.raises(AdministratorsDecide):
        service.issue_code(operator[0], admin.user.email)
    assert second.secret
    for nobody in ("nobody@example.test", EMAIL):
        with pytest.raises(NotFound):
            service.issue_code(operator[0], nobody)


def test_a_command_on_an_office_names_the_operator_in_its_audit(gateway: Gateway, operator: tuple[User, str]) -> None:
    """OFF-08: an operator's actions show in the affected office's audit; deciding and reading stay closed."""
    office = make_office(gateway)
    act = OperatorService(gateway).act_at(operator[0], office.id)
    ApplicationService(gateway).create(act, name="Portal", scopes=["payments:write"])
    with gateway.database.unit_of_work(office.id) as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.actor_kind == "operator")).all()
    assert {entry.actor_id for entry in entries} == {operator[0].id}
    for permission in set(Permission) - {Permission.ADMIN}:
        assert not act.principal.allows(permission), permission


def test_commands_ask_who_acts_once_there_are_operators(
    gateway: Gateway, operator: tuple[User, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OFF-08: by password and code; an installation without operators goes on as the service itself."""
    answers = iter([PASSWORD, pyotp.TOTP(operator[1]).at(gateway.real_now())])
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    acting = acting_operator(gateway, EMAIL)
    assert acting is not None
    assert acting.id == operator[0].id
    with pytest.raises(BadParameter, match="--as"):
        acting_operator(gateway, None)
    OperatorService(gateway).end(operator[0], EMAIL)
    assert acting_operator(gateway, None) is None
    office = make_office(gateway)
    assert OperatorService(gateway).act_at(None, office.id).principal.kind is PrincipalKind.SYSTEM


def test_who_was_an_operator_does_nothing_more(gateway: Gateway, operator: tuple[User, str]) -> None:
    service = OperatorService(gateway)
    service.end(operator[0], EMAIL)
    with pytest.raises(NotFound):
        OperatorService(gateway).end(*_second(gateway), EMAIL)
    with pytest.raises(SignInRefused):
        service.reset_second_factor(operator[0], "somebody@example.test")
    later = gateway.real_now() + timedelta(minutes=1)
    with pytest.raises(SignInRefused):
        service.authenticate(EMAIL, PASSWORD, pyotp.TOTP(operator[1]).at(later))
    assert [row.ended_at is None for row, _ in service.operators()] == [False, True]


def _second(gateway: Gateway) -> tuple[User]:
    user, _ = OperatorService(gateway).add(
        email="second@example.test", first_name="Tweede", last_name="Operator", language="nl", password=PASSWORD
    )
    return (user,)


def test_the_command_says_what_each_word_does() -> None:
    """The commands exist and ask for who acts; they run against a database in the tests of the service."""
    for command in ("add", "list", "end", "reset-second-factor", "enrolment-code"):
        answer = CliRunner().invoke(operator_commands, [command, "--help"])
        assert answer.exit_code == 0
    refused = CliRunner().invoke(operator_commands, ["reset-second-factor", "a@example.test"])
    assert refused.exit_code == 2
