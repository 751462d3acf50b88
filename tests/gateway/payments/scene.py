"""A client with an account, people and rules, and short ways to pay from it; every number is invented."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import select

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.approvals.groups import GroupService
from gateway.approvals.models import ApprovalRuleVersion
from gateway.approvals.process import ProcessService
from gateway.approvals.rulebook import RuleWish
from gateway.approvals.rules import RuleService
from gateway.approvals.service import ApprovalService, DecisionOutcome, DecisionWish, RejectionReason
from gateway.assembly import Gateway
from gateway.identity.models import Membership, User
from gateway.identity.rights import (
    SCOPE_PERMISSIONS,
    ClientRole,
    OfficeRole,
    Permission,
    Principal,
    PrincipalKind,
    person_permissions,
)
from gateway.ids import new_id
from gateway.offices.models import Client, Office
from gateway.pagination import PageRequest
from gateway.payments.baskets import BasketService
from gateway.payments.content import PaymentWish
from gateway.payments.exports import ExportService
from gateway.payments.models import Basket, Export, Payment
from gateway.payments.service import PaymentService
from gateway.payments.submission import Submission, SubmissionService
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from sepa.approval import Approver, Conditions, Mode, Verdict
from tests.gateway.builders import NOW, make_client, make_office
from tests.sepa.samples import belgian_iban

ALL = PageRequest(500, None)
_numbers = itertools.count(1)


@dataclass
class Someone:
    """A person with roles at the client or the office."""

    user: User
    roles: tuple[OfficeRole | ClientRole, ...]

    @property
    def id(self) -> UUID:
        return self.user.id


@dataclass
class Scene:
    """One office with one client; `act` makes a person act, `machine` the portal's credential."""

    gateway: Gateway
    office: Office
    client: Client
    accounts: list[Account]
    people: dict[str, Someone] = field(default_factory=dict)
    now: datetime = NOW

    # People

    def person(self, name: str, *roles: OfficeRole | ClientRole) -> Someone:
        """A new person; no password is made, since nobody signs in here."""
        number = next(_numbers)
        user = User(
            id=new_id(), email=f"{name}{number}@example.test", first_name=name, last_name=f"Nummer{number}",
            language="nl", password_hash="none", created_at=self.now,
        )  # fmt: skip
        with self.gateway.database.unit_of_work(self.office.id) as session:
            session.add(user)
            session.flush()
            session.add_all(self._membership(user.id, role) for role in roles)
        self.people[name] = Someone(user, roles)
        return self.people[name]

    def give(self, name: str, role: ClientRole) -> None:
        """One role more, or again."""
        someone = self.people[name]
        with self.gateway.database.unit_of_work(self.office.id) as session:
            ended = select(Membership).filter_by(user_id=someone.id, role=role.value, client_id=self.client.id)
            membership = session.exec(ended).one_or_none() or self._membership(someone.id, role)
            membership.ended_at = None
            session.add(membership)
        someone.roles = (*someone.roles, role)

    def take(self, name: str, role: ClientRole) -> None:
        """One role less, as of now."""
        someone = self.people[name]
        with self.gateway.database.unit_of_work(self.office.id) as session:
            held = select(Membership).filter_by(user_id=someone.id, role=role.value, ended_at=None)
            for membership in session.exec(held):
                membership.ended_at = self.now
        someone.roles = tuple(held for held in someone.roles if held is not role)

    def act(self, name: str, *, is_fresh: bool = True) -> Act:
        """The person acting now with the present roles."""
        someone = self.people[name]
        office, clients = person_permissions(
            (None if isinstance(role, OfficeRole) else self.client.id, role) for role in someone.roles
        )
        principal = Principal(
            kind=PrincipalKind.USER, id=someone.id, office_id=self.office.id, office_permissions=office,
            client_permissions=clients, second_factor_at=self.now if is_fresh else None,
        )  # fmt: skip
        return Act(principal=principal, now=self.now, real_now=self.now)

    def machine(self, *scopes: str, permissions: Iterable[Permission] = ()) -> Act:
        """A credential with these scopes."""
        held = frozenset(permissions).union(*(SCOPE_PERMISSIONS[scope] for scope in scopes))
        principal = Principal(
            kind=PrincipalKind.MACHINE, id=new_id(), office_id=self.office.id, office_permissions=held
        )  # fmt: skip
        return Act(principal=principal, now=self.now, real_now=self.now)

    def _membership(self, user_id: UUID, role: OfficeRole | ClientRole) -> Membership:
        return Membership(
            id=new_id(), user_id=user_id, office_id=self.office.id, role=role.value, created_at=self.now,
            client_id=self.client.id if isinstance(role, ClientRole) else None,
        )  # fmt: skip

    # Rules

    def group(self, name: str, *people: str) -> UUID:
        ids = [self.people[person].id for person in people]
        return GroupService(self.gateway).create_group(
            self.act("administrator"), self.client.id, name=name, user_ids=ids
        ).group.id  # fmt: skip

    def user(self, name: str, amount_max: str | None = None) -> Approver:
        return Approver(user_id=str(self.people[name].id), amount_max=Decimal(amount_max) if amount_max else None)

    def rule(
        self, name: str, *approvers: Approver, mode: Mode = Mode.ALL, count: int = 1, **conditions: Any
    ) -> ApprovalRuleVersion:
        wish = RuleWish(name=name, approvers=approvers, mode=mode, count=count, conditions=Conditions(**conditions))
        made = RuleService(self.gateway).create_rule(self.act("administrator"), self.client.id, wish)
        if isinstance(made, ApprovalRuleVersion):
            return made
        self.confirm(made)
        return RuleService(self.gateway).rule(self.act("administrator"), made.id)

    def confirm(self, made: object) -> None:
        """Let a second administrator confirm what waits for one; anything else took effect already."""
        if not isinstance(made, Proposal):
            return
        if "colleague" not in self.people:
            self.person("colleague", ClientRole.ADMINISTRATOR)
        ProposalService(self.gateway).confirm(self.act("colleague"), made.id)

    def process_off(self) -> None:
        service, act = ProcessService(self.gateway), self.act("administrator")
        version = service.settings(act, self.client.id).version
        self.confirm(
            service.change_settings(
                act, self.client.id, is_payment_process_on=False, preparer_may_approve=False, version=version
            )
        )

    # Payments

    def wish(self, **changes: Any) -> PaymentWish:
        number = next(_numbers)
        wish = PaymentWish(
            debtor_account_id=self.accounts[0].id,
            creditor_name=f"Leverancier {number} BV",
            creditor_iban=belgian_iban(1_000_000 + number * 7919),
            amount=Decimal("250.00"),
            remittance={"kind": "unstructured", "text": f"Factuur {number}"},
        )
        return replace(wish, **changes)

    def basket(self, *wishes: PaymentWish, by: Act | None = None) -> tuple[Basket, list[Payment]]:
        """A draft with these payments, one of 250.00 when none are named; made by the preparer."""
        act = by or self.act("preparer")
        basket = BasketService(self.gateway).create(act, self.client.id, name="Leveranciers").basket
        outcomes = PaymentService(self.gateway).add(act, basket.id, wishes or [self.wish()])
        assert all(outcome.payment is not None for outcome in outcomes), outcomes
        return self.fresh_basket(basket.id), [outcome.payment for outcome in outcomes if outcome.payment is not None]

    def submit(self, basket: Basket, **more: Any) -> Submission:
        version = self.fresh_basket(basket.id).version
        return SubmissionService(self.gateway).submit(self.act("preparer"), basket.id, version=version, **more)

    def submitted(self, *wishes: PaymentWish) -> tuple[Basket, list[Payment]]:
        basket, _ = self.basket(*wishes)
        self.submit(basket)
        return self.fresh_basket(basket.id), self.payments(basket)

    def decide(
        self, name: str, payment: Payment, verdict: Verdict = Verdict.APPROVE, *, seal: str | None = None
    ) -> DecisionOutcome:
        """The person decides on what is stored now, or on the seal given."""
        is_rejection = verdict is Verdict.REJECT
        wish = DecisionWish(
            payment_id=payment.id,
            seal=seal or self.payment(payment).seal,
            verdict=verdict,
            reason_code=RejectionReason.DISPUTED if is_rejection else None,
            reason_text="Factuur betwist" if is_rejection else None,
        )
        return ApprovalService(self.gateway).decide(self.act(name), wish)

    def approve(self, name: str, *payments: Payment) -> None:
        for payment in payments:
            self.decide(name, payment)

    def export(self, basket: Basket, *, by: str = "exporter", **more: Any) -> list[Export]:
        return ExportService(self.gateway).create(self.act(by), basket.id, **more)

    def download(self, export: Export, *, by: str = "exporter") -> bytes:
        return ExportService(self.gateway).download(self.act(by), export.id).content

    def payment(self, payment: Payment) -> Payment:
        return PaymentService(self.gateway).get(self.act("exporter"), payment.id)

    def payments(self, basket: Basket) -> list[Payment]:
        found: list[Payment] = []
        page = ALL
        while True:
            rows, cursor = PaymentService(self.gateway).page(self.act("exporter"), page, basket_id=basket.id)
            found += rows
            if cursor is None:
                return found
            page = PageRequest(500, cursor)

    def fresh_basket(self, basket_id: UUID) -> Basket:
        return BasketService(self.gateway).get(self.act("exporter"), basket_id).basket


def make_account(gateway: Gateway, client: Client) -> Account:
    """A current account in euro."""
    account = Account(
        id=new_id(),
        office_id=client.office_id,
        client_id=client.id,
        bank_id="crelan",
        iban=belgian_iban(9_000_000 + next(_numbers) * 104_729),
        currency="EUR",
        kind="current",
        bic="NICABEBB",
        health="ok",
        health_since=NOW,
        created_at=NOW,
    )
    with gateway.database.unit_of_work(client.office_id) as session:
        session.add(account)
    return account


def make_scene(gateway: Gateway, *, accounts: int = 1) -> Scene:
    """Preparer, two approvers, exporter, administrator; no rule yet."""
    office = make_office(gateway)
    client = make_client(gateway, office)
    scene = Scene(gateway, office, client, [make_account(gateway, client) for _ in range(accounts)])
    scene.person("administrator", ClientRole.ADMINISTRATOR)
    scene.person("preparer", ClientRole.PREPARER)
    scene.person("first", ClientRole.APPROVER)
    scene.person("second", ClientRole.APPROVER)
    scene.person("exporter", ClientRole.EXPORTER, ClientRole.VIEWER)
    return scene


def ids(payments: Sequence[Payment]) -> list[UUID]:
    return [payment.id for payment in payments]
