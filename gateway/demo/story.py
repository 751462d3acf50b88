"""What happens in the demo, told as it happens: each step is a call over HTTP, as the portal or a person makes it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import pyotp
from rich.console import Console
from rich.table import Table

from gateway.assembly import Gateway
from gateway.clock import real_now
from gateway.demo.basket import Basket
from gateway.demo.consent import approve_consent
from gateway.demo.portal import Caller, DemoFailed, write_whole
from gateway.demo.world import COMPANIES, CONSENT_DAYS_MAX, OFFICE, PASSWORD, PEOPLE, DemoCompany, DemoPerson
from gateway.identity.people import PeopleService
from gateway.identity.rights import SCOPE_PERMISSIONS
from gateway.identity.service import IdentityService
from gateway.ids import decode, encode
from gateway.machines.service import MachineService
from gateway.offices.models import Office
from gateway.offices.service import OfficeService

SYNC_SECONDS_MAX: Final = 60
POLL_SECONDS: Final = 0.1
WITHOUT_PROOF: Final = frozenset({"kbc"})
"""Banks that name no day with their balance: their days are held until that is known (STA-04)."""


class Options(Protocol):
    """What the story needs of the demo's options."""

    @property
    def address(self) -> str: ...
    @property
    def bank_address(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def clock_offset_seconds(self) -> int: ...


@dataclass(slots=True)
class Person:
    """A person of the demo who exists now."""

    role: DemoPerson
    user_id: str
    secret: str


@dataclass(slots=True)
class Linked:
    """A client with its accounts, as the portal knows them."""

    company: DemoCompany
    client: dict[str, Any]
    accounts: list[dict[str, Any]] = field(default_factory=list)


class Story:
    """One telling."""

    def __init__(self, options: Options, gateway: Gateway, console: Console) -> None:
        self.options = options
        self.gateway = gateway
        self.console = console
        self.started = time.monotonic()
        self.banks = Caller(options.bank_address)
        self.portal: Caller
        self.portal_token = ""
        self.people: dict[str, Person] = {}
        self.linked: list[Linked] = []
        self.sessions: dict[str, Caller] = {}

    def prepare(self) -> None:
        """An office with its portal, four clients and their people; nothing is linked yet."""
        self.console.print(
            f"[bold]Sluis[/bold] at {self.options.address}, simulated banks at {self.options.bank_address}/sim"
        )
        office = self._open_office()
        self._make_clients()
        self._make_people(office)

    def tell(self) -> None:
        """The whole job; raises `DemoFailed` where it does not come out as it must."""
        self.prepare()
        for linked in self.linked:
            self._link_banks(linked)
        self._sync_all("first reading: all the history the banks give")
        self._choose_first_days()
        self._expect_nothing_issued()
        self._move_a_day()
        self._sync_all("second reading, a day later: the balances prove")
        self._write_coda()
        Basket(self).run()
        self._prove_audit()
        self._say_goodbye()

    # The operator's part -----------------------------------------------------------------------------------------

    def _open_office(self) -> Office:
        self.step("The operator opens an office and gives its portal an API token")
        offices = OfficeService(self.gateway)
        office = offices.create(name=OFFICE, language="nl", mode="test", consent_days_max=CONSENT_DAYS_MAX)
        offices.set_clock(office.id, seconds=self.options.clock_offset_seconds)
        act = self.gateway.system_act(office.id)
        scopes = [scope for scope in SCOPE_PERMISSIONS if scope != "audit"]
        _, token = MachineService(self.gateway).create_credential(act, name="Portal", scopes=[*scopes, "audit"])
        self.portal, self.portal_token = Caller(self.options.address, token), token
        return office

    def _make_people(self, office: Office) -> None:
        identity, people = IdentityService(self.gateway), PeopleService(self.gateway)
        act = self.gateway.system_act(office.id)
        clients = {linked.company.company_id: linked.client for linked in self.linked}
        for role in PEOPLE:
            user = people.create_user(
                email=role.email,
                first_name=role.first_name,
                last_name=role.last_name,
                language=role.language,
                password=PASSWORD,
            )
            for office_role in role.office_roles:
                people.grant_role(act, user.id, office_role)
            for client_role in role.client_roles:
                assert role.client is not None, "a client role has a client"
                people.grant_role(act, user.id, client_role, client_id=decode("client", clients[role.client]["id"]))
            secret = identity.enrol_second_factor(user.id)
            identity.confirm_enrolment(user.id, pyotp.TOTP(secret).at(real_now() - timedelta(seconds=30)))
            self.people[role.key] = Person(role, encode("user", user.id), secret)
        self.tell_fact(f"{len(PEOPLE)} people with a second factor: " + ", ".join(role.email for role in PEOPLE))

    # The portal's part -------------------------------------------------------------------------------------------

    def _make_clients(self) -> None:
        self.step("The portal adds four clients")
        world = self.banks.get("/sim/api/world")
        holders = {holder["holder_id"]: holder for holder in world["holders"]}
        for company in COMPANIES:
            holder = holders[company.holder_id]
            client = self.portal.put(
                "/v1/clients",
                {
                    "name": holder["company"],
                    "language": holder["language"],
                    "enterprise_number": holder["enterprise_number"],
                },
            )
            self.linked.append(Linked(company, client))
            self.tell_fact(f"{client['name']}, {client['enterprise_number']}")

    def _link_banks(self, linked: Linked) -> None:
        self.step(f"{linked.client['name']} links its banks")
        for bank_id in linked.company.banks:
            created = self.portal.post(
                "/v1/consents",
                {"client_id": linked.client["id"], "bank_id": bank_id, "language": linked.client["language"]},
            )
            # The office tells the entrepreneur a code; where the bank names no holder it proves whose the accounts are.
            invited = self.portal.post(f"/v1/consents/{created['consent']['id']}/invitations")
            is_connected = approve_consent(
                self.options.address, created["authorisation_url"], linked.company.holder_id, code=invited["code"]
            )
            consent = self.portal.get(f"/v1/consents/{created['consent']['id']}")
            if consent["state"] != "valid" or not is_connected:
                raise DemoFailed(reason=f"the consent at {bank_id} is {consent['state']}")
            ibans = ", ".join(in_fours(account["iban"]) for account in consent["accounts"])
            self.tell_fact(f"{bank_id}: valid until {consent['valid_until']}; {ibans}")
        linked.accounts = list(self.portal.items(f"/v1/accounts?client_id={linked.client['id']}"))

    def _sync_all(self, what: str) -> None:
        self.step(what[0].upper() + what[1:])
        accounts = [account for linked in self.linked for account in linked.accounts]
        syncs = [self.portal.post(f"/v1/accounts/{account['id']}/syncs") for account in accounts]
        for sync in syncs:
            self._await_sync(sync)
        for linked in self.linked:
            for account in linked.accounts:
                count = sum(1 for _ in self.portal.items(f"/v1/transactions?account_id={account['id']}&limit=500"))
                self.tell_fact(f"{in_fours(account['iban'])}: {count} transactions")

    def _choose_first_days(self) -> None:
        """The office says from which day on statements are made: here all that the banks gave."""
        for linked in self.linked:
            for account in linked.accounts:
                first = self.portal.get(f"/v1/accounts/{account['id']}")["history_from"]
                self.portal.patch(f"/v1/accounts/{account['id']}", {"statements_from": first})
                self.tell_fact(f"{in_fours(account['iban'])}: statements from {first}")

    def _await_sync(self, sync: dict[str, Any]) -> None:
        deadline = time.monotonic() + SYNC_SECONDS_MAX
        while sync["state"] in ("queued", "running", "stored"):
            if time.monotonic() > deadline:
                raise DemoFailed(reason="a reading takes too long; look at logs/worker.log")
            time.sleep(POLL_SECONDS)
            sync = self.portal.get(f"/v1/syncs/{sync['id']}")
        if sync["state"] != "done":
            raise DemoFailed(reason=f"a reading failed: {sync}")

    def _expect_nothing_issued(self) -> None:
        issued = list(self.portal.items("/v1/statements?state=issued"))
        if issued:
            raise DemoFailed(reason="files were issued before a second balance proved the first")
        self.tell_fact("no file yet: the opening balances are derived and wait for a later day's balance")

    def _move_a_day(self) -> None:
        self.step("A day passes, at the banks and in the office")
        self.banks.post("/sim/api/clock", {"days": 1})
        clock = self.portal.post("/v1/test-clock/moves", {"advance_days": 1})
        self.tell_fact(f"it is {clock['now']}")

    def _write_coda(self) -> None:
        self.step("Every proven day becomes a CODA file")
        table = Table("account", "files", "first", "last", "closing balance", box=None, pad_edge=False)
        for linked in self.linked:
            for account in linked.accounts:
                statements = sorted(
                    self.portal.items(f"/v1/statements?account_id={account['id']}&state=issued&limit=500"),
                    key=lambda statement: (statement["year"], statement["number"]),
                )
                if not statements:
                    table.add_row(in_fours(account["iban"]), self._why_none(account))
                    continue
                for statement in statements:
                    self._write_file(linked, account, statement)
                first, last = statements[0], statements[-1]
                table.add_row(
                    in_fours(account["iban"]),
                    str(len(statements)),
                    f"{first['year']}-{first['number']:03d}",
                    f"{last['year']}-{last['number']:03d}",
                    f"{last['closing_balance']['amount']} {last['closing_balance']['currency']}",
                )
        self.console.print(table)
        self.tell_fact(f"written below {self.options.folder / 'coda'}")

    def _why_none(self, account: dict[str, Any]) -> str:
        """Why no file was issued, where that is right: a bank whose balance proves no day; raises `DemoFailed` else."""
        causes = {day["cause"] for day in self.portal.get(f"/v1/accounts/{account['id']}/days")["items"]}
        if account["bank_id"] not in WITHOUT_PROOF or None in causes:
            raise DemoFailed(reason=f"no file was issued for {account['iban'][-4:]}: {sorted(map(str, causes))}")
        return f"none: {', '.join(sorted(causes))}"

    def _write_file(self, linked: Linked, account: dict[str, Any], statement: dict[str, Any]) -> None:
        answer = self.portal.call("GET", f"/v1/statements/{statement['id']}/content")
        folder = (
            self.options.folder / "coda" / linked.client["enterprise_number"] / str(statement["year"]) / account["iban"]
        )
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / statement["file_name"], answer.body)

    def _prove_audit(self) -> None:
        chain = self.portal.get("/v1/audit-chain")
        if not chain["is_intact"]:
            raise DemoFailed(reason=f"the audit chain is broken: {chain['first_fault']}")
        self.step(f"The audit chain holds: {chain['entries']} entries")

    def _say_goodbye(self) -> None:
        self.console.print(f"\n[bold]Done in {time.monotonic() - self.started:.0f} seconds.[/bold]")
        self.introduce_people()

    def introduce_people(self) -> None:
        """How to sign in as each of them."""
        self.console.print(f"Pages: {self.options.address}   banks: {self.options.bank_address}/sim")
        self.console.print(f"Everybody's password is [bold]{PASSWORD}[/bold]; put a secret into an authenticator:")
        for person in self.people.values():
            roles = [*person.role.office_roles, *person.role.client_roles]
            self.tell_fact(f"{person.role.email:<20} {person.secret}   {', '.join(roles)}")

    # Telling -----------------------------------------------------------------------------------------------------

    def step(self, text: str) -> None:
        """A line of the story."""
        self.console.print(f"\n[bold]{text}[/bold]")

    def tell_fact(self, text: str) -> None:
        """A detail of the present step."""
        self.console.print(f"  {text}", markup=False, soft_wrap=True)

    def sign_in(self, key: str) -> Caller:
        """A person's session, with password and one code; the same session when asked again."""
        if key not in self.sessions:
            self.sessions[key] = self._open_session(key)
        return self.sessions[key]

    def _open_session(self, key: str) -> Caller:
        person = self.people[key]
        anybody = Caller(self.options.address)
        session = anybody.post(
            "/v1/sessions",
            {
                "email": person.role.email,
                "password": PASSWORD,
                "code": pyotp.TOTP(person.secret).at(real_now()),
            },
        )
        return Caller(self.options.address, session["token"])


def in_fours(iban: str) -> str:
    """An IBAN as people read it."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
