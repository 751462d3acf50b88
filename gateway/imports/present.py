"""What the office has already, as far as some rows touch it: a bounded number of queries, however many rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam
from sqlalchemy.types import String, TypeEngine
from sqlmodel import Session, col, select

from gateway.accounts.models import Account
from gateway.client_groups.models import ClientGroup, ClientGroupClient
from gateway.identity.models import Membership, User
from gateway.imports.banks import Bank, bank_keys
from gateway.imports.columns import key_of
from gateway.offices.models import Client, Office
from gateway.profiles.models import ClientProfile, KnownAccount

PROFILE_FIELDS: Final = (
    "client_code", "contact_name", "contact_email", "mobile", "package", "delivery", "destination", "send_invitation",
)  # fmt: skip
"""Columns of the profile that a row sets as they are; labels and the responsible person are compared apart."""


@dataclass(frozen=True, slots=True)
class PresentClient:
    """A client with all that an import may change."""

    client: Client
    profile: ClientProfile | None
    accounts: Mapping[str, KnownAccount] = field(default_factory=dict)
    """Known accounts by IBAN."""
    groups: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Lists:
    """What cells choose from."""

    people: Mapping[str, UUID]
    """Sign-in address to user, of people with a role at the office."""
    groups: Mapping[str, UUID]
    """Key of a group's name to the group."""
    banks: Mapping[str, Bank]


@dataclass(frozen=True, slots=True)
class Present:
    """The office's side of the comparison."""

    language: str
    lists: Lists
    clients: Mapping[UUID, PresentClient]
    by_number: Mapping[tuple[str, str], UUID]
    by_external_id: Mapping[str, UUID]
    owners: Mapping[str, UUID]
    """IBAN to the client of this office that has it. Other offices are not asked (OFF-05)."""
    connected: frozenset[str]
    """IBANs that are connected at a bank."""

    def email_of(self, user_id: UUID | None) -> str | None:
        """The address of a responsible person."""
        return next((email for email, known in self.lists.people.items() if known == user_id), None)


def lists_of(session: Session, office_id: UUID) -> Lists:
    """People, groups and banks."""
    return Lists(people_of(session, office_id), groups_of(session, office_id), bank_keys())


def load(
    session: Session,
    office_id: UUID,
    lists: Lists,
    *,
    numbers: Iterable[str],
    external_ids: Iterable[str],
    ibans: Iterable[str],
    is_locked: bool = False,
) -> Present:
    """Everything of the office that rows with these keys and account numbers touch.

    With `is_locked` nobody else changes it meanwhile; references to it can still be made.
    """
    office = session.get(Office, office_id)
    assert office is not None, "an import belongs to an office that exists"
    wanted_ibans = sorted(set(ibans))
    # In one order, so that two runs that meet wait for one another instead of for ever.
    clients = select(Client).where(
        Client.office_id == office_id,
        among(Client.enterprise_number, sorted(set(numbers))) | among(Client.external_id, sorted(set(external_ids))),
    )
    found = session.exec(_held(clients.order_by(col(Client.id)), is_locked)).all()
    ids = [client.id for client in found]
    of_clients = select(ClientProfile).where(
        ClientProfile.office_id == office_id, among(ClientProfile.client_id, ids, Uuid)
    )
    profiles = {
        profile.client_id: profile
        for profile in session.exec(_held(of_clients.order_by(col(ClientProfile.client_id)), is_locked))
    }
    known = select(KnownAccount).where(
        KnownAccount.office_id == office_id,
        among(KnownAccount.client_id, ids, Uuid) | among(KnownAccount.iban, wanted_ibans),
    )
    accounts = session.exec(_held(known.order_by(col(KnownAccount.id)), is_locked)).all()
    in_groups: dict[UUID, set[UUID]] = {}
    memberships = select(ClientGroupClient.client_id, ClientGroupClient.group_id).where(
        ClientGroupClient.office_id == office_id, among(ClientGroupClient.client_id, ids, Uuid)
    )
    for client_id, group_id in session.exec(memberships):
        in_groups.setdefault(client_id, set()).add(group_id)
    by_client: dict[UUID, dict[str, KnownAccount]] = {}
    for account in accounts:
        by_client.setdefault(account.client_id, {})[account.iban] = account
    connected = session.exec(
        select(Account.iban, Account.client_id).where(Account.office_id == office_id, among(Account.iban, wanted_ibans))
    ).all()
    return Present(
        language=office.language,
        lists=lists,
        clients={
            client.id: PresentClient(
                client,
                profiles.get(client.id),
                by_client.get(client.id, {}),
                frozenset(in_groups.get(client.id, ())),
            )
            for client in found
        },
        by_number={
            (client.enterprise_number, client.dossier_code): client.id for client in found if client.enterprise_number
        },
        by_external_id={client.external_id: client.id for client in found if client.external_id},
        owners={account.iban: account.client_id for account in accounts} | dict(connected),
        connected=frozenset(iban for iban, _client_id in connected),
    )


def people_of(session: Session, office_id: UUID) -> dict[str, UUID]:
    """Everybody with a role at the office itself."""
    query = (
        select(User.email, User.id)
        .join(Membership, col(Membership.user_id) == User.id)
        .where(
            Membership.office_id == office_id,
            col(Membership.client_id).is_(None),
            col(Membership.ended_at).is_(None),
        )
    )
    return dict(session.exec(query).all())


def groups_of(session: Session, office_id: UUID) -> dict[str, UUID]:
    """Groups by the key of their name; the one of all clients has no members of its own."""
    query = select(ClientGroup.name, ClientGroup.id).where(
        ClientGroup.office_id == office_id, ~col(ClientGroup.is_everyone)
    )
    return {key_of(name): group_id for name, group_id in session.exec(query)}


def among(column: Any, values: list[Any], kind: type[TypeEngine[Any]] = String) -> ColumnElement[bool]:
    """`column = ANY (…)` with one array, so that thousands of values are one parameter."""
    expression: ColumnElement[bool] = column == any_(bindparam(None, values, type_=ARRAY(kind), unique=True))
    return expression


def _held(query: Any, is_locked: bool) -> Any:
    return query.with_for_update(key_share=True) if is_locked else query
