"""The pages of clients: starters, states, services, another number, accounts (OFF-02, OFF-03, OFF-06, OFF-10)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update
from sqlmodel import col

from gateway.accounts.models import Account
from gateway.banks.directory import BankDirectory
from gateway.consents.models import Consent
from gateway.offices.models import Client, ClientState
from gateway.offices.service import ClientService, ClientWish
from gateway.offices.settings import ClientSettingsService
from gateway.profiles.service import KnownAccountService
from gateway.settings import BankAccessSettings
from tests.gateway.builders import act_of_system
from tests.gateway.payments.scene import ALL
from tests.gateway.web.conftest import Browser
from tests.gateway.web.world import World, typed

PDF = ("proof.pdf", b"%PDF-1.7 invented", "application/pdf")
NEW_NUMBER = "0477.472.701"


@pytest.fixture
def admin(browser: Browser, world: World) -> Browser:
    world.speak("en")
    browser.sign_in(world.people["accountant"])
    return browser


def reach_banks(browser: Browser, *bank_ids: str) -> None:
    """As if these banks were configured; nothing answers there."""
    app: Any = browser.client.app
    access = BankAccessSettings(base_url="http://127.0.0.1:9", client_id="nobody", client_secret=SecretStr("of-a-test"))
    settings = app.state.gateway.settings.model_copy(update={"banks": dict.fromkeys(bank_ids, access)})
    app.state.gateway = replace(app.state.gateway, banks=BankDirectory(settings))


def path_of(world: World, key: str = "textile") -> str:
    return f"/clients/{typed('client', world.clients[key].id)}"


def client_of(world: World, key: str = "textile") -> Client:
    return ClientService(world.gateway).get(world.act("accountant"), world.clients[key].id)


def account_of(world: World, key: str) -> Account:
    with world.gateway.database.unit_of_work(world.office.id) as session:
        return session.get_one(Account, world.accounts[key].id)


def test_a_starter_stays_listed_until_it_is_confirmed(admin: Browser, world: World) -> None:
    """OFF-02: the list of starters, with the confirmation beside each."""
    wish = ClientWish(name="Starter BV", language="nl", enterprise_number="0477472701", skip_registry_check=True)
    starter, _ = ClientService(world.gateway).put(act_of_system(world.office), wish)
    text = admin.get("/clients?show=starters")
    assert "Starter BV" in text
    assert "Leieweve" not in text
    assert NEW_NUMBER in text
    text = admin.post(f"/clients/{typed('client', starter.id)}/registry-confirmation", {"from": "starters"})
    assert "No client of yours is in this list" in text
    assert "already" in admin.post(f"/clients/{typed('client', starter.id)}/registry-confirmation", status=409)


def test_a_pending_client_is_found_and_made_active(admin: Browser, world: World) -> None:
    """OFF-03."""
    wish = ClientWish(name="Wachter BV", language="nl", external_id="w", state=ClientState.PENDING)
    client, _ = ClientService(world.gateway).put(act_of_system(world.office), wish)
    assert "Wachter BV" in admin.get("/clients?show=pending")
    path = f"/clients/{typed('client', client.id)}"
    assert "Make active" in admin.get(path)
    admin.post(f"{path}/state", {"state": "active"})
    assert "Wachter BV" not in admin.get("/clients?show=pending")


def test_a_client_is_suspended_and_two_people_end_it(admin: Browser, world: World) -> None:
    """OFF-03: suspending works at once; its end is proposed."""
    path = path_of(world, "bakery")
    text = admin.post(f"{path}/state", {"state": "suspended"})
    assert "Propose to end the suspension" in text
    assert 'value="active"' not in text
    admin.post(f"{path}/state", {"state": "active"}, status=409)
    admin.post(f"{path}/state", {"state": "nonsense"}, status=422)
    assert client_of(world, "bakery").state is ClientState.SUSPENDED


def test_services_and_what_the_portal_shows_are_set(admin: Browser, world: World) -> None:
    """OFF-06: flags are set and read; payments under way keep their service on."""
    form = {"service": ["transactions", "coda", "payments"], "portal_shows_transactions": "on"}
    admin.post(f"{path_of(world)}/services", form)
    client = client_of(world)
    flags = (client.portal_shows_transactions, client.portal_shows_coda, client.portal_prepares_while_processing)
    assert flags == (True, False, False)
    assert "still under way" in admin.post(f"{path_of(world)}/services", {"service": ["coda"]}, status=409)


def test_another_number_is_stored_with_its_proof(admin: Browser, world: World) -> None:
    """OFF-02: ids and history stay; what is no document is refused."""
    path, fields = f"{path_of(world)}/number", {"enterprise_number": NEW_NUMBER, "reason": "merger"}
    admin.get(path_of(world))

    def send(document: tuple[str, bytes, str]) -> tuple[int, str]:
        answer = admin.client.post(
            path, data={"form_token": admin.token, **fields}, files={"document": document}, headers=admin.headers,
            follow_redirects=True,
        )  # fmt: skip
        return answer.status_code, answer.text

    status, text = send(("x.txt", b"no document", "text/plain"))
    assert (status, "cannot be kept as proof" in text) == (422, True)
    status, text = send(PDF)
    assert status == 200
    assert NEW_NUMBER in text
    (document,) = re.findall(r'href="(/v1/clients/[^"]+/document)"', text)
    assert admin.client.get(document).content == PDF[1]


def test_accounts_get_alias_place_debtor_dossier_code_and_destination(admin: Browser, world: World) -> None:
    """OFF-02, OFF-10: an own destination is said to wait."""
    path = f"{path_of(world)}/accounts"
    account = f"{path}/{typed('account', world.accounts['textile'].id)}"
    assert "First day of statements" in admin.get(path)
    form = {
        "alias": "Zicht", "position": "7", "is_default_debtor": "on", "dossier_code": "B2", "delivery": "email",
        "destination": "coda@example.test",
    }  # fmt: skip
    assert "until another administrator has confirmed" in admin.post(account, form)
    found = account_of(world, "textile")
    assert (found.alias, found.position, found.is_visible, found.is_default_debtor) == ("Zicht", 7, False, True)
    assert (found.dossier_code, found.destination) == ("B2", "coda@example.test")
    assert "own channel" in admin.post(account, form | {"delivery": ""}, status=422)
    admin.post(account, form | {"position": "0"}, status=422)
    admin.post(account, form | {"delivery": "pigeon"}, status=422)


def test_an_account_with_an_end_of_its_own_has_a_link_to_authorise_it_anew(admin: Browser, world: World) -> None:
    """CON-16: shown once, and only where accounts are authorised one by one."""
    reach_banks(admin, "ponto", "vanbreda")
    path = f"{path_of(world)}/accounts"
    account = f"{path}/{typed('account', world.accounts['textile'].id)}"
    assert "reauthorisation" not in admin.get(path)
    assert "does not authorise accounts one by one" in admin.post(f"{account}/reauthorisation", status=409)
    for table, row in ((Account, world.accounts["textile"]), (Consent, world.consents["textile vanbreda"])):
        with world.gateway.database.unit_of_work(world.office.id) as session:
            session.execute(update(table).where(col(table.id) == row.id).values(bank_id="ponto"))
    assert f"{account}/reauthorisation" in admin.get(path)
    text = admin.post(f"{account}/reauthorisation")
    assert re.search(r'value="[^"]+/reauthorise/[A-Za-z0-9_-]{43}"', text)
    assert "is shown this once" in text


def test_the_first_day_is_chosen_while_none_is_issued(admin: Browser, world: World) -> None:
    """OFF-10."""
    path = f"{path_of(world, 'bakery')}/accounts/{typed('account', world.accounts['bakery till'].id)}"
    admin.get(f"{path_of(world, 'bakery')}/accounts")
    fields = {"position": "2", "is_visible": "on"}
    admin.post(path, fields | {"statements_from": "2001-01-01"}, status=409)
    admin.post(path, fields | {"statements_from": "soon"}, status=422)
    assert account_of(world, "bakery till").statements_from is None


def test_known_numbers_are_added_changed_and_forgotten(admin: Browser, world: World) -> None:
    """OFF-10: check digits are checked; the number serves without a consent."""
    path = f"{path_of(world)}/known-accounts"
    admin.get(f"{path_of(world)}/accounts")
    assert "not a valid account number" in admin.post(path, {"iban": "BE12 3102 9141 7793"}, status=422)
    text = admin.post(path, {"iban": "BE12 3102 9141 7792", "alias": "Spaar", "is_visible": "on"})
    assert "Spaar" in text
    (row,) = [
        row
        for row in KnownAccountService(world.gateway).page(world.act("accountant"), ALL)[0]
        if row.iban == "BE12310291417792"
    ]
    one = f"{path}/{typed('known_account', row.id)}"
    assert "Reserve" in admin.post(one, {"act": "save", "version": "1", "alias": "Reserve", "position": "3"})
    admin.post(one, {"act": "save", "version": "1", "alias": "Later", "position": "3"}, status=412)
    assert "Reserve" not in admin.post(one, {"act": "remove"})


def test_whoever_may_only_look_gets_no_forms(browser: Browser, world: World) -> None:
    """OFF-08: support sees states and no accounts; a client's approver the own client only."""
    world.speak("en")
    browser.sign_in(world.people["approver"])
    text = browser.get("/clients")
    assert "Leieweve" in text
    assert "Korenhof" not in text
    assert "<form" not in browser.get(path_of(world)).partition("<main")[2]
    assert "<form" not in browser.get(f"{path_of(world)}/accounts").partition("<main")[2]
    browser.get(path_of(world, "bakery"), status=404)
    browser.post(f"{path_of(world)}/state", {"state": "closed"}, status=403)


def test_statements_and_reminders_of_a_client_are_set(admin: Browser, world: World) -> None:
    """STA-06, CON-10, OFF-10: the date of late entries, where statements begin, the days of reminders."""
    path = path_of(world)
    text = admin.get(path)
    version = re.search(r'/settings".*?name="version" value="(\d+)"', text, re.DOTALL)
    assert version is not None
    form = {
        "version": version[1], "statements_from": "quarter_start", "first_coda_number": "12", "approval_days": "2, 4",
        "approval_expiry_days": "20", "consent_day": ["30", "7"], "late_entry_date": "booking",
    }  # fmt: skip
    text = admin.post(f"{path}/settings", form)
    assert '<option value="booking" selected>' in text
    found = ClientSettingsService(world.gateway).get(world.act("accountant"), world.clients["textile"].id)
    assert (found.late_entry_date, found.statements_from, found.first_coda_number) == ("booking", "quarter_start", 12)
    assert found.consent_reminder_days == [30, 7]
    assert (found.approval_reminder_days, found.approval_expiry_days) == ([2, 4], 20)
    # What the page said before is not what holds now.
    admin.post(f"{path}/settings", {**form, "late_entry_date": "file"}, status=412)


@pytest.mark.parametrize(
    "wrong",
    [
        {"late_entry_date": "never"},
        {"statements_from": ""},
        {"first_coda_number": "1000"},
        {"approval_expiry_days": ""},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_settings_that_cannot_be_are_said_on_the_page(admin: Browser, world: World, wrong: dict[str, str]) -> None:
    form = {
        "version": "0", "statements_from": "ask", "first_coda_number": "", "approval_days": "",
        "approval_expiry_days": "9", "late_entry_date": "file",
    }  # fmt: skip
    assert "choose from the lists" in admin.post(f"{path_of(world)}/settings", form | wrong, status=422)
