"""An office as its pages show it: clients with accounts, statements of every kind, consents, payments in every state.

Rows of the bank's side are written as the services would leave them; payments go through the services. Every name and
number is invented, with valid check digits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.accounts.models import Account, Balance, Sync
from gateway.approvals.models import ApprovalRuleVersion
from gateway.approvals.rulebook import RuleWish
from gateway.approvals.rules import RuleService
from gateway.approvals.service import ApprovalService, DecisionWish
from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.identity.models import User
from gateway.identity.people import PeopleService
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.identity.service import IdentityService
from gateway.ids import encode, new_id
from gateway.offices.models import Client, Office
from gateway.offices.service import ClientService, ClientWish, OfficeService
from gateway.pagination import PageRequest
from gateway.payments.baskets import BasketService
from gateway.payments.content import ExecutionDate, PaymentWish
from gateway.payments.exports import ExportService
from gateway.payments.models import Basket, Payment
from gateway.payments.service import PaymentService
from gateway.payments.states import PaymentState
from gateway.payments.submission import SubmissionService
from gateway.statements.models import Statement, StatementEntry, StatementFile
from gateway.transactions.models import BankTransaction, ChangeSet
from sepa import DateChoice
from sepa.approval import Approver, Conditions, Mode, Verdict
from tests.gateway.builders import NOW, PASSWORD, Person, act_of, act_of_system
from tests.sepa.samples import belgian_iban

BANKS = ("crelan", "keytrade", "vanbreda", "nagelmackers")
TODAY = date(2026, 11, 21)


class Clock:
    """Real time of a test: stands still until somebody needs the next code of an authenticator."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def step(self) -> None:
        """On to the next code."""
        self.now += timedelta(seconds=31)


@dataclass
class World:
    """One office with its clients and people, by short names."""

    gateway: Gateway
    clock: Clock
    office: Office
    clients: dict[str, Client] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    roles: dict[str, tuple[tuple[OfficeRole | ClientRole, ...], Client | None]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    statements: dict[str, Statement] = field(default_factory=dict)
    change_sets: int = 0
    consents: dict[str, Consent] = field(default_factory=dict)
    baskets: dict[str, Basket] = field(default_factory=dict)

    def seen_by(self, gateway: Gateway, clock: Clock) -> World:
        """The same office through another installation and clock; what one test adds, the next does not see."""
        dicts = {name: dict(value) for name, value in vars(self).items() if isinstance(value, dict)}
        return replace(self, gateway=gateway, clock=clock, **dicts)

    # People

    def person(
        self, key: str, name: str, *roles: OfficeRole | ClientRole, client: Client | None = None, language: str = "nl"
    ) -> Person:
        """Somebody with a password and an authenticator."""
        identity, people = IdentityService(self.gateway), PeopleService(self.gateway)
        first, _, last = name.partition(" ")
        user = people.create_user(
            email=f"{key}@example.test", first_name=first, last_name=last, language=language, password=PASSWORD
        )
        for role in roles:
            client_id = client.id if client is not None and isinstance(role, ClientRole) else None
            people.grant_role(act_of_system(self.office), user.id, role, client_id=client_id)
        secret = identity.enrol_second_factor(user.id)
        person = Person(user, secret)
        identity.confirm_enrolment(user.id, person.code(self.clock() - timedelta(seconds=30)))
        self.people[key], self.roles[key] = person, (roles, client)
        return person

    def act(self, key: str, *, is_fresh: bool = True) -> Any:
        """The person acting now."""
        roles, client = self.roles[key]
        return act_of(self.people[key], self.office, *roles, client=client, now=self.clock(), is_fresh=is_fresh)

    def speak(self, language: str) -> None:
        """Everybody reads this language from now on."""
        with self.gateway.database.unit_of_work(None) as session:
            for person in self.people.values():
                user = session.get(User, person.user.id)
                assert user is not None
                user.language = language
                session.add(user)

    def save(self, *rows: Any) -> None:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            for row in rows:
                session.add(row)
                session.flush()

    # The bank's side

    def client(self, key: str, name: str) -> Client:
        base = 4_321_000 + len(self.clients) * 7_919
        wish = ClientWish(name=name, language="nl", enterprise_number=f"{base:08d}{97 - base % 97:02d}")
        self.clients[key], _ = ClientService(self.gateway).put(act_of_system(self.office), wish)
        return self.clients[key]

    def consent(self, key: str, client: str, bank_id: str, state: str, *, until: date | None = None) -> Consent:
        now = self.clock()
        consent = Consent(
            id=new_id(), office_id=self.office.id, client_id=self.clients[client].id, bank_id=bank_id, state=state,
            state_since=now - timedelta(days=3), language="nl", valid_until=until, link_cipher=b"-", created_at=now,
            link_expires_at=now + timedelta(days=14),
        )  # fmt: skip
        self.save(consent)
        self.consents[key] = consent
        return consent

    def account(
        self, key: str, client: str, bank_id: str, balance: str, *, consent: str | None = None, **more: Any
    ) -> Account:
        """An account read this morning, with its balance."""
        now = self.clock()
        bic = self.gateway.banks.profile(bank_id).bics[0]
        values: dict[str, Any] = {
            "health": "ok", "fresh_as_of": now - timedelta(hours=3), "last_sync_at": now - timedelta(hours=3),
            "complete_until": TODAY - timedelta(days=1),
            # One account waits until the office chooses its first day of statements (OFF-10).
            "statements_from": None if key == "bakery till" else TODAY - timedelta(days=31),
        }  # fmt: skip
        account = Account(
            id=new_id(), office_id=self.office.id, client_id=self.clients[client].id, bank_id=bank_id,
            iban=belgian_iban(5_550_000 + len(self.accounts) * 104_729), currency="EUR", kind="current", bic=bic,
            holder_name=self.clients[client].name, health_since=now, created_at=now - timedelta(days=40),
            consent_id=self.consents[consent].id if consent else None, **(values | more),
        )  # fmt: skip
        sync = Sync(
            id=new_id(), office_id=self.office.id, account_id=account.id, state="stored", reason="planned",
            is_attended=False, requested_at=now - timedelta(hours=3),
        )  # fmt: skip
        read = Balance(
            id=new_id(), office_id=self.office.id, account_id=account.id, sync_id=sync.id, kind="closing_booked",
            amount=Decimal(balance), currency="EUR", reference_date=TODAY - timedelta(days=1),
            read_at=now - timedelta(hours=3), basis="bank",
        )  # fmt: skip
        self.save(account, sync, read)
        self.accounts[key] = account
        return account

    def statement(
        self, key: str, account: str, day: date, number: int | None, opening: str, closing: str, **more: Any
    ) -> Statement:
        """Issued with a number and two entries; without one as `more` says."""
        found, now = self.accounts[account], self.clock()
        change = Decimal(closing) - Decimal(opening)
        # The debit of 100.00 stands beside one entry that makes the rest, whichever way it goes.
        credit = max(change + 100, Decimal(0))
        statement = Statement(
            id=new_id(), office_id=self.office.id, account_id=found.id, client_id=found.client_id, day=day,
            currency="EUR", opening_balance=Decimal(opening), closing_balance=Decimal(closing), entries_count=2,
            credit_total=credit, debit_total=change - credit, year=day.year if number else None,
            number=number, **({"state": "issued", "proof": "proven", "issued_at": now - timedelta(hours=2)} | more),
        )  # fmt: skip
        rows: list[Any] = [statement]
        if number:
            name = f"{found.iban}_EUR_{day.year}_{number:03d}.cod"
            content = f"0000021112672505        {name}".ljust(128).encode() + b"\r\n"
            statement.file_name, statement.sha256 = name, hashlib.sha256(content).hexdigest()
            rows.append(
                StatementFile(
                    id=new_id(),
                    office_id=self.office.id,
                    statement_id=statement.id,
                    name=name,
                    content=content,
                    sha256=statement.sha256,
                    created_at=now,
                )
            )
            entries = [
                (change + 100, "Drukkerij De Leie NV", "structured", "123456789002"),
                (Decimal(-100), "Waterland Verzekeringen", "text", "Premie november"),
            ]
            self.change_sets += 1
            changes = ChangeSet(
                id=new_id(), office_id=self.office.id, account_id=found.id, position=self.change_sets, created_at=now
            )
            rows.append(changes)
            for sequence, (amount, name, kind, reference) in enumerate(entries, start=1):
                transaction = self._transaction(found, changes, day, amount, name, kind, reference)
                entry = StatementEntry(
                    id=new_id(), office_id=self.office.id, statement_id=statement.id, transaction_id=transaction.id,
                    account_id=found.id, sequence=sequence, entry_date=day, booking_date=day, amount=amount,
                    bank_reference=f"REF{statement.id.hex[-12:]}{sequence}",
                )  # fmt: skip
                rows += [transaction, entry]
        self.save(*rows)
        self.statements[key] = statement
        return statement

    def _transaction(
        self,
        account: Account,
        changes: ChangeSet,
        day: date,
        amount: Decimal,
        name: str,
        kind: str,
        reference: str,
    ) -> BankTransaction:
        row_id = new_id()
        return BankTransaction(
            id=row_id, office_id=self.office.id, account_id=account.id, state="booked", booking_date=day,
            value_date=day, amount=amount, currency="EUR", counterparty_name=name,
            counterparty_iban=belgian_iban(7_770_000 + len(name) * 977), coda_code="00150000",
            coda_code_basis="default",
            structured_reference=reference if kind == "structured" else None,
            remittance_information=reference if kind == "text" else None, fingerprint=row_id.hex * 2,
            fingerprint_version=1, occurrence=1, raw_cipher=b"-", created_at=self.clock(), changed_at=self.clock(),
            added_in=changes.id, changed_in=changes.id,
        )  # fmt: skip

    # Payments

    def rule(
        self, client: str, name: str, *people: str, by: str, count: int = 1, **conditions: Any
    ) -> ApprovalRuleVersion:
        wish = RuleWish(
            name=name, approvers=tuple(Approver(user_id=str(self.people[key].user.id)) for key in people),
            mode=Mode.COUNT, count=count, conditions=Conditions(**conditions),
        )  # fmt: skip
        made = RuleService(self.gateway).create_rule(self.act(by), self.clients[client].id, wish)
        assert isinstance(made, ApprovalRuleVersion), "nobody submitted yet, and there is one administrator"
        return made

    def wish(self, account: str, name: str, number: int, amount: str, **more: Any) -> PaymentWish:
        wish = PaymentWish(
            debtor_account_id=self.accounts[account].id, creditor_name=name,
            creditor_iban=belgian_iban(1_230_000 + number * 7_919), amount=Decimal(amount),
            remittance={"kind": "unstructured", "text": f"Factuur 2026-{number:04d}"},
            source_reference=f"2026-{number:04d}",
        )  # fmt: skip
        return replace(wish, **more)

    def basket(self, key: str, client: str, name: str, *wishes: PaymentWish, by: str) -> Basket:
        view = BasketService(self.gateway).create(self.act(by), self.clients[client].id, name=name)
        outcomes = PaymentService(self.gateway).add(self.act(by), view.basket.id, wishes)
        assert all(outcome.payment is not None for outcome in outcomes), outcomes
        self.baskets[key] = view.basket
        return view.basket

    def submit(self, key: str, *, by: str) -> None:
        basket = BasketService(self.gateway).get(self.act(by), self.baskets[key].id).basket
        SubmissionService(self.gateway).submit(self.act(by), basket.id, version=basket.version)

    def payments(self, key: str, *, by: str) -> list[Payment]:
        return PaymentService(self.gateway).page(self.act(by), PageRequest(500, None), basket_id=self.baskets[key].id)[
            0
        ]

    def approve(self, key: str, *, by: str) -> None:
        """Approve what waits."""
        wishes = [
            DecisionWish(payment_id=payment.id, seal=payment.seal, verdict=Verdict.APPROVE)
            for payment in self.payments(key, by=by)
            if payment.state == PaymentState.SUBMITTED
        ]
        outcomes = ApprovalService(self.gateway).decide_many(self.act(by), wishes)
        assert all(outcome.error is None for outcome in outcomes), outcomes

    def export(self, key: str, *, by: str) -> None:
        ExportService(self.gateway).create(self.act(by), self.baskets[key].id)


def make_world(gateway: Gateway, clock: Clock) -> World:
    """The office "Kantoor Sluiswachter" on the morning of 21 November 2026; everybody reads Dutch."""
    office = OfficeService(gateway).create(name="Kantoor Sluiswachter", language="nl", mode="test", consent_days_max=90)
    world = World(gateway, clock, office)
    world.client("bakery", "Bakkerij Korenhof BV")
    textile = world.client("textile", "Leieweve Textiel NV")
    world.client("garden", "Tuinen Béguin SRL")
    world.person("accountant", "An Sluiswachter", OfficeRole.ADMIN)
    world.person("support", "Steun Kantoor", OfficeRole.SUPPORT)
    world.person("administrator", "Ada Beheer", ClientRole.ADMINISTRATOR, client=textile)
    world.person("preparer", "Lotte Opsteller", ClientRole.PREPARER, client=textile)
    world.person("approver", "Karel Bestuurder", ClientRole.APPROVER, client=textile)
    world.person("director", "Mieke Directrice", ClientRole.APPROVER, ClientRole.EXPORTER, client=textile)
    _banks(world)
    _payments(world)
    return world


def _banks(world: World) -> None:
    day = timedelta(days=1)
    world.consent("bakery crelan", "bakery", "crelan", "valid", until=TODAY + 71 * day)
    world.consent("bakery keytrade", "bakery", "keytrade", "valid", until=TODAY + 12 * day)
    world.consent("textile vanbreda", "textile", "vanbreda", "valid", until=TODAY + 44 * day)
    world.consent("garden nagelmackers", "garden", "nagelmackers", "expired", until=TODAY - 2 * day)
    world.consent("garden crelan", "garden", "crelan", "created")
    world.account("bakery", "bakery", "crelan", "18432.55", consent="bakery crelan", alias="Zichtrekening winkel")
    world.account("bakery till", "bakery", "keytrade", "2310.00", consent="bakery keytrade")
    world.account("textile", "textile", "vanbreda", "126804.17", consent="textile vanbreda")
    world.account("textile wages", "textile", "vanbreda", "-1250.40", consent="textile vanbreda", alias="Lonen")
    world.account(
        "garden", "garden", "nagelmackers", "7415.90", consent="garden nagelmackers", health="you_act",
        health_code="consent_expired", fresh_as_of=world.clock() - 2 * day, last_sync_at=world.clock() - 2 * day,
        complete_until=TODAY - 3 * day,
    )  # fmt: skip
    friday = TODAY - day
    world.statement("bakery 212", "bakery", friday, 212, "17990.05", "18432.55")
    world.statement("bakery 211", "bakery", friday - day, 211, "17520.00", "17990.05")
    world.statement("bakery 210", "bakery", friday - 2 * day, 210, "18100.75", "17520.00")
    world.statement("textile 231", "textile", friday, 231, "121004.17", "126804.17")
    world.statement("textile 230", "textile", friday - day, 230, "119000.00", "121004.17")
    world.statement(
        "held", "textile wages", friday, None, "4300.00", "-1208.40", state="held", hold_code="difference",
        difference=Decimal("-42.00"), bank_balance=Decimal("-1250.40"), bank_balance_basis="bank", proof=None,
        likely_causes=["late_entry"], issued_at=None,
    )  # fmt: skip
    world.statement("garden 088", "garden", friday - 3 * day, 88, "7000.00", "7415.90")


def _payments(world: World) -> None:
    by = "preparer"
    world.rule("textile", "Alles: één bestuurder", "approver", "director", by="administrator")
    world.rule("textile", "Vanaf 5.000: beide bestuurders", "approver", "director", by="administrator", count=2,
               amount_from=Decimal(5000))  # fmt: skip
    wish = world.wish
    bad_iban = "BE00 0000 0000 0000"
    world.basket(
        "draft", "textile", "Leveranciers week 48",
        wish("textile", "Garenhuis Moerman BV", 7, "1840.25",
             remittance={"kind": "structured", "issuer": "BBA", "reference": "090933755493"}),
        wish("textile", "Ververij Scheldekant", 8, "612.00", creditor_iban=bad_iban),
        wish("textile", "Château d’Eau S.A.", 9, "95.10",
             remittance={"kind": "unstructured", "text": "+++010/8068/17183+++"}),
        by=by,
    )  # fmt: skip
    world.basket(
        "waiting", "textile", "Leveranciers week 47",
        wish("textile", "Garenhuis Moerman BV", 1, "2415.60"),
        wish("textile", "Transport Van Rompu NV", 2, "388.41",
             execution_date=ExecutionDate(DateChoice.FIXED, TODAY + timedelta(days=6))),
        wish("textile", "Weefgetouwen Van Lierop BV", 3, "7420.00"),
        by=by,
    )  # fmt: skip
    world.submit("waiting", by=by)
    world.basket(
        "approved", "textile", "Nutsvoorzieningen", wish("textile", "Waterbedrijf Leiedal", 4, "214.87"), by=by
    )
    world.submit("approved", by=by)
    world.approve("approved", by="approver")
    world.basket("exported", "textile", "Leveranciers week 46", wish("textile", "Katoen & Co", 5, "5120.33"),
                 wish("textile", "Stomerij Damslot", 6, "81.20"), by=by)  # fmt: skip
    world.submit("exported", by=by)
    world.approve("exported", by="approver")
    world.approve("exported", by="director")
    world.export("exported", by="director")


def typed(kind: str, value: UUID) -> str:
    """Typed id for addresses."""
    return encode(kind, value)
